#!/usr/bin/env python3
"""make_vectors.py gan|encoder OUT.h5: ten training steps of small networks by PyTorch in float64, for
tests/train/nets_vectors.c (vectors.h5) and tests/train/nets_encoder.c (encoder_vectors.h5).

Needs torch, numpy and h5py; the files are kept in the repository, so the tests need none of them. Each group of a file is
one case: attributes (the configuration), /CASE/x [10, batch, image, image], /CASE/z [10, batch, latent],
/CASE/losses [10, 2] (L_D, L_G; of the encoder [10]), and the parameters before (/CASE/before/…) and after (/CASE/after/…)
ten steps. The encoder's cases also have, of PART images of the first batch after the ten steps, /CASE/codes, /CASE/inferred
and /CASE/validation [1], the loss with everything frozen. With the loss z, z is drawn by Philox as the device does it, and of
/CASE/x there is the first batch alone.
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
        self.frozen = False

    def forward(self, x):
        if self.frozen:
            return F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, False, 0.0, 1e-5)
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
    """Also the encoder, with more outputs."""

    def __init__(self, c, chunks, outputs=1):
        super().__init__()
        side, channels, convs = c["image"], 1, []
        for i, filters in enumerate(c["filters"]):
            n = norm(c["norm"], filters, c["groups"], chunks) if i and c["norm"] != "none" else None
            convs.append(Layer(nn.Conv2d(channels, filters, c["kernel"], 2, c["kernel"] // 2, bias=n is None), n))
            channels, side = filters, side // 2
        self.conv = nn.ModuleList(convs)
        self.dense = Layer(nn.Linear(channels * side * side, outputs), None)

    def features(self, x):
        for l in self.conv:
            x = l.linear[0](x)
            x = F.leaky_relu(l.norm(x) if l.norm is not None else x, 0.2)
        return x.flatten(1)

    def forward(self, x):
        return self.dense.linear[0](self.features(x))


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


def philox(seed, index, sub, stream):
    """Philox4x32-10 (Salmon et al. 2011): the four words of a block."""
    x, key = [index & 0xFFFFFFFF, index >> 32, sub, stream], [seed & 0xFFFFFFFF, seed >> 32]
    for _ in range(10):
        a, b = x[0] * 0xD2511F53, x[2] * 0xCD9E8D57
        x = [b >> 32 ^ x[1] ^ key[0], b & 0xFFFFFFFF, a >> 32 ^ x[3] ^ key[1], a & 0xFFFFFFFF]
        key = [key[0] + 0x9E3779B9 & 0xFFFFFFFF, key[1] + 0xBB67AE85 & 0xFFFFFFFF]
    return x


def normals(seed, stream, sub, rows, columns):
    out = np.empty((rows * columns + 3) // 4 * 4)
    for block in range(len(out) // 4):
        w = philox(seed, block, sub, stream)
        for half in range(2):
            radius = np.sqrt(-2 * np.log((w[2 * half] + 0.5) / 2**32))
            angle = 2 * np.pi * (w[2 * half + 1] >> 8) / 2**24
            out[4 * block + 2 * half : 4 * block + 2 * half + 2] = radius * np.cos(angle), radius * np.sin(angle)
    return out[: rows * columns].reshape(rows, columns)


def freeze(model, on=True):
    for m in model.modules():
        if isinstance(m, MicroBatchNorm):
            m.frozen = on


def coarse(x):
    """Few bits, which compress well."""
    return torch.round(x * 256) / 256


def randomise(model):
    """Weights of ordinary size; running statistics that are far from those of the batch and from (0, 1)."""
    with torch.no_grad():
        for name, p in model.named_parameters():
            scale = (1.5 / p[0].numel()) ** 0.5 if p.dim() > 1 else 0.1
            p.copy_(coarse((1 if ".norm.weight" in name else 0) + scale * torch.randn_like(p)))
        for name, b in model.named_buffers():
            if "running_mean" in name:
                b.copy_(coarse(0.2 * torch.randn_like(b)))
            elif "running_var" in name:
                b.copy_(coarse(0.5 + torch.rand_like(b)))


RNG_ENCODER, RNG_VALIDATE, DRAW, PART = 12, 13, 3, 5


def run_encoder(c):
    batch, micro = c["batch"], c["micro_batch"]
    sizes = [min(micro, batch - i) for i in range(0, batch, micro)]
    chunks = lambda n: sizes
    torch.manual_seed(c["seed"])
    g, d, e = Generator(c, chunks), Discriminator(c, chunks), Discriminator(c, chunks, c["latent"])
    for m in (g, d, e):
        randomise(m)
    for m in (g, d):
        freeze(m)
        m.requires_grad_(False)
    networks = {"generator": g, "discriminator": d, "encoder": e}
    if c["loss"] != "latent":
        del networks["discriminator"]
    before = {name: state(m) for name, m in networks.items()}
    x = coarse(2 * torch.rand(STEPS, batch, 1, c["image"], c["image"]) - 1)

    def loss_of(xs, stream, draw):
        if c["loss"] == "z":
            z = torch.from_numpy(normals(c["seed"], stream, draw, len(xs), c["latent"]))
            a, b = e(g(z)), z
        elif c["loss"] == "pixel":
            a, b = g(e(xs)), xs
        else:
            a, b = d.features(g(e(xs))), d.features(xs)
        return ((a - b) ** 2).flatten(1).sum(1).mean()

    adam, losses = torch.optim.Adam(e.parameters(), c["lr"], (0.5, 0.999), 1e-8), []
    for s in range(STEPS):
        loss = loss_of(x[s], RNG_ENCODER, s)
        adam.zero_grad()
        loss.backward()
        adam.step()
        losses.append(loss.item())
    freeze(e)
    with torch.no_grad():
        codes = e(x[0, :PART])
        extra = {"codes": codes, "inferred": g(codes), "validation": loss_of(x[0, :PART], RNG_VALIDATE, DRAW)[None]}
    extra = {k: v.numpy().astype("f4") for k, v in extra.items()}
    return x[:, :, 0].numpy().astype("f4"), np.array(losses), before, {"encoder": state(e)}, extra


BASE = dict(image=16, latent=10, filters=[8, 24], kernel=5, groups=4, batch=8, micro_batch=3, lr=2e-4, update="same-z")
CASES = {
    "minimax": dict(BASE, norm="none", loss="minimax", seed=1),
    "batch_norm": dict(BASE, norm="batch", loss="non-saturating", seed=2),
    "group_norm": dict(BASE, norm="group", loss="non-saturating", seed=3, batch=5, micro_batch=10),
    "simultaneous": dict(BASE, norm="batch", loss="minimax", update="simultaneous", seed=4, kernel=3, image=24, filters=[16, 32, 40]),
}
ENCODER = dict(image=16, latent=7, filters=[6, 17], kernel=5, groups=4, batch=8, micro_batch=3, lr=1e-3)
ENCODER_CASES = {
    "latent_batch": dict(ENCODER, loss="latent", norm="batch", seed=11),
    "latent_none": dict(ENCODER, loss="latent", norm="none", seed=12),
    "latent_group": dict(ENCODER, loss="latent", norm="group", seed=13, filters=[8, 20], batch=7, micro_batch=10),
    "pixel_batch": dict(ENCODER, loss="pixel", norm="batch", seed=14),
    "pixel_none": dict(ENCODER, loss="pixel", norm="none", seed=15),
    "z_batch": dict(ENCODER, loss="z", norm="batch", seed=16, image=24, kernel=3, filters=[5, 8, 17], latent=18),
    "z_none": dict(ENCODER, loss="z", norm="none", seed=17),
}


def write(group, c, arrays, before, after):
    def put(path, data):
        group.create_dataset(path, data=data, **(dict(compression="gzip", shuffle=True) if data.size > 500 else {}))

    for k, v in c.items():
        group.attrs[k] = v
    for k, v in arrays.items():
        put(k, v)
    for when, networks in (("before", before), ("after", after)):
        for network, tensors in networks.items():
            for key, value in tensors.items():
                put(f"{when}/{network}/{key}", value)
    print(group.name, arrays["losses"][0], arrays["losses"][-1])


def main():
    what, path = sys.argv[1:]
    with h5py.File(path, "w") as f:
        if what == "gan":
            for name, c in CASES.items():
                x, z, losses, before, after = run(c)
                write(f.create_group(name), c, {"x": x, "z": z, "losses": losses}, before, after)
        else:
            for name, c in ENCODER_CASES.items():
                x, losses, before, after, extra = run_encoder(c)
                x = x[:1] if c["loss"] == "z" else x
                write(f.create_group(name), c, {"x": x, "losses": losses, **extra}, before, after)


main()
