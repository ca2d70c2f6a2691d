"""The command memory: counts without computing what the stages then hold."""
import json

import pytest

from training import TINY, datasets, fields, run, sets, write_maps

SIZES = [*TINY, *sets(simulate__particles=32, simulate__mesh=64, simulate__steps=5, simulate__boxes=12, maps__pixels=32, dataset__crop=16)]


def stages(*arguments, **environment):
    answer = json.loads(run("memory", "--json", *arguments, **environment).stdout)
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


def test_the_papers_networks_in_512_mib(tmp_path):
    """Weights packed for each use, small chunks, maps on the host: the bits stay."""
    few = sets(run__budget_mib=512)
    for kind in "", "gpu", "gpu-small":
        for stage in stages("--preset", "paper2d", *few, COSMOCL_EMULATE=kind).values():
            assert stage["device_bytes"] <= 512 * 2**20 and stage["fits"], (kind, stage)
    maps = write_maps(tmp_path / "maps.h5", fields(70, 256))  # 17 MiB of them are trained on: they stay on the host as well
    held_out = sets(dataset__validation=1, dataset__test=1)
    for budget in [], few:
        run("train", "gan", maps, "--preset", "paper2d", *held_out, *budget, "--steps", 2, "-o", tmp_path / f"gan {len(budget)}")
    gans = [datasets(tmp_path / f"gan {n}" / "state.h5") for n in (0, len(few))]
    assert gans[0] == gans[1]
    for budget in [], few:
        run("train", "encoder", maps, tmp_path / "gan 0/epochs/0001.h5", "--preset", "paper2d", *held_out, *budget, "--steps", 1,
            "-o", tmp_path / f"encoder {len(budget)}")
    encoders = [datasets(tmp_path / f"encoder {n}" / "state.h5") for n in (0, len(few))]
    assert encoders[0] == encoders[1]
