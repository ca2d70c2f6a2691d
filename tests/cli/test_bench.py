"""The command bench: every workload on a tiny configuration gives the documented object."""
import json

import pytest

from training import TINY, run, sets

SIZES = [*TINY, *sets(simulate__particles=32, simulate__mesh=64, simulate__steps=5, maps__pixels=32, dataset__crop=16)]
WORKLOADS = {"gan-step": 1, "encoder-step": 3, "layers": 12, "simulate": 1, "maps": 2, "stats": 8, "fft": 2, "gemm": 2, "peak": 1}


def test_the_list():
    lines = run("bench").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(WORKLOADS) and all(len(line) > 20 for line in lines)


@pytest.mark.parametrize("name", WORKLOADS)
def test_workloads(name):
    answer = json.loads(run("bench", name, "--repeat", 1, "--json", *SIZES).stdout)
    assert answer["schema"] == 1 and answer["repeat"] == 1
    assert all(isinstance(answer[key], str) and answer[key] for key in ("device", "driver", "commit", "selftest"))
    assert len(answer["results"]) >= WORKLOADS[name]
    for row in answer["results"]:
        assert {"name", "median_s", "min_s", "max_s", "validated", "max_error"} <= row.keys()
        assert 0 < row["min_s"] <= row["median_s"] <= row["max_s"], row
        # The peak is a chain of multiply-adds whose result nobody needs: it does not claim to be checked.
        assert row["validated"] is (name != "peak"), row
        assert row["max_error"] is None or 0 <= row["max_error"] < 1e-4, row
        assert row.get("gflop_s", 1) > 0 and row.get("samples_s", 1) > 0
    assert len({row["name"] for row in answer["results"]}) == len(answer["results"])


def test_each_statistic_is_checked_by_itself():
    """Against an oracle of its own: counts are exact, the others differ from each other, and the whole is the worst of them."""
    rows = json.loads(run("bench", "stats", "--repeat", 1, "--json", *SIZES).stdout)["results"]
    whole, _, spectra, peaks, minkowski, _, pairs, neighbours = (row["max_error"] for row in rows)
    assert peaks == minkowski == 0 and len({spectra, pairs, neighbours, 0}) == 4
    assert whole == max(row["max_error"] for row in rows[1:])


def test_a_forced_device_validates_nothing(tmp_path):
    """Nothing that a device computes which failed its self-test is called validated."""
    answer = json.loads(run("bench", "gan-step", "--repeat", 1, "--json", *SIZES, "--force", COSMOCL_CACHE=tmp_path,
                            COSMOCL_BREAK_KERNEL="adam_step").stdout)
    assert answer["selftest"] == "forced: FAILED adam_step" and answer["results"][0]["validated"] is False


def test_several_and_the_table():
    table = run("bench", "gan-step", "layers", "--repeat", 2, *SIZES).stdout.splitlines()
    assert "median ms" in table[0] and table[1].startswith("gan-step") and any("conv.0" in line for line in table)


def test_the_profile():
    """Kernels by time, those whose work is known with the share of the peak that was measured just before."""
    lines = run("bench", "gan-step", "--repeat", 2, "--profile", *SIZES).stdout.splitlines()
    head = next(i for i, line in enumerate(lines) if line.endswith("of peak"))
    assert lines[head - 1].startswith("peak ") and "GFLOP/s" in lines[head - 1]
    rows = [line.split() for line in lines[head + 1:]]
    milliseconds = [float(row[2]) for row in rows]
    assert milliseconds == sorted(milliseconds, reverse=True) and len(rows) > 10
    known = [row for row in rows if row[0].startswith(("winograd", "conv_", "adam/")) and "%" in row[-1]]
    assert known and all(int(row[-2]) >= 0 and max(float(row[-4]), float(row[-3])) > 0 for row in known), known


def test_refusals():
    run("bench", "gan-stop", status=2, says=["gan-stop", "cosmocl bench"])
    run("bench", "gan-step", "nothing", "--json", *SIZES, status=2, says="nothing")
    for repeat in ("0", "x", "-1"):
        run("bench", "peak", "--repeat", repeat, status=2, says="--repeat")
    run("bench", "peak", status=3, says="no OpenCL device", OCL_ICD_VENDORS="/nonexistent")
    run("bench", "maps", *SIZES, *sets(simulate__dims=3), status=2, says="2D")
