"""A run folder as the pipeline leaves it, made without it: maps with filaments, knots and voids, their statistics computed by
numpy, and invented courses of training. For the tests of the command report."""
import json

import h5py
import numpy

STATED = dict(pdf=.4321, mean=1.0123, std=.8765, psd=.1357, peaks=.9753,
              half_pdf=.0246, half_mean=1.0086, half_std=.9182, half_psd=.0173, half_peaks=1.0321,
              half_pdf_error=.0061, half_mean_error=.0234, half_std_error=.0815, half_psd_error=.0352, half_peaks_error=.0076,
              pdf_error=.0211, mean_error=.0133, std_error=.0707, psd_error=.0256, peaks_error=.0144)
HOSTILE = "<script>alert('x')</script> & \"quoted\" <img src=http://evil.example/x.png>"
CONFIG = """[run]
seed = 1

[simulate]
dims = 2
boxes = 116
particles = 256
box_mpc_h = 100
steps = 60
redshifts = 0

[maps]
pixels = 128

[gan]
steps = 2200
save_every = 100

[encoder]
steps = 1300
sanity_steps = 400
"""


def fields(count, side, seed, push=1.0, spread=0.0):
    """Density maps with filaments, knots and voids: (2 side)² particles of a lattice moved along a random Gaussian
    displacement (Zel'dovich), counted in pixels and lightly smoothed; about 4 particles per pixel."""
    rng = numpy.random.default_rng(seed)
    n = 2 * side
    ky, kx = numpy.meshgrid(numpy.fft.fftfreq(n) * n, numpy.fft.fftfreq(n) * n, indexing="ij")
    k2 = numpy.where(kx ** 2 + ky ** 2 > 0, kx ** 2 + ky ** 2, 1)
    smooth = numpy.exp(-k2 / (2 * (0.14 * n) ** 2))
    q = numpy.arange(n) / 2
    out = numpy.empty((count, side, side), numpy.float32)
    for i in range(count):
        d = numpy.fft.fft2(rng.standard_normal((n, n))) * k2 ** -0.55 * smooth
        psi = [numpy.fft.ifft2(1j * k / k2 * d).real for k in (ky, kx)]
        scale = push * 0.028 * side / psi[0].std()
        y, x = ((q[:, None] + scale * psi[0]) % side).ravel(), ((q[None, :] + scale * psi[1]) % side).ravel()
        m = numpy.zeros((side, side))
        for oy, ox in ((0, 0), (0.5, 0), (0, 0.5), (0.5, 0.5), (0.25, 0.75)):
            place = ((y + oy) % side).astype(int) % side * side + ((x + ox) % side).astype(int) % side
            m += numpy.bincount(place, minlength=side * side).reshape(side, side) / 5
        m = (4 * m + sum(numpy.roll(m, s, a) for s in (1, -1) for a in (0, 1))) / 8 + 0.03 * rng.random((side, side)) + 0.05
        out[i] = m * numpy.exp(spread * rng.standard_normal())
    return out


def write_maps(path, maps, box):
    with h5py.File(path, "w") as f:
        f["maps"] = maps
        f.attrs.update(box_mpc_h=box, mean=4.0, redshift=0.0, dims=2, estimator="dtfe", transform="log",
                       a=numpy.log(0.01), b=numpy.log(600), unit="overdensity")
        f.create_group("provenance").attrs.update(version="0.1.0", commit="0123456789ab", date="2026-01-31T12:00:00Z",
                                                  device="pthread-cpu & <others>", selftest="passed",
                                                  command_line="cosmocl generate " + HOSTILE)


def peaks_of(maps, edges):
    c = maps[:, 1:-1, 1:-1]
    up = numpy.ones(c.shape, bool)
    n = maps.shape[1]
    for dy in range(3):
        for dx in range(3):
            if (dy, dx) != (1, 1):
                up &= c > maps[:, dy:n - 2 + dy, dx:n - 2 + dx]
    return numpy.array([numpy.histogram(m[u], edges)[0] for m, u in zip(c, up)], numpy.float64)


def minkowski_of(maps, edges):
    """Area, boundary and Euler characteristic of the pixels at or above each edge, per pixel: [maps][edges]."""
    pixels = maps[0].size
    out = numpy.empty((3, len(maps), len(edges)))
    for i, e in enumerate(edges):
        m = numpy.pad(maps >= e, ((0, 0), (1, 1), (1, 1))).astype(numpy.int8)
        v = m.sum((1, 2))
        across = (m[:, :, 1:] != m[:, :, :-1]).sum((1, 2)) + (m[:, 1:] != m[:, :-1]).sum((1, 2))
        sides = (m[:, :, 1:] | m[:, :, :-1]).sum((1, 2)) + (m[:, 1:] | m[:, :-1]).sum((1, 2))
        corners = (m[:, 1:, 1:] | m[:, 1:, :-1] | m[:, :-1, 1:] | m[:, :-1, :-1]).sum((1, 2))
        out[:, :, i] = v / pixels, across / pixels, (corners - sides + v) / pixels
    return out


def write_set(f, name, maps, edges):
    n = maps.shape[1]
    g = f.create_group(name)
    g["pixel_pdf"] = numpy.histogram(maps, edges)[0] / maps.size / numpy.diff(numpy.log10(edges))
    g["mean_density"] = maps.mean((1, 2), dtype=numpy.float64)
    k = numpy.rint(numpy.hypot(*numpy.meshgrid(numpy.fft.fftfreq(n) * n, numpy.fft.fftfreq(n) * n, indexing="ij"))).astype(int)
    p = numpy.abs(numpy.fft.fft2(maps.astype(numpy.float64))) ** 2
    power = numpy.stack([p[:, k == nu].mean(1) for nu in range(1, n // 2 + 1)], 1)
    g["power_all"] = power
    g["power_median"] = numpy.median(power, 0)
    g["power_mad"] = numpy.median(numpy.abs(power - numpy.median(power, 0)), 0)
    g["peak_counts"] = peaks_of(maps, edges)
    for name, values in zip(("area", "perimeter", "euler"), minkowski_of(maps, edges)):
        g["minkowski_" + name] = values
    return power


PERCENT = [1, *range(5, 100, 5)]


def masks_of(maps, percent):
    t = numpy.sort(maps, None)[::-1][max(round(percent * maps.size / 100), 1) - 1]
    return maps >= t


def write_dice(f, truth, model):
    """Overlap of pairs, and of 500 random pairs of the truth (spec section 5)."""
    rng = numpy.random.default_rng(11)
    i, j = rng.integers(len(truth), size=(2, 500))
    i, j = i[i != j], j[i != j]
    table = {name: [] for name in ("mean", "std", "sem", "random_mean", "random_std", "normalized_mean", "normalized_std",
                                   "significance_mean", "significance_std")}
    for percent in PERCENT:
        a, b = masks_of(truth, percent), masks_of(model, percent)

        def dice(x, y):
            return 2 * (x & y).sum((1, 2)) / numpy.maximum(x.sum((1, 2)) + y.sum((1, 2)), 1)
        d, r = dice(a, b), dice(a[i], a[j])
        row = (d.mean(), d.std(), d.std() / len(d) ** .5, r.mean(), r.std(), ((d - r.mean()) / (1 - r.mean())).mean(),
               (d / (1 - r.mean())).std(), ((d - r.mean()) / r.std()).mean(), (d / r.std()).std())
        for name, value in zip(table, row):
            table[name].append(value)
    g = f.create_group("dice")
    g["top_percent"] = numpy.array(PERCENT, float)
    for name, values in table.items():
        g[name] = numpy.array(values)
    g.attrs.update(threshold_scope="set", random_pairs=len(i), images=len(truth))


def write_scales(f, truth, model):
    n = truth.shape[1]
    k = numpy.rint(numpy.hypot(*numpy.meshgrid(numpy.fft.fftfreq(n) * n, numpy.fft.fftfreq(n) * n, indexing="ij"))).astype(int)
    a, b = (numpy.fft.fft2(m.astype(numpy.float64)) for m in (truth, model))

    def rings(x):
        return numpy.stack([x[:, k == nu].mean(1) for nu in range(1, n // 2 + 1)], 1)
    pa, pb, ab = rings(abs(a) ** 2), rings(abs(b) ** 2), rings((a * b.conj()).real)
    transfer, correlation = (pb / pa) ** .5, ab / (pa * pb) ** .5
    g = f.create_group("pairs")
    g["transfer_median"] = numpy.median(transfer, 0)
    g["transfer_mad"] = numpy.median(abs(transfer - numpy.median(transfer, 0)), 0)
    g["correlation_mean"], g["correlation_std"] = correlation.mean(0), correlation.std(0)


def write_stats(path, truth, model, stated=STATED, pairs=False):
    edges = numpy.geomspace(1e-3, 1e4, 61)
    with h5py.File(path, "w") as f:
        if pairs:
            write_dice(f, truth, model)
            write_scales(f, truth, model)
        f["density_edges"] = edges
        f["nu"] = numpy.arange(1, truth.shape[1] // 2 + 1)
        write_set(f, "truth", truth, edges)
        write_set(f, "model", model, edges)
        f.create_group("diversity").attrs.update(variety=.8123, copies=.0375)
        f.create_group("score").attrs.update(stated)


def write_training(folder, steps=2200):
    rng = numpy.random.default_rng(5)
    folder.mkdir()
    with open(folder / "metrics.jsonl", "w") as f:
        for step in range(1, steps + 1):
            d = 0.35 + 0.34 * numpy.exp(-step / 150) + 0.05 * rng.standard_normal()
            g = 0.9 - 0.4 * numpy.exp(-step / 200) + 0.15 * rng.standard_normal()
            a = 0.9 - 0.4 * numpy.exp(-step / 150)
            line = dict(step=step, epoch=step // 92, loss_d=d, loss_g=g, accuracy_real=min(1, a + 0.03 * rng.standard_normal()),
                        accuracy_generated=min(1, a + 0.03 * rng.standard_normal()), samples_s=410 - 90 * (step % 100 == 0)
                        + 8 * rng.standard_normal(), seconds=step * 0.24)
            f.write(json.dumps(line) + "\n")
        f.write('{"step": 2201, "loss')  # a line half written when the run was stopped
    epochs = []
    for n in range(1, steps // 100 + 1):
        score = 1.8 + 14 * numpy.exp(-n / 3) + 0.8 * abs(rng.standard_normal())
        parts = dict(pdf=1.1, mean=.8, scatter=1., power=1.3, peaks=.8, minkowski=1.2)
        epochs.append(dict(epoch=n, step=100 * n, score=score, score_error=.1 * score,
                           parts={k: v * score * float(numpy.exp(.3 * rng.standard_normal())) for k, v in parts.items()},
                           figures=dict(pdf=0.1 * score, mean=1 + 0.02 * score, std=1 - 0.05 * score, psd=0.1 * score, peaks=1.1)))
    best = min(epochs, key=lambda e: e["score"])
    text = json.dumps(dict(best=dict(epoch=best["epoch"], file=f"gan/epochs/{best['epoch']:04d}.h5", score=best["score"]), epochs=epochs,
                           baselines={name: dict(score=s, score_error=.05 * s, parts={}, figures=BASELINES[name])
                                      for name, s in (("untrained", 87.), ("gaussian", 4.56))}))
    (folder / "select.json").write_text(text)


def inferred_of(truth, blur, amount):
    """What an autoencoder might make of maps: their smooth part, and small structures that belong elsewhere."""
    n = truth.shape[1]
    k = numpy.hypot(*numpy.meshgrid(numpy.fft.fftfreq(n) * n, numpy.fft.fftfreq(n) * n, indexing="ij"))
    low = numpy.exp(-.5 * (k / blur) ** 2)
    own = numpy.roll(truth[::-1], (n // 3, n // 2), (1, 2))
    mixed = numpy.fft.ifft2(numpy.fft.fft2(numpy.log(truth)) * low + amount * numpy.fft.fft2(numpy.log(own)) * (1 - low)).real
    return numpy.exp(mixed + .1).astype(numpy.float32)


def write_encoder(folder, steps=1300):
    rng = numpy.random.default_rng(6)
    folder.mkdir()
    with open(folder / "metrics.jsonl", "w") as f:
        for step in range(1, steps + 1):
            loss = 900 + 2100 * numpy.exp(-step / 300) + 60 * rng.standard_normal()
            f.write(json.dumps(dict(step=step, epoch=step // 100, loss=loss, samples_s=600., seconds=step * .1)) + "\n")
            if step % 100 == 0:  # overfits from step 1000 on
                f.write(json.dumps(dict(step=step, epoch=step // 100,
                                        validation_loss=1000 + 2000 * numpy.exp(-step / 250) + .5 * max(step - 1000, 0))) + "\n")


def write_pairs(path, truth, model):
    write_maps(path, model, 50.0)
    with h5py.File(path, "a") as f:
        f["truth"] = truth
        f["latent"] = numpy.zeros((len(truth), 100), numpy.float32)


BASELINES = dict(untrained=dict(pdf=1.5, mean=3.1, std=.01, psd=5.2, peaks=2.2), gaussian=dict(pdf=.0321, mean=1.0111, std=.31, psd=.0654, peaks=1.31))


def write_baselines(folder, truth):
    rng = numpy.random.default_rng(8)
    phases = numpy.angle(numpy.fft.fft2(rng.standard_normal(truth.shape)))
    noise = numpy.fft.ifft2(abs(numpy.fft.fft2(numpy.log(truth))) * numpy.exp(1j * phases)).real
    models = dict(untrained=numpy.exp(.1 * rng.standard_normal(truth.shape) + numpy.log(truth.mean())).astype(numpy.float32),
                  gaussian=numpy.sort(truth, None)[noise.argsort(None).argsort()].reshape(truth.shape))
    for name, model in models.items():
        write_maps(folder / f"baseline_{name}.h5", model, 50.0)
        figures = BASELINES[name]
        write_stats(folder / f"stats_{name}.h5", truth, model, {**figures, **{k + "_error": .02 * v for k, v in figures.items()}})


def write_run(folder):
    folder.mkdir(parents=True, exist_ok=True)
    parents = fields(20, 128, 1)
    truth, model = fields(160, 64, 2, spread=0.12), fields(200, 64, 3, push=0.8, spread=0.07)
    write_maps(folder / "maps.h5", parents, 100.0)
    write_maps(folder / "truth.h5", truth, 50.0)
    write_maps(folder / "generated.h5", model, 50.0)
    write_stats(folder / "stats.h5", truth, model)
    write_training(folder / "gan")
    inferred, generated = inferred_of(truth, 9, .7), inferred_of(model, 40, .9)
    write_encoder(folder / "encoder")
    write_pairs(folder / "pairs.h5", truth, inferred)
    write_stats(folder / "stats_pairs.h5", truth, inferred, pairs=True)
    write_stats(folder / "stats_sanity_generated.h5", model, generated, pairs=True)
    write_stats(folder / "stats_sanity_real.h5", truth, inferred_of(truth, 5, .9), pairs=True)
    write_baselines(folder, truth)
    (folder / "config.ini").write_text(CONFIG + f"# {HOSTILE}\n")
    (folder / "pipeline.json").write_text(json.dumps(dict(
        preset="quick2d", device="pthread-skylake " + HOSTILE, version="0.1.0", commit="0123456789ab",
        versions=dict(opencl="OpenCL 3.0 PoCL 5.0"),
        stages=[dict(name=n, state=state, key="0" * 64, seconds=s) for n, s, state in
                [("simulate", 61.2, "done"), ("maps", 12.4, "done"), ("train gan", 540.0, "done"), ("select", 31.0, "done"),
                 ("generate", 2.2, "done"), ("stats", 4.1, "done"), ("report", 0.0, "running")]])))


