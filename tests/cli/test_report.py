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

from reporting import STATED, fields, write_maps, write_run

COSMOCL = os.environ["COSMOCL"]
NO_GNUPLOT = dict(os.environ, COSMOCL_GNUPLOT="no-such-gnuplot")  # which takes nearly all of the time
FIGURES = ["figure1_before", "figure1_after", "figure1_transform", "figure2", "figure3", "figure3_pdf", "figure3_mean",
           "figure3_power", "figure3_peaks", "training", "training_loss", "training_accuracy", "training_speed", "training_score",
           "training_parts", "minkowski", "minkowski_area", "minkowski_perimeter", "minkowski_euler", "encoder_loss", "figure7",
           "figure7_pdf", "figure7_mean", "figure7_power", "figure7_peaks", "figure10", "figure10_dice", "figure10_normalized",
           "pairs_transfer", "pairs_correlation", "sanity_dice"]
GRID, STRIP = (4 * 128 + 3 * 6, 8 * 128 + 7 * 6), (8 * 128 + 7 * 6, 128)
PICTURES = {"figure1_map": (768, 768), "figure2_simulated": GRID, "figure2_generated": GRID, "colour_bar": (512, 12),
            "strip_simulated": STRIP, "strip_generated": STRIP, "strip_untrained": STRIP, "strip_gaussian": STRIP,
            "figure6": (8 * 128 + 7 * 6, 2 * 128 + 6), "figure8": (10 * 128 + 5 * 6 + 4 * 14, 4 * 128 + 3 * 6),
            "figure9": (4 * 128 + 3 * 6, 4 * 128 + 3 * 6)}
PARTS = ["config.ini", "maps.h5", "gan/metrics.jsonl", "gan/select.json", "truth.h5", "generated.h5", "stats.h5", "baseline_untrained.h5",
         "baseline_gaussian.h5", "stats_untrained.h5", "stats_gaussian.h5", "encoder/metrics.jsonl", "pairs.h5", "stats_pairs.h5",
         "stats_sanity_generated.h5", "stats_sanity_real.h5", "pipeline.json"]
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


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
    # Figure 1, its map, figure 2, three bars, figure 3, training, Minkowski functionals, parts of the score, strips, encoder,
    # figures 6, 8 and 9, figure 7, figure 10, transfer and correlation, sanity experiment.
    assert len(page.images) == 3 + 1 + 2 + 3 + 4 + 4 + 3 + 1 + 4 + 1 + 3 + 4 + 2 + 2 + 1
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
    assert png_size(whole / "figures" / f"{name}.png") == PICTURES[name]


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


def test_halves_of_the_truth_are_the_reference_without_a_selection(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run" / "gan" / "select.json").unlink()
    subprocess.run([COSMOCL, "report", str(tmp_path / "run")], capture_output=True, check=True, timeout=300, env=NO_GNUPLOT)
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
    assert said["missing"] == [name for name in PARTS if name not in ("maps.h5", "gan/metrics.jsonl")]
    page, _ = read_page(out)
    for name in said["missing"]:
        assert name in page.text
    assert page.text.count("not in this run") >= 6
    assert (tmp_path / "figures" / "training_loss.svg").exists() and not (tmp_path / "figures" / "figure3.svg").exists()


def test_damaged_parts_are_said(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    (tmp_path / "run" / "stats.h5").write_bytes(b"not HDF5 <b>at all</b>")
    (tmp_path / "run" / "gan" / "select.json").write_text('{"best": ')
    (tmp_path / "run" / "pipeline.json").write_text("[1, 2]")
    done = subprocess.run([COSMOCL, "report", str(tmp_path / "run")], capture_output=True, text=True, timeout=300, env=NO_GNUPLOT)
    assert done.returncode == 0, done.stderr
    page, _ = read_page(tmp_path / "run" / "report.html")
    assert page.text.count("could not be read") >= 3


def test_without_gnuplot(whole, tmp_path):
    shutil.copytree(whole, tmp_path / "run")
    done = subprocess.run([COSMOCL, "report", str(tmp_path / "run")], capture_output=True, text=True, timeout=300,
                          env=NO_GNUPLOT)
    assert done.returncode == 0, done.stderr
    assert "gnuplot-nox" in done.stderr
    page, _ = read_page(tmp_path / "run" / "report.html")
    assert "gnuplot-nox" in page.text and len(page.images) == 3 + 3 + 4 + 3  # pictures, bars, strips, pairs
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
