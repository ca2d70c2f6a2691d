"""A training run killed (SIGKILL) at random moments, again and again: while it starts, while it computes, while it writes, which
takes its time here as on a disk across a network. What was saved stays as it was, at most the steps since the last save are done again, and the end is that of a run that nobody
disturbed."""
import os
import random
import sys
import time
from dataclasses import dataclass, fields as fields_of
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))
from training import TINY, datasets, metrics, run, same_results, sets, start, steps_done, temporaries

SAVE_EVERY = 4
TRAIN = [*TINY, *sets(gan__save_every=SAVE_EVERY)]
STATES = ("state.h5", "state.previous.h5")


@dataclass
class Counts:
    kills: int = 0
    starting: int = 0  # before the first step
    writing: int = 0  # with a half-written file, or between two files that belong together
    resumed: int = 0
    steps_done_again: int = 0
    checkpoints: int = 0  # that were there when a run was killed, all of them looked at again later
    lost_checkpoints: int = 0
    unreadable: int = 0

    def __add__(self, other):
        return Counts(*(getattr(self, f.name) + getattr(other, f.name) for f in fields_of(self)))

    def __str__(self):
        return ", ".join(f"{f.name.replace('_', ' ')} {getattr(self, f.name)}" for f in fields_of(self))


def files_of(folder):
    """The saved epochs and states that are there: inode, size and date by name, to see whether one was touched."""
    found = {}
    for name in [*STATES, *(f"epochs/{p.name}" for p in (folder / "epochs").glob("[0-9]*.h5"))]:
        try:
            about = (folder / name).stat()
            found[name] = (about.st_ino, about.st_size, about.st_mtime_ns)
        except FileNotFoundError:
            pass
    return found


def half_written(folder):
    return bool(temporaries(folder)) or not (folder / "state.h5").exists()


def live_and_die(process, folder, before, rng):
    """Kills the process while it starts, or within some saves of its first new step."""
    if rng.random() < .2:
        time.sleep(rng.uniform(0, 1))
    else:
        end = time.monotonic() + 60
        while steps_done(folder) <= before and time.monotonic() < end and process.poll() is None:
            time.sleep(.002)
        time.sleep(rng.uniform(0, .5))
    assert process.poll() is None, process.communicate()[1]
    process.kill()
    return process.communicate()[1]


def chain(maps, folder, kills, seed):
    """Kills a training `kills` times and lets it end. Returns the counts and the number of its steps."""
    rng, counts, folder = random.Random(seed), Counts(), Path(folder)
    contents, stood = {}, 0  # datasets of every epoch that was seen; the step of the newest state
    while counts.kills < kills:
        resume = any((folder / name).exists() for name in STATES)
        before = steps_done(folder)
        process = start("train", "gan", maps, *TRAIN, "--steps", 10**6, "-o", folder, *["--resume"] * resume,
                        env={**os.environ, "COSMOCL_FAIL_WRITE": "1+:SLOW"})
        there = files_of(folder)
        errors = live_and_die(process, folder, before, rng)
        counts.kills += 1
        counts.starting += steps_done(folder) <= before
        if "going on from step" in errors:
            counts.resumed += 1
            at = int(errors.split("going on from step ")[1].split()[0])
            assert at == stood and before - at <= SAVE_EVERY, errors
            counts.steps_done_again += max(0, before - at)
        if resume:
            counts.writing += half_written(folder)
        now = files_of(folder)
        for name in there:
            counts.lost_checkpoints += name not in now and name != "state.previous.h5" and name != "state.h5"
        counts.checkpoints += len([name for name in now if name.startswith("epochs/")])
        steps = []
        for name in now:
            if name in STATES or name not in contents or now[name] != there.get(name):
                try:
                    found = datasets(folder / name)
                except Exception as e:
                    print(f"{name} is unreadable: {e}")
                    counts.unreadable += 1
                    continue
                if name in STATES:
                    steps.append(found["step, epoch, chain"][0])
                else:
                    assert contents.setdefault(name, found) == found, f"{name} has changed"
        assert steps or not any(name.startswith("epochs/") for name in now), "no state is left"
        stood = max(steps, default=0)
    return finish(maps, folder, counts)


def finish(maps, folder, counts):
    # Left-overs of processes that were killed while they wrote, as the moments may not have produced one of each.
    for name in (".state.h5.1-2-3.tmp", "epochs/.0003.h5.1-2-3.tmp", ".metrics.jsonl.1-2-3.tmp"):
        (folder / name).write_text("half")
    total = (max(row["step"] for row in metrics(folder)) // SAVE_EVERY + 2) * SAVE_EVERY
    run("train", "gan", maps, *TRAIN, "--steps", total, "-o", folder, "--resume")
    assert not temporaries(folder)
    return counts, total


def same_as_undisturbed(maps, folder, total, whole):
    """Compares with a run of the same length, every saved epoch, state, hash chain and row of metrics."""
    run("train", "gan", maps, *TRAIN, "--steps", total, "-o", whole)
    same_results(folder, whole)
