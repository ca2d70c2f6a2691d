"""`cosmocl report`: the page is whole, well formed and asks for nothing outside; every figure is there; missing parts are said."""
import html.parser
import json
import os
import shutil
import struct
import subprocess
import xml.etree.ElementTree
from pathlib import Path

import h5py
import numpy
import pytest

COSMOCL = os.environ["COSMOCL"]
FIGURES = ["figure1_before", "figure1_after", "figure1_transform", "figure2", "figure3", "figure3_pdf", "figure3_mean",
           "figure3_power", "figure3_peaks", "training", "training_loss", "training_accuracy", "training_speed", "training_score"]
PICTURES = ["figure1_map", "figure2_simulated", "figure2_generated", "colour_bar"]
STATED = dict(pdf=.4321, mean=1.0123, std=.8765, psd=.1357, peaks=.9753,
              half_pdf=.0246, half_mean=1.0086, half_std=.9182, half_psd=.0173, half_peaks=1.0321)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
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
            m += numpy.histogram2d((y + oy) % side, (x + ox) % side, side, ((0, side), (0, side)))[0] / 5
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
    return power


def write_stats(path, truth, model):
    edges = numpy.geomspace(1e-3, 1e4, 61)
    with h5py.File(path, "w") as f:
        f["density_edges"] = edges
        f["nu"] = numpy.arange(1, truth.shape[1] // 2 + 1)
        write_set(f, "truth", truth, edges)
        write_set(f, "model", model, edges)
        f.create_group("score").attrs.update(STATED)


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
        epochs.append(dict(epoch=n, step=100 * n, score=score,
                           parts=dict(pdf=score * 1.1, mean=score * 0.8, scatter=score, power=score * 1.3, peaks=score * 0.8),
                           figures=dict(pdf=0.1 * score, mean=1 + 0.02 * score, std=1 - 0.05 * score, psd=0.1 * score, peaks=1.1)))
    best = min(epochs, key=lambda e: e["score"])
    text = json.dumps(dict(best=dict(epoch=best["epoch"], file=f"gan/epochs/{best['epoch']:04d}.h5", score=best["score"]), epochs=epochs))
    (folder / "select.json").write_text(text)


def write_run(folder):
    folder.mkdir(parents=True, exist_ok=True)
    parents = fields(20, 128, 1)
    truth, model = fields(160, 64, 2, spread=0.12), fields(200, 64, 3, push=0.8, spread=0.07)
    write_maps(folder / "maps.h5", parents, 100.0)
    write_maps(folder / "truth.h5", truth, 50.0)
    write_maps(folder / "generated.h5", model, 50.0)
    write_stats(folder / "stats.h5", truth, model)
    write_training(folder / "gan")
    (folder / "config.ini").write_text(CONFIG + f"# {HOSTILE}\n")
    (folder / "pipeline.json").write_text(json.dumps(dict(
        preset="quick2d", device="pthread-skylake " + HOSTILE, version="0.1.0", commit="0123456789ab",
        versions=dict(opencl="OpenCL 3.0 PoCL 5.0"),
        stages=[dict(name=n, state=state, key="0" * 64, seconds=s) for n, s, state in
                [("simulate", 61.2, "done"), ("maps", 12.4, "done"), ("train gan", 540.0, "done"), ("select", 31.0, "done"),
                 ("generate", 2.2, "done"), ("stats", 4.1, "done"), ("report", 0.0, "running")]])))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report") / "run's <b>folder</b>"
    write_run(folder)
    done = subprocess.run([COSMOCL, "report", str(folder)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder / "report.html")
    return folder


class Page(html.parser.HTMLParser):
    """Checks nesting, collects text, images and references."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.images, self.references, self.ids, self.tags, self.text = [], [], [], [], [], ""
        self.feed(text)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        assert len(set(names)) == len(names), (tag, names)
        values = dict(attributes)
        self.tags.append(tag)
        if "id" in values:
            self.ids.append(values["id"])
        for name in ("src", "href", "data", "action", "poster", "srcset"):
            if name in values:
                self.references.append(values[name])
        if tag == "img":
            assert values.get("alt"), values
            self.images.append(values["src"])
        assert not [n for n in names if n.startswith("on")], names
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        self.text += data


def read_page(path):
    text = Path(path).read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in page.tags and "link" not in page.tags and "iframe" not in page.tags
    for reference in page.references:
        assert reference.startswith("data:image/") or (reference.startswith("#") and reference[1:] in page.ids), reference[:80]
    assert "url(" not in text and "@import" not in text
    assert len(set(page.ids)) == len(page.ids)
    return page, text


def png_size(path):
    data = Path(path).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n" and data[-8:-4] == b"IEND"
    return struct.unpack(">II", data[16:24])


def test_page_is_whole_and_asks_for_nothing_outside(whole):
    page, text = read_page(whole / "report.html")
    assert len(page.images) == 3 + 1 + 2 + 2 + 4 + 4  # figure 1, its map, figure 2, two bars, figure 3, training
    for image in page.images:
        assert len(image) > 300, image[:60]
    assert "116 simulated boxes of 100 Mpc/h" in page.text and "2200 steps" in page.text
    assert "not in this run" not in page.text
    for name in ("simulate", "train gan", "generate", "9 min 00 s", "10 min 51 s"):
        assert name in page.text
    assert "running" not in page.text


def test_hostile_text_stays_text(whole):
    page, text = read_page(whole / "report.html")
    assert page.text.count("<script>alert") >= 3  # configuration, device, command line
    assert "<script" not in text and "<img src=http" not in text
    assert "run's <b>folder</b>" in page.text and "<b>folder" not in text


@pytest.mark.parametrize("name", FIGURES)
def test_figures_are_drawn_twice(whole, name):
    width, height = png_size(whole / "figures" / f"{name}.png")
    assert width >= 1280 and height >= 860
    root = xml.etree.ElementTree.parse(whole / "figures" / f"{name}.svg").getroot()
    assert root.tag.endswith("svg") and len(list(root.iter())) > 20
    assert (whole / "figures" / f"{name}.gp").stat().st_size > 50


@pytest.mark.parametrize("name", PICTURES)
def test_pictures(whole, name):
    width, height = png_size(whole / "figures" / f"{name}.png")
    expected = {"figure1_map": (768, 768), "colour_bar": (512, 12)}.get(name, (4 * 128 + 3 * 6, 8 * 128 + 7 * 6))
    assert (width, height) == expected


def test_data_of_the_figures_are_those_of_the_run(whole):
    blocks = (whole / "figures" / "figure3_power.dat").read_text().split("\n\n\n")
    with h5py.File(whole / "stats.h5") as f:
        for block, group in zip(blocks, ("truth", "model")):
            table = numpy.array([[float(x) for x in line.split()] for line in block.splitlines() if line[:1] not in "#" and line])
            assert numpy.allclose(table[:, 0], 2 * numpy.pi * f["nu"][()] / 50, rtol=1e-6)
            assert numpy.allclose(table[:, 1], f[group]["power_median"], rtol=1e-6)
            assert numpy.allclose(table[:, 3] - table[:, 1], f[group]["power_mad"], rtol=1e-4)


def test_figures_in_the_table(whole):
    """As `stats` states them, and so are the halves where select.json has no reference."""
    page, _ = read_page(whole / "report.html")
    for name, value in STATED.items():
        if not name.startswith("half_"):
            assert f"{value:.3f}" in page.text, (name, value)


def test_halves_of_the_truth_are_the_reference_without_a_selection(tmp_path):
    write_run(tmp_path / "run")
    (tmp_path / "run" / "gan" / "select.json").unlink()
    subprocess.run([COSMOCL, "report", str(tmp_path / "run")], capture_output=True, check=True, timeout=300)
    page, _ = read_page(tmp_path / "run" / "report.html")
    for name, value in STATED.items():
        assert f"{value:.3f}" in page.text, (name, value)


def test_half_a_run(tmp_path):
    write_maps(tmp_path / "maps.h5", fields(3, 32, 1), 100.0)
    (tmp_path / "gan").mkdir()
    (tmp_path / "gan" / "metrics.jsonl").write_text('{"step": 1, "loss_d": 0.7, "loss_g": 0.3}\n')
    out = tmp_path / "elsewhere.html"
    done = subprocess.run([COSMOCL, "report", str(tmp_path), "-o", str(out), "--json"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["report"] == str(out)
    assert sorted(said["missing"]) == sorted(["gan/select.json", "truth.h5", "generated.h5", "stats.h5", "pipeline.json", "config.ini"])
    page, _ = read_page(out)
    for name in said["missing"]:
        assert name in page.text
    assert page.text.count("not in this run") >= 6
    assert (tmp_path / "figures" / "training_loss.svg").exists() and not (tmp_path / "figures" / "figure3.svg").exists()


def test_damaged_parts_are_said(tmp_path):
    write_run(tmp_path / "run")
    (tmp_path / "run" / "stats.h5").write_bytes(b"not HDF5 <b>at all</b>")
    (tmp_path / "run" / "gan" / "select.json").write_text('{"best": ')
    (tmp_path / "run" / "pipeline.json").write_text("[1, 2]")
    done = subprocess.run([COSMOCL, "report", str(tmp_path / "run")], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    page, _ = read_page(tmp_path / "run" / "report.html")
    assert page.text.count("could not be read") >= 3


def test_without_gnuplot(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    done = subprocess.run([COSMOCL, "report", str(tmp_path / "run")], capture_output=True, text=True, timeout=300,
                          env=dict(os.environ, COSMOCL_GNUPLOT="no-such-gnuplot"))
    assert done.returncode == 0, done.stderr
    assert "gnuplot-nox" in done.stderr
    page, _ = read_page(tmp_path / "run" / "report.html")
    assert "gnuplot-nox" in page.text and len(page.images) == 3 + 2
    assert not (tmp_path / "run" / "figures" / "figure3.svg").exists()  # not the older report's


@pytest.mark.parametrize("code", ["exit 3", "echo broken >&2; exit 1", "kill -9 $$"])
def test_gnuplot_that_fails(whole, tmp_path, code):
    program = tmp_path / "gnuplot"
    program.write_text("#!/bin/sh\n" + code + "\n")
    program.chmod(0o755)
    shutil.copytree(whole, tmp_path / "run")
    done = subprocess.run([COSMOCL, "report", str(tmp_path / "run")], capture_output=True, text=True, timeout=300,
                          env=dict(os.environ, COSMOCL_GNUPLOT=str(program)))
    assert done.returncode == 0, done.stderr
    page, _ = read_page(tmp_path / "run" / "report.html")
    assert "Curves are missing" in page.text


def test_no_run_at_all(tmp_path):
    for folder in (tmp_path, tmp_path / "absent"):
        done = subprocess.run([COSMOCL, "report", str(folder)], capture_output=True, text=True, timeout=60)
        assert done.returncode == 6 and str(folder) in done.stderr
    done = subprocess.run([COSMOCL, "report"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
