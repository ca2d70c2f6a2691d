"""Training while things fail: every single write, allocations, OpenCL calls, a full disk. Always a message and the right exit
code, never a crash or a hang, and never a loss of what was saved before."""
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from training import PROGRAM, TINY, call, datasets, epochs, fields, metrics, run, same_results, sets, temporaries, write_maps

SHORT = [*TINY, "--steps", "4", *sets(gan__save_every=2)]


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5", fields(12, 32))


@pytest.fixture(scope="module")
def two(maps, tmp_path_factory):
    """A run of two steps, from which the others go on to four."""
    folder = tmp_path_factory.mktemp("two")
    run("train", "gan", maps, *TINY, "--steps", 2, *sets(gan__save_every=2), "-o", folder)
    return folder


@pytest.fixture(scope="module")
def four(maps, two, tmp_path_factory):
    folder = tmp_path_factory.mktemp("four") / "run"
    shutil.copytree(two, folder)
    run("train", "gan", maps, *SHORT, "-o", folder, "--resume")
    return folder


def all_of(function, numbers):
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(function, numbers))


def test_every_failed_write(maps, two, four, tmp_path):
    """The n-th step of writing fails, for every n until the run gets through; each failed run then goes on to the same end."""
    epoch = datasets(two / "epochs/0001.h5")
    states = [datasets(two / "state.h5"), datasets(four / "state.h5")]

    def fail(n):
        folder = tmp_path / str(n)
        shutil.copytree(two, folder)
        r = call("train", "gan", maps, *SHORT, "-o", folder, "--resume", COSMOCL_FAIL_WRITE=n)
        if r.returncode:
            assert r.returncode == 1 and r.stderr.count("error:") == 1, f"write {n}: {r.returncode} {r.stderr}"
            assert str(folder) in r.stderr and "No space left on device; free some" in r.stderr, r.stderr
        assert datasets(folder / "epochs/0001.h5") == epoch
        kept = [datasets(folder / name) for name in ("state.h5", "state.previous.h5") if (folder / name).exists()]
        assert kept and all(state in (*states, datasets(two / "state.previous.h5")) for state in kept), f"write {n}"
        assert all(row["step"] <= 4 for row in metrics(folder)) and not temporaries(folder)
        for name in epochs(folder):
            datasets(folder / "epochs" / name)
        return r.returncode

    codes = all_of(fail, range(1, 27))
    failed = codes.index(0)
    assert failed >= 10 and not any(codes[failed:]), codes
    for n in (1, failed // 2, failed):
        run("train", "gan", maps, *SHORT, "-o", tmp_path / str(n), "--resume")
        same_results(tmp_path / str(n), four)


def test_failed_writes_of_a_first_run(maps, tmp_path):
    for n in (1, 4, 6):
        run("train", "gan", maps, *SHORT, "-o", tmp_path / str(n), status=1, says="No space left", COSMOCL_FAIL_WRITE=n)
        assert not temporaries(tmp_path / str(n))


def test_a_disk_that_stays_full(maps, two, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(two, folder)
    run("train", "gan", maps, *SHORT, "-o", folder, "--resume", status=1, says="No space left", COSMOCL_FAIL_WRITE="5+")
    assert datasets(folder / "epochs/0001.h5") == datasets(two / "epochs/0001.h5")
    assert any((folder / name).exists() and datasets(folder / name) == datasets(two / "state.h5")
               for name in ("state.h5", "state.previous.h5"))


def test_a_full_disk(maps, two, four, tmp_path):
    """A real one of 500 KiB, in a mount space of its own; with room again the run goes on to the same end."""
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    disk.mkdir()
    train = f"'{PROGRAM}' train gan '{maps}' {' '.join(TINY)} --set gan.save_every=1 -o '{disk}/run'"
    script = f"""set -u
        mount -t tmpfs -o size=500k none '{disk}' || exit 99
        {train} --steps 12 2> '{tmp_path}/errors'; echo $? > '{tmp_path}/code'
        cp -a '{disk}/run' '{kept}'
        mount -o remount,size=8m '{disk}' || exit 99
        {train} --steps 12 --resume 2> '{tmp_path}/again' || exit 98
        cp -a '{disk}/run' '{tmp_path}/end'"""
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True, timeout=100)
    if done.returncode in (1, 99):
        pytest.skip(f"cannot mount here: {done.stderr}")
    assert done.returncode == 0, done.stderr + (tmp_path / "errors").read_text() + (tmp_path / "again").read_text()
    errors = (tmp_path / "errors").read_text()
    assert (tmp_path / "code").read_text() == "1\n" and "No space left on device; free some" in errors, errors
    assert not temporaries(kept)
    for name in epochs(kept):
        datasets(kept / "epochs" / name)
    run("train", "gan", maps, *TINY, *sets(gan__save_every=1), "--steps", 12, "-o", tmp_path / "undisturbed")
    same_results(tmp_path / "end", tmp_path / "undisturbed")


ALLOCATIONS = [1, 4, 12, 30, 60, 110, 180, 280, 420]


def test_failed_allocations(maps, tmp_path):
    def fail(n):
        r = call("train", "gan", maps, *SHORT, "-o", tmp_path / str(n), COSMOCL_FAIL_ALLOCATION=n)
        assert r.returncode in (0, 4), f"allocation {n}: {r.returncode} {r.stderr}"
        assert r.returncode == 0 or "no memory" in r.stderr.splitlines()[-1], r.stderr
        assert not temporaries(tmp_path) and not (r.returncode and r.stdout)
        return r.returncode

    codes = all_of(fail, ALLOCATIONS)
    assert codes.count(4) >= 5, codes


CALLS = [1, 2, 5, 12, 30, 70, 130, 220, 350, 600]


def test_failed_opencl_calls(maps, tmp_path):
    def fail(n):
        r = call("train", "gan", maps, *SHORT, "-o", tmp_path / str(n), COSMOCL_FAIL_OPENCL=n)
        assert r.returncode in (0, 3, 4), f"call {n}: {r.returncode} {r.stderr}"
        assert r.returncode == 0 or "error:" in r.stderr, r.stderr
        assert not (r.returncode and r.stdout)
        return r.returncode

    codes = all_of(fail, CALLS)
    assert sum(code != 0 for code in codes) >= 6, codes
