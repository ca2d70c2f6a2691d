"""HDF5 files that are damaged or made to harm: an error that names the file, exit code 6, no crash, no huge allocation."""
import os
import resource
import struct
import subprocess

import h5py
import numpy as np
import pytest

PROGRAM = os.environ.get("COSMOCL", "cosmocl")
# Bytes of address space: far below what the files declare, far above what reading a small one takes.
LIMIT = 4 << 30


def limit():
    resource.setrlimit(resource.RLIMIT_AS, (LIMIT, LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def info(path, sanitized="asan" in os.environ.get("COSMOCL_BUILD", "")):
    return subprocess.run([PROGRAM, "snapshot", "info", str(path)], capture_output=True, text=True, errors="replace",
                          timeout=20, preexec_fn=None if sanitized else limit)


def refused(path, *words):
    done = info(path)
    assert done.returncode == 6, f"{done.returncode}: {done.stderr}"
    for word in (path.name, *words):
        assert word in done.stderr, done.stderr


def header(f):
    f.create_group("Header").attrs.update({"BoxSize": 100.0, "Redshift": 0.0})


def good(path, n=2000):
    with h5py.File(path, "w") as f:
        header(f)
        d = f.create_dataset("PartType1/Coordinates", data=np.random.default_rng(1).uniform(0, 100, (n, 2)),
                             compression="gzip", shuffle=True)
        d.attrs["units"] = "Mpc/h"
    return path


def test_the_good_file_is_read(tmp_path):
    assert info(good(tmp_path / "good.h5")).returncode == 0


def test_no_file_and_no_hdf5(tmp_path):
    refused(tmp_path / "none.h5", "No such file")
    (tmp_path / "a.h5").write_bytes(b"")
    refused(tmp_path / "a.h5", "empty")
    (tmp_path / "a.h5").write_bytes(b"PK\3\4" * 1000)
    refused(tmp_path / "a.h5", "not an HDF5 file")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "folder")
    os.mkfifo(tmp_path / "pipe")
    refused(tmp_path / "pipe", "regular file")


def test_truncated_files(tmp_path):
    whole = good(tmp_path / "good.h5").read_bytes()
    for share in (1 / len(whole), 9 / len(whole), .01, .05, .1, .3, .5, .9, 1 - 1 / len(whole)):
        path = tmp_path / "cut.h5"
        path.write_bytes(whole[:int(share * len(whole))])
        refused(path)


def test_heaps_of_strings_that_crash_the_library(tmp_path):
    """HDF5 1.10 dies on some changes to the heap of variable strings: a child process does so in our place."""
    with h5py.File(good(tmp_path / "good.h5", 50), "a") as f:
        for i in range(12):
            f["Header"].attrs[f"text{i}"] = "some words of a header " * 3
    whole = (tmp_path / "good.h5").read_bytes()
    heap = whole.index(b"GCOL")
    rng = np.random.default_rng(6)
    path, codes, caught = tmp_path / "heap.h5", set(), 0
    for i in range(80):
        data = bytearray(whole)
        for at in rng.integers(heap + 4, heap + 700, 1 + i % 3):  # sizes and counts more than texts
            data[at] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        done = info(path)
        caught += "the HDF5 library" in done.stderr
        codes.add(done.returncode)
        assert done.returncode in (0, 6), f"{i}: {done.returncode}: {done.stderr}"
    print(f"{caught} of 80 files would have ended the program")
    assert codes == {0, 6}


def test_flipped_bytes_never_crash(tmp_path):
    """Any byte of the metadata changed: right or refused, but never a signal or another status."""
    whole = good(tmp_path / "good.h5", 50).read_bytes()
    rng = np.random.default_rng(4)
    path = tmp_path / "flipped.h5"
    codes = set()
    for i in range(120):
        data = bytearray(whole)
        for at in rng.integers(0, len(data), 1 + i % 3):
            data[at] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        done = info(path)
        assert done.returncode in (0, 4, 6), f"flip {i}: {done.returncode} {done.stderr}"
        codes.add(done.returncode)
    assert codes >= {0, 6}


def test_huge_declared_sizes(tmp_path):
    path = tmp_path / "a.h5"
    for chunks in (None, (1000, 2), (2**26, 2)):
        with h5py.File(path, "w") as f:
            header(f)
            f.create_dataset("PartType1/Coordinates", (2**50, 2), "f8", chunks=chunks)
        refused(path, "/PartType1/Coordinates", "declares")
    with h5py.File(path, "w") as f:  # some chunks are there, most are not
        header(f)
        d = f.create_dataset("PartType1/Coordinates", (2**40, 2), "f8", chunks=(1000, 2), compression="gzip")
        d[:1000] = 1
    refused(path, "/PartType1/Coordinates", "declares")


def test_a_compression_bomb_is_bounded_by_its_size(tmp_path):
    """What gzip can truly unfold is read; a declared size beyond it is not even allocated."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as f:
        header(f)
        d = f.create_dataset("PartType1/Coordinates", data=np.zeros((100000, 2)), compression="gzip", compression_opts=9,
                             chunks=(100000, 2))
        d.attrs["units"] = "Mpc/h"
    assert path.stat().st_size < 20000 and info(path).returncode == 0


def test_external_links_and_storage(tmp_path):
    good(tmp_path / "other.h5")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as f:
        header(f)
        f["PartType1"] = h5py.ExternalLink("other.h5", "/PartType1")
    refused(path, "external link to other.h5")
    with h5py.File(path, "w") as f:
        header(f)
        f.create_group("PartType1")["Coordinates"] = h5py.ExternalLink("/etc/passwd", "/x")
    refused(path, "/PartType1/Coordinates", "external link to /etc/passwd")
    with h5py.File(path, "w") as f:
        f["Header"] = h5py.ExternalLink("other.h5", "/Header")
    refused(path, "/Header", "external link")
    with h5py.File(path, "w") as f:
        header(f)
        f.create_dataset("PartType1/Coordinates", (10, 2), "f8", external=[("/etc/passwd", 0, 160)])
    refused(path, "external file")
    with h5py.File(path, "w") as f:
        header(f)
        layout = h5py.VirtualLayout((2000, 2), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "PartType1/Coordinates", (2000, 2))
        f.create_virtual_dataset("PartType1/Coordinates", layout)
    refused(path, "virtual dataset")


def test_links_inside_the_file_are_followed(tmp_path):
    path = good(tmp_path / "a.h5")
    with h5py.File(path, "a") as f:
        f["particles"] = f["PartType1"]
        del f["PartType1"]
        f["PartType1"] = h5py.SoftLink("/particles")
    assert info(path).returncode == 0
    with h5py.File(path, "a") as f:
        del f["PartType1"]
        f["PartType1"] = h5py.SoftLink("/PartType1")
    refused(path)


def test_unknown_filters(tmp_path):
    """LZF comes with h5py and not with HDF5; a made-up number stands for a plugin."""
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as f:
        header(f)
        f.create_dataset("PartType1/Coordinates", data=np.zeros((500, 2)), compression="lzf")
    refused(path, "/PartType1/Coordinates", "filter 32000", "h5repack")
    data = bytearray(path.read_bytes())
    at = data.find(struct.pack("<H", 32000))
    assert at > 0
    data[at:at + 2] = struct.pack("<H", 32015)
    path.write_bytes(data)
    refused(path, "filter 32015")


@pytest.mark.parametrize("kind", [np.dtype([("a", "f8")]), np.dtype("S8"), h5py.string_dtype(), np.dtype("c16"), np.bool_])
def test_datasets_that_are_no_numbers(tmp_path, kind):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as f:
        header(f)
        f.create_dataset("PartType1/Coordinates", (3, 2), kind)
    refused(path, "/PartType1/Coordinates", "numbers")


def test_odd_objects(tmp_path):
    path = tmp_path / "a.h5"
    cases = [
        (lambda g: g.create_group("Coordinates"), "is a group"),
        (lambda g: g.create_dataset("Coordinates", data=h5py.Empty("f8")), "no shape"),
        (lambda g: g.create_dataset("Coordinates", data=1.0), "[N, 2] or [N, 3]"),
        (lambda g: g.create_dataset("Coordinates", data=np.zeros((1,) * 9)), "9 axes"),
        (lambda g: None, "missing"),
    ]
    for make, word in cases:
        with h5py.File(path, "w") as f:
            header(f)
            make(f.create_group("PartType1"))
        refused(path, "/PartType1/Coordinates", word)
    with h5py.File(path, "w") as f:
        f["Header"] = 1
        f.create_dataset("PartType1/Coordinates", data=np.zeros((2, 2)))
    refused(path, "/Header")


def test_other_filters_of_hdf5_itself_are_read(tmp_path):
    path = tmp_path / "a.h5"
    x = np.random.default_rng(1).uniform(0, 100, (2000, 2))
    for options in ({"fletcher32": True}, {"scaleoffset": 4}, {"compression": "gzip", "fletcher32": True, "shuffle": True}):
        with h5py.File(path, "w") as f:
            header(f)
            d = f.create_dataset("PartType1/Coordinates", data=x, **options)
            d.attrs["units"] = "Mpc/h"
        assert info(path).returncode == 0, options


def test_damaged_data_is_noticed_by_its_checksum(tmp_path):
    path = tmp_path / "a.h5"
    x = np.random.default_rng(1).uniform(0, 100, (2000, 2))
    with h5py.File(path, "w") as f:
        header(f)
        f.create_dataset("PartType1/Coordinates", data=x, fletcher32=True)
    data = bytearray(path.read_bytes())
    at = data.find(x[1000].tobytes())
    data[at] ^= 1
    path.write_bytes(data)
    refused(path, "/PartType1/Coordinates", "cannot be read")
