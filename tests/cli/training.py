"""What the tests of the training stages share: tiny maps, tiny networks, and ways to run, stop and compare runs.

Twelve maps of 32 x 32 pixels, sub-images of 16 x 16, networks of two convolutions: a step takes some milliseconds."""
import json
import os
import subprocess
import time
from pathlib import Path

import h5py
import numpy as np

os.environ["COSMOCL_CALLED_AS"] = "cosmocl"  # what the commands to go on with begin with
PROGRAM = os.environ.get("COSMOCL", "cosmocl")
TINY = ["--set", "network.filters=8,16", "--set", "network.latent=8", "--set", "gan.batch=6", "--set", "gan.micro_batch=3",
        "--set", "dataset.validation=2", "--set", "dataset.test=2"]


def sets(**values):
    """gan__batch=6 -> --set gan.batch=6"""
    return [word for key, value in values.items() for word in ("--set", f"{key.replace('__', '.')}={value}")]


def call(*arguments, timeout=300, **environment):
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **{k: str(v) for k, v in environment.items()}})


def run(*arguments, status=0, says=(), **environment):
    done = call(*arguments, **environment)
    assert done.returncode == status, f"{done.returncode}: {done.stdout}\n{done.stderr}"
    for words in [says] if isinstance(says, str) else says:
        assert words in done.stderr, done.stderr
    if status not in (0, 75):
        assert done.stderr.count("error:") == 1 and not done.stdout, done.stdout + done.stderr
    return done


def fields(count, side, seed=5):
    """Lognormal densities with a red spectrum, 4 particles per pixel on the mean."""
    rng = np.random.default_rng(seed)
    k = np.hypot(*np.meshgrid(np.fft.fftfreq(side), np.fft.fftfreq(side)))
    k[0, 0] = 1
    w = np.fft.ifft2(np.fft.fft2(rng.normal(size=(count, side, side))) * k**-.8).real
    v = np.exp(.8 * w / w.std())
    return (v * 4 / v.mean()).astype("f4")


def write_maps(path, values, **attributes):
    with h5py.File(path, "w") as f:
        f["maps"] = values
        for key, value in {"box_mpc_h": 100., "mean": 4., **attributes}.items():
            if value is not None:
                f.attrs[key] = value
    return path


def datasets(path):
    """Every dataset of a file by name, and where training stood; dates and command lines are left out."""
    found = {}
    with h5py.File(path) as f:
        f.visititems(lambda name, o: found.__setitem__(name, o[()].tobytes()) if isinstance(o, h5py.Dataset) else None)
        if "progress" in f:
            found["step, epoch, chain"] = tuple(f["progress"].attrs[a] for a in ("step", "epoch", "chain"))
    return found


def epochs(folder):
    return sorted(p.name for p in (Path(folder) / "epochs").iterdir())


def metrics(folder):
    return [json.loads(line) for line in (Path(folder) / "metrics.jsonl").read_text().splitlines()]


def results(folder):
    """All that two runs of the same configuration must agree in, to the bit, however often they were stopped."""
    out = {name: datasets(Path(folder) / "epochs" / name) for name in epochs(folder)}
    out["state"] = datasets(Path(folder) / "state.h5")
    out["metrics"] = [{k: v for k, v in row.items() if k not in ("samples_s", "seconds")} for row in metrics(folder)]
    return out


def same_results(a, b):
    a, b = results(a), results(b)
    assert a.keys() == b.keys()
    for name in a:
        assert a[name] == b[name], f"{name} differs"


def temporaries(folder):
    return [str(p) for p in Path(folder).rglob("*") if p.name.endswith(".tmp")]


def start(*arguments, **options):
    return subprocess.Popen([PROGRAM, *map(str, arguments)],
                            **{**dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True), **options})


def wait_until(condition, process, seconds=100):
    """Until the condition holds while the process runs; fails when the process ends before."""
    end = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < end
        time.sleep(.002)


def steps_done(folder):
    path = Path(folder) / "metrics.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0
