"""A gradient that is not finite, at any step: the run stops with its last good state and what it found, and goes on from there to
the end of a run that had none; also where there is no room for what it found."""
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from training import TINY, datasets, epochs, fields, run, same_results, sets, temporaries, write_maps

STEPS = 20


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    write_maps(folder / "maps.h5", fields(12, 32))
    run(*train(folder), "-o", folder / "whole")
    return folder


def train(place):
    return ["train", "gan", place / "maps.h5", *TINY, *sets(gan__save_every=5), "--steps", STEPS]


@pytest.mark.parametrize("step", [1, 6, STEPS])
def test_a_run_stops_and_goes_on(place, tmp_path, step):
    said = run(*train(place), "-o", tmp_path, status=1, says=["not finite", "last good state", "nonfinite.h5"],
               COSMOCL_INJECT_NAN=step).stderr
    assert f"step {step}" in said, said
    good = (step - 1) // 5
    assert datasets(tmp_path / "state.h5")["step, epoch, chain"][0] == 5 * good
    assert epochs(tmp_path) == epochs(place / "whole")[:good] and not temporaries(tmp_path)
    with h5py.File(tmp_path / "nonfinite.h5") as f:
        found = []
        f.visititems(lambda name, o: found.append(o[()]) if isinstance(o, h5py.Dataset) else None)
        assert any(not np.isfinite(values).all() for values in found)
    run(*train(place), "-o", tmp_path, "--resume")
    same_results(tmp_path, place / "whole")


def test_no_room_for_what_was_found(place, tmp_path):
    """Every step of writing fails in turn, as on a full disk: the last good state stays all the same."""
    for n in range(3, 200, 24):
        folder = tmp_path / str(n)
        said = run(*train(place), "-o", folder, status=1, COSMOCL_INJECT_NAN=13, COSMOCL_FAIL_WRITE=f"{n}+").stderr
        assert "No space left on device" in said or "nonfinite.h5" in said, said
        assert not temporaries(folder)
        if "No space left on device" not in said:
            break
        if "not finite" in said:
            run(*train(place), "-o", folder, "--resume")
            same_results(folder, place / "whole")
    assert "nonfinite.h5" in said and n > 50
