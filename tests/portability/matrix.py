"""What the tests of the wider matrix share: the OpenCL runtimes and how to select them, a tiny input, a training whose hash
says whether two devices compute the same bits.

A runtime or a checker that is not installed skips its tests, and the table of results (table.py) says NOT RUN for them."""
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import h5py
import numpy as np
import pytest

PROGRAM = Path(os.environ["COSMOCL"])
BUILD, SOURCE = PROGRAM.parent, Path(os.environ["COSMOCL_SOURCE"])
HOME = BUILD / "matrix"  # results, caches and the runtime from PyPI (see ./run)
INTEL = HOME / "intel/lib"
POCL_ICD = Path("/etc/OpenCL/vendors/pocl.icd")

# Name, environment, how the platform is called. ocl-icd takes a folder, an .icd file or a library. Mesa has no fma of
# llvmpipe and computes it with integers: rusticl is right and some hundred times slower (SLOW), above all in compiling; it
# runs the shapes of a GPU, whose vectors are shorter.
SLOW = {"rusticl"}
RUNTIMES = {
    "PoCL": ({"OCL_ICD_VENDORS": str(POCL_ICD)} if POCL_ICD.exists() else {}, "Portable Computing Language"),
    "rusticl": ({"OCL_ICD_VENDORS": "rusticl.icd", "RUSTICL_ENABLE": "llvmpipe", "COSMOCL_EMULATE": "gpu"}, "rusticl"),
    "Intel": ({"OCL_ICD_VENDORS": str(INTEL / "libintelocl.so"), "LD_LIBRARY_PATH": str(INTEL)}, "Intel"),
}


def environment(**values):
    """Caches of its own, so that no kernel and no verdict of another test is taken over."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("COSMOCL_EMULATE", "COSMOCL_CONV_TILE", "COSMOCL_DEVICE",
                                                                        "COSMOCL_SELFTEST"))}
    return {**clean, "COSMOCL_CALLED_AS": "cosmocl", **{k: str(v) for k, v in values.items()}}


def call(command, timeout, **values):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace", timeout=timeout,
                          env=environment(**values), cwd=BUILD)


_seen = {}


def runtime(name):
    """The environment that selects the runtime; skips the test where it is not there."""
    variables, platform = RUNTIMES[name]
    variables = {**variables, "COSMOCL_CACHE": HOME / "cache" / name, **({"COSMOCL_SELFTEST": "off"} if name in SLOW else {})}
    if name not in _seen:
        done = call([PROGRAM, "devices", "--json"], 120, **variables)
        devices = json.loads(done.stdout).get("devices", []) if done.returncode == 0 else []
        found = [d for d in devices if platform in d["platform_name"]]
        _seen[name] = found[0] if found else None
    if not _seen[name]:
        pytest.skip(f"{name} is not installed")
    return variables


def version(name):
    runtime(name)
    d = _seen[name]
    return f"{d['platform_name']}, {d['name']}, driver {d['driver']}"


def need_oclgrind():
    if not shutil.which("oclgrind"):
        pytest.skip("oclgrind is not installed")


def kernels():
    """Every kernel of the program as FILE/ENTRY: of the text, and of the preprocessed text, where macros make some."""
    found, pattern = set(), r"\b(?:__)?kernel\s+(?:__attribute__\s*\(\(.*?\)\)\)\s*)?void\s+(\w+)\s*\("
    for path in (SOURCE / "kernels").glob("*.cl"):
        raw = re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.S)
        made = subprocess.run(["cc", "-E", "-P", "-x", "c", "-I", path.parent, path], capture_output=True, text=True).stdout
        plain = re.sub(r"^#define(?:.*\\\n)*.*$", "", raw, flags=re.M)
        found |= {f"{path.stem}/{entry}" for text in (plain, made) for entry in re.findall(pattern, text, flags=re.S)}
    assert len(found) > 60
    return sorted(found)


def emulated_kinds():
    """The kinds of devices that any device can stand for (host/device/emulate.c), from the program itself."""
    said = call([PROGRAM, "devices"], 120, COSMOCL_EMULATE="?", **RUNTIMES["PoCL"][0])
    assert said.returncode == 2, said.stderr
    kinds = re.search(r"there are (.*)", said.stderr)[1].split(", ")
    assert {"gpu", "gpu-small", "cpu-16"} <= set(kinds)
    return kinds


def write_maps(path, count=12, side=64):
    """Clumpy densities from integers alone, so that the file is the same on every machine."""
    x = np.arange(1, count * side * side + 1, dtype=np.uint64) * np.uint64(0x9e3779b97f4a7c15)
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xbf58476d1ce4e5b9)
    x ^= x >> np.uint64(32)
    v = (x % np.uint64(16)).astype(np.int64).reshape(count, side, side)
    for _ in range(2):
        v = sum(np.roll(v, (a, b), (1, 2)) for a in (-1, 0, 1) for b in (-1, 0, 1))
    with h5py.File(path, "w") as f:
        f["maps"] = ((v // 9)**4 / 2**18).astype("f4")
        f.attrs["box_mpc_h"], f.attrs["mean"] = 100., 85.
    return path


def sets(**values):
    """gan__batch=6 -> --set gan.batch=6"""
    return [word for key, value in values.items() for word in ("--set", f"{key.replace('__', '.')}={value}")]


# Layers of one channel, of whole and of padded vectors, of several micro-batches; a step takes some 40 ms.
# The direct algorithm, whose hashes the README states.
SMALL = sets(network__filters="16,24,48", network__latent=20, network__norm="batch", gan__batch=20, gan__micro_batch=10,
             dataset__validation=2, dataset__test=2, network__algorithm="direct")
# The same in two layers on 16 x 16 pixels, for checkers that run a thousand times slower.
TINY = sets(network__filters="8,24", network__latent=5, network__norm="batch", gan__batch=6, gan__micro_batch=3,
            dataset__validation=2, dataset__test=2, dataset__crop=16, network__algorithm="direct")


def chain(path):
    """(steps done, hash chain over the parameters after each) of a training state."""
    with h5py.File(path) as f:
        value = f["progress"].attrs["chain"]
        return int(f["progress"].attrs["step"]), value.decode() if isinstance(value, bytes) else str(value)


def train(stage, arguments, steps, folder, timeout, prefix=(), **variables):
    """`train gan` or `train encoder` of some steps; returns the hash chain."""
    done = call([*prefix, PROGRAM, "train", stage, *arguments, "--steps", steps, "-o", folder, "--force"], timeout, **variables)
    assert prefix or done.returncode == 0, done.stderr[-3000:]
    assert (Path(folder) / "state.h5").exists(), done.stdout[-1000:] + done.stderr[-3000:]
    reached, value = chain(Path(folder) / "state.h5")
    assert reached == steps and re.fullmatch("[0-9a-f]{64}", value)
    return value
