"""The command select: its table and select.json, the best is the minimum, and the ways in which it cannot judge."""
import json
import shutil

import h5py
import numpy as np
import pytest

from training import TINY, call, fields, run, sets, write_maps


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trained")
    write_maps(folder / "maps.h5", fields(12, 32))
    run("train", "gan", folder / "maps.h5", *TINY, "--steps", 45, *sets(gan__save_every=10, gan__lr_g="2e-3"), "-o", folder / "run")
    return folder


@pytest.fixture
def copy(trained, tmp_path):
    """The run in a place of its own; its maps stay where it recorded them."""
    shutil.copytree(trained / "run", tmp_path / "run")
    return tmp_path / "run"


def check_judgement(row):
    assert list(row["parts"]) == ["pdf", "mean", "scatter", "power", "peaks", "minkowski", "diversity"]
    assert row["score"] == pytest.approx(np.prod([1 + r for r in row["parts"].values()]) ** (1 / len(row["parts"])) - 1)
    assert list(row["figures"]) == ["pdf", "mean", "std", "psd", "peaks"] and row["score_error"] > 0


def test_select_json_and_the_table(copy):
    done = run("select", copy, "--count", 16)
    chosen = json.loads((copy / "select.json").read_text())
    assert list(chosen) == ["best", "generated", "training", "validation", "epochs", "baselines", "made"]
    assert chosen["made"].keys() == {"version", "commit", "device", "selftest"} and chosen["made"]["selftest"].startswith("passed")
    assert chosen["generated"] == chosen["training"] == 16  # of the four crops of eight maps
    assert chosen["validation"] == 8  # four crops of two maps
    rows = chosen["epochs"]
    assert [r["epoch"] for r in rows] == [1, 2, 3, 4, 5] and [r["step"] for r in rows] == [10, 20, 30, 40, 45]
    for r in rows:
        assert list(r) == ["epoch", "step", "file", "score", "score_error", "collapsed", "parts", "figures"] and (copy / r["file"]).exists()
        assert np.isfinite(r["score"]) and r["score"] > 0
        check_judgement(r)
    scores = [r["score"] for r in rows]
    assert len(set(scores)) == 5
    assert chosen["best"] == rows[scores.index(min(scores))]
    table = done.stdout.splitlines()
    assert table[0].split() == ["epoch", "step", "score", "±", "error", "pdf", "mean", "std", "psd", "peaks"]
    # Below the epochs the baselines, then how many epochs are as good as the best, where there are some, and the best.
    assert [line.split()[0] for line in table[6:8]] == ["untrained", "gaussian"]
    near = sum(s <= chosen["best"]["score"] + chosen["best"]["score_error"] for s in scores) - 1
    assert len(table) == 9 + (near > 0) and ("within one error" in done.stdout) == (near > 0)
    assert list(chosen["baselines"]) == ["untrained", "gaussian"]
    for name, row in chosen["baselines"].items():
        assert list(row) == ["score", "score_error", "collapsed", "parts", "figures"] + ["misfit"] * (name == "gaussian")
        check_judgement(row)
        assert f"{row['score']:.3f}" in table[6 + (name == "gaussian")]
    # These maps are themselves a translated Gaussian field, so nothing can be better.
    assert chosen["baselines"]["gaussian"]["score"] < min(*scores, chosen["baselines"]["untrained"]["score"])
    assert f"best: epoch {chosen['best']['epoch']} (step {chosen['best']['step']})" in table[-1]
    # The same again, and what it chose is what generate takes.
    done = run("select", copy, "--count", 16, "--json")
    assert json.loads(done.stdout) == chosen == json.loads((copy / "select.json").read_text())
    made = json.loads(run("generate", copy, "--count", 2, "-o", copy / "g.h5", "--json").stdout)
    assert made["step"] == chosen["best"]["step"]


def test_the_score_sees_what_is_better(copy):
    """An epoch whose generator is the truth's mean density with less noise would be hard to make; a broken one is easy: with a
    bias of -5 before tanh all is empty, and it must come last."""
    with h5py.File(copy / "epochs/0002.h5", "a") as f:
        f["generator/conv.1.bias"][:] = -5
    rows = json.loads(run("select", copy, "--count", 16, "--json").stdout)["epochs"]
    assert max(rows, key=lambda r: r["score"])["epoch"] == 2


def test_maps_that_have_moved(trained, copy, tmp_path):
    moved = tmp_path / "moved.h5"
    with h5py.File(copy / "epochs/0001.h5", "a") as f:
        made = f["provenance"].attrs
        made["input_hashes"] = made["input_hashes"].replace("maps.h5", "gone.h5")
    run("select", copy, "--count", 8, status=2, says=["gone.h5", "--maps"])
    assert not (copy / "select.json").exists()
    shutil.copy(trained / "maps.h5", moved)
    given = run("select", copy, "--count", 8, "--maps", moved, "--json").stdout
    assert given == run("select", trained / "run", "--count", 8, "--json").stdout
    run("select", copy, "--maps", tmp_path / "none.h5", status=6, says="none.h5")
    other = write_maps(tmp_path / "other.h5", fields(12, 32, seed=8))
    for command in (["select", copy], ["generate", copy, "--baseline", "gaussian", "-o", tmp_path / "g.h5"]):
        run(*command, "--maps", other, status=2, says=["other.h5", "not the file", "--maps"])
    (trained / "run/select.json").unlink()


def test_the_split_is_that_of_the_run(copy):
    """The held-out maps are those the run held out, whatever this command is told."""
    a = run("select", copy, "--count", 8, "--json").stdout
    assert a == run("select", copy, "--count", 8, "--json", *sets(dataset__validation=1, dataset__test=1), "--seed", 9).stdout


def test_nothing_to_judge_by(trained, tmp_path):
    (tmp_path / "empty").mkdir()
    run("select", tmp_path / "empty", status=6, says=["no saved epochs", "folder of a training run"])
    run("select", tmp_path / "none", status=6, says="no saved epochs")
    run("select", trained / "run", "--count", 1, status=2, says="--count")
    run("train", "gan", trained / "maps.h5", *TINY, *sets(dataset__validation=0), "--steps", 2, "-o", tmp_path / "run")
    run("select", tmp_path / "run", "--count", 8, status=2, says=["0 validation images", "dataset.validation"])
    assert not (tmp_path / "run/select.json").exists()
    few = write_maps(tmp_path / "few.h5", fields(12, 16))
    run("train", "gan", few, *TINY, *sets(dataset__validation=9, dataset__crop=16), "--steps", 1, "-o", tmp_path / "few")
    run("select", tmp_path / "few", "--count", 8, status=2, says=["1 training images", "more maps or a smaller dataset.validation"])


def test_epochs_of_another_network_or_damaged(copy):
    damaged = copy / "epochs/0003.h5"
    whole = damaged.read_bytes()
    damaged.write_bytes(whole[:9000])
    r = call("select", copy, "--count", 8)
    assert r.returncode == 6 and "0003.h5" in r.stderr, r.stderr
    damaged.write_bytes(whole)
    with h5py.File(damaged, "a") as f:
        f["network"].attrs["kernel"] = 3
    r = call("select", copy, "--count", 8)
    assert r.returncode == 6 and "0003.h5" in r.stderr and "another shape" in r.stderr, r.stderr
    assert not (copy / "select.json").exists()


def test_a_failed_write_leaves_the_old_choice(copy):
    run("select", copy, "--count", 8)
    before = (copy / "select.json").read_text()
    r = call("select", copy, "--count", 9, COSMOCL_FAIL_WRITE="1+")
    assert r.returncode == 1 and "select.json" in r.stderr and "No space left" in r.stderr
    assert (copy / "select.json").read_text() == before


def test_equally_good_epochs_are_said(copy):
    """An epoch twice: the second cannot be told from the first."""
    for n in (2, 3, 4, 5):
        (copy / f"epochs/000{n}.h5").unlink()
    shutil.copy(copy / "epochs/0001.h5", copy / "epochs/0002.h5")
    out = run("select", copy, "--count", 16).stdout
    assert "1 other epoch is within one error" in out and "best: epoch 1 " in out


def test_collapsed_epochs_are_never_the_best(copy):
    """An epoch whose generator does not look at its latents makes one image; where all do, the least bad wins with a warning."""
    def collapse(*numbers):
        for n in numbers:
            with h5py.File(copy / f"epochs/000{n}.h5", "a") as f:
                f["generator/dense.weight"][:] = 0
        done = run("select", copy, "--count", 16)
        return json.loads((copy / "select.json").read_text()), done

    chosen, done = collapse()
    assert not any(r["collapsed"] for r in chosen["epochs"]), chosen
    victim = chosen["best"]["epoch"]
    chosen, done = collapse(*{1, 2, 3, 4, 5} - {victim})
    assert [r["epoch"] for r in chosen["epochs"] if not r["collapsed"]] == [victim] == [chosen["best"]["epoch"]]
    assert done.stdout.count("  collapsed\n") == 4 and "every epoch" not in done.stderr
    chosen, done = collapse(victim)
    assert all(r["collapsed"] for r in chosen["epochs"]) and "every epoch" in done.stderr
    assert chosen["best"]["score"] == min(r["score"] for r in chosen["epochs"])
