#!/usr/bin/env python3
"""The statistics of 1000 + 1000 matched maps in NumPy and SciPy, vectorised as a practised user would, to compare with
`cosmocl bench stats`.

    map_statistics.py [--images 1000] [--side 128] [--repeat 1] [--threads 2]

Prints one JSON object with the time of each statistic and of all.
"""
import argparse
import json
import time

import numpy as np
import scipy
from scipy import fft
from scipy.ndimage import maximum_filter, uniform_filter
from scipy.sparse import csr_matrix


def make(n, side):
    rng = np.random.default_rng(1)
    smooth = lambda: 5 * uniform_filter(rng.standard_normal((n, side, side), np.float32), (0, 5, 5), mode="wrap") * 5
    truth = np.exp(0.3 * smooth())
    return truth, np.sqrt(truth) * np.exp(0.15 * smooth())


class Statistics:
    def __init__(self, truth, model, threads):
        self.sets, self.threads = (truth, model), threads
        self.n, self.side = truth.shape[:2]
        self.edges = np.geomspace(1e-3, 1e4, 61)
        k = np.fft.fftfreq(self.side, 1 / self.side)
        ring = np.rint(np.hypot(k[:, None], np.arange(self.side // 2 + 1))).astype(int).ravel()
        twice = np.full((self.side, self.side // 2 + 1), 2.0)
        twice[:, [0, -1]] = 1  # modes that are their own conjugates' column
        last = self.side // 2 + 1
        self.fold = csr_matrix((twice.ravel(), (np.minimum(ring, last), np.arange(ring.size))), (last + 1, ring.size))

    def ring_sums(self, values):
        """Sums over the rings 1 … side/2 of values [n, side, side/2 + 1] of the half plane, by one sparse product."""
        return (self.fold @ values.reshape(len(values), -1).T).T[:, 1:-1]

    def transforms(self):
        return [fft.rfft2(x.astype(np.float64), workers=self.threads) for x in self.sets]

    def densities(self):
        for x in self.sets:
            np.histogram(x, self.edges)
            x.mean(axis=(1, 2), dtype=np.float64)

    def spectra(self):
        count = self.ring_sums(np.ones((1, self.fold.shape[1])))
        for f in self.transforms():
            power = self.ring_sums(f.real**2 + f.imag**2) / count
            median = np.median(power, axis=0)
            np.median(np.abs(power - median), axis=0)

    def peaks(self):
        around = np.ones((1, 3, 3), bool)
        around[0, 1, 1] = False
        for x in self.sets:
            peak = x > maximum_filter(x, footprint=around, mode="constant", cval=np.inf)
            image = np.nonzero(peak)[0]
            np.histogram2d(image, x[peak], (np.arange(self.n + 1), self.edges))

    def minkowski(self):
        """Area, perimeter and Euler characteristic at every edge."""
        for x in self.sets:
            for edge in self.edges:
                m = np.pad(x >= edge, ((0, 0), (1, 1), (1, 1)))
                faces = m.sum(axis=(1, 2))
                across, down = m[:, :, 1:] | m[:, :, :-1], m[:, 1:] | m[:, :-1]
                corners = across[:, 1:] | across[:, :-1]
                euler = corners.sum(axis=(1, 2)) - across.sum(axis=(1, 2)) - down.sum(axis=(1, 2)) + faces
                inner = m[:, 1:-1, 1:-1]
                perimeter = (inner[:, 1:] ^ inner[:, :-1]).sum(axis=(1, 2)) + (inner[:, :, 1:] ^ inner[:, :, :-1]).sum(axis=(1, 2))
                faces, perimeter, euler

    def dice(self):
        """Shared pixels of all pairs of masks as one matrix product in float32, which is exact."""
        flat = [x.reshape(self.n, -1) for x in self.sets]
        above = np.triu_indices(self.n, 1)
        for percent in (1, *range(5, 100, 5)):
            k = (flat[0].size * percent + 50) // 100
            masks = [x >= np.partition(x, x.size - k, axis=None)[x.size - k] for x in flat]
            a, b = (m.sum(axis=1) for m in masks)
            d = 2 * (masks[0] & masks[1]).sum(axis=1) / (a + b)
            m = masks[0].astype(np.float32)
            r = (2 * (m @ m.T) / (a[:, None] + a))[above]
            mean, std = np.nanmean(r), np.nanstd(r)
            np.nanmean(d), np.nanstd(d), np.nanmean((d - mean) / (1 - mean)), np.nanstd((d - mean) / std)

    def pairs(self):
        t, m = self.transforms()
        p, q = self.ring_sums(t.real**2 + t.imag**2), self.ring_sums(m.real**2 + m.imag**2)
        cross = self.ring_sums(t.real * m.real + t.imag * m.imag)
        for curve in (np.sqrt(q / p), cross / np.sqrt(p * q)):
            median = np.median(curve, axis=0)
            np.median(np.abs(curve - median), axis=0), curve.mean(axis=0), curve.std(axis=0)

    def neighbours(self):
        """Distances of ln density by one matrix product for each pair of sets."""
        logs = [np.log(np.maximum(x, 1e-3)).reshape(self.n, -1) for x in self.sets]
        squares = [(x * x).sum(axis=1) for x in logs]
        for i, j in ((0, 0), (1, 1), (1, 0)):
            d = squares[i][:, None] + squares[j] - 2 * logs[i] @ logs[j].T
            if i == j:
                np.fill_diagonal(d, np.inf)
            d.min(axis=1), d.argmin(axis=1)


NAMES = {"densities": "PDF and mean density", "spectra": "P(k), median and MAD", "peaks": "peaks",
         "minkowski": "Minkowski functionals", "dice": "Dice overlap, random overlap", "pairs": "transfer function and r(k)",
         "neighbours": "nearest neighbours"}


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--images", type=int, default=1000)
    a.add_argument("--side", type=int, default=128)
    a.add_argument("--repeat", type=int, default=1)
    a.add_argument("--threads", type=int, default=2)
    o = a.parse_args()
    np.seterr(invalid="ignore")  # 0/0 of two empty masks
    s = Statistics(*make(o.images, o.side), o.threads)
    seconds = {name: [] for name in NAMES}
    for _ in range(o.repeat):
        for name in NAMES:
            start = time.perf_counter()
            getattr(s, name)()
            seconds[name].append(time.perf_counter() - start)
    whole = [sum(parts) for parts in zip(*seconds.values())]
    results = [{"name": "whole", "median_s": float(np.median(whole))}]
    results += [{"name": NAMES[name], "median_s": float(np.median(t))} for name, t in seconds.items()]
    prefix = f"stats {o.images} + {o.images} of {o.side}^2: "
    print(json.dumps({"peer": f"NumPy {np.__version__}, SciPy {scipy.__version__}",
                      "results": [{**r, "name": prefix + r["name"]} for r in results]}, indent=1))


main()
