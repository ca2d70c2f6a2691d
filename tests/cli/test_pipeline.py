"""The command pipeline on a configuration of seconds: runs to the report, skips what is up to date, goes on after a stop, and
remakes what a change or a loss concerns and nothing else."""
import json
import os
import re
import shutil
import signal

import h5py
import numpy as np
import pytest

from training import call, datasets, epochs, metrics, run, same_results, start, steps_done, wait_until

BASELINES = ["untrained baseline", "untrained stats", "gaussian baseline", "gaussian stats"]
ENCODER = ["train encoder", "infer", "pairs stats"]
SANITY = ["sanity encoder", "sanity infer generated", "sanity infer real", "sanity stats generated", "sanity stats real"]
OF_GENERATED = ["sanity infer generated", "sanity stats generated"]  # stages that take the generated maps
STAGES = ["simulate", "maps", "train gan", "select", "generate", "dataset export", "stats", *BASELINES, *ENCODER, *SANITY, "report"]
AFTER_GAN = [name for name in STAGES if name not in ("simulate", "maps", "dataset export")]
CONFIGURATION = """
[simulate]
boxes = 10
particles = 32
mesh = 64
steps = 6
[maps]
pixels = 32
[dataset]
crop = 16
validation = 2
test = 2
[network]
filters = 8, 16
latent = 8
[gan]
batch = 6
micro_batch = 3
steps = 20
save_every = 5
[encoder]
batch = 6
micro_batch = 3
steps = 12
save_every = 4
sanity_steps = 8
[generate]
count = 8
"""


@pytest.fixture(scope="module")
def configuration(tmp_path_factory):
    path = tmp_path_factory.mktemp("configuration") / "tiny.ini"
    path.write_text(CONFIGURATION)
    return path


@pytest.fixture(scope="module")
def first(configuration, tmp_path_factory):
    """A whole run, and what it printed."""
    folder = tmp_path_factory.mktemp("first") / "run"
    return folder, run("pipeline", "quick2d", "--config", configuration, "-o", folder)


@pytest.fixture(autouse=True)
def no_curves(monkeypatch):
    """Gnuplot takes more time than all the rest; the whole run above has it."""
    monkeypatch.setenv("COSMOCL_GNUPLOT", "no-such-gnuplot")


@pytest.fixture
def copy(first, tmp_path):
    """cp -a: the times of the files are part of what the stages look at."""
    shutil.copytree(first[0], tmp_path / "run", copy_function=shutil.copy2)
    return tmp_path / "run"


def stages(done):
    """{stage: what was said of it} from the log."""
    return {name: how or "ran" for name, how in re.findall(r"^cosmocl: \d+/\d+ ([a-z ]+?)(?:: (up to date|goes on))?$", done.stderr, re.M)}


def assert_ran(done, *names, of=STAGES):
    how = stages(done)
    assert list(how) == of
    assert [name for name in of if how[name] != "up to date"] == list(names), done.stderr


def test_runs_to_the_report(first):
    folder, done = first
    assert_ran(done, *STAGES)
    assert done.stdout.splitlines()[-1].startswith(f"{folder}/report.html (")
    assert {"boxes", "config.ini", "gan", "generated.h5", "maps.h5", "pipeline.json", "report.html", "stats.h5", "truth.h5",
            "baseline_untrained.h5", "stats_untrained.h5", "baseline_gaussian.h5", "stats_gaussian.h5", "encoder", "pairs.h5",
            "stats_pairs.h5", "sanity", "pairs_sanity_generated.h5", "pairs_sanity_real.h5", "stats_sanity_generated.h5",
            "stats_sanity_real.h5"} <= set(os.listdir(folder))
    assert len(metrics(folder / "encoder")) >= 12 and max(row["step"] for row in metrics(folder / "sanity")) == 8
    assert len(os.listdir(folder / "boxes")) == 10 and epochs(folder / "gan") == [f"000{n}.h5" for n in range(1, 5)]
    record = json.loads((folder / "pipeline.json").read_text())
    assert record["preset"] == "quick2d" and [s["name"] for s in record["stages"]] == STAGES
    assert all(s["state"] == "done" and s["seconds"] > 0 and len(s["key"]) == 64 for s in record["stages"])
    config = (folder / "config.ini").read_text()
    assert "particles = 32" in config and "init = dcgan" in config  # ours over the preset's
    with h5py.File(folder / "generated.h5") as f, h5py.File(folder / "truth.h5") as t:
        assert f["maps"].shape == (8, 16, 16) and t["maps"].shape == (8, 16, 16)
        assert "cosmocl pipeline quick2d" in f["provenance"].attrs["command_line"]
    with h5py.File(folder / "pairs.h5") as p, h5py.File(folder / "truth.h5") as t, h5py.File(folder / "generated.h5") as g:
        assert np.array_equal(p["truth"][:], t["maps"][:])
        with h5py.File(folder / "pairs_sanity_generated.h5") as s:
            assert np.array_equal(s["truth"][:], g["maps"][:])
    page = (folder / "report.html").read_text()
    assert "not in this run" not in page and "could not be read" not in page
    assert page.lstrip().lower().startswith("<!doctype html") and "</html>" in page


def test_a_second_call_does_nothing(first, configuration, copy):
    before = {p: p.stat().st_mtime_ns for p in copy.rglob("*.h5")}
    done = run("pipeline", "quick2d", "--config", configuration, "-o", copy, "--device", "nonesuch")  # needs none
    assert_ran(done)
    assert before == {p: p.stat().st_mtime_ns for p in copy.rglob("*.h5")}


def test_a_change_reruns_what_depends_on_it(configuration, copy):
    again = ["pipeline", "quick2d", "--config", configuration, "-o", copy]
    maps = (copy / "maps.h5").read_bytes()
    done = run(*again, "--set", "gan.lr_g=1e-4")
    assert_ran(done, *AFTER_GAN)
    assert (copy / "maps.h5").read_bytes() == maps and len(metrics(copy / "gan")) == 20
    done = run(*again, "--set", "gan.lr_g=1e-4", "--set", "generate.count=6")
    assert_ran(done, "generate", "stats", *BASELINES, *OF_GENERATED, "report")
    done = run(*again, "--set", "gan.lr_g=1e-4", "--set", "generate.count=6", "--set", "run.profile=true")
    assert_ran(done)  # how it is computed changes nothing


def test_the_two_encoders_know_of_each_other_nothing(configuration, copy):
    """Each stage's key is of the configuration that it runs with: the steps of one encoder are not those of the other."""
    again = ["pipeline", "quick2d", "--config", configuration, "-o", copy]
    assert_ran(run(*again, "--set", "encoder.sanity_steps=9"), *SANITY, "report")
    assert max(row["step"] for row in metrics(copy / "sanity")) == 9
    more = ["--set", "encoder.sanity_steps=9", "--set", "encoder.steps=13"]
    assert_ran(run(*again, *more), *ENCODER, "report")
    assert_ran(run(*again, *more, "--set", "encoder.lr=1e-3"), *ENCODER, *SANITY, "report")
    with h5py.File(copy / "sanity/best.h5") as f:
        made = f["provenance"].attrs["configuration"]
    assert re.search(r"^loss = z$", made, re.M) and re.search(r"^steps = 9$", made, re.M)
    assert re.search(r"^loss = latent$", (copy / "config.ini").read_text(), re.M)


def test_without_the_sanity_experiment(configuration, copy):
    """What an older run left of it is neither made again nor shown, and takes no part in the times."""
    again = ["pipeline", "quick2d", "--config", configuration, "-o", copy, "--set", "encoder.sanity_steps=0"]
    wanted = [name for name in STAGES if name not in SANITY]
    assert_ran(run(*again), "report", of=wanted)
    record = json.loads((copy / "pipeline.json").read_text())
    assert [s["name"] for s in record["stages"]] == wanted
    assert "not asked for" in (copy / "report.html").read_text()


def test_an_encoder_that_was_stopped_goes_on(configuration, copy, tmp_path):
    more = ["--set", "encoder.steps=900", "--set", "encoder.save_every=50", "--set", "encoder.sanity_steps=0"]
    whole = tmp_path / "whole"
    shutil.copytree(copy, whole, copy_function=shutil.copy2)
    arguments = ["pipeline", "quick2d", "--config", configuration, *more, "-o"]
    (copy / "encoder/metrics.jsonl").unlink()
    process = start(*arguments, copy)
    wait_until(lambda: steps_done(copy / "encoder") > 3, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75 and "stage train encoder: stopped after step" in errors, errors
    assert stages(run(*arguments, copy))["train encoder"] == "goes on"
    run(*arguments, whole)
    same_results(copy / "encoder", whole / "encoder")


def test_lost_files_are_remade(configuration, copy):
    again = ["pipeline", "quick2d", "--config", configuration, "-o", copy]
    with h5py.File(copy / "generated.h5") as f:
        before = f["maps"][:]
    (copy / "generated.h5").unlink()
    assert_ran(run(*again), "generate", "stats", *OF_GENERATED, "report")
    with h5py.File(copy / "generated.h5") as f:
        assert np.array_equal(f["maps"][:], before)


def test_what_the_record_does_not_know_is_kept(configuration, copy):
    """Boxes and trainings are not removed where the pipeline cannot tell that it made them; maps that are made anew are
    others to a GAN."""
    again = ["pipeline", "quick2d", "--config", configuration, "-o", copy]
    (copy / "pipeline.json").write_text("{ damaged")
    lost = copy / "boxes/box_0003_z0.00.h5"
    box = datasets(lost)
    lost.unlink()
    before = {p: p.read_bytes() for p in [copy / "boxes/box_0002_z0.00.h5", *(copy / "gan").rglob("*.h5")]}
    for more, says in ((["--set", "cosmology.omega_m=0.3"], ["stage simulate: ", "box_0000_z0.00.h5 was made with"]),
                       ([], ["stage train gan: ", "state.h5 was made with other maps"])):
        for _ in range(2):  # also when the refusal is on record
            done = call(*again, *more)
            assert done.returncode == 2 and all(words in done.stderr for words in [*says, "--force"]), done.stderr
    assert before == {p: p.read_bytes() for p in before} and datasets(lost) == box
    done = stages(run(*again, "--force"))
    assert {name for name in STAGES if done[name] == "up to date"} == {"simulate", "maps"} and len(metrics(copy / "gan")) == 20


def test_a_lost_box_is_made_again(configuration, copy):
    lost = copy / "boxes/box_0004_z0.00.h5"
    lost.unlink()
    done = run("pipeline", "quick2d", "--config", configuration, "-o", copy)
    assert stages(done)["simulate"] == "goes on" and lost.exists()
    with h5py.File(copy / "maps.h5") as f:
        assert len(f["maps"]) == 10


def test_boxes_of_an_older_configuration_are_not_taken(configuration, copy):
    (copy / "boxes/notes.txt").write_text("mine")
    run("pipeline", "quick2d", "--config", configuration, "-o", copy, "--set", "simulate.boxes=8")
    assert sorted(os.listdir(copy / "boxes")) == [f"box_000{n}_z0.00.h5" for n in range(8)] + ["notes.txt"]
    with h5py.File(copy / "maps.h5") as f:
        assert len(f["maps"]) == 8


def test_stopped_in_training_it_goes_on(configuration, copy, tmp_path):
    more = ["--set", "gan.steps=600", "--set", "gan.save_every=50"]
    whole = tmp_path / "whole"
    shutil.copytree(copy, whole, copy_function=shutil.copy2)
    arguments = ["pipeline", "quick2d", "--config", configuration, *more, "-o"]
    (copy / "gan/metrics.jsonl").unlink()
    process = start(*arguments, copy)
    wait_until(lambda: steps_done(copy / "gan") > 3, process)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75 and "stage train gan: stopped after step" in errors, errors
    assert "go on with: cosmocl pipeline quick2d" in errors
    stopped = len(metrics(copy / "gan"))
    assert stopped < 600
    state = json.loads((copy / "pipeline.json").read_text())["stages"]
    assert [s["state"] for s in state[:3]] == ["done", "done", "running"]
    done = run(*arguments, copy)
    assert stages(done)["train gan"] == "goes on" and f"going on from step {stopped}" in done.stderr
    run(*arguments, whole)
    same_results(copy / "gan", whole / "gan")
    assert json.loads((copy / "gan/select.json").read_text()) == json.loads((whole / "gan/select.json").read_text())


def test_stopped_in_a_stage_that_cannot_resume(configuration, tmp_path):
    """The stage begins anew, but the pipeline as a whole goes on: 75, not 130, so that a job script queues it again."""
    arguments = ["pipeline", "quick2d", "--config", configuration, "--set", "simulate.boxes=40", "-o", tmp_path / "run"]
    process = start(*arguments)
    for line in process.stderr:
        if f"2/{len(STAGES)} maps" in line:
            break
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75 and "the same command goes on" in errors, errors
    assert not (tmp_path / "run/gan").exists()
    assert stages(run(*arguments))["simulate"] == "up to date"


def test_a_stage_that_failed_before_its_first_state_runs_again(configuration, copy):
    """The folder is there and nothing to resume in it: it must not insist on resuming."""
    again = ["pipeline", "quick2d", "--config", configuration, "-o", copy, "--set", "gan.lr_g=1e-4"]
    for step in range(13, 60):  # config.ini and pipeline.json are written first; what comes next is the first state
        r = call(*again, COSMOCL_FAIL_WRITE=f"{step}+")
        assert not (copy / "gan/state.h5").exists()  # from which a later call would go on, though it is of another rate
        if "pipeline.json" not in r.stderr:
            break
    assert r.returncode == 1 and "stage train gan: " in r.stderr and "No space left" in r.stderr, r.stderr
    for name in ("state.h5", "state.previous.h5"):
        assert not (copy / "gan" / name).exists()
    assert_ran(run(*again), *AFTER_GAN)


def test_dry_run(configuration, tmp_path):
    done = run("pipeline", "quick2d", "--config", configuration, "-o", tmp_path / "run", "--dry-run")
    text = done.stdout
    for words in ("simulate", "10 boxes of 1024 particles, mesh 64, 6 steps", "10 maps of 32 x 32", "20 steps of 6 images of 16 x 16",
                  "4 saved epochs", "8 maps", "12 steps of 6 images", "8 pairs", "8 steps of 6 images, 16 pairs", "device MiB", "fits the memory", "a step takes"):
        assert words in text, text
    rows = json.loads(run("pipeline", "quick2d", "--config", configuration, "-o", tmp_path / "run", "--dry-run", "--json").stdout)
    assert [r["stage"] for r in rows] == ["simulate", "maps", "train gan", "select", "generate", "baselines", "train encoder", "infer", "sanity",
                                          "stats, report"]
    assert all(rows[k]["device_bytes"] > 10 * 32 * 32 * 4 for k in (2, 6, 8))
    assert all(r["seconds"] > 0 for r in rows) and rows[2]["device_bytes"] > 10 * 32 * 32 * 4
    assert not list(tmp_path.iterdir())


def test_scale(configuration, tmp_path):
    done = run("pipeline", "quick2d", "--config", configuration, "--scale", "0.5", "-o", tmp_path / "run", "--dry-run")
    for words in ("5 boxes", "10 steps of 6", "3 saved epochs", "4 maps", "6 steps of 6", "4 steps of 6"):
        assert words in done.stdout, done.stdout
    for scale in ("0", "-1", "big"):
        run("pipeline", "quick2d", "--scale", scale, "-o", tmp_path / "run", "--dry-run", status=2, says="--scale")
    run("pipeline", "quick2d", "--config", configuration, "--scale", ".01", "-o", tmp_path / "run", "--dry-run", status=2,
        says="none is left to train on")
    assert not list(tmp_path.iterdir())


def test_refusals(configuration, tmp_path):
    r = run("pipeline", "quick3", "-o", tmp_path / "run", status=2, says="quick3")
    assert "quick2d" in r.stderr and "paper2d" in r.stderr
    (tmp_path / "file").write_text("in the way")
    run("pipeline", "quick2d", "--config", configuration, "-o", tmp_path / "file", status=1, says=["file", "cannot"])
    run("pipeline", "quick2d", "--config", configuration, "-o", "/proc/run", status=1, says=["/proc/run", "cannot make the folder"])
    run("pipeline", "quick2d", "-o", f"{tmp_path}/" + "x/" * 1100, "--config", configuration, status=2, says="longer than")
    run("pipeline", "quick2d", "--config", configuration, "-o", tmp_path / "run", "--device", "nonesuch", status=3,
        says="stage simulate")
    run("pipeline", "quick2d", "--config", configuration, "-o", tmp_path / "run", "--set", "gan.bach=3", status=2, says="gan.batch?")
    run("pipeline", status=2, says="PRESET")
