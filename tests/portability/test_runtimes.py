"""Every suite that runs kernels, and the self-test, on every OpenCL runtime there is."""
import json

import pytest

from matrix import BUILD, PROGRAM, RUNTIMES, SLOW, SOURCE, call, runtime, version

SUITES = sorted(p.name.removeprefix("test_") for kind in ("ops_*", "grad_*", "train_nets_*", "unit_device_*",
                                                          "unit_dataset_device", "fault_device_*")
                for p in BUILD.glob(f"test_{kind}") if p.is_file())


def test_all_suites_are_built():
    written = [p for p in (SOURCE / "tests").glob("*/*.c") if p.stem.startswith("ops_") and p.parent.name != "fuzz"]
    assert {f"{p.parent.name}_{p.stem}" for p in written} <= set(SUITES) and len(SUITES) > 15


# What a runtime without fma in hardware ends in some minutes.
QUICK = {"ops_ops_crop", "ops_ops_mesh", "ops_ops_reduce", "ops_ops_overlap", "unit_dataset_device", "unit_device_buffer",
         "unit_device_kernel"}


def skip_slow(name, suite):
    if name in SLOW and suite not in QUICK:
        pytest.skip("takes hours without fma in hardware")


@pytest.mark.parametrize("name", RUNTIMES)
def test_selftest(name, record_property):
    variables = runtime(name)
    record_property("version", version(name))
    skip_slow(name, "selftest")
    done = call([PROGRAM, "selftest", "--json"], 900, **variables)
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert said["passed"], [r for r in said["results"] if not r["passed"]]
    assert said["one_result"], [h for h in said["hashes"] if not h["known"]]


@pytest.mark.parametrize("suite", SUITES)
@pytest.mark.parametrize("name", RUNTIMES)
def test_suite(name, suite):
    skip_slow(name, suite)
    done = call([BUILD / f"test_{suite}"], 900, **runtime(name))
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
