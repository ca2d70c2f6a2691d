#!/usr/bin/env python3
"""The GAN step of `cosmocl bench gan-step` in PyTorch on the CPU, for comparison in the same run.

    torch_gan_step.py [--image 64] [--filters 32,64,128,256] [--norm batch] [--repeat 5] [--threads 2] [--bf16] [--compile]

Prints one JSON object. channels_last is used, which is the fastest layout there. --bf16 lets oneDNN compute float32
convolutions in bfloat16, which is another precision and is a row of its own.
"""
import argparse
import json
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F


def halvings(filters, norm):
    layers, channels = [], 1
    for i, f in enumerate(filters):
        layers.append(nn.Conv2d(channels, f, 5, 2, 2, bias=not (norm and i)))
        if norm and i:
            layers.append(nn.BatchNorm2d(f))
        layers.append(nn.LeakyReLU(0.2))
        channels = f
    return layers


class Generator(nn.Module):
    def __init__(self, filters, side, norm):
        super().__init__()
        self.first, self.side = filters[-1], side
        self.dense = nn.Linear(100, self.first * side * side)
        self.norm = nn.BatchNorm2d(self.first) if norm else nn.Identity()
        layers, outs = [], list(filters[-2::-1]) + [1]
        for channels, out in zip(filters[::-1], outs):
            layers.append(nn.ConvTranspose2d(channels, out, 5, 2, 2, 1, bias=out == 1 or not norm))
            if out > 1:
                layers += [nn.BatchNorm2d(out)] if norm else []
                layers.append(nn.ReLU())
        self.rest = nn.Sequential(*layers, nn.Tanh())

    def forward(self, z):
        x = self.dense(z).view(-1, self.first, self.side, self.side).to(memory_format=torch.channels_last)
        return self.rest(F.relu(self.norm(x)))


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--image", type=int, default=64)
    a.add_argument("--filters", default="32,64,128,256")
    a.add_argument("--norm", choices=["none", "batch"], default="batch")
    a.add_argument("--batch", type=int, default=50)
    a.add_argument("--repeat", type=int, default=5)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--bf16", action="store_true")
    a.add_argument("--compile", action="store_true")
    o = a.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(0)
    if o.bf16:
        torch.backends.mkldnn.conv.fp32_precision = "bf16"
    filters = [int(f) for f in o.filters.split(",")]
    side, norm = o.image >> len(filters), o.norm == "batch"
    d = nn.Sequential(*halvings(filters, norm), nn.Flatten(), nn.Linear(filters[-1] * side * side, 1))
    g = Generator(filters, side, norm)
    d, g = d.to(memory_format=torch.channels_last), g.to(memory_format=torch.channels_last)
    if o.compile:
        d, g = torch.compile(d), torch.compile(g)
    adam = lambda m: torch.optim.Adam(m.parameters(), 2e-4, (0.5, 0.999))
    od, og = adam(d), adam(g)
    x = torch.randn(o.batch, 1, o.image, o.image).to(memory_format=torch.channels_last)
    one, zero = torch.ones(o.batch, 1), torch.zeros(o.batch, 1)
    bce = F.binary_cross_entropy_with_logits

    def step():
        fake = g(torch.randn(o.batch, 100))
        od.zero_grad()
        (0.5 * bce(d(x), one) + 0.5 * bce(d(fake.detach()), zero)).backward()
        od.step()
        og.zero_grad()
        d.requires_grad_(False)
        (0.5 * bce(d(fake), one)).backward()
        d.requires_grad_(True)
        og.step()

    for _ in range(2):
        step()
    seconds = []
    for _ in range(o.repeat):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    print(json.dumps({"peer": "PyTorch " + torch.__version__, "threads": o.threads, "bf16": o.bf16, "compile": o.compile,
                      "results": [{"name": "gan-step", "median_s": median, "min_s": min(seconds), "max_s": max(seconds),
                                   "samples_s": o.batch / median}]}))


main()
