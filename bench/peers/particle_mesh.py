#!/usr/bin/env python3
"""One step of a 2D particle mesh in NumPy and SciPy, written as such codes are in the field, to compare with
`cosmocl bench simulate`.

    particle_mesh.py [--particles 512] [--mesh 1024] [--repeat 5] [--threads 2]

Cloud-in-cell deposit by bincount, potential by FFT, fourth-order forces, interpolation, kick and drift, all in float64.
Prints one JSON object with wall and CPU time of a step.
"""
import argparse
import json
import statistics
import time

import numpy as np
from scipy import fft


def corners(x, mesh):
    cell = np.floor(x).astype(np.int64)
    part = x - cell
    for dx in (0, 1):
        for dy in (0, 1):
            weight = np.abs(1 - dx - part[:, 0]) * np.abs(1 - dy - part[:, 1])
            yield (cell[:, 0] + dx) % mesh * mesh + (cell[:, 1] + dy) % mesh, weight


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--particles", type=int, default=512)
    a.add_argument("--mesh", type=int, default=1024)
    a.add_argument("--repeat", type=int, default=5)
    a.add_argument("--threads", type=int, default=2)
    o = a.parse_args()
    n, mesh = o.particles, o.mesh
    rng = np.random.default_rng(1)
    grid = (np.arange(n) + 0.25) * mesh / n
    x = np.stack(np.meshgrid(grid, grid, indexing="ij"), -1).reshape(-1, 2) + rng.normal(0, 3, (n * n, 2))
    x %= mesh
    p = np.zeros_like(x)
    k = 2 * np.pi * np.fft.fftfreq(mesh)
    kr = 2 * np.pi * np.fft.rfftfreq(mesh)
    k2 = k[:, None] ** 2 + kr[None] ** 2
    k2[0, 0] = 1

    def step():
        nonlocal x
        density = np.zeros(mesh * mesh)
        for index, weight in corners(x, mesh):
            density += np.bincount(index, weight, mesh * mesh)
        delta = fft.rfft2(density.reshape(mesh, mesh) * (mesh / n) ** 2 - 1, workers=o.threads)
        potential = fft.irfft2(-delta / k2, (mesh, mesh), workers=o.threads)
        for axis in (0, 1):
            shift = lambda s: np.roll(potential, s, axis)
            force = -(8 * (shift(-1) - shift(1)) - (shift(-2) - shift(2))) / 12
            for index, weight in corners(x, mesh):
                p[:, axis] += 1e-3 * weight * force.ravel()[index]
        x = (x + 1e-3 * p) % mesh

    step()
    wall, cpu = [], []
    for _ in range(o.repeat):
        w, c = time.perf_counter(), time.process_time()
        step()
        wall.append(time.perf_counter() - w)
        cpu.append(time.process_time() - c)
    print(json.dumps({"peer": "NumPy " + np.__version__, "results": [
        {"name": f"simulate step {n}^2 particles, mesh {mesh}", "median_s": statistics.median(wall),
         "cpu_s": statistics.median(cpu)}]}))


main()
