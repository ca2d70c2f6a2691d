"""cosmocl tune: its record, going on, what it refuses, and that training gives the same bits with it."""
import json
import os
import re
import signal

import h5py
import pytest

from training import TINY, call, fields, run, sets, start, wait_until, write_maps

# Two layers on 16 x 16 pixels; the kernels' self-test has tests of its own.
SMALL = [*TINY, *sets(dataset__crop=16)]
ONE = ["--layers", "forward 16x16x1"]  # of few shapes, whose kernels are built fast


@pytest.fixture
def env(tmp_path):
    return {"COSMOCL_CACHE": tmp_path / "cache", "COSMOCL_SELFTEST": "off"}


def tune(env, *arguments, **more):
    return json.loads(run("tune", *SMALL, "--json", *arguments, **{**env, **more}).stdout)


def record(env):
    files = list((env["COSMOCL_CACHE"] / "tuning").glob("*.ini"))
    assert len(files) == 1
    return files[0]


def matched(env):
    text = run("devices", "-v", **env).stdout
    first = json.loads(run("devices", "--json", **env).stdout)["devices"][0]["tuning"]
    assert f"tuning: {first}" in text
    return first


def test_a_record_is_made_and_goes_on(env):
    assert re.match("(default|architecture|vendor|device) ", matched(env))
    listed = tune(env, "--minutes", 0)
    names = [layer["layer"] for layer in listed["layers"]]
    assert len(names) == len(set(names)) == 6 and all(layer["before_s"] == 0 for layer in listed["layers"])
    first = tune(env, *ONE, "--minutes", 1)
    assert [layer["layer"] for layer in first["layers"]] == [name for name in names if ONE[1] in name]
    layer = first["layers"][0]
    assert layer["finished"] and layer["tried"] > 2 and not first["rejected"]
    assert 0 < layer["after_s"] <= layer["before_s"] and layer["gain"] >= 1
    path = record(env)
    assert str(path) == first["record"] and f"[{layer['layer']}]" in path.read_text()
    assert matched(env) == f"user {path}"
    # What is finished is not done again, unless it is asked for; other layers join it.
    again = tune(env, *ONE, "--minutes", 1)["layers"][0]
    assert again["tiles"] == layer["tiles"] and again["after_s"] == pytest.approx(layer["after_s"], abs=1e-6)
    both = tune(env, "--minutes", .02)["layers"]
    assert [b["tiles"] for b in both if b["layer"] == layer["layer"]] == [layer["tiles"]]
    assert path.read_text().count("[") == 1 + sum(b["before_s"] > 0 for b in both)
    assert "finished = 1" not in (tune(env, "--minutes", 0, "--force"), path.read_text())[1]


def test_table_on_a_terminal(env):
    table = run("tune", *SMALL, *ONE, "--minutes", .02, **env).stdout
    assert re.search(r"^layer +before ms +after ms +gain +tiles$", table, re.M) and f"record: {record(env)}" in table
    assert re.search(rf"^{ONE[1]}.* [\d.]+ +[\d.]+ +[\d.]+  ", table, re.M)
    table = run("tune", *SMALL, "--minutes", 0, **env).stdout
    assert table.count("not tried") == 5 and "of 6 layers have shapes left to try; the same command goes on" in table


def chain(folder):
    with h5py.File(folder / "state.h5") as f:
        return f["progress"].attrs["chain"]


def test_training_keeps_its_bits_and_never_tunes(env, tmp_path):
    maps = write_maps(tmp_path / "maps.h5", fields(12, 32))

    def train(name, **more):
        run("train", "gan", maps, *TINY, "--steps", 2, "-o", tmp_path / name, **env, **more)
        return chain(tmp_path / name)
    plain = train("plain")
    assert not (env["COSMOCL_CACHE"] / "tuning").exists()
    names = [layer["layer"] for layer in tune(env, "--minutes", 0)["layers"]]
    path = record(env)
    # Shapes that no device has, another for every direction.
    path.write_text(path.read_text() + "".join(
        f"[{name}]\nvector = {1 << i % 4}\nregisters = {3 + i}\nvectors = {1 + i % 3}\nweight_registers = {2 + i}\n"
        f"filtered_ci = 16\nfiltered_tiles = {1 + i}\nnarrow_rows = {1 + i}\nwinograd_kib = {1 + i}\nitems = {1 + i}\n"
        for i, name in enumerate(names)))
    assert train("odd") == plain
    path.unlink()
    tune(env, "--minutes", .05)
    assert train("tuned") == plain


def test_fast_and_wrong_never_wins(env):
    own = tune(env, *ONE, "--minutes", 0)["layers"][0]["tiles"]["vector"]
    other = 4 if own == 8 else 8
    for how, says in (("", "computes wrongly: error"), (":bits", "gives other bits than the device's own shape")):
        made = tune(env, *ONE, "--minutes", 1, "--force", COSMOCL_BREAK_TILE=f"vector={other}{how}")
        wrong = [r for r in made["rejected"] if f"vector={other}" == r["tiles"]]
        assert wrong and len(wrong) == len(made["rejected"]) and all(says in r["why"] for r in wrong)
        assert made["layers"][0]["tiles"]["vector"] != other
        assert f"vector = {other}\n" not in record(env).read_text()
    # A recorded shape that has become wrong is not kept either.
    path = record(env)
    path.write_text(re.sub("vector = .*", f"vector = {other}", path.read_text()).replace("finished = 1", "finished = 0"))
    made = tune(env, *ONE, "--minutes", .05, COSMOCL_BREAK_TILE=f"vector={other}")
    assert made["rejected"][0]["tiles"] == "as recorded" and made["layers"][0]["tiles"]["vector"] != other
    run("tune", *SMALL, *ONE, "--minutes", 1, "--force", status=5, says="the device's own shape computes wrongly",
        COSMOCL_BREAK_TILE=f"vector={own}", **env)


def test_a_damaged_record_is_an_error_and_made_anew(env, tmp_path):
    maps = write_maps(tmp_path / "maps.h5", fields(12, 32))
    tune(env, "--minutes", 0)
    path = record(env)
    good = path.read_text()
    for damage, says in (("vektor = 8\n", "unknown key vektor"), ("vector = 5\n", "vector = 5: must be 1, 2, 4, 8 or 16"),
                         ("[forward 1x1x1\n", "is neither"),
                         ("[sideways]\nvector = 8\n", "vector is in [sideways], which"), ("tiles = many\n", "tiles = many: is not a whole number")):
        path.write_text(good + damage)
        place = f"{path}:{(good + damage).count(chr(10))}: "
        run("train", "gan", maps, *TINY, "--steps", 1, "-o", tmp_path / "run", status=6,
            says=(place + says, "remove the file, or make it anew: cosmocl tune"), **env)
        assert matched(env).startswith(f"damaged: {place}")
    said = call("doctor", **env).stdout
    assert f"bad   device 0:0   {place}tiles = many" in said and "-> cosmocl tune" in said
    path.write_bytes(good.encode()[:-20])
    assert matched(env).startswith("damaged: ") or matched(env).startswith("user ")
    path.write_text(good.replace("driver = ", "driver = x"))
    assert "no record of this device" in matched(env)
    path.write_text("")
    r = run("tune", *SMALL, *ONE, "--minutes", 0, **env)
    assert f"{path}: no record of this device is in it" in r.stderr and "made anew" in r.stderr
    assert matched(env) == f"user {path}"


def test_a_folder_that_cannot_be_written(env, tmp_path):
    taken = tmp_path / "file"
    taken.write_text("")
    run("tune", *SMALL, status=1, says=f"{taken}", **{**env, "COSMOCL_CACHE": taken})
    run("tune", *SMALL, status=1, says="cannot write", **env, COSMOCL_FAIL_WRITE="1+")
    assert matched({**env, "COSMOCL_CACHE": taken})  # nothing to look up, and no error


def test_a_stop_keeps_what_was_found(env):
    process = start("tune", *SMALL, "--minutes", 5, env={**os.environ, **{k: str(v) for k, v in env.items()}})
    folder = env["COSMOCL_CACHE"] / "tuning"
    wait_until(lambda: any("finished = 1" in p.read_text() for p in folder.glob("*.ini")), process)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 75 and not out and "the same command goes on" in err
    before = record(env).read_text()
    assert [layer["finished"] for layer in tune(env, "--minutes", 0)["layers"]].count(True) == before.count("finished = 1")


def test_what_cannot_be_asked_for(env):
    run("tune", *SMALL, "--set", "network.algorithm=clblast", status=2, says="tuners of its own", **env)
    run("tune", *SMALL, "--layers", "sideways", status=2, says="is in no layer's name", **env)
    run("tune", *SMALL, "--minutes", -1, status=2, says="--minutes", **env)
    run("tune", *SMALL, status=2, says="COSMOCL_CONV_TILE", **env, COSMOCL_CONV_TILE="rows=3")
    assert call("tune", "--help").returncode == 0
