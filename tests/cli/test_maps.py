"""The command maps: against an independent DTFE (scipy's Delaunay, polygons clipped in Python), its file, its refusals."""
import json
import os
import subprocess

import h5py
import numpy as np
import pytest

PROGRAM = os.environ.get("COSMOCL", "cosmocl")


def run(*arguments, status=0, **environment):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120,
                          env={**os.environ, **environment})
    assert done.returncode == status, f"{done.returncode}: {done.stdout}\n{done.stderr}"
    return done


def write_snapshot(path, positions, box=100.0, redshift=0.5, units="Mpc/h", **header):
    with h5py.File(path, "w") as f:
        attributes = {"BoxSize": box, "Redshift": redshift, "Time": 1 / (1 + redshift), **header}
        f.create_group("Header").attrs.update({k: v for k, v in attributes.items() if v is not None})
        d = f.create_dataset("PartType1/Coordinates", data=positions)
        if units:
            d.attrs["units"] = units


def clustered(n, box, seed=1):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(0, box, (6, 2))[rng.integers(0, 6, n)]
    radius = box * 10 ** rng.uniform(-3, -.3, n)
    angle = rng.uniform(0, 2 * np.pi, n)
    return np.mod(centres + radius[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1), box)


def cut(polygon, axis, line, side):
    out = []
    for p, q in zip(polygon, np.roll(polygon, -1, axis=0)):
        dp, dq = side * (p[axis] - line), side * (q[axis] - line)
        if dp >= 0:
            out.append(p)
        if dp * dq < 0:
            out.append(p + dp / (dp - dq) * (q - p))
    return np.array(out).reshape(-1, 2)


def dtfe(positions, box, pixels):
    """Exact pixel means of the DTFE field: nine copies of the box, scipy's Delaunay, every triangle clipped."""
    from scipy.spatial import Delaunay
    n = len(positions)
    x = positions / box * pixels
    copies = np.concatenate([x + pixels * np.array([i, j]) for i in (0, 1, -1) for j in (0, 1, -1)])
    triangles = Delaunay(copies).simplices
    corners = copies[triangles]
    u, v = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = np.abs(u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]) / 2
    around = np.bincount(triangles.ravel(), np.repeat(area, 3), len(copies))[:n]
    rho = 3 / around
    out = np.zeros((pixels, pixels))
    for t, corner, a in zip(triangles, corners, area):
        if a <= 0 or corner.max(0).min() < 0 or corner.min(0).max() > pixels:
            continue
        value = rho[t % n]
        gradient = np.linalg.solve(corner[1:] - corner[0], value[1:] - value[0])
        first, last = np.floor(corner.min(0)).astype(int), np.floor(corner.max(0)).astype(int)
        for iy in range(max(first[1], 0), min(last[1], pixels - 1) + 1):
            row = cut(cut(corner, 1, iy, 1), 1, iy + 1, -1)
            for ix in range(max(first[0], 0), min(last[0], pixels - 1) + 1):
                p = cut(cut(row, 0, ix, 1), 0, ix + 1, -1) if len(row) else row
                for i in range(1, len(p) - 1):
                    e, g = p[i] - p[0], p[i + 1] - p[0]
                    part = abs(e[0] * g[1] - e[1] * g[0]) / 2
                    out[iy, ix] += part * (value[0] + gradient @ ((p[0] + p[i] + p[i + 1]) / 3 - corner[0]))
    return out


@pytest.mark.parametrize("kind", ["uniform", "clustered"])
def test_agrees_with_an_independent_estimator(tmp_path, kind):
    box, pixels = 50.0, 16
    x = np.random.default_rng(2).uniform(0, box, (400, 2)) if kind == "uniform" else clustered(400, box)
    write_snapshot(tmp_path / "a.h5", x, box)
    run("maps", tmp_path / "a.h5", "-o", tmp_path / "m.h5", "--pixels", pixels)
    with h5py.File(tmp_path / "m.h5") as f:
        got = f["maps"][0]
    want = dtfe(x, box, pixels)
    assert abs(want.sum() / 400 - 1) < 1e-9
    # qhull's tolerance may join two triangles; the maps are float32.
    np.testing.assert_allclose(got, want, rtol=1e-5)


def test_the_file_says_what_it_holds(tmp_path):
    rng = np.random.default_rng(3)
    for box in (7, 3):
        write_snapshot(tmp_path / f"box_{box}.h5", rng.uniform(0, 100, (1024, 2)).astype("f4"), BoxIndex=box)
    done = run("maps", tmp_path, "-o", tmp_path / "out.h5", "--json", "--set", "run.seed=9")
    result = json.loads(done.stdout)
    with h5py.File(tmp_path / "out.h5") as f:
        maps = f["maps"]
        assert maps.shape == (2, 16, 16) and maps.dtype == np.float32
        assert maps.attrs["units"] == "particles per pixel"
        assert f["origin"][:].tolist() == [[3, 2, 0], [7, 2, 0]] and f["origin"].dtype == np.int32
        a = f.attrs
        assert (a["box_mpc_h"], a["mean"], a["redshift"], a["dims"]) == (100, 4, .5, 2)
        assert (a["estimator"], a["transform"], a["unit"]) == ("dtfe", "log", "overdensity")
        np.testing.assert_allclose([a["a"], a["b"]], np.log([.01, 600]), rtol=1e-15)
        made = f["provenance"].attrs
        assert "cosmocl maps" in made["command_line"] and made["seed"] == 9 and "seed = 9" in made["configuration"]
        assert made["device"] == "none" and made["inputs"] == 2 and made["input_hashes"].count("box_") == 2
        v = maps[:].astype("f8")
        np.testing.assert_allclose(v.mean(axis=(1, 2)), 4, rtol=1e-6)
    assert result["maps"] == 2 and result["ny"] == result["nx"] == 16 and result["pixels"] == 512
    assert result["minimum"] == v.min() and result["maximum"] == v.max() and abs(result["mean"] - v.mean()) < 1e-9
    assert result["below"] == (v / 4 < .01).sum() and result["above"] == 0


def test_maps_are_large_in_chunks_and_compressed(tmp_path):
    x = np.random.default_rng(3).uniform(0, 100, (64 * 64, 2))
    write_snapshot(tmp_path / "a.h5", x)
    write_snapshot(tmp_path / "b.h5", x[::-1])
    run("maps", tmp_path / "a.h5", tmp_path / "b.h5", "-o", tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as f:
        assert f["maps"].chunks == (1, 32, 32) and f["maps"].compression == "gzip" and f["maps"].shuffle
        np.testing.assert_allclose(f["maps"][0], f["maps"][1], rtol=1e-5)  # the order of particles does not matter
        assert f["origin"][:, 0].tolist() == [0, 1]


def test_pixels_outside_are_counted_and_kept(tmp_path):
    x = clustered(2500, 100)
    write_snapshot(tmp_path / "a.h5", x)
    done = run("maps", tmp_path / "a.h5", "-o", tmp_path / "m.h5", "--set", "maps.maximum=10", "--set", "maps.minimum=.5",
               "--json")
    result = json.loads(done.stdout)
    with h5py.File(tmp_path / "m.h5") as f:
        v = f["maps"][:].astype("f8") / f.attrs["mean"]
    assert result["above"] == (v > 10).sum() > 0 and result["below"] == (v < .5).sum() > 0
    assert "outside" in done.stderr and "none is clipped" in done.stderr
    text = run("maps", tmp_path / "a.h5", "-o", tmp_path / "m.h5", "--set", "maps.unit=particles").stdout
    assert "particles per pixel, 0.01 … 600" in text and "mean 4" in text


def test_shifted_boxes_give_shifted_maps(tmp_path):
    x = np.rint(clustered(900, 64) * 2**16) / 2**16 % 64
    write_snapshot(tmp_path / "a.h5", x, 64)
    write_snapshot(tmp_path / "b.h5", (x + [8, 20]) % 64, 64)
    run("maps", tmp_path / "a.h5", tmp_path / "b.h5", "-o", tmp_path / "m.h5", "--pixels", 16)
    with h5py.File(tmp_path / "m.h5") as f:
        np.testing.assert_allclose(np.roll(f["maps"][0], (5, 2), (0, 1)), f["maps"][1], rtol=1e-5)


def test_kiloparsecs_are_converted(tmp_path):
    x = np.random.default_rng(5).uniform(0, 100, (256, 2))
    write_snapshot(tmp_path / "a.h5", x)
    write_snapshot(tmp_path / "b.h5", x * 1000, 1e5, units="kpc/h")
    write_snapshot(tmp_path / "c.h5", x * 1000, 1e5, units=None)
    run("maps", *(tmp_path / f"{k}.h5" for k in "abc"), "-o", tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as f:
        assert f.attrs["box_mpc_h"] == pytest.approx(100)
        np.testing.assert_allclose(f["maps"][1], f["maps"][0], rtol=1e-5)
        np.testing.assert_allclose(f["maps"][2], f["maps"][0], rtol=1e-5)


def test_refusals_name_the_file_and_the_mend(tmp_path):
    x = np.random.default_rng(6).uniform(0, 100, (256, 2))
    good = tmp_path / "good.h5"
    write_snapshot(good, x)
    out = tmp_path / "m.h5"

    def refused(status, *words, arguments=()):
        bad = tmp_path / "bad.h5"
        done = run("maps", *(arguments or (good, bad)), "-o", out, status=status)
        for word in words:
            assert word in done.stderr, done.stderr
        assert not out.exists() and not [p for p in os.listdir(tmp_path) if p.endswith(".tmp")]

    refused(6, "bad.h5", "No such file")
    write_snapshot(tmp_path / "bad.h5", x[:200])
    refused(6, "bad.h5", "200 particles", "good.h5")
    write_snapshot(tmp_path / "bad.h5", x / 2, 50)
    refused(6, "bad.h5", "50", "box")
    write_snapshot(tmp_path / "bad.h5", x, redshift=1)
    refused(6, "bad.h5", "redshift")
    write_snapshot(tmp_path / "bad.h5", np.random.default_rng(1).uniform(0, 100, (256, 3)))
    refused(2, "bad.h5", "3D", "2D")
    write_snapshot(tmp_path / "bad.h5", x[:0])
    refused(6, "bad.h5", "no particles", arguments=(tmp_path / "bad.h5",))
    (tmp_path / "empty").mkdir()
    refused(6, "empty", "no *.h5", arguments=(tmp_path / "empty",))
    refused(2, "maps.members", arguments=(good, "--set", "maps.members=0"))
    refused(2, "maps.maximum", arguments=(good, "--set", "maps.maximum=.001"))
    done = run("maps", good, "-o", tmp_path / "none" / "m.h5", status=1)
    assert "none/m.h5" in done.stderr and "make the folder" in done.stderr
    assert "-o" in run("maps", good, status=2).stderr
    assert "folder" in run("maps", good, "-o", tmp_path, status=2).stderr


def test_a_failed_run_keeps_the_old_file(tmp_path):
    x = np.random.default_rng(6).uniform(0, 100, (256, 2))
    write_snapshot(tmp_path / "a.h5", x)
    out = tmp_path / "m.h5"
    run("maps", tmp_path / "a.h5", "-o", out)
    before = out.read_bytes()
    for n in range(1, 12):
        done = subprocess.run([PROGRAM, "maps", str(tmp_path / "a.h5"), "-o", str(out)], capture_output=True, text=True,
                              timeout=60, env={**os.environ, "COSMOCL_FAIL_WRITE": str(n)})
        if done.returncode == 0:
            break
        assert done.returncode == 1 and "cannot write" in done.stderr and "m.h5" in done.stderr, done.stderr
        with h5py.File(out) as f:  # the old one, or (the last step failed) the new one: whole in any case
            assert f["maps"].shape == (1, 8, 8)
        if n < 4:
            assert out.read_bytes() == before
        assert os.listdir(tmp_path).count("m.h5") == 1 and len(os.listdir(tmp_path)) == 2
    assert n > 3


def test_a_full_disk_is_said(tmp_path):
    x = np.random.default_rng(6).uniform(0, 100, (256, 2))
    write_snapshot(tmp_path / "a.h5", x)
    done = run("maps", tmp_path / "a.h5", "-o", "/dev/full", status=1)
    assert "/dev/full" in done.stderr and "No space left" in done.stderr
