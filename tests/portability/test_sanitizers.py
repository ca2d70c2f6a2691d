"""The host code under the address and undefined-behaviour sanitizers: a build of its own that runs the Check programs and
some commands. Any report fails. Leaks are not looked for (OpenCL drivers keep memory until
the end), nor objects freed as another type (clFFT does that)."""
import shutil
import subprocess

import pytest

from matrix import BUILD, HOME, RUNTIMES, SOURCE, TINY, call, sets, write_maps

TREE = HOME / "sanitize"
# Programs whose time goes into kernels, which the sanitizers do not see, run in test_runtimes.py.
LONG = {"fault_commands_sweep_all", "ops_ops_reduce", "ops_ops_selftest", "ops_ops_conv", "science_sim_boxes", "science_sim_dynamics", "train_nets_resume"}
PROGRAMS = sorted(p.name.removeprefix("test_") for p in BUILD.glob("test_*") if p.is_file())


def sanitized(command, timeout=600):
    done = call(command, timeout, ASAN_OPTIONS="detect_leaks=0:exitcode=99:detect_stack_use_after_return=1:new_delete_type_mismatch=0",
                UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:exitcode=99", COSMOCL_CACHE=HOME / "cache/sanitize",
                POCL_CACHE_DIR=HOME / "cache/sanitize-pocl", **RUNTIMES["PoCL"][0])
    said = done.stdout + done.stderr
    assert "runtime error:" not in said and "AddressSanitizer" not in said, said[-5000:]
    return done


@pytest.fixture(scope="module")
def build():
    launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
    for command in (["cmake", "-S", SOURCE, "-B", TREE, "-G", "Ninja", "-DCOSMOCL_SANITIZE=ON", *launcher], ["ninja", "-C", TREE]):
        done = subprocess.run([str(w) for w in command], capture_output=True, text=True, timeout=1500)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


@pytest.mark.parametrize("program", [p for p in PROGRAMS if p not in LONG])
def test_program(program, build):
    done = sanitized([TREE / f"test_{program}"], 900)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_commands(build, tmp_path):
    program, maps = TREE / "cosmocl", write_maps(tmp_path / "maps.h5")
    for command, status in (
            (["devices"], 0), (["doctor"], None), (["config", "explain"], 0), (["dataset", "info", maps], 0),
            (["train", "gan", maps, *TINY, *sets(gan__save_every=5), "--steps", 10, "-o", tmp_path / "run"], 0),
            (["train", "gan", maps, *TINY, *sets(gan__save_every=5), "--steps", 15, "-o", tmp_path / "run", "--resume"], 0),
            (["generate", tmp_path / "run", "--epoch", 1, "--count", 4, "-o", tmp_path / "maps2.h5"], 0),
            (["stats", "--truth", maps, "--model", maps, "-o", tmp_path / "stats.h5"], 0),
            (["train", "gan", tmp_path / "absent.h5", "-o", tmp_path / "no"], 6)):
        done = sanitized([program, *command])
        assert status is None or done.returncode == status, f"{command}: {done.returncode}\n{done.stderr[-2000:]}"
