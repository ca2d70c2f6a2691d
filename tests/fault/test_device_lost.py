"""A device that is lost in the middle of training: from some call into OpenCL on, all of them fail. The run ends in time with a
message that names device and step, what it saved stays good, and it goes on elsewhere to the same end."""
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from training import TINY, call, datasets, epochs, fields, metrics, run, same_results, sets, temporaries, write_maps

TRAIN = [*TINY, *sets(gan__save_every=2)]
STEPS = 60


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5", fields(12, 32))


@pytest.fixture(scope="module")
def whole(maps, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    run("train", "gan", maps, *TRAIN, "--steps", STEPS, "-o", folder)
    return folder



@pytest.mark.parametrize("n, error", [(2500, "CL_DEVICE_NOT_AVAILABLE"), (3001, "CL_OUT_OF_RESOURCES"),
                                      (3702, "CL_INVALID_COMMAND_QUEUE"), (4403, "CL_OUT_OF_HOST_MEMORY")])
@pytest.mark.parametrize("stays", ["", "+"])
def test_a_device_lost_in_training(maps, whole, tmp_path, n, error, stays):
    r = call("train", "gan", maps, *TRAIN, "--steps", STEPS, "-o", tmp_path, COSMOCL_FAIL_OPENCL=f"{n}{stays}:{error}", timeout=60)
    memory = error == "CL_OUT_OF_HOST_MEMORY"
    name = json.loads(call("devices", "--json").stdout)["devices"][0]["name"]
    assert r.returncode == (4 if memory else 3), r.stderr
    assert r.stderr.count("error:") == 1 and error in r.stderr and name in r.stderr and " step " in r.stderr, r.stderr
    assert ("smaller problem" if memory else "the device may be lost") in r.stderr, r.stderr
    assert not temporaries(tmp_path) and len(metrics(tmp_path)) > 2
    for file in epochs(tmp_path):
        assert datasets(tmp_path / "epochs" / file) == datasets(whole / "epochs" / file)
    # A state is moved aside before the next is written: lost while writing, the one before is what is left.
    states = [tmp_path / name for name in ("state.h5", "state.previous.h5") if (tmp_path / name).exists()]
    assert states and all(datasets(path) for path in states)
    run("train", "gan", maps, *TRAIN, "--steps", STEPS, "-o", tmp_path, "--resume")
    same_results(tmp_path, whole)


@pytest.mark.parametrize("command", ["generate", "select"])
def test_a_device_lost_in_other_commands(maps, whole, tmp_path, command):
    out = tmp_path / "out"
    out.write_text("old")
    arguments = ["--count", 9, "-o", out] if command == "generate" else ["--maps", maps, "--count", 9]
    r = call(command, whole, *arguments, COSMOCL_FAIL_OPENCL="170+:CL_DEVICE_NOT_AVAILABLE", timeout=60)
    assert r.returncode == 3 and "CL_DEVICE_NOT_AVAILABLE" in r.stderr and r.stderr.count("error:") == 1, r.stderr
    assert out.read_text() == "old" and not temporaries(tmp_path) and not (whole / "select.json").exists()


def test_a_device_lost_in_the_self_test(tmp_path):
    """It is said to be lost, not to compute wrongly."""
    r = call("selftest", COSMOCL_FAIL_OPENCL="500+:CL_DEVICE_NOT_AVAILABLE", timeout=100)
    assert r.returncode == 3 and "CL_DEVICE_NOT_AVAILABLE" in r.stderr and "wrongly" not in r.stderr, r.stderr


def test_a_kernel_that_does_not_run_is_named_as_such():
    r = call("selftest", COSMOCL_FAIL_OPENCL="500:CL_INVALID_KERNEL", timeout=400)
    assert r.returncode == 5 and "does not run on" in r.stderr and "CL_INVALID_KERNEL" in r.stderr, r.stderr
