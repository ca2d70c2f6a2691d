"""What the PyTorch peers share: the networks of cosmocl's presets, the arguments, the clock."""
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
    def __init__(self, filters, side, norm, layout):
        super().__init__()
        self.first, self.side, self.layout = filters[-1], side, layout
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
        x = self.dense(z).view(-1, self.first, self.side, self.side).to(memory_format=self.layout)
        return self.rest(F.relu(self.norm(x)))


def discriminator(filters, side, norm, outputs=1):
    """Also the encoder, with more outputs."""
    return nn.Sequential(*halvings(filters, norm), nn.Flatten(), nn.Linear(filters[-1] * side * side, outputs))


def arguments(description):
    a = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--image", type=int, default=64)
    a.add_argument("--filters", default="32,64,128,256")
    a.add_argument("--norm", choices=["none", "batch"], default="batch")
    a.add_argument("--batch", type=int, default=50)
    a.add_argument("--repeat", type=int, default=5)
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--layout", choices=["channels_last", "default"], default="channels_last")
    a.add_argument("--bf16", action="store_true")
    a.add_argument("--compile", action="store_true")
    o = a.parse_args()
    torch.set_num_threads(o.threads)
    torch.manual_seed(0)
    if o.bf16:
        torch.backends.mkldnn.conv.fp32_precision = "bf16"
    o.filters = [int(f) for f in o.filters.split(",")]
    o.side, o.norm = o.image >> len(o.filters), o.norm == "batch"
    o.layout = torch.channels_last if o.layout == "channels_last" else torch.contiguous_format
    return o


def prepared(o, network):
    network = network.to(memory_format=o.layout)
    return torch.compile(network) if o.compile else network


def images(o):
    return torch.randn(o.batch, 1, o.image, o.image).to(memory_format=o.layout)


def adam(network):
    return torch.optim.Adam(network.parameters(), 2e-4, (0.5, 0.999))


def measure(o, name, step):
    for _ in range(2):
        step()
    seconds = []
    for _ in range(o.repeat):
        start = time.perf_counter()
        step()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    return {"name": name, "median_s": median, "min_s": min(seconds), "max_s": max(seconds), "samples_s": o.batch / median}


def report(o, results):
    print(json.dumps({"peer": "PyTorch " + torch.__version__, "threads": o.threads, "layout": str(o.layout).split(".")[-1],
                      "bf16": o.bf16, "compile": o.compile, "results": results}))
