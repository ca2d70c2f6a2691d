"""Every kernel of the program under oclgrind: no access out of bounds, no race, no misuse of the API; also as on a small
device. oclgrind ends with status 0 whatever it finds: its log must be empty but for the kernels of the Fourier libraries
and CLBlast, which are not ours (and are told to race where they do not)."""
import re

import pytest

from matrix import PROGRAM, TINY, call, emulated_kinds, kernels, need_oclgrind, sets, write_maps

SMALL_DEVICE = ["--max-wgsize", 256, "--local-mem-size", 32768]
TINIEST_DEVICE = ["--max-wgsize", 64, "--local-mem-size", 16384, "--constant-mem-size", 65536]
# The benchmarks of a device would take hours.
ELSEWHERE = {"peak/peak", "peak/peak_copy"}
ran = set()


def ours():
    return {k.split("/")[1] for k in kernels()}


def check(command, folder, done_when, options=(), **variables):
    """Runs a command of the program and returns the kernels that it ran."""
    need_oclgrind()
    log = folder / "log"
    done = call(["oclgrind", "--check-api", "--data-races", *options, "--log", log, PROGRAM, *command, "-v"], 1500,
                COSMOCL_CACHE=folder / "cache", **variables)
    assert done_when(done), f"{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    text = log.read_text() if log.exists() else ""
    wrong = [part for part in re.split(r"\n\s*\n(?=\S)", text) if part.strip() and names_ours(part)]
    assert not wrong, "\n".join(wrong[:5])
    found = set(re.findall(r"debug: kernel (\w+/\w+)", done.stderr))
    ran.update(found)
    return found


def names_ours(part):
    """Whether a message is about a kernel of ours, or about none (a call of the API)."""
    about = re.search(r"Kernel: (\w+)", part)
    return not about or about[1] in ours()


def selftest_passed(done):
    return "passed, one result: yes" in done.stdout


def trained(steps):
    return lambda done: f"{steps} steps in" in done.stderr


# Kinds that differ from these in how much a work-item does alone run in test_shapes.py.
@pytest.mark.parametrize("kind", [k for k in emulated_kinds() if k not in ("cpu-8", "cpu-many", "gpu-one")])
def test_all_operators(kind, tmp_path):
    check(["selftest", "--quick"], tmp_path, selftest_passed, COSMOCL_EMULATE=kind)


@pytest.mark.parametrize("device", [SMALL_DEVICE, TINIEST_DEVICE], ids=["256 work-items, 32 KiB", "64 work-items, 16 KiB"])
def test_all_operators_on_a_small_device(device, tmp_path):
    check(["selftest", "--quick"], tmp_path, selftest_passed, device, COSMOCL_EMULATE="gpu")


@pytest.mark.parametrize("kind", ["cpu-16", "gpu"])
@pytest.mark.parametrize("algorithm", ["auto", "clblast"])
def test_training(algorithm, kind, tmp_path):
    maps = write_maps(tmp_path / "maps.h5")
    found = check(["train", "gan", maps, *TINY, *sets(gan__save_every=2, network__algorithm=algorithm), "--steps", 2, "-o", tmp_path / "run"],
                  tmp_path, trained(2), COSMOCL_EMULATE=kind, COSMOCL_SELFTEST="off")
    assert {"crop/crop_gather", "adam/adam_step", "loss/loss_discriminator"} <= found
    assert ("conv_columns/images_of_columns" in found) == (algorithm == "clblast")


@pytest.mark.parametrize("command", ["doctor", "simulate"])
def test_command(command, tmp_path):
    more = [*sets(simulate__particles=16, simulate__mesh=16, simulate__steps=2, simulate__boxes=1, simulate__box_mpc_h=50),
            "-o", tmp_path / "boxes"] if command == "simulate" else []
    check([command, *more], tmp_path, lambda done: "selfcheck/chain" in done.stderr or "2 steps in" in done.stderr,
          COSMOCL_SELFTEST="off")


def test_every_kernel_was_run():
    """Runs last, over what the tests above have run."""
    need_oclgrind()
    missing = set(kernels()) - ran - ELSEWHERE
    assert not missing, f"never run under oclgrind: {', '.join(sorted(missing))}"
