#!/usr/bin/env python3
"""The encoder steps of `cosmocl bench encoder-step` in PyTorch on the CPU, for comparison in the same run.

    torch_encoder_step.py [as torch_gan_step.py]

Prints one JSON object with a row for each loss. Generator and discriminator are frozen: their parameters want no gradient,
and they normalise by their running statistics.
"""
import torch

from torch_networks import Generator, adam, arguments, discriminator, images, measure, prepared, report

LATENT = 100


def main():
    o = arguments(__doc__)
    e = prepared(o, discriminator(o.filters, o.side, o.norm, LATENT))
    features = prepared(o, discriminator(o.filters, o.side, o.norm)[:-1].eval().requires_grad_(False))
    g = prepared(o, Generator(o.filters, o.side, o.norm, o.layout).eval().requires_grad_(False))
    oe, x = adam(e), images(o)

    def update(a, b):
        oe.zero_grad()
        ((a - b) ** 2).flatten(1).sum(1).mean().backward()
        oe.step()

    def latent():
        update(features(g(e(x))), features(x))

    def pixel():
        update(g(e(x)), x)

    def z():
        codes = torch.randn(o.batch, LATENT)
        update(e(g(codes)), codes)

    report(o, [measure(o, "encoder-step " + step.__name__, step) for step in (latent, pixel, z)])


main()
