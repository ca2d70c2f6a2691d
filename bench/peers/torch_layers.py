#!/usr/bin/env python3
"""The layers of `cosmocl bench layers` in PyTorch on the CPU: every convolution of the networks, forward, backward data and
backward weights, each alone, by the names that cosmocl gives them.

    torch_layers.py [as torch_gan_step.py]

Prints one JSON object.
"""
import torch
from torch.nn import functional as F

from torch_networks import arguments, measure, report


def main():
    o = arguments(__doc__)
    results = []
    for network in ("generator", "discriminator"):
        sides = [(o.image >> i, c, f) for i, (c, f) in enumerate(zip([1] + o.filters, o.filters))]
        for i, (side, c, f) in enumerate(reversed(sides) if network == "generator" else sides):
            x = torch.randn(o.batch, c, side, side).to(memory_format=o.layout)
            y = torch.randn(o.batch, f, side // 2, side // 2).to(memory_format=o.layout)
            w = torch.randn(f, c, 5, 5).to(memory_format=o.layout)
            back = lambda data, weights: torch.ops.aten.convolution_backward(
                y, x, w, None, [2, 2], [2, 2], [1, 1], False, [0, 0], 1, [data, weights, False])
            with torch.no_grad():
                for direction, step in (("forward", lambda: F.conv2d(x, w, None, 2, 2)),
                                        ("backward data", lambda: F.conv_transpose2d(y, w, None, 2, 2, 1)),
                                        ("backward weights", lambda: back(False, True))):
                    results.append(measure(o, f"{network} conv.{i} {side}x{side}x{c}-{f} {direction}", step))
    report(o, results)


main()
