"""SIGINT and SIGTERM while commands start, compute and write: 75 where it can go on, else 130, and nothing half-written.
test_interrupts.py does a sample of it, test_interrupts_all.py all. No limit of time but one against hangs: what a stop must
not wait for is told by what the command did after it."""
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
HANG = 300  # seconds
AT_WORK = None  # the moment at which the first kernel runs, or where there is none the first box is tessellated


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


def start_until(said, folder, *arguments, times=1, **options):
    """Starts a command that tells all it does, and waits until it has said something so many times; the process, and what
    reads its messages so far."""
    log = folder / "messages"
    with open(log, "w") as f:
        process = start(*arguments, "--verbose", stderr=f, **options)
    wait_until(lambda: log.read_text().count(said) >= times, process, HANG)
    return process, log.read_text


def stop(place, tmp_path, name, moments):
    """Stops a command at each of the moments (AT_WORK, or seconds after its start); it must be at work at AT_WORK."""
    out = tmp_path / "out.h5"
    working = "debug: tessellating" if name == "maps" else "debug: kernel "
    for i, moment in enumerate(moments):
        out.write_text("old")
        code, arguments = commands(place, out)[name]
        resume = ["--resume"] if (tmp_path / "new encoder/state.h5").exists() else []
        if moment is AT_WORK:
            process, messages = start_until(working, tmp_path, *arguments, *resume)
        else:
            process = start(*arguments, *resume)
            time.sleep(moment)
        process.send_signal([signal.SIGTERM, signal.SIGINT][i % 2])
        _, errors = process.communicate(timeout=HANG)
        errors = messages() if moment is AT_WORK else errors
        # Before the handlers stand, the signal itself ends the program; before there is anything to resume it is 130.
        early = -process.returncode if process.returncode < 0 else 0
        ends = (code, 130) if moment is AT_WORK else (code, 130, 0)
        assert process.returncode in ends or (early and not errors), f"{moment}: {process.returncode} {errors}"
        assert "error:" not in errors, errors
        assert process.returncode != 75 or "go on with: " in errors, errors
        assert process.returncode != 130 or "interrupted" in errors, errors
        assert process.returncode == 0 or out.read_text() == "old"
        assert not temporaries(tmp_path) and not temporaries(place)
        assert not (place / "run/select.json").exists()
        for file in (tmp_path / "new boxes").glob("*.h5"):
            datasets(file)


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
        _, errors = process.communicate(timeout=HANG)
        assert process.returncode in (0, 75, 130, -signal.SIGTERM) and "error:" not in errors, errors
        going = (folder / "state.h5").exists()
        assert process.returncode != 75 or going, errors
        run(*train, "-o", folder, *["--resume"] * going)
        same_results(folder, whole)


def stop_the_building(place, tmp_path):
    """With nothing built yet, which takes a minute, a stop waits for no further kernels."""
    building = "debug: building kernels/"
    fresh = {"POCL_CACHE_DIR": str(tmp_path / "pocl"), "COSMOCL_CACHE": str(tmp_path / "cache")}
    process, messages = start_until(building, tmp_path, "train", "gan", place / "maps.h5", *TINY, "--steps", 20, "-o",
                                    tmp_path / "run", times=2, env={**os.environ, **fresh})
    process.send_signal(signal.SIGTERM)
    before = messages().count(building)
    process.communicate(timeout=HANG)
    errors = messages()
    assert process.returncode in (75, 130) and "error:" not in errors, errors
    assert errors.count(building) <= before + 1, errors


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
        _, errors = process.communicate(timeout=HANG)
        codes.add(process.returncode)
        assert process.returncode in (130, 75), errors
        run(*train, "--steps", 60, "-o", folder, "--resume")
        if not whole.exists():
            run(*train, "--steps", 60, "-o", whole)
        same_results(folder, whole)
        assert not temporaries(folder)
    assert 130 in codes, codes
