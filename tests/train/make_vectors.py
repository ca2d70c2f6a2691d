#!/usr/bin/env python3
"""make_vectors.py OUT.h5: ten training steps of small GANs by PyTorch in float64, for tests/train/nets_vectors.c.

Needs torch, numpy and h5py; the file is kept in the repository, so the tests need none of them. Each group of the file is
one case: attributes (the configuration), /CASE/x [10, batch, image, image], /CASE/z [10, batch, latent],
/CASE/losses [10, 2] (L_D, L_G), and the parameters before (/CASE/before/…) and after (/CASE/after/…) ten steps.
"""
import sys

import h5py
import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

STEPS = 10
torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)


class MicroBatchNorm(nn.BatchNorm2d):
    """Statistics within micro-batches; running statistics from the mean of theirs (variance unbiased, momentum .1)."""

    def __init__(self, channels, chunks):
        super().__init__(channels)
        self.chunks = chunks
        self.track = True

    def forward(self, x):
        sizes = self.chunks(len(x))
        parts = x.split(sizes)
        if self.track:
            with torch.no_grad():
                means = torch.stack([p.mean((0, 2, 3)) for p in parts])
                variances = torch.stack([p.var((0, 2, 3), unbiased=True) for p in parts])
                self.running_mean += 0.1 * (means.mean(0) - self.running_mean)
                self.running_var += 0.1 * (variances.mean(0) - self.running_var)
        return torch.cat([F.batch_norm(p, None, None, self.weight, self.bias, True, 0.0, 1e-5) for p in parts])


def norm(kind, channels, groups, chunks):
    if kind == "batch":
        return MicroBatchNorm(channels, chunks)
    return nn.GroupNorm(groups, channels, eps=1e-5)


class Layer(nn.Module):
    """A linear map with the names that the checkpoints use: weight, bias or norm."""

    def __init__(self, linear, normalisation):
        super().__init__()
        self.weight = linear.weight
        self.linear = [linear]
        if normalisation is None:
            self.bias = linear.bias
        self.norm = normalisation


class Discriminator(nn.Module):
    def __init__(self, c, chunks):
        super().__init__()
        side, channels, convs = c["image"], 1, []
        for i, filters in enumerate(c["filters"]):
            n = norm(c["norm"], filters, c["groups"], chunks) if i and c["norm"] != "none" else None
            convs.append(Layer(nn.Conv2d(channels, filters, c["kernel"], 2, c["kernel"] // 2, bias=n is None), n))
            channels, side = filters, side // 2
        self.conv = nn.ModuleList(convs)
        self.dense = Layer(nn.Linear(channels * side * side, 1), None)

    def forward(self, x):
        for l in self.conv:
            x = l.linear[0](x)
            x = F.leaky_relu(l.norm(x) if l.norm is not None else x, 0.2)
        return self.dense.linear[0](x.flatten(1))


class Generator(nn.Module):
    def __init__(self, c, chunks):
        super().__init__()
        filters = c["filters"][::-1]
        self.side = c["image"] >> len(filters)
        self.channels = filters[0]
        normed = c["norm"] != "none"
        n = norm(c["norm"], filters[0], c["groups"], chunks) if normed else None
        self.dense = Layer(nn.Linear(c["latent"], filters[0] * self.side**2, bias=n is None), n)
        convs = []
        for i, channels in enumerate(filters):
            out = filters[i + 1] if i + 1 < len(filters) else 1
            n = norm(c["norm"], out, c["groups"], chunks) if normed and i + 1 < len(filters) else None
            k = c["kernel"]
            convs.append(Layer(nn.ConvTranspose2d(channels, out, k, 2, k // 2, 1, bias=n is None), n))
        self.conv = nn.ModuleList(convs)

    def forward(self, z):
        x = self.dense.linear[0](z).view(-1, self.channels, self.side, self.side)
        x = F.relu(self.dense.norm(x) if self.dense.norm is not None else x)
        for i, l in enumerate(self.conv):
            x = l.linear[0](x)
            if l.norm is not None:
                x = l.norm(x)
            x = F.relu(x) if i + 1 < len(self.conv) else torch.tanh(x)
        return x


def track(model, on):
    for m in model.modules():
        if isinstance(m, MicroBatchNorm):
            m.track = on


def state(model):
    return {k: v.detach().numpy().astype("f4") for k, v in model.state_dict().items() if "num_batches" not in k}


def run(c):
    batch, micro = c["batch"], c["micro_batch"]
    sizes = [min(micro, batch - i) for i in range(0, batch, micro)]
    chunks = lambda n: sizes * (n // batch)
    torch.manual_seed(c["seed"])
    g, d = Generator(c, chunks), Discriminator(c, chunks)
    with torch.no_grad():
        for m in (g, d):
            for name, p in m.named_parameters():
                p.copy_(p.float())
                if ".norm.weight" in name:
                    p.copy_((1 + 0.1 * torch.randn_like(p)).float())
                elif p.dim() > 1:
                    p.copy_((0.05 * torch.randn_like(p)).float())
    rng = np.random.default_rng(c["seed"])
    x = rng.uniform(-1, 1, (STEPS, batch, c["image"], c["image"])).astype("f4")
    z = rng.standard_normal((STEPS, batch, c["latent"])).astype("f4")
    before = {"generator": state(g), "discriminator": state(d)}
    adam = lambda m: torch.optim.Adam(m.parameters(), c["lr"], (0.5, 0.999), 1e-8)
    og, od = adam(g), adam(d)
    bce = F.binary_cross_entropy_with_logits
    losses = []
    for s in range(STEPS):
        xs, zs = torch.from_numpy(x[s]).double()[:, None], torch.from_numpy(z[s]).double()
        fake = g(zs)
        track(d, True)
        logits = d(torch.cat([xs, fake.detach()]))
        loss_d = 0.5 * bce(logits[:batch], torch.ones(batch, 1)) + 0.5 * bce(logits[batch:], torch.zeros(batch, 1))
        od.zero_grad()
        if c["update"] == "same-z":
            loss_d.backward()
            od.step()
        track(d, False)
        logits = d(fake)
        if c["loss"] == "minimax":
            loss_g = -0.5 * bce(logits, torch.zeros(batch, 1))
        else:
            loss_g = 0.5 * bce(logits, torch.ones(batch, 1))
        og.zero_grad()
        loss_g.backward()
        if c["update"] == "simultaneous":
            od.zero_grad()
            loss_d.backward()
            od.step()
        og.step()
        losses.append([loss_d.item(), loss_g.item()])
    return x, z, np.array(losses), before, {"generator": state(g), "discriminator": state(d)}


BASE = dict(image=16, latent=10, filters=[8, 24], kernel=5, groups=4, batch=8, micro_batch=3, lr=2e-4, update="same-z")
CASES = {
    "minimax": dict(BASE, norm="none", loss="minimax", seed=1),
    "batch_norm": dict(BASE, norm="batch", loss="non-saturating", seed=2),
    "group_norm": dict(BASE, norm="group", loss="non-saturating", seed=3, batch=5, micro_batch=10),
    "simultaneous": dict(BASE, norm="batch", loss="minimax", update="simultaneous", seed=4, kernel=3, image=24, filters=[16, 32, 40]),
}


def main():
    with h5py.File(sys.argv[1], "w") as f:
        for name, c in CASES.items():
            x, z, losses, before, after = run(c)
            group = f.create_group(name)
            for k, v in c.items():
                group.attrs[k] = v
            group["x"], group["z"], group["losses"] = x, z, losses
            for when, networks in (("before", before), ("after", after)):
                for network, tensors in networks.items():
                    for key, value in tensors.items():
                        group.create_dataset(f"{when}/{network}/{key}", data=value, compression="gzip", shuffle=True)
            print(name, losses[0], losses[-1])


main()
