"""SIGINT and SIGTERM while commands start, compute and write: 75 where it can go on, else 130, soon, and nothing half-written.
test_interrupts.py does a sample of it, test_interrupts_all.py all."""
import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from training import TINY, datasets, fields, run, same_results, sets, start, steps_done, temporaries, wait_until, write_maps

COMMANDS = ["generate", "select", "stats", "infer", "maps", "simulate", "train encoder"]
ENCODER = [*TINY, *sets(encoder__batch=6, encoder__micro_batch=3)]
BOXES = sets(simulate__boxes=400, simulate__particles=64, simulate__mesh=64, simulate__steps=20)
PATIENCE = 20  # seconds until a stop on a busy machine


def make_place(tmp_path_factory):
    """Maps, many maps, snapshots, a trained GAN and encoder; each command once, so that its kernels are there."""
    folder = tmp_path_factory.mktemp("place")
    write_maps(folder / "maps.h5", fields(12, 32))
    write_maps(folder / "many.h5", fields(3000, 32))
    run("train", "gan", folder / "maps.h5", *TINY, *sets(gan__save_every=5), "--steps", 20, "-o", folder / "run")
    run("train", "encoder", folder / "maps.h5", folder / "run", *ENCODER, "--steps", 4, "-o", folder / "encoder")
    run("generate", folder / "run", "--count", 9, "-o", folder / "few.h5")
    run("infer", folder / "maps.h5", folder / "encoder", *TINY, "-o", folder / "pairs.h5")
    run("stats", "--truth", folder / "maps.h5", "--model", folder / "few.h5", "--crop", 16, "-o", folder / "stats.h5")
    run("simulate", *BOXES, "--boxes", 8, "-o", folder / "boxes")
    run("maps", *sorted((folder / "boxes").glob("*.h5"))[:1], "--pixels", 64, "-o", folder / "some.h5")
    return folder


def commands(place, out):
    boxes = sorted((place / "boxes").glob("*.h5"))
    return {"generate": (130, ["generate", place / "run", "--count", 200000, "-o", out]),
            "select": (130, ["select", place / "run", "--maps", place / "maps.h5", "--count", 50000]),
            "stats": (130, ["stats", "--truth", place / "many.h5", "--model", place / "many.h5", "--crop", 16, "-o", out]),
            "infer": (130, ["infer", place / "many.h5", place / "encoder", *TINY, "--split", "train", "-o", out]),
            "maps": (130, ["maps", *boxes * 40, "--pixels", 1024, "-o", out]),
            "simulate": (75, ["simulate", *BOXES, "-o", out.parent / "new boxes"]),
            "train encoder": (75, ["train", "encoder", place / "maps.h5", place / "run", *ENCODER, "--steps", 10**6, "-o",
                                   out.parent / "new encoder"])}


def stop(place, tmp_path, name, waits):
    """Stops a command after each of the waits (seconds); returns how often it was at work then."""
    out = tmp_path / "out.h5"
    stopped = 0
    for i, wait in enumerate(waits):
        out.write_text("old")
        code, arguments = commands(place, out)[name]
        resume = ["--resume"] if (tmp_path / "new encoder/state.h5").exists() else []
        process = start(*arguments, *resume)
        time.sleep(wait)
        process.send_signal([signal.SIGTERM, signal.SIGINT][i % 2])
        began = time.monotonic()
        _, errors = process.communicate(timeout=100)
        assert time.monotonic() - began < PATIENCE, f"{wait}: {errors}"
        # Before the handlers stand, the signal itself ends the program; before there is anything to resume it is 130.
        early = -process.returncode if process.returncode < 0 else 0
        assert process.returncode in (code, 130, 0) or (early and not errors), f"{wait}: {process.returncode} {errors}"
        assert "error:" not in errors, errors
        assert process.returncode != 75 or "go on with: " in errors, errors
        assert process.returncode != 130 or "interrupted" in errors, errors
        assert process.returncode == 0 or out.read_text() == "old"
        assert not temporaries(tmp_path) and not temporaries(place)
        assert not (place / "run/select.json").exists()
        for file in (tmp_path / "new boxes").glob("*.h5"):
            datasets(file)
        stopped += process.returncode in (code, 130)
    return stopped


def stop_the_start(place, tmp_path, waits):
    """At any moment of the set-up: either nothing is there yet, or what is there goes on to the same end."""
    whole = tmp_path / "whole"
    train = ["train", "gan", place / "maps.h5", *TINY, *sets(gan__save_every=5), "--steps", 20]
    run(*train, "-o", whole)
    for i, wait in enumerate(waits):
        folder = tmp_path / str(i)
        process = start(*train, "-o", folder)
        time.sleep(wait)
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=100)
        assert process.returncode in (0, 75, 130, -signal.SIGTERM) and "error:" not in errors, errors
        going = (folder / "state.h5").exists()
        assert process.returncode != 75 or going, errors
        run(*train, "-o", folder, *["--resume"] * going)
        same_results(folder, whole)


def stop_the_building(place, tmp_path):
    """With nothing built yet, which takes a minute, a stop comes in seconds."""
    fresh = {"POCL_CACHE_DIR": str(tmp_path / "pocl"), "COSMOCL_CACHE": str(tmp_path / "cache")}
    process = start("train", "gan", place / "maps.h5", *TINY, "--steps", 20, "-o", tmp_path / "run", env={**os.environ, **fresh})
    time.sleep(4)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    _, errors = process.communicate(timeout=100)
    assert process.returncode in (75, 130) and "error:" not in errors, errors
    assert time.monotonic() - began < PATIENCE, errors


def interrupt_twice(place, tmp_path, times):
    """The first one waits for the state to be saved; the second does not, and what was saved before is good."""
    whole = tmp_path / "whole"
    train = ["train", "gan", place / "maps.h5", *TINY, *sets(gan__save_every=5)]
    codes = set()
    for i in range(times):
        folder = tmp_path / str(i)
        # Steps of writing take 5 ms each, so that there is time between the two.
        process = start(*train, "--steps", 10**6, "-o", folder, env={**os.environ, "COSMOCL_FAIL_WRITE": "1+:SLOW"})
        wait_until(lambda: steps_done(folder) > 8 + i, process)
        process.send_signal(signal.SIGINT)
        time.sleep(.002 * i)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        codes.add(process.returncode)
        assert process.returncode in (130, 75), errors
        run(*train, "--steps", 60, "-o", folder, "--resume")
        if not whole.exists():
            run(*train, "--steps", 60, "-o", whole)
        same_results(folder, whole)
        assert not temporaries(folder)
    assert 130 in codes, codes
