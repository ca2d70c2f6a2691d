"""The configuration from the outside: explained.ini, files, presets, the order in which they count."""
import configparser
import json
import os
import subprocess
from pathlib import Path

import pytest

COSMOCL = os.environ["COSMOCL"]
SOURCE = Path(os.environ.get("COSMOCL_SOURCE", Path(__file__).resolve().parents[2]))


def cosmocl(*arguments):
    return subprocess.run([COSMOCL, *arguments], capture_output=True, text=True, timeout=60)


def ini(text):
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(text)
    return {section: dict(parser[section]) for section in parser.sections()}


def test_explained_ini_is_up_to_date():
    r = cosmocl("config", "explain", "--ini")
    assert r.returncode == 0
    assert r.stdout == (SOURCE / "data/explained.ini").read_text(), \
        "run: cosmocl config explain --ini > data/explained.ini"


def test_explained_ini_is_the_default_configuration():
    defaults = cosmocl("config", "show").stdout
    explained = cosmocl("config", "show", "--config", str(SOURCE / "data/explained.ini"))
    assert explained.returncode == 0 and explained.stdout == defaults


def test_every_key_is_explained():
    keys = {f"{s}.{k}" for s, values in ini(cosmocl("config", "show").stdout).items() for k in values}
    explained = json.loads(cosmocl("config", "explain", "--json").stdout)
    assert {e["key"] for e in explained} == keys and len(explained) == len(keys) > 60
    text = cosmocl("config", "explain").stdout
    for e in explained:
        assert f"\n{e['key']}\n    " in text
        assert len(e["meaning"]) > 20
        one = cosmocl("config", "explain", e["key"]).stdout
        assert one.startswith(e["key"] + "\n") and (e["default"] or "empty") in one
    section = cosmocl("config", "explain", "gan").stdout
    assert section.startswith("[gan] ") and "gan.batch\n" in section and "encoder.lr" not in section


def test_defaults_are_within_their_own_bounds():
    for e in json.loads(cosmocl("config", "explain", "--json").stdout):
        r = cosmocl("config", "show", "--set", f"{e['key']}={e['default']}")
        assert r.returncode == 0, r.stderr
        if "minimum" in e:
            for beyond in (e["minimum"] - max(1, abs(e["minimum"]) * 1e-3), e["maximum"] * 1.5 + 1):
                text = f"{beyond:.0f}" if "integer" in e["type"] and abs(beyond) < 9e18 else f"{beyond!r}"
                r = cosmocl("config", "show", "--set", f"{e['key']}={text}")
                assert r.returncode == 2, (e["key"], text)
                assert e["key"] in r.stderr


@pytest.mark.parametrize("name", sorted(p.stem for p in (SOURCE / "data/presets").glob("*.ini")))
def test_presets_set_what_they_say(name):
    given = ini((SOURCE / f"data/presets/{name}.ini").read_text())
    effective = ini(cosmocl("config", "show", "--preset", name).stdout)
    for section, values in given.items():
        for key, value in values.items():
            assert effective[section][key] == value
    # Every preset says why: no run of more than five settings without a comment, and a head.
    text = (SOURCE / f"data/presets/{name}.ini").read_text()
    assert text.startswith("# ") and text.count("#") >= 5


def test_order_defaults_preset_file_set(tmp_path):
    file = tmp_path / "mine.ini"
    file.write_text("[gan]\nbatch = 20\nsteps = 7\n")

    def value(key, *arguments):
        section, name = key.split(".")
        r = cosmocl("config", "show", *arguments)
        assert r.returncode == 0, r.stderr
        return ini(r.stdout)[section][name]

    assert value("gan.steps") == "0"
    preset = ini((SOURCE / "data/presets/quick2d.ini").read_text())["gan"]["steps"]
    assert preset not in ("0", "7", "9") and value("gan.steps", "--preset", "quick2d") == preset
    assert value("gan.steps", "--config", str(file), "--preset", "quick2d") == "7"
    assert value("gan.steps", "--set", "gan.steps=9", "--config", str(file), "--preset", "quick2d") == "9"
    assert value("gan.batch", "--config", str(file)) == "20"
    assert value("run.seed", "--seed", "42") == "42"
    assert value("run.device", "--device", "amd:gpu") == "amd:gpu"
    second = tmp_path / "second.ini"
    second.write_text("[gan]\nsteps = 8\n")
    assert value("gan.steps", "--config", str(file), "--config", str(second)) == "8"


def test_show_as_json_has_the_types():
    shown = json.loads(cosmocl("config", "show", "--json", "--set", "simulate.redshifts=0, 0.5").stdout)
    assert shown["gan"]["batch"] == 50 and isinstance(shown["gan"]["batch"], int)
    assert shown["gan"]["lr_g"] == 2e-4 and shown["cosmology"]["h"] == .68
    assert shown["run"]["profile"] is False
    assert shown["simulate"]["redshifts"] == [0, .5]
    assert shown["network"]["filters"] == [32, 64, 128, 256, 512]
    assert shown["gan"]["loss"] == "minimax"


@pytest.mark.parametrize("content, message", [
    (b"[gan]\nbatch\n", ":2: is neither 'key = value' nor '[section]' nor a comment"),
    (b"batch = 3\n", ":1: batch stands before the first [section]"),
    (b"[gan]\n\nbatsh = 3\n", ":3: unknown key gan.batsh; did you mean gan.batch?"),
    (b"[gna]\nbatch = 3\n", ":1: unknown section [gna]; did you mean [gan]?"),
    (b"[gan]\nbatch = 3\nbatch = 4\n", ":3: gan.batch was already given in line 2"),
    (b"[gan]\nbatch = three\n", ":2: gan.batch = three: is not an integer"),
    (b"[gan]\nbatch = 100000\n", ":2: gan.batch = 100000: must be between 1 and 65536 images"),
    (b"[gan]\nloss = wasserstein\n", ":2: gan.loss = wasserstein: must be one of minimax|non-saturating"),
    (b"[run]\nprofile = perhaps\n", ":2: run.profile = perhaps: is neither true nor false"),
    (b"[run]\ndevice = " + b"x" * 300 + b"\n", ":2: the line is longer than"),
])
def test_wrong_files(tmp_path, content, message):
    file = tmp_path / "wrong.ini"
    file.write_bytes(content)
    r = cosmocl("config", "show", "--config", str(file))
    assert r.returncode == 2 and r.stdout == ""
    assert f"{file}{message}" in r.stderr


@pytest.mark.parametrize("content", [
    b"\xef\xbb\xbf[gan]\r\nbatch = 7\r\n",
    b"# a comment\n; another\n\n[gan]\nbatch=7 ; few\n",
    b"[gan]\n   batch   =   7",
    b"[gan]\nbatch: 7\n",
])
def test_files_of_other_editors(tmp_path, content):
    file = tmp_path / "good.ini"
    file.write_bytes(content)
    r = cosmocl("config", "show", "--config", str(file))
    assert r.returncode == 0, r.stderr
    assert ini(r.stdout)["gan"]["batch"] == "7"


@pytest.mark.parametrize("content, message", [(b"[gan]\nbatch = 7\n\0\0", "is not a text file"), (None, "is a folder")])
def test_files_that_are_none(tmp_path, content, message):
    file = tmp_path
    if content is not None:
        file = tmp_path / "binary.ini"
        file.write_bytes(content)
    r = cosmocl("config", "show", "--config", str(file))
    assert r.returncode == 6 and message in r.stderr and str(file) in r.stderr


def test_show_of_a_file_that_is_none(tmp_path):
    r = cosmocl("config", "show", str(tmp_path / "absent.h5"))
    assert r.returncode == 6 and "absent.h5" in r.stderr
    text = tmp_path / "text.h5"
    text.write_text("not HDF5")
    r = cosmocl("config", "show", str(text))
    assert r.returncode == 6 and "text.h5" in r.stderr


def test_show_of_a_file(tmp_path):
    h5py = pytest.importorskip("h5py")
    wanted = cosmocl("config", "show", "--preset", "quick2d").stdout
    with h5py.File(tmp_path / "made.h5", "w") as f:
        f.create_group("provenance").attrs["configuration"] = wanted
    r = cosmocl("config", "show", str(tmp_path / "made.h5"))
    assert r.returncode == 0 and r.stdout == wanted
    assert json.loads(cosmocl("config", "show", "--json", str(tmp_path / "made.h5")).stdout)["gan"]["steps"] == 2600
    with h5py.File(tmp_path / "bare.h5", "w") as f:
        f["x"] = 1
    r = cosmocl("config", "show", str(tmp_path / "bare.h5"))
    assert r.returncode == 6 and "bare.h5" in r.stderr
