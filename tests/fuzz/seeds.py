"""Good files of every kind as seeds for the fuzzers: seeds.py FOLDER makes FOLDER/TARGET/*."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np

PROGRAM = os.environ.get("COSMOCL", "cosmocl")
SOURCE = Path(os.environ.get("COSMOCL_SOURCE", Path(__file__).parents[2]))
# The network of nets_checkpoint.c, which reads only weights of its shape.
NETWORK = {"network.filters": "4,8", "network.latent": 4, "network.norm": "batch", "gan.batch": 2, "gan.micro_batch": 2,
           "dataset.validation": 1, "dataset.test": 1}


def maps(path, count=4, side=16, **how):
    with h5py.File(path, "w") as f:
        f.create_dataset("maps", data=np.random.default_rng(1).lognormal(1, 1, (count, side, side)).astype("f4"), **how)
        f["origin"] = np.zeros((count, 3), "i4") + np.arange(count, dtype="i4")[:, None]
        f.attrs.update(dict(box_mpc_h=100., mean=4., redshift=0., dims=2, estimator="dtfe", transform="log", a=-4.6, b=6.4,
                            unit="overdensity"))
    return path


def snapshot(path, dtype="f8", particles=40, dims=2):
    rng = np.random.default_rng(2)
    with h5py.File(path, "w") as f:
        f.create_group("Header").attrs.update({
            "BoxSize": 100., "Time": 1., "Redshift": 0., "Omega0": .31, "OmegaLambda": .69, "HubbleParam": .68,
            "NumPart_ThisFile": np.array([0, particles, 0, 0, 0, 0], "u4"),
            "NumPart_Total": np.array([0, particles, 0, 0, 0, 0], "u4")})
        f["PartType1/Coordinates"] = rng.uniform(0, 100, (particles, dims)).astype(dtype)
        f["PartType1/Coordinates"].attrs["units"] = "Mpc/h"
        f["PartType1/Velocities"] = rng.normal(0, 100, (particles, dims)).astype("f4")
        f["PartType1/ParticleIDs"] = np.arange(particles, dtype="u8")
    return path


def checkpoints(folder, scratch):
    words = [w for key, value in NETWORK.items() for w in ("--set", f"{key}={value}")]
    subprocess.run([PROGRAM, "train", "gan", maps(scratch / "maps.h5", 6), *words, "--steps", "2", "--set",
                    "gan.save_every=1", "-o", scratch / "run"], check=True, timeout=300)
    shutil.copy(scratch / "run/state.h5", folder / "state.h5")
    shutil.copy(scratch / "run/epochs/0001.h5", folder / "epoch.h5")


def make(top):
    folders = {name: top / name for name in ("base_config", "io_maps", "io_snapshot", "nets_checkpoint")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    for preset in (SOURCE / "data/presets").glob("*.ini"):
        shutil.copy(preset, folders["base_config"])
    maps(folders["io_maps"] / "plain.h5")
    maps(folders["io_maps"] / "gzip.h5", chunks=(1, 16, 16), compression="gzip", shuffle=True)
    snapshot(folders["io_snapshot"] / "double.h5")
    snapshot(folders["io_snapshot"] / "single.h5", "f4", 30, 3)
    scratch = top / "scratch"
    scratch.mkdir(exist_ok=True)
    checkpoints(folders["nets_checkpoint"], scratch)
    shutil.rmtree(scratch)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
