"""The command simulate: its files, the same bytes twice, stopping and resuming, given particles, and every input it must refuse."""
import json
import os
import signal
import subprocess
import time

import h5py
import numpy as np
import pytest

PROGRAM = os.environ.get("COSMOCL", "cosmocl")
# One Fourier library: the choice is by speed, and the bits depend on it.
ENVIRONMENT = {**os.environ, "COSMOCL_FFT": "vkfft"}
SMALL = ["--set", "simulate.particles=32", "--set", "simulate.steps=10"]


def run(*arguments, status=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=300, env=ENVIRONMENT)
    assert done.returncode == status, f"{done.returncode}: {done.stdout}\n{done.stderr}"
    return done


def refused(*arguments, status=2, says=""):
    done = run(*arguments, status=status)
    assert says in done.stderr, done.stderr
    assert "\n" not in done.stderr.strip() or done.stderr.count("error:") == 1
    return done


def state(path):
    with h5py.File(path) as f:
        return f["PartType1/Coordinates"][:], f["PartType1/Velocities"][:]


@pytest.fixture(scope="module")
def boxes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("boxes")
    run("simulate", *SMALL, "--boxes", 3, "--set", "simulate.redshifts=0, 1", "-o", folder)
    return folder


def test_files_are_named_and_complete(boxes):
    assert sorted(os.listdir(boxes)) == [f"box_{b:04d}_z{z}.h5" for b in range(3) for z in ("0.00", "1.00")]
    with h5py.File(boxes / "box_0001_z1.00.h5") as f:
        h = f["Header"].attrs
        assert np.isclose(h["Time"], .5) and np.isclose(h["Redshift"], 1) and np.isclose(h["Omega0"], .31)
        x, u, ids = (f["PartType1/" + n][:] for n in ("Coordinates", "Velocities", "ParticleIDs"))
        assert x.shape == u.shape == (1024, 2) and sorted(ids) == list(range(1024))
        assert (x >= 0).all() and (x < 100).all() and np.isfinite(u).all()
        assert 10 < u.std() < 2000
        assert abs(u.sum(0)).max() < 1e-4 * abs(u).sum()
        assert "particles = 32" in f["provenance"].attrs["configuration"]


def test_boxes_differ_and_repeat(boxes, tmp_path):
    a, b = state(boxes / "box_0000_z0.00.h5"), state(boxes / "box_0001_z0.00.h5")
    assert not np.array_equal(a[0], b[0])
    run("simulate", *SMALL, "--boxes", 1, "-o", tmp_path / "one.h5")  # one redshift, one file
    again = state(tmp_path / "one.h5")
    assert np.array_equal(a[0], again[0]) and np.array_equal(a[1], again[1])
    run("simulate", *SMALL, "--boxes", 1, "--set", "run.seed=2", "-o", tmp_path / "two.h5")
    assert not np.array_equal(a[0], state(tmp_path / "two.h5")[0])


def test_velocities_are_the_motion(boxes):
    """Between z = .01 and 0 particles move by ∫ dx/da da, dx/da = u √a / (a² H), u in km/s, H = 100 E h/Mpc: on the mean."""
    folder = boxes.parent / "motion"
    run("simulate", *SMALL, "--boxes", 1, "--set", "simulate.redshifts=0, 0.01", "-o", folder)
    x0, u0 = state(folder / "box_0000_z0.01.h5")
    x1, u1 = state(folder / "box_0000_z0.00.h5")
    a0 = 1 / 1.01
    step = (x1 - x0 + 50) % 100 - 50
    expected = (u0 * a0**.5 / a0**2 / np.sqrt(.31 / a0**3 + .69) + u1) / 2 / 100 * (1 - a0)
    slope = (step * expected).sum() / (expected**2).sum()
    assert abs(slope - 1) < .05, slope  # 10 coarse steps


def test_resume_skips_what_is_there(boxes, tmp_path):
    for name in os.listdir(boxes):
        if not name.startswith("box_0002"):
            (tmp_path / name).write_bytes((boxes / name).read_bytes())
    done = run("simulate", *SMALL, "--boxes", 3, "--set", "simulate.redshifts=0, 1", "-o", tmp_path, "--resume", "--json")
    result = json.loads(done.stdout)
    assert result["skipped"] == 2 and len(result["snapshots"]) == 2
    assert np.array_equal(state(tmp_path / "box_0002_z0.00.h5")[0], state(boxes / "box_0002_z0.00.h5")[0])
    # All there: no device is opened, nothing is made.
    done = run("simulate", *SMALL, "--boxes", 3, "--set", "simulate.redshifts=0, 1", "-o", tmp_path, "--resume", "--device", "nonesuch", "--json")
    assert json.loads(done.stdout)["skipped"] == 3
    # Another configuration must not be mixed in; a damaged file is made again.
    refused("simulate", *SMALL, "--steps", 11, "--boxes", 3, "--set", "simulate.redshifts=0, 1", "-o", tmp_path, "--resume", says="simulate.steps")
    damaged = tmp_path / "box_0001_z0.00.h5"
    damaged.write_bytes(damaged.read_bytes()[:3000])
    done = run("simulate", *SMALL, "--boxes", 3, "--set", "simulate.redshifts=0, 1", "-o", tmp_path, "--resume", "--json")
    assert json.loads(done.stdout)["skipped"] == 1
    assert np.array_equal(state(damaged)[0], state(boxes / damaged.name)[0])


def test_stop_keeps_whole_boxes(tmp_path):
    arguments = ["simulate", "--set", "simulate.particles=64", "--set", "simulate.steps=20", "--boxes", "5000", "-o", str(tmp_path)]
    process = subprocess.Popen([PROGRAM, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    deadline = time.time() + 200
    while not (tmp_path / "box_0001_z0.00.h5").exists():
        assert process.poll() is None and time.time() < deadline
        time.sleep(.05)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 75, errors
    assert "--resume" in errors and "of 5000 boxes" in errors
    made = sorted(os.listdir(tmp_path))
    assert 2 <= len(made) < 5000 and all(n.endswith("_z0.00.h5") for n in made)
    for name in made:
        state(tmp_path / name)


def test_given_particles_go_on(boxes, tmp_path):
    out = tmp_path / "end.h5"
    run("simulate", "--initial", boxes / "box_0000_z1.00.h5", "--mesh", 64, "--steps", 20, "--a-end", 1, "-o", out)
    x, u = state(out)
    y, _ = state(boxes / "box_0000_z0.00.h5")
    away = np.sqrt(((((x - y + 50) % 100 - 50) * .64) ** 2).sum(1))  # in mesh cells
    assert np.median(away) < .5, np.median(away)
    with h5py.File(out) as f:
        assert f["Header"].attrs["Time"] == 1 and "box_0000_z1.00.h5" in f["provenance"].attrs["input_hashes"]


def write_particles(path, x, u=None, time=.5, box=100., omega=.31, **more):
    with h5py.File(path, "w") as f:
        h = {"BoxSize": box, "Time": time, "Redshift": 1 / time - 1 if time else 0, "Omega0": omega, "OmegaLambda": 1 - omega, "HubbleParam": .7, **more}
        f.create_group("Header").attrs.update(h)
        d = f.create_dataset("PartType1/Coordinates", data=x)
        d.attrs["units"] = "Mpc/h"
        if u is not None:
            f["PartType1/Velocities"] = u


def test_given_particles_in_three_dimensions_and_without_cosmology(tmp_path):
    rng = np.random.default_rng(1)
    write_particles(tmp_path / "in.h5", rng.uniform(0, 100, (500, 3)), np.zeros((500, 3), "f4"), omega=0., OmegaLambda=0.)
    done = run("simulate", "--initial", tmp_path / "in.h5", "--mesh", 20, "--steps", 3, "-o", tmp_path / "out.h5")
    assert "omega_m = 0.31" in done.stderr
    x, u = state(tmp_path / "out.h5")
    assert x.shape == (500, 3) and abs(u).max() > 0


def test_bad_particles(boxes, tmp_path):
    rng = np.random.default_rng(2)
    good = rng.uniform(0, 100, (100, 2))
    still = np.zeros((100, 2), "f4")
    path = tmp_path / "in.h5"
    go = ["simulate", "--initial", path, "--mesh", 16, "--steps", 2, "-o", tmp_path / "out.h5"]
    refused(*go, status=6, says="in.h5")  # missing
    path.write_bytes((boxes / "box_0000_z1.00.h5").read_bytes()[:4000])
    refused(*go, status=6, says="in.h5")
    path.write_bytes(b"not a particle file at all")
    refused(*go, status=6, says="in.h5")
    bad = good.copy()
    bad[7, 1] = np.nan
    write_particles(path, bad, still)
    refused(*go, status=6, says="in.h5")
    wild = still.copy()
    wild[3] = np.inf
    write_particles(path, good, wild)
    refused(*go, status=6, says="in.h5: ")
    write_particles(path, good, still, time=0.)
    refused(*go, status=6, says="in.h5: ")
    write_particles(path, good, still, box=-5.)
    refused(*go, status=6, says="in.h5: ")
    write_particles(path, good[:0], still[:0])
    refused(*go, status=6, says="in.h5: ")
    write_particles(path, good, still)
    refused(*go, "--a-end", .4, says="a-end")
    refused(*go, "--a-end", "soon", says="a-end")
    refused("simulate", "--initial", path, "--mesh", 17, "-o", tmp_path / "out.h5", says="18")
    run(*go)
    assert not [n for n in os.listdir(tmp_path) if n not in ("in.h5", "out.h5")]


@pytest.mark.parametrize("arguments, says", [
    (["--set", "simulate.mesh=1021"], "1024"),
    (["--mesh", "14"], "16"),
    (["--set", "simulate.particles=0"], "particles"),
    (["--set", "simulate.particles=511"], "1024"),
    (["--set", "simulate.a_start=1.5"], "a_start"),
    (["--set", "simulate.redshifts=0, 80"], "80"),
    (["--set", "simulate.redshifts=60"], "60"),
    (["--set", "simulate.redshifts=-0.5"], "redshifts"),
    (["--steps", "0"], "steps"),
    (["--set", "simulate.lpt=2"], "lpt"),
    (["--set", "simulate.spectrum=power-law", "--set", "simulate.power_index=2"], "power_index"),
    (["--set", "cosmology.omega_b=0.9"], "omega_b"),
    (["--set", "cosmology.sigma8=0"], "sigma8"),
    (["--set", "simulate.dim=2"], "dims"),
    (["--a-end", "1"], "--initial"),
])
def test_bad_options(arguments, says, tmp_path):
    refused("simulate", "--set", "simulate.boxes=1", *arguments, "-o", tmp_path / "out", says=says)
    assert not (tmp_path / "out").exists() or not os.listdir(tmp_path / "out")


def test_bad_outputs_and_tables(tmp_path):
    refused("simulate", *SMALL, "--boxes", 1, says="-o")
    refused("simulate", *SMALL, "--boxes", 2, "-o", tmp_path / "boxes.h5", says="folder")
    (tmp_path / "file").write_text("here")
    refused("simulate", *SMALL, "--boxes", 2, "-o", tmp_path / "file", status=1)
    (tmp_path / "pk.txt").write_text("# k P\n0.1 100\n0.2 many\n")
    refused("simulate", *SMALL, "--boxes", 1, "--set", f"cosmology.spectrum_file={tmp_path}/pk.txt", "-o", tmp_path / "b", status=6, says="pk.txt:3")
    refused("simulate", *SMALL, "--boxes", 1, "--set", "cosmology.spectrum_file=/nonesuch", "-o", tmp_path / "b", status=6, says="/nonesuch")


def test_a_table_and_the_other_spectra_run(tmp_path):
    k = np.geomspace(1e-4, 1e2, 200)
    np.savetxt(tmp_path / "pk.txt", np.stack([k, 2e4 * (k / .02) / (1 + (k / .02) ** 2) ** 1.9], 1), header="k [h/Mpc]  P(k)")
    spread = {}
    for name, options in {"table": ["--set", f"cosmology.spectrum_file={tmp_path}/pk.txt"], "slice": ["--set", "simulate.spectrum=slice"],
                          "power": ["--set", "simulate.spectrum=power-law"], "plain": [], "fine": ["--set", "simulate.redshifts=0.001, 0"]}.items():
        run("simulate", *SMALL, "--boxes", 1, *options, "-o", tmp_path / name)
        spread[name] = state(tmp_path / name / ("box_0000_z0.000.h5" if name == "fine" else "box_0000_z0.00.h5"))[1].std()
    assert len({round(float(v), 3) for n, v in spread.items() if n != "fine"}) == 4
    assert all(20 < v < 3000 for v in spread.values())
