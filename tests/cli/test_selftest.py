"""The self-test from the outside: it passes, is remembered, and a falsified operator is found, refused and stamped."""
import json
import os
import subprocess

import pytest

COSMOCL = os.environ["COSMOCL"]


def cosmocl(*arguments, **environment):
    return subprocess.run([COSMOCL, *arguments], capture_output=True, text=True, timeout=400,
                          env={**os.environ, **environment})


@pytest.fixture(scope="module")
def answer():
    r = cosmocl("selftest", "--json")
    assert r.returncode == 0, r.stderr
    return json.loads(r.stdout)


def test_every_operator_passes_within_its_bound(answer):
    assert answer["passed"] and answer["verdict"].startswith("passed")
    names = {row["operator"] for row in answer["results"]}
    for name in ("activation_forward", "activation_backward", "bias_backward", "norm_forward", "norm_backward",
                 "loss_discriminator", "loss_generator", "adam_step", "random_words", "random_normals", "crop_gather",
                 "transform_forward", "transform_inverse", "conv_forward", "conv_backward_data",
                 "conv_backward_weights", "dense_forward", "gemm", "fft_forward", "mesh_deposit", "reduce_pixels"):
        assert name in names
    for row in answer["results"]:
        assert row["passed"] and row["error"] <= row["bound"] < 0.01


def test_this_device_gives_the_one_result(answer):
    assert answer["one_result"] and answer["verdict"] == "passed, one result: yes"
    assert {h["family"] for h in answer["hashes"]} >= {"activation", "norm", "conv", "dense", "adam"}


@pytest.mark.parametrize("operator", ["norm_backward", "conv_forward", "adam_step"])
def test_a_falsified_operator_is_found_by_name(operator):
    r = cosmocl("selftest", COSMOCL_BREAK_KERNEL=operator)
    assert r.returncode == 5
    assert f"{operator} computes wrongly on" in r.stderr
    assert any(line.startswith(operator + " ") and "FAILED" in line for line in r.stdout.splitlines())
    assert "passed, one result" not in r.stdout


def bench(*arguments, **environment):
    return cosmocl("bench", "peak", "--repeat", "1", "--json", *arguments, **environment)


def test_work_is_refused_forced_or_remembered(tmp_path):
    cache = {"COSMOCL_CACHE": str(tmp_path / "cache")}
    r = bench(COSMOCL_BREAK_KERNEL="dense_forward", **cache)
    assert r.returncode == 5 and "dense_forward" in r.stderr and "--force" in r.stderr
    assert not r.stdout
    r = bench("--force", COSMOCL_BREAK_KERNEL="dense_forward", **cache)
    assert r.returncode == 0 and "dense_forward computes wrongly" in r.stderr
    assert json.loads(r.stdout)["selftest"] == "forced: FAILED dense_forward"
    kept = tmp_path / "cache/selftest"
    assert not kept.exists() or not any(kept.iterdir())  # neither was remembered
    r = bench(**cache)
    assert r.returncode == 0 and "testing the kernels" in r.stderr
    assert json.loads(r.stdout)["selftest"].startswith("passed")
    assert len(list(kept.iterdir())) == 1
    r = bench(**cache)
    assert r.returncode == 0 and "testing the kernels" not in r.stderr
    assert json.loads(r.stdout)["selftest"].startswith("passed")


def test_a_damaged_memory_is_not_believed(tmp_path):
    cache = {"COSMOCL_CACHE": str(tmp_path)}
    assert bench(**cache).returncode == 0
    (file,) = (tmp_path / "selftest").iterdir()
    file.write_text("passed, one res")
    r = bench(**cache)
    assert r.returncode == 0 and "testing the kernels" in r.stderr


def test_the_shapes_of_a_gpu():
    """Any device can stand for another kind; the other kinds run in tests/portability."""
    r = cosmocl("selftest", "--quick", "--json", COSMOCL_EMULATE="gpu")
    assert r.returncode == 0, r.stderr
    said = json.loads(r.stdout)
    assert said["passed"] and said["one_result"]
    r = cosmocl("selftest", COSMOCL_EMULATE="toaster")
    assert r.returncode == 2 and "toaster" in r.stderr and "gpu-small" in r.stderr
