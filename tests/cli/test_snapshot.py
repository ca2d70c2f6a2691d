"""The commands snapshot info and snapshot convert."""
import json
import os
import subprocess

import h5py
import numpy as np
import pytest

PROGRAM = os.environ.get("COSMOCL", "cosmocl")


def run(*arguments, status=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, f"{done.returncode}: {done.stdout}\n{done.stderr}"
    return done


def write(path, positions, units="Mpc/h", velocities=None, ids=None, **header):
    with h5py.File(path, "w") as f:
        values = {"BoxSize": 100.0, "Redshift": 1.0, "Time": .5, "Omega0": .3, "OmegaLambda": .7, "HubbleParam": .7}
        values.update(header)
        f.create_group("Header").attrs.update({k: v for k, v in values.items() if v is not None})
        d = f.create_dataset("PartType1/Coordinates", data=positions)
        if units:
            d.attrs["units"] = units
        if velocities is not None:
            f["PartType1/Velocities"] = velocities
        if ids is not None:
            f["PartType1/ParticleIDs"] = ids


@pytest.fixture
def particles():
    rng = np.random.default_rng(1)
    return rng.uniform(0, 100, (500, 3)), rng.standard_normal((500, 3)) * 300, rng.permutation(500) + 2**40


def test_convert_keeps_everything(tmp_path, particles):
    x, u, ids = particles
    write(tmp_path / "a.h5", x, velocities=u, ids=ids, NumPart_ThisFile=np.array([0, 500, 0, 0, 0, 0], "i4"),
          NumPart_Total=np.array([0, 500, 0, 0, 0, 0], "u4"), NumFilesPerSnapshot=1)
    run("snapshot", "convert", tmp_path / "a.h5", "-o", tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5") as f:
        d = f["PartType1/Coordinates"]
        assert d.dtype == np.float64 and np.array_equal(d[:], x) and d.attrs["units"] == "Mpc/h"
        assert np.array_equal(f["PartType1/Velocities"][:], u.astype("f4"))
        assert np.array_equal(f["PartType1/ParticleIDs"][:], ids)
        h = f["Header"].attrs
        assert (h["BoxSize"], h["Redshift"], h["Time"]) == (100, 1, .5)
        assert (h["Omega0"], h["OmegaLambda"], h["HubbleParam"]) == (.3, .7, .7)
        assert h["NumPart_ThisFile"].tolist() == h["NumPart_Total"].tolist() == [0, 500, 0, 0, 0, 0]
        # 3 H0^2 / (8 pi G) = 27.7536627 1e10 Msun/h / (Mpc/h)^3
        assert h["MassTable"][1] == pytest.approx(.3 * 27.7536627e6 / 500)
        assert "a.h5" in f["provenance"].attrs["input_hashes"]


@pytest.mark.parametrize("swap", ["<", ">"])
@pytest.mark.parametrize("kind", ["f4", "f8"])
def test_either_byte_order_and_precision(tmp_path, particles, swap, kind):
    x = particles[0].astype("f4").astype(swap + kind)
    write(tmp_path / "a.h5", x, ids=np.arange(500, dtype=swap + "u4"))
    run("snapshot", "convert", tmp_path / "a.h5", "-o", tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5") as f:
        assert f["PartType1/Coordinates"].dtype == np.dtype("<" + kind)
        assert np.array_equal(f["PartType1/Coordinates"][:], x)
        assert np.array_equal(f["PartType1/ParticleIDs"][:], np.arange(500))
        assert "Velocities" not in f["PartType1"]


@pytest.mark.parametrize("unit,factor", [("kpc/h", 1e-3), ("Mpc", .7), ("kpc", 7e-4), ("Mpc/h", 1)])
def test_units_of_the_file_and_of_the_option(tmp_path, particles, unit, factor):
    x = particles[0]
    write(tmp_path / "a.h5", x / factor, units=unit, BoxSize=100 / factor)
    write(tmp_path / "b.h5", x / factor, units="Mpc/h", BoxSize=100 / factor)  # wrong: the option overrides it
    write(tmp_path / "c.h5", x / factor, units="parsec", BoxSize=100 / factor)
    for name, option in (("a", ()), ("b", ("--length-unit", unit)), ("c", ("--length-unit", unit))):
        run("snapshot", "convert", tmp_path / f"{name}.h5", "-o", tmp_path / "out.h5", *option)
        with h5py.File(tmp_path / "out.h5") as f:
            assert f["Header"].attrs["BoxSize"] == pytest.approx(100)
            np.testing.assert_allclose(f["PartType1/Coordinates"][:], x, rtol=1e-12)
    assert "parsec" in run("snapshot", "info", tmp_path / "c.h5", status=6).stderr
    assert "furlong" in run("snapshot", "info", tmp_path / "a.h5", "--length-unit", "furlong", status=2).stderr


def test_info(tmp_path, particles):
    x, u, ids = particles
    write(tmp_path / "a.h5", x, velocities=u, ids=ids, BoxIndex=12)
    write(tmp_path / "b.h5", x[:, :2].astype("f4"), Redshift=None, Time=None, Omega0=None)
    text = run("snapshot", "info", tmp_path / "a.h5").stdout
    for word in ("500", "3D", "float64", "velocities", "ids", "100 Mpc/h", "number 12", "redshift 1", "omega_m 0.3"):
        assert word in text
    a, b = json.loads(run("snapshot", "info", tmp_path / "a.h5", tmp_path / "b.h5", "--json").stdout)
    assert (a["particles"], a["dims"], a["box_index"], a["velocities"], a["ids"]) == (500, 3, 12, True, True)
    assert (b["dims"], b["precision"], b["redshift"], b["velocities"], b["box_index"]) == (2, "single", None, False, -1)
    one = json.loads(run("snapshot", "info", tmp_path / "a.h5", "--json").stdout)
    assert one == a


def test_attributes_as_arrays(tmp_path, particles):
    """SWIFT writes every number as an array, and BoxSize per axis."""
    write(tmp_path / "a.h5", particles[0], BoxSize=[100.0] * 3, Redshift=[1.0], Time=[.5], units=np.bytes_("Mpc/h"))
    result = json.loads(run("snapshot", "info", tmp_path / "a.h5", "--json").stdout)
    assert result["box_mpc_h"] == 100 and result["redshift"] == 1
    write(tmp_path / "a.h5", particles[0], BoxSize=[100.0, 100, 50])
    assert "cubic" in run("snapshot", "info", tmp_path / "a.h5", status=6).stderr


def test_positions_are_wrapped(tmp_path):
    x = np.array([[100, -1e-9, 50], [100.5, -3, 0]], "f4")
    write(tmp_path / "a.h5", x)
    run("snapshot", "convert", tmp_path / "a.h5", "-o", tmp_path / "b.h5")
    with h5py.File(tmp_path / "b.h5") as f:
        assert f["PartType1/Coordinates"][:].tolist() == [[0, 0, 50], [.5, 97, 0]]


@pytest.mark.parametrize("header,words", [
    ({"BoxSize": -1.0}, ["BoxSize"]), ({"BoxSize": np.nan}, ["BoxSize"]), ({"BoxSize": None}, ["BoxSize", "missing"]),
    ({"BoxSize": "big"}, ["BoxSize", "not a number"]), ({"NumFilesPerSnapshot": 4}, ["4 files"]),
    ({"Redshift": np.inf}, ["Redshift"]), ({"NumPart_ThisFile": [0, 501, 0, 0, 0, 0]}, ["500 rows", "501"]),
])
def test_wrong_headers(tmp_path, particles, header, words):
    write(tmp_path / "a.h5", particles[0], **header)
    message = run("snapshot", "info", tmp_path / "a.h5", status=6).stderr
    for word in ["a.h5", "/Header" if "files" not in words[0] and "rows" not in words[0] else "", *words]:
        assert word in message


@pytest.mark.parametrize("change,words", [
    (lambda x: {"positions": x[:, :1]}, ["[N, 2] or [N, 3]"]), (lambda x: {"positions": x.ravel()}, ["[N, 2] or [N, 3]"]),
    (lambda x: {"positions": x.astype("i4")}, ["integers"]), (lambda x: {"positions": x * 5}, ["particle", "--length-unit"]),
    (lambda x: {"positions": np.where(np.arange(1500).reshape(500, 3) == 100, np.nan, x)}, ["particle 33, axis 1"]),
    (lambda x: {"positions": x, "velocities": x[:9]}, ["Velocities", "shape"]),
    (lambda x: {"positions": x, "ids": np.arange(7)}, ["ParticleIDs"]),
])
def test_wrong_datasets(tmp_path, particles, change, words):
    write(tmp_path / "a.h5", **change(particles[0]))
    message = run("snapshot", "info", tmp_path / "a.h5", status=6).stderr
    for word in ["a.h5", *words]:
        assert word in message


def test_what_is_not_read_yet_is_said(tmp_path, particles):
    write(tmp_path / "a.h5", particles[0])
    assert "hdf5 only" in run("snapshot", "convert", tmp_path / "a.h5", "--format", "gadget2", "-o", "b", status=2).stderr
    assert "-o" in run("snapshot", "convert", tmp_path / "a.h5", status=2).stderr
