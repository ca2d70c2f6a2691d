#!/usr/bin/env python3
"""The GAN step of `cosmocl bench gan-step` in PyTorch on the CPU, for comparison in the same run.

    torch_gan_step.py [--image 64] [--filters 32,64,128,256] [--norm batch] [--repeat 5] [--threads 2] [--layout default] [--bf16]
                      [--compile]

Prints one JSON object. --bf16 lets oneDNN compute float32
convolutions in bfloat16, which is another precision and is a row of its own.
"""
import torch
from torch.nn import functional as F

from torch_networks import Generator, adam, arguments, discriminator, images, measure, prepared, report


def main():
    o = arguments(__doc__)
    d = prepared(o, discriminator(o.filters, o.side, o.norm))
    g = prepared(o, Generator(o.filters, o.side, o.norm, o.layout))
    od, og, x = adam(d), adam(g), images(o)
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

    report(o, [measure(o, "gan-step", step)])


main()
