"""No shape that the program may choose for a device changes a bit: the same few training steps on PoCL as every kind of
device that host/device/emulate.c knows, and with every value of every tile that host/ops/conv_tuning.h has."""
import re

import pytest

from matrix import SOURCE, SMALL, emulated_kinds, runtime, sets, train, write_maps

STEPS = 3
# Values for each member of conv_tiles: the ends, odd ones, and what the tables of conv_tuning.c do not use.
TILES = {
    "vector": (1, 2, 4, 8, 16), "work_group": (1, 3, 64, 256), "registers": (1, 7, 40), "vectors": (1, 3, 8), "rows": (1, 3, 10),
    "unroll": (1, 2, 4, 8, 16), "tiles": (1, 3, 64), "group": (1, 4, 64), "narrow_rows": (1, 3, 16),
    "weight_registers": (1, 5, 32), "weight_vectors": (1, 4), "weight_ci": (1, 16, 64), "weight_co": (4, 16, 256),
    "weight_taps": (0, 1, 7), "weight_pixels": (0, 1, 16, 100000), "panels": (0, 1), "jobs": (1, 7, 100000),
    "items": (1, 5, 16384), "winograd_kib": (0, 1, 100000), "filtered_vectors": (1, 3), "filtered_ci": (1, 16, 64),
    "filtered_co": (4, 16, 256), "filtered_tiles": (1, 7, 1000), "transform_vector": (0, 1, 16)}
# Blocks by work-groups are those of all their members; each of these is tried with the others.
BLOCK = {"local_rows": (1, 5, 16), "local_columns": (1, 3, 16), "local_depth": (1, 4, 16)}
# Those that Winograd's kernels know.
FILTERED = ["vector", "work_group", "registers", "vectors", "rows", "unroll", "weight_registers", "jobs", "items", "winograd_kib",
            "filtered_vectors", "filtered_ci", "filtered_co", "filtered_tiles", "transform_vector"]
ALGORITHMS = ("direct", "auto")


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shapes")
    maps = write_maps(folder / "maps.h5")

    def run(algorithm, **variables):
        options = sets(gan__save_every=STEPS, network__algorithm=algorithm)
        return train("gan", [maps, *SMALL, *options], STEPS, folder / "run", 600,
                     **{**runtime("PoCL"), "COSMOCL_CACHE": folder / "cache", **variables})
    return run


@pytest.fixture(scope="module")
def reference(training):
    return {algorithm: training(algorithm) for algorithm in ALGORITHMS}


@pytest.mark.parametrize("kind", emulated_kinds())
def test_kind_of_device(kind, training, reference, record_property):
    values = {algorithm: training(algorithm, COSMOCL_EMULATE=kind) for algorithm in ALGORITHMS}
    record_property("hash", values["direct"])
    assert values == reference and len(set(values.values())) == 2


def test_every_tile_is_tried():
    text = (SOURCE / "host/ops/conv_tuning.h").read_text()
    struct = re.sub(r"/\*.*?\*/", "", re.search(r"typedef struct \{(.*?)\} conv_tiles;", text, re.S)[1], flags=re.S)
    assert set(re.findall(r"\b(\w+)\b(?=[,;])", struct)) == set(TILES) | set(BLOCK)


@pytest.mark.parametrize("tile", TILES)
def test_tile(tile, training, reference):
    for value in TILES[tile]:
        for algorithm in ALGORITHMS if tile in FILTERED else ("direct",):
            assert training(algorithm, COSMOCL_CONV_TILE=f"{tile}={value}") == reference[algorithm], f"{tile}={value}, {algorithm}"


@pytest.mark.parametrize("tile", BLOCK)
def test_block(tile, training, reference):
    for value in BLOCK[tile]:
        block = ",".join(f"{k}={v}" for k, v in {"vector": 4, "local_rows": 8, "local_columns": 4, "local_depth": 8, tile: value}.items())
        for algorithm in ALGORITHMS:
            assert training(algorithm, COSMOCL_CONV_TILE=block) == reference[algorithm], f"{block}, {algorithm}"
