"""cosmocl devices, doctor and cache, driven as a user would."""
import grp
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

COSMOCL = os.environ["COSMOCL"]


def run(*arguments, **environment):
    env = {k: v for k, v in os.environ.items() if k != "COSMOCL_DEVICE"}
    env.update({k: str(v) for k, v in environment.items()})
    return subprocess.run([COSMOCL, *map(str, arguments)], env=env, capture_output=True, text=True, timeout=300)


def devices(**environment):
    r = run("devices", "--json", **environment)
    return json.loads(r.stdout)["devices"]


def test_table_and_json_tell_the_same():
    found = devices()
    assert found, "the tests need an OpenCL device"
    table = run("devices")
    assert table.returncode == 0
    lines = table.stdout.splitlines()
    for d, line in zip(found, lines[1:]):
        assert d["device"] in line and d["name"] in line and d["driver"] in line
        assert line.startswith("*") == d["chosen"]
        assert d["largest_block_bytes"] <= d["global_bytes"]
        assert d["compute_units"] >= 1 and d["max_work_group"] >= 1
    assert sum(d["chosen"] for d in found) == 1


def test_no_device_at_all():
    r = run("devices", OCL_ICD_VENDORS="/nonexistent")
    assert r.returncode == 3
    assert "no OpenCL device" in r.stderr and "pocl-opencl-icd" in r.stderr
    r = run("devices", "--json", OCL_ICD_VENDORS="/nonexistent")
    assert r.returncode == 3
    assert json.loads(r.stdout)["devices"] == []


def test_a_gpu_is_never_replaced_by_a_cpu():
    if any(d["type"] == "GPU" for d in devices()):
        pytest.skip("there is a GPU here")
    for how in (dict(arguments=("--device", "gpu")), dict(environment={"COSMOCL_DEVICE": "gpu"})):
        r = run("devices", *how.get("arguments", ()), **how.get("environment", {}))
        assert r.returncode == 3
        assert "never replaced by a CPU" in r.stderr and "0:0" in r.stderr


def test_named_devices():
    found = devices()
    d = found[-1]
    for spec in (d["device"], d["name"].upper()):
        r = run("devices", "--json", "--device", spec)
        if sum(other["name"] == d["name"] for other in found) == 1 or spec == d["device"]:
            assert r.returncode == 0, r.stderr
            assert json.loads(r.stdout)["devices"][-1]["chosen"]
    r = run("devices", COSMOCL_DEVICE="no such device")
    assert r.returncode == 3 and "COSMOCL_DEVICE no such device" in r.stderr


def test_ambiguous_names_are_refused():
    found = devices()
    if len(found) < 2:
        pytest.skip("there is one device here")
    common = os.path.commonprefix([d["name"] for d in found]) or "e"
    if not all(common.lower() in d["name"].lower() for d in found):
        pytest.skip("the devices have nothing in common")
    r = run("devices", "--device", common)
    assert r.returncode == 3 and "match" in r.stderr


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 13, 21])
def test_a_failing_call_is_reported(n):
    r = run("devices", COSMOCL_FAIL_OPENCL=n)
    assert r.returncode in (0, 3)
    if r.returncode:
        assert "CL_OUT_OF_RESOURCES" in r.stderr


def test_doctor_of_a_sound_machine():
    r = run("doctor", "--json")
    assert r.returncode == 0, r.stdout + r.stderr
    answer = json.loads(r.stdout)
    assert answer["usable_devices"] >= 1
    assert any(c["verdict"] == "ok" and "computes rightly" in c["text"] for c in answer["checks"])
    text = run("doctor").stdout
    assert "ok    device" in text and "ok    driver" in text


def test_doctor_without_drivers(tmp_path):
    for vendors in ("/nonexistent", tmp_path):
        r = run("doctor", OCL_ICD_VENDORS=vendors)
        assert r.returncode == 3
        assert "pocl-opencl-icd" in r.stdout and "OCL_ICD_VENDORS" in r.stdout


def test_doctor_names_a_driver_that_does_not_load(tmp_path):
    (tmp_path / "broken.icd").write_text("/nowhere/libbroken.so\n")
    (tmp_path / "empty.icd").write_text("")
    r = run("doctor", OCL_ICD_VENDORS=tmp_path)
    assert r.returncode == 3
    assert "broken.icd" in r.stdout and "cannot open shared object" in r.stdout
    assert "empty.icd is empty" in r.stdout


def compile_library(path, text, *words):
    compiler = shutil.which("cc") or pytest.fail("the tests need a C compiler")
    source = path.with_suffix(".c")
    source.write_text(text)
    subprocess.run([compiler, "-shared", "-fPIC", "-o", path, source, *words], check=True)
    return path


def test_doctor_names_the_missing_part_of_a_driver(tmp_path):
    (tmp_path / "icd").mkdir()
    part = compile_library(tmp_path / "libpart9.so", "int part(void) { return 9; }\n", "-Wl,-soname,libpart9.so.3")
    driver = compile_library(tmp_path / "libdriver.so", "int part(void); int driver(void) { return part(); }\n", part)
    part.unlink()
    (tmp_path / "icd" / "driver.icd").write_text(f"{driver}\n")
    r = run("doctor", OCL_ICD_VENDORS=tmp_path / "icd")
    assert r.returncode == 3
    assert "needs the library libpart9.so.3, which is not there" in r.stdout
    assert "-> install libpart9.so.3" in r.stdout and "driver.icd" in r.stdout


def test_doctor_in_a_container_without_drivers(tmp_path):
    r = run("doctor", OCL_ICD_VENDORS=tmp_path, APPTAINER_CONTAINER="/images/a.sif")
    assert r.returncode == 3 and "container (Apptainer)" in r.stdout and "--nv" in r.stdout
    r = run("doctor", OCL_ICD_VENDORS=tmp_path, container="podman")
    assert r.returncode == 3 and "container (podman)" in r.stdout and "--gpus all" in r.stdout
    r = run("doctor", "--json", OCL_ICD_VENDORS=tmp_path, container="podman")
    bad = [c for c in json.loads(r.stdout)["checks"] if c["verdict"] == "bad"]
    assert any("container" in c["text"] and "pocl-opencl-icd" in c["mend"] for c in bad)


def test_doctor_names_device_files_that_may_not_be_opened(tmp_path):
    os.chmod(tmp_path, 0o755)
    for folder in tmp_path.parents:  # another user must reach it
        if folder.stat().st_uid == os.getuid() and folder != Path("/tmp") and "/tmp/" in f"{folder}/":
            folder.chmod(folder.stat().st_mode | 0o055)
    (tmp_path / "dri").mkdir()
    nodes = [tmp_path / "dri" / "renderD128", tmp_path / "kfd"]
    for node in nodes:
        node.write_text("")
        node.chmod(0)
    program = shutil.copy(COSMOCL, tmp_path / "cosmocl")
    other = dict(user=65534, group=65534, extra_groups=[]) if os.getuid() == 0 else {}
    env = {**os.environ, "COSMOCL_DEV": str(tmp_path), "COSMOCL_CACHE": "/nonexistent", "OCL_ICD_VENDORS": "/nonexistent",
           "HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"}
    r = subprocess.run([program, "doctor"], env=env, capture_output=True, text=True, timeout=60, cwd="/", **other)
    for node in nodes:
        assert f"{node}: Permission denied" in r.stdout, r.stdout + r.stderr
    group = grp.getgrgid(os.getgid()).gr_name
    assert f"usermod -aG {group} $USER" in r.stdout or f"--group-add {os.getgid()}" in r.stdout  # in a container
    assert "note  cache" in r.stdout and "COSMOCL_CACHE" in r.stdout  # a folder that cannot be made
    assert "note  folder" in r.stdout or not os.getuid() == 0  # / is not this user's


def test_doctor_tells_of_files_that_cannot_be_locked(tmp_path):
    shim = compile_library(tmp_path / "libnolock.so", "#include <errno.h>\nint flock(int fd, int how)\n"
                           "{ (void)fd, (void)how; errno = ENOLCK; return -1; }\n")
    r = run("doctor", LD_PRELOAD=shim)
    assert r.returncode == 0
    assert "files cannot be locked (No locks available)" in r.stdout and "-> export HDF5_USE_FILE_LOCKING=FALSE" in r.stdout
    r = run("doctor", LD_PRELOAD=shim, HDF5_USE_FILE_LOCKING="TRUE")
    assert "bad   folder" in r.stdout
    assert "HDF5 files are written and read" in run("doctor").stdout


def test_doctor_survives_a_driver_that_crashes(tmp_path):
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("no C compiler")
    source = tmp_path / "crash.c"
    source.write_text("#include <stdlib.h>\n__attribute__((constructor)) static void f(void) { abort(); }\n")
    library = tmp_path / "libcrash.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True)
    (tmp_path / "crash.icd").write_text(f"{library}\n")
    r = run("doctor", OCL_ICD_VENDORS=tmp_path)
    assert r.returncode == 3
    assert "crashed (Aborted)" in r.stdout and "crash.icd" in r.stdout


def test_doctor_finds_a_card_without_a_driver(tmp_path):
    for name, class_, vendor in (("0000:01:00.0", "0x030200", "0x10de"), ("0000:02:00.0", "0x020000", "0x8086"),
                                 ("0000:03:00.0", "0x038000", "0x4321")):
        card = tmp_path / name
        card.mkdir()
        (card / "class").write_text(class_ + "\n")
        (card / "vendor").write_text(vendor + "\n")
        (card / "device").write_text("0x1db4\n")
    r = run("doctor", COSMOCL_PCI_DEVICES=tmp_path)
    if any("NVIDIA" in d["vendor"] for d in devices()):
        pytest.skip("the vendor of the made-up card has a device here")
    assert r.returncode == 0
    assert "nvidia-opencl-icd" in r.stdout and "0000:01:00.0" in r.stdout
    assert "0000:02" not in r.stdout  # a network card
    assert "0000:03" not in r.stdout  # of no known vendor


def test_doctor_of_one_device_and_of_none():
    r = run("doctor", "--device", devices()[0]["device"], "--json")
    assert r.returncode == 0
    assert json.loads(r.stdout)["usable_devices"] == 1
    assert run("doctor", "--device", "99:0").returncode == 3


def test_doctor_reports_a_device_that_fails():
    # How many calls the list takes depends on the number of devices: the failing one must come after it.
    per_device = 30
    r = run("doctor", COSMOCL_FAIL_OPENCL=10 + per_device * len(devices()))
    assert r.returncode == 3
    assert "CL_OUT_OF_RESOURCES" in r.stdout and "->" in r.stdout


def test_cache_is_shown_and_cleared(tmp_path):
    cache = tmp_path / "cache"
    r = run("cache", "--json", COSMOCL_CACHE=cache)
    assert r.returncode == 0 and json.loads(r.stdout)["kernels"] == {"files": 0, "bytes": 0}
    (cache / "kernels").mkdir()
    (cache / "kernels" / "a.bin").write_bytes(b"12345")
    (cache / "kernels" / "b.bin").write_bytes(b"678")
    precious = tmp_path / "precious"
    precious.write_text("not ours")
    (cache / "kernels" / "link").symlink_to(precious)
    (cache / "mine.txt").write_text("beside it")
    (cache / "notes-2026").write_text("nor this")
    (cache / ("fft-" + "0a" * 16)).write_text("clfft 1e-6 0.1")
    r = run("cache", "--json", COSMOCL_CACHE=cache)
    assert json.loads(r.stdout)["kernels"] == {"files": 2, "bytes": 8}
    assert json.loads(r.stdout)["choices"]["files"] == 1
    r = run("cache", "--clear", COSMOCL_CACHE=cache)
    assert r.returncode == 0 and "removed" in r.stdout
    assert not (cache / "kernels" / "a.bin").exists()
    assert precious.read_text() == "not ours" and (cache / "mine.txt").exists()
    assert (cache / "notes-2026").exists() and not list(cache.glob("fft-*"))
    assert json.loads(run("cache", "--json", COSMOCL_CACHE=cache).stdout)["kernels"]["files"] == 0


def test_cache_folder_is_private(tmp_path):
    cache = tmp_path / "cache"
    run("cache", COSMOCL_CACHE=cache)
    assert Path(cache).stat().st_mode & 0o777 == 0o700
