"""The command memory: counts without computing what the stages then hold."""
import json

import pytest

from training import TINY, run, sets

SIZES = [*TINY, *sets(simulate__particles=32, simulate__mesh=64, simulate__steps=5, simulate__boxes=12, maps__pixels=32, dataset__crop=16)]


def stages(*arguments):
    answer = json.loads(run("memory", "--json", *arguments).stdout)
    assert answer["schema"] == 1 and answer["budget_bytes"] > 0 and answer["largest_block_bytes"] > 0
    return {row["stage"]: row for row in answer["stages"]}


@pytest.mark.parametrize("algorithm", ["auto", "clblast"])
def test_what_it_counts_is_what_the_stages_hold(algorithm):
    sizes = [*SIZES, *sets(network__algorithm=algorithm)]
    counted = stages("--preset", "quick2d", *sizes)
    held = {row["stage"]: row["device_bytes"] for row in json.loads(run("pipeline", "quick2d", "--dry-run", "--json", *sizes).stdout)}
    for stage in ("train gan", "train encoder", "simulate"):
        assert counted[stage]["device_bytes"] == held[stage] > 0 and counted[stage]["fits"], stage


def test_the_parts_and_the_table():
    row = stages("--preset", "paper2d")["train gan"]
    assert 0 < sum(row["parts"].values()) < row["device_bytes"] < 1.5 * 2**30
    assert row["parts"]["parameters"] == row["parts"]["gradients"] == row["parts"]["first moments"]
    table = run("memory", "--preset", "paper2d").stdout
    assert "train gan" in table and "workspace" in table and "NOT" not in table


def test_more_images_need_more():
    few, many = (stages("--preset", "quick2d", *sets(gan__batch=n, gan__micro_batch=n))["train gan"] for n in (10, 40))
    assert 3.9 < many["parts"]["output"] / few["parts"]["output"] < 4.1
    assert many["parts"]["parameters"] == few["parts"]["parameters"]


def test_too_little():
    refused = run("memory", "--preset", "paper2d", *sets(run__budget_mib=64), says=["train gan", "run.budget_mib"])
    assert "does NOT fit" in refused.stdout
    run("memory", *sets(simulate__dims=3), status=2, says="simulate.dims")
    run("memory", "--device", "nothing", status=3, says="nothing")
