"""maps import: every kind of .npy, FITS and HDF5 gives the maps that numpy would make of it; hostile files are refused
with a reason; and a user's own images go through import, training, generation and statistics."""
import json
import struct

import h5py
import numpy as np
import pytest

from training import TINY, call, run, sets

RNG = np.random.default_rng(7)


def imported(tmp_path, path, *flags, out="maps.h5"):
    run("maps", "import", path, *flags, "-o", tmp_path / out)
    with h5py.File(tmp_path / out) as f:
        return f["maps"][:], dict(f.attrs), f["maps"].attrs["units"]


def save(path, array, version=None):
    with open(path, "wb") as f:
        np.lib.format.write_array(f, np.asanyarray(array), version=version)
    return path


# ---- .npy: types, orders, shapes ----

TYPES = ["?", "i1", "u1", "<i2", ">i2", "<u2", ">u4", "<i4", "<i8", ">u8", "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("order", ["C", "F"])
def test_types_and_orders(tmp_path, dtype, order):
    kind = np.dtype(dtype).kind
    values = RNG.integers(0, 2 if kind == "b" else 100, (5, 9, 9)) - (50 if kind in "if" else 0)
    values = np.asarray(values / (8 if kind == "f" else 1), dtype=dtype, order=order)
    found, _, _ = imported(tmp_path, save(tmp_path / "a.npy", values))
    assert np.array_equal(found, values.astype("f4"))


def test_halves_are_exact(tmp_path):
    every = np.arange(65536, dtype="u2").view("f2").reshape(256, 256)
    every = np.where(np.isfinite(every), every, 0).astype("f2")
    found, _, _ = imported(tmp_path, save(tmp_path / "a.npy", every))
    assert np.array_equal(found[0], every.astype("f4"))


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_versions_and_shapes(tmp_path, version, order):
    a = RNG.normal(size=(6, 9, 9, 1)).astype("f4")
    for shape in ((6, 9, 9), (6, 9, 9, 1), (6, 1, 9, 9)):
        found, _, _ = imported(tmp_path, save(tmp_path / "a.npy", np.asarray(a.reshape(shape), order=order), version))
        assert np.array_equal(found, a[..., 0])
    found, _, _ = imported(tmp_path, save(tmp_path / "a.npy", np.asarray(a[0, ..., 0], order=order), version))
    assert np.array_equal(found, a[:1, ..., 0])


@pytest.mark.parametrize("shape,axis", [((4, 9, 9, 3), 3), ((4, 3, 9, 9), 1), ((9, 9, 3), 2)])
def test_colours_need_a_channel(tmp_path, shape, axis):
    a = RNG.integers(0, 255, shape).astype("u1")
    path = save(tmp_path / "a.npy", a)
    run("maps", "import", path, "-o", tmp_path / "m.h5", status=2, says=["3 channels", "--channel mean"])
    run("maps", "import", path, "--channel", "3", "-o", tmp_path / "m.h5", status=2, says="there are 0 to 2")
    assert not (tmp_path / "m.h5").exists()
    green, _, _ = imported(tmp_path, path, "--channel", "1")
    assert np.array_equal(green, a.take(1, axis).reshape(-1, 9, 9))
    mean, _, _ = imported(tmp_path, path, "--channel", "mean")
    assert np.allclose(mean, a.mean(axis).reshape(-1, 9, 9), rtol=1e-6)


def test_many_batches_give_what_one_does(tmp_path):
    a = RNG.normal(size=(600, 64, 65))  # 2.5 million numbers: more than are read at a time
    for order in "CF":
        path = save(tmp_path / "a.npy", np.asarray(a, order=order))
        done = run("maps", "import", path, "-o", tmp_path / "m.h5", says="cut to the 64 × 64 in their middle")
        with h5py.File(tmp_path / "m.h5") as f:
            assert np.array_equal(f["maps"][:], a[:, :, :64].astype("f4"))
            assert f.attrs["box_mpc_h"] == 64 / 65
        assert "600 of 64 × 64" in done.stdout


# ---- what is written of the values ----

def test_transform_follows_the_values(tmp_path):
    positive = np.exp(RNG.normal(size=(3, 16, 16)))
    holes = np.where(RNG.random((3, 16, 16)) < .5, 0, 1e4 * positive**3)
    cases = {"log": positive, "linear": positive - 1, "log-offset": holes}
    for name, a in cases.items():
        path = save(tmp_path / "a.npy", a)
        found, attributes, units = imported(tmp_path, path)
        assert (attributes["transform"], attributes["unit"], units) == (name, "particles", "pixel value")
        assert attributes["mean"] == pytest.approx(a.astype("f4").mean(dtype="f8"), rel=1e-12)
        assert (attributes["box_mpc_h"], attributes["estimator"]) == (1, "import")
        low, high = attributes["a"], attributes["b"]
        if name != "linear":
            low, high = np.exp(low) - attributes.get("c", 0), np.exp(high) - attributes.get("c", 0)
        assert low <= a.min() and a.max() < high
        info = json.loads(run("dataset", "info", tmp_path / "maps.h5", "--json", *sets(dataset__validation=1,
                                                                                         dataset__test=1)).stdout)
        assert info["densities"]["below"] == info["densities"]["above"] == 0
    grey, attributes, _ = imported(tmp_path, save(tmp_path / "a.npy", np.arange(256, dtype="u1").reshape(16, 16)))
    assert attributes["transform"] == "linear", "zeros in a narrow range need no logarithm"


def test_bounds_unit_and_box_are_the_users(tmp_path):
    path = save(tmp_path / "a.npy", RNG.uniform(-1, 1, (2, 16, 16)))
    flags = ["--minimum", "-0.5", "--maximum", "2", "--box-mpc-h", "75", "--unit", "mK"]
    done = run("maps", "import", path, *flags, "--json", "-o", tmp_path / "m.h5", says="below")
    said = json.loads(done.stdout)
    with h5py.File(tmp_path / "m.h5") as f:
        assert (f.attrs["a"], f.attrs["b"], f.attrs["box_mpc_h"]) == (-.5, 2, 75)
        assert f["maps"].attrs["units"] == "mK"
        assert said["below"] == (f["maps"][:] < -.5).sum() and said["above"] == 0
        assert f["provenance"].attrs["input_hashes"].endswith("a.npy")
    run("maps", "import", path, "--transform", "log", "-o", tmp_path / "n.h5", status=2, says=["smallest value", "linear"])
    run("maps", "import", path, "--transform", "log-offset", "-o", tmp_path / "n.h5", status=2, says="linear")
    run("maps", "import", path, "--minimum", "3", "--maximum", "2", "-o", tmp_path / "n.h5", status=2, says="interval")
    assert not (tmp_path / "n.h5").exists()


def test_values_that_cannot_be_maps(tmp_path):
    a = RNG.uniform(1, 2, (3, 9, 11))
    for bad in (np.nan, np.inf, -np.inf, 1e39):
        a[2, 4, 6] = bad
        run("maps", "import", save(tmp_path / "a.npy", a), "-o", tmp_path / "m.h5", status=6,
            says=["a.npy", "image 2, y 4, x 6", "nan_to_num"])
    run("maps", "import", save(tmp_path / "a.npy", np.full((2, 9, 9), 5)), "-o", tmp_path / "m.h5", status=6,
        says=["every pixel is 5", "--minimum"])
    run("maps", "import", save(tmp_path / "a.npy", np.linspace(-1e-30, 1e-30, 81).reshape(9, 9)), "-o", tmp_path / "m.h5",
        status=6, says="multiply them")
    assert not (tmp_path / "m.h5").exists()


# ---- hostile and unfit files ----

def npy(header, data=b"", version=1, length=None):
    header = header if isinstance(header, bytes) else header.encode()
    size = struct.pack("<H" if version == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


GOOD = "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 8, 8), }"
HOSTILE = {
    "empty": (b"", "neither"),
    "cut magic": (b"\x93NUM", "neither"),
    "no header": (b"\x93NUMPY\x01\x00", "cut off"),
    "version": (npy(GOOD, bytes(256), version=9), "format 1, 2 or 3"),
    "long header": (npy(GOOD, bytes(256), version=2, length=0xffffffff), "no array's"),
    "header beyond the end": (npy(GOOD, version=1, length=60000), "cut off"),
    "cut data": (npy(GOOD, bytes(255)), "cut off"),
    "absurd shape": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (4000000000, 4000000000, 4000000000)}"), "cut off"),
    "overflow": (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2305843009213693952, 8, 8)}", bytes(64)), "cut off"),
    "beyond 64 bits": (npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999, 8, 8)}"), "no array's"),
    "negative": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 8, 8)}", bytes(256)), "no array's"),
    "no images": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 8, 8)}"), "0 long"),
    "objects": (npy("{'descr': '|O', 'fortran_order': False, 'shape': (1, 8, 8)}", bytes(512)), "Python objects"),
    "structures": (npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1, 8, 8)}", bytes(512)), "structures"),
    "complex": (npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1, 8, 8)}", bytes(512)), "<c8"),
    "text": (npy("{'descr': '<U4', 'fortran_order': False, 'shape': (1, 8, 8)}", bytes(2048)), "<U4"),
    "code": (npy("__import__('os').system('touch pwned')"), "no array's"),
    "code in shape": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2*4, 8)}", bytes(256)), "no array's"),
    "twice": (npy("{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1, 8, 8)}", bytes(256)), "no array's"),
    "zero byte": (npy(GOOD[:20] + "\0" + GOOD[20:], bytes(256)), "no array's"),
    "unclosed": (npy("{'descr': '<f4"), "no array's"),
    "many axes": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,64)}", bytes(256)), "no array's"),
    "one axis": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': (64,)}", bytes(256)), "no stack of images"),
    "number": (npy("{'descr': '<f4', 'fortran_order': False, 'shape': ()}", bytes(256)), "no stack of images"),
    "archive": (b"PK\x03\x04" + bytes(60), "archive"),
    "gzip": (b"\x1f\x8b\x08" + bytes(60), "gunzip"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(60), "PNG"),
    "photo": (b"\xff\xd8\xff\xe0" + bytes(60), "JPEG"),
    "words": (b"x,y\n1,2\n", "neither"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files(tmp_path, name):
    data, words = HOSTILE[name]
    path = tmp_path / "bad.npy"
    path.write_bytes(data)
    run("maps", "import", path, "-o", tmp_path / "m.h5", status=6, says=["bad.npy", words])
    assert [p.name for p in tmp_path.iterdir()] == ["bad.npy"]


def test_no_header_crashes_the_parser(tmp_path):
    """Each byte of a good header replaced by others: read, or refused, never worse."""
    path = tmp_path / "a.npy"
    good = npy(GOOD, np.arange(64, dtype="<f4").tobytes())
    for i in range(6, 10 + len(GOOD), 8):
        for byte in (0, ord("'"), ord("9"), ord("("), 255):
            path.write_bytes(good[:i] + bytes([byte]) + good[i + 1:])
            done = call("maps", "import", path, "-o", tmp_path / "m.h5", "-q")
            assert done.returncode in (0, 6), done.stderr


def test_memory_that_runs_out(tmp_path):
    path = save(tmp_path / "a.npy", RNG.normal(size=(3, 9, 9)))
    for n in (*range(1, 60, 4), 1000):
        done = call("maps", "import", path, "-o", tmp_path / "m.h5", COSMOCL_FAIL_ALLOCATION=n)
        if done.returncode == 0:
            break
        assert done.returncode == 4 and not (tmp_path / "m.h5").exists(), done.stderr
    assert n == 1000


# ---- FITS, written by hand ----

def hdu(array, bitpix, first=False, cards=(), scale=None):
    array = np.asarray(array)
    head = [("SIMPLE", "T") if first else ("XTENSION", "'IMAGE   '"), ("BITPIX", bitpix), ("NAXIS", array.ndim)]
    head += [(f"NAXIS{i + 1}", n) for i, n in enumerate(array.shape[::-1])]
    if not first:
        head += [("PCOUNT", 0), ("GCOUNT", 1)]
    head += list(cards)
    text = "".join(f"{k:<8}= {v!s:>20}".ljust(80) for k, v in head) + "END".ljust(80)
    kinds = {8: "u1", 16: ">i2", 32: ">i4", 64: ">i8", -32: ">f4", -64: ">f8"}
    data = array.astype(kinds[bitpix]).tobytes()
    return text.ljust(-(-len(text) // 2880) * 2880).encode() + data.ljust(-(-len(data) // 2880) * 2880, b"\0")


@pytest.mark.parametrize("bitpix", [8, 16, 32, 64, -32, -64])
def test_fits(tmp_path, bitpix):
    a = RNG.integers(0, 100, (4, 9, 9))
    path = tmp_path / "a.fits"
    path.write_bytes(hdu(a, bitpix, True, [("BSCALE", 0.5), ("BZERO", -3.0), ("BUNIT", "'Jy/beam '")]))
    found, _, units = imported(tmp_path, path)
    assert np.array_equal(found, .5 * a - 3) and units == "Jy/beam"
    path.write_bytes(hdu(a[0], bitpix, True))
    assert np.array_equal(imported(tmp_path, path)[0], a[:1])
    path.write_bytes(hdu(a[:, None], bitpix, True))  # a cube with an axis of one, as radio images have
    assert np.array_equal(imported(tmp_path, path)[0], a)


def test_fits_extensions(tmp_path):
    a, b = RNG.normal(size=(2, 3, 9, 9)).astype("f4")
    path = tmp_path / "a.fits"
    path.write_bytes(hdu(np.zeros(0), 8, True).replace(b"NAXIS   =                    1", b"NAXIS   =                    0")
                     + hdu(a, -32, cards=[("EXTNAME", "'SCI     '")]) + hdu(b, -32, cards=[("EXTNAME", "'ERR     '")]))
    run("maps", "import", path, "-o", tmp_path / "m.h5", status=2, says=["1 (SCI) [3, 9, 9]", "2 (ERR)", "--dataset"])
    run("maps", "import", path, "--dataset", "DQ", "-o", tmp_path / "m.h5", status=2, says=["DQ", "SCI"])
    for name in ("ERR", "err", "2"):
        assert np.array_equal(imported(tmp_path, path, "--dataset", name)[0], b)


def test_unfit_fits(tmp_path):
    path = tmp_path / "a.fits"
    a = np.arange(3 * 81).reshape(3, 9, 9)
    whole = hdu(a, -64, True)
    for data, words in ((whole[:2880], "cut off"), (whole[:100], "damaged"), (whole[:4000], "cut off"),
                        (whole.replace(b"NAXIS1  =                    9", b"NAXIS1  =           2000000000"), "cut off"),
                        (whole.replace(b"NAXIS1  =                    9", b"NAXIS1  =                   -9"), "")):
        path.write_bytes(data)
        run("maps", "import", path, "-o", tmp_path / "m.h5", status=6, says=["a.fits", words])
    path.write_bytes(hdu(np.where(a == 100, np.nan, a), -32, True))
    run("maps", "import", path, "-o", tmp_path / "m.h5", status=6, says="image 1, y 2, x 1")
    path.write_bytes(hdu(a, 16, True, [("BLANK", 100)]))
    run("maps", "import", path, "-o", tmp_path / "m.h5", status=6, says="image 1, y 2, x 1")
    odd = tmp_path / "a[1].fits"  # a name, not an expression
    odd.write_bytes(whole)
    assert np.array_equal(imported(tmp_path, odd)[0], a)


# ---- HDF5 ----

def test_hdf5(tmp_path):
    a = RNG.normal(size=(5, 9, 9))
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as f:
        f.create_dataset("group/images", data=a, chunks=(2, 9, 9), compression="gzip").attrs["units"] = "K"
        f["labels"] = np.arange(5)
        f["table"] = np.zeros((5, 3))
    found, _, units = imported(tmp_path, path)
    assert np.array_equal(found, a.astype("f4")) and units == "K"
    with h5py.File(path, "a") as f:
        f["others"] = a[:, ::-1]
    run("maps", "import", path, "-o", tmp_path / "m.h5", status=2,
        says=["several", "/group/images [5, 9, 9]", "/others", "--dataset"])
    assert np.array_equal(imported(tmp_path, path, "--dataset", "others")[0], a[:, ::-1].astype("f4"))
    run("maps", "import", path, "--dataset", "/nothing", "-o", tmp_path / "m.h5", status=2, says=["/nothing", "/others"])
    run("maps", "import", path, "--dataset", "/labels", "-o", tmp_path / "m.h5", status=6, says="no stack of images")
    run("maps", "import", save(tmp_path / "a.npy", a), "--dataset", "/x", "-o", tmp_path / "m.h5", status=2, says="one array")


def test_an_imported_file_imports_again(tmp_path):
    a = RNG.normal(size=(5, 16, 16)).astype("f4")
    imported(tmp_path, save(tmp_path / "a.npy", a))
    assert np.array_equal(imported(tmp_path, tmp_path / "maps.h5", out="again.h5")[0], a)


# ---- from images to statistics ----

def blobs(count, side, seed=0):
    """Grey images of a bright spot each, 0 to 255."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side]
    centre = rng.uniform(.3 * side, .7 * side, (2, count, 1, 1))
    return np.rint(255 * np.exp(-((y - centre[0])**2 + (x - centre[1])**2) / (side / 2))).astype("u1")


@pytest.mark.parametrize("shift", [0, -200])
def test_own_images_in_four_commands(tmp_path, shift):
    own = save(tmp_path / "images.npy", blobs(24, 16).astype("i2") + shift)
    maps, folder, new = tmp_path / "maps.h5", tmp_path / "run", tmp_path / "new.h5"
    settings = TINY + sets(dataset__crop=16, dataset__rotate="false")
    run("maps", "import", own, "-o", maps)
    run("train", "gan", maps, *settings, "--steps", 4, "-o", folder, timeout=300)
    run("generate", folder, "--count", 20, "-o", new, timeout=300)
    with h5py.File(new) as f, h5py.File(maps) as g:
        assert f["maps"].shape == (20, 16, 16)
        for key in ("transform", "a", "b", "unit", "mean"):
            assert f.attrs[key] == g.attrs[key]
        assert f["maps"].attrs["units"] == "pixel value" and f.attrs["box_mpc_h"] == 1
        assert (f["maps"][:] >= f.attrs["a"]).all() and (f["maps"][:] <= f.attrs["b"]).all()
        assert shift == 0 or (f["maps"][:] < 0).any()
    done = run("stats", "--truth", maps, "--model", new, "-o", tmp_path / "stats.h5", timeout=300)
    assert shift == 0 or ("zero or less" in done.stderr and "--density-min" in done.stderr)
    with h5py.File(tmp_path / "stats.h5") as f:
        assert np.isfinite(f["model/power_median"][:]).all()


def test_sides_and_counts_that_do_not_fit_say_what_does(tmp_path):
    own = save(tmp_path / "images.npy", blobs(40, 28))
    maps = tmp_path / "maps.h5"
    done = run("maps", "import", own, "-o", maps)
    proposal = next(line for line in done.stdout.splitlines() if "to train" in line)
    assert "--set dataset.crop=28 --set network.filters=128,256" in proposal and "dataset.validation=0.1" in proposal
    run("train", "gan", maps, "--preset", "quick2d", *sets(dataset__crop=28), status=2,
        says=["dataset.validation", "40", "share"])
    held = sets(dataset__validation=.1, dataset__test=.2)
    run("train", "gan", maps, "--preset", "quick2d", *held, status=2, says=["dataset.crop = 64", "28 × 28", "1 to 28"])
    run("train", "gan", maps, "--preset", "quick2d", *held, *sets(dataset__crop=28), status=2,
        says=["28", "multiple of 16", "network.filters"])
    words = proposal.split("maps.h5", 1)[1].split()
    small = [w for w in words if w not in ("-o", "run")]
    run("train", "gan", maps, *small, *sets(network__filters="4,8", gan__batch=4, gan__micro_batch=4), "--steps", 1,
        "-o", tmp_path / "run", timeout=300)
    info = json.loads(run("dataset", "info", maps, *held, *sets(dataset__crop=28), "--json").stdout)
    assert info["split"]["sub_images"] == 28 * 8, "the whole map in eight orientations"
    info = json.loads(run("dataset", "info", maps, *held, *sets(dataset__crop=28, dataset__rotate="false"), "--json").stdout)
    assert info["split"]["sub_images"] == 28


def test_what_is_proposed_can_be_judged(tmp_path):
    """Sides that do not halve get crops of at most half of them, of which the statistics take four."""
    maps = tmp_path / "maps.h5"
    for side, crop in ((101, 48), (70, 32), (64, 64), (100, 48), (28, 28), (130, 64)):
        done = run("maps", "import", save(tmp_path / "images.npy", blobs(12, side)), "-o", maps, "--force")
        proposal = next(line for line in done.stdout.splitlines() if "to train" in line)
        words = [w for w in proposal.split("maps.h5", 1)[1].split() if w not in ("-o", "run")]
        assert f"--set dataset.crop={crop}" in proposal or crop == 64, proposal
        run("dataset", "export", maps, "--split", "validation", *words, "-o", tmp_path / "v.h5")
        with h5py.File(tmp_path / "v.h5") as f:
            assert f["maps"].shape[1] == crop
    run("dataset", "info", maps, *sets(dataset__crop=100))
    run("dataset", "export", maps, *sets(dataset__crop=100, dataset__validation=.1, dataset__test=.2), "-o", tmp_path / "t.h5",
        status=2, says=["overlap", "half"])
