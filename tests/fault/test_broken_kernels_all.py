"""Every operator of the self-test made wrong on purpose, one after the other: the self-test finds it and names it, work on the
device is refused, and forced work carries the stamp. tests/ops/ops_selftest.c does the first part in the default suite."""
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from training import TINY, call, fields, run, sets, write_maps

# Kernels of libraries, which the self-test before work leaves out: CLBlast is used only where it is told to be, and a Fourier plan
# tests itself when it is made.
LIBRARIES = ["gemm (CLBlast)", "conv_forward (CLBlast)", "conv_backward_data (CLBlast)", "conv_backward_weights (CLBlast)",
             "fft_forward", "fft_inverse"]


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    maps = write_maps(folder / "maps.h5", fields(12, 32))
    run("train", "gan", maps, *TINY, *sets(gan__save_every=2), "--steps", 2, "-o", folder / "run")
    return folder / "run"


def operators():
    rows = json.loads(call("selftest", "--json", timeout=600).stdout)["results"]
    return list(dict.fromkeys(row["operator"] for row in rows))


def test_every_operator(trained, tmp_path, capsys):
    names = operators()
    assert len(names) > 50

    def broken(i):
        name, out = names[i], tmp_path / f"{i}.h5"
        r = call("selftest", timeout=600, COSMOCL_BREAK_KERNEL=name)
        assert r.returncode == 5 and f"{name} computes wrongly on" in r.stderr, f"{name}: {r.stderr}"
        failed = [line for line in r.stdout.splitlines() if "FAILED" in line]
        assert all(line.startswith(name) for line in failed) and failed, r.stdout
        generate = ["generate", trained, "--count", 1, "-o", out]
        r = call(*generate, timeout=600, COSMOCL_BREAK_KERNEL=name)
        if name in LIBRARIES:
            assert r.returncode == 0, r.stderr
            return 0, 0
        assert r.returncode == 5 and f"{name} computes wrongly on" in r.stderr and "--force" in r.stderr, f"{name}: {r.stderr}"
        assert not out.exists()
        r = call(*generate, "--force", timeout=600, COSMOCL_BREAK_KERNEL=name)
        assert r.returncode == 0 and f"{name} computes wrongly on" in r.stderr, r.stderr
        with h5py.File(out) as f:
            assert f["provenance"].attrs["selftest"] == f"forced: FAILED {name}"
        return 1, 1

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        refused, stamped = map(sum, zip(*pool.map(broken, range(len(names)))))
    with capsys.disabled():
        print(f"\nbroken kernels: {len(names)} operators, found by name {len(names)}, work refused {refused}, stamped {stamped}")
    assert refused == len(names) - sum(name in LIBRARIES for name in names)
