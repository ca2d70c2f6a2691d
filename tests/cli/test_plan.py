"""What the pipeline looks at before it begins: nothing may fail after hours that could be known at once."""
import json

import pytest

from training import TINY, run, sets

SMALL = [*TINY, *sets(simulate__boxes=10, simulate__particles=32, simulate__mesh=64, simulate__steps=6, maps__pixels=32,
                      dataset__crop=16, gan__steps=7, gan__save_every=5)]


@pytest.mark.parametrize("options, says", [
    (sets(simulate__dims=3), ["simulate.dims = 3", "use simulate.dims = 2"]),
    (sets(simulate__redshifts="1, 0"), ["simulate.redshifts names 2", "name that one"]),
])
@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_refused_before_the_first_stage(tmp_path, options, says, dry):
    run("pipeline", "quick2d", *SMALL, *options, *dry, "-o", tmp_path / "run", status=2, says=says)
    assert not list(tmp_path.iterdir())


def test_the_memory_is_that_of_the_networks(tmp_path):
    """More than parameters, gradients and moments alone; a moving average adds to it."""
    def plan(**values):
        return json.loads(run("pipeline", "quick2d", *SMALL, *sets(**values), "-o", tmp_path, "--dry-run", "--json").stdout)

    rows = plan()
    train = next(r for r in rows if r["stage"] == "train gan")
    parameters = 256 * 8 + 256 + 16 * 8 * 25 + 8 + 8 * 25 + 1 + 8 * 25 + 8 + 16 * 8 * 25 + 16 + 256 + 1
    assert train["device_bytes"] > 4 * 4 * parameters + 6 * 32 * 32 * 4
    encoder = next(r for r in rows if r["stage"] == "train encoder")
    assert encoder["device_bytes"] > 4 * 4 * parameters + 6 * 32 * 32 * 4 and encoder["seconds"] > 0
    averaged = next(r for r in plan(gan__average=".9") if r["stage"] == "train gan")
    assert averaged["device_bytes"] > train["device_bytes"]


def test_the_sanity_experiment_is_planned_where_it_is_wanted(tmp_path):
    for steps in (0, 5):
        rows = json.loads(run("pipeline", "quick2d", *SMALL, *sets(encoder__sanity_steps=steps, encoder__batch=6, encoder__micro_batch=3),
                              "-o", tmp_path, "--dry-run", "--json").stdout)
        found = [r for r in rows if r["stage"] == "sanity"]
        assert len(found) == (steps > 0) and all(r["what"].startswith("5 steps of 6 images") for r in found)
