"""The same training gives the same bits on every runtime: the hash chains over the parameters after each step agree."""
import pytest

from matrix import RUNTIMES, SLOW, SMALL, TINY, need_oclgrind, runtime, sets, train, write_maps

# Networks, steps of the GAN, steps of its encoder: in full, and for what runs a hundred times slower.
FULL, FEW = (SMALL, 300, 100), (TINY, 3, 2)


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5")


def trainer(maps, tmp_path_factory, make):
    """Trains once for a runtime and an extent: (hash, folder)."""
    made = {}

    def get(name, extent):
        key = name, extent is FULL
        if key not in made:
            folder = tmp_path_factory.mktemp("run")
            made[key] = make(name, extent, folder), folder
        return made[key]
    return get


@pytest.fixture(scope="module")
def gan(maps, tmp_path_factory):
    def make(name, extent, folder):
        networks, steps, _ = extent
        return train("gan", [maps, *networks, *sets(gan__save_every=steps)], steps, folder, 1200, **runtime(name))
    return trainer(maps, tmp_path_factory, make)


@pytest.fixture(scope="module")
def winograd(maps, tmp_path_factory):
    def make(name, extent, folder):
        networks, _, steps = extent
        options = sets(gan__save_every=steps, network__algorithm="winograd")
        return train("gan", [maps, *networks, *options], steps, folder, 1200, **runtime(name))
    return trainer(maps, tmp_path_factory, make)


@pytest.fixture(scope="module")
def encoder(maps, gan, tmp_path_factory):
    def make(name, extent, folder):
        networks, _, steps = extent
        batch = sets(encoder__batch=6, encoder__micro_batch=3)
        return train("encoder", [maps, gan("PoCL", extent)[1], "--epoch", 1, *networks, *batch], steps, folder, 1200, **runtime(name))
    return trainer(maps, tmp_path_factory, make)


@pytest.mark.parametrize("name", RUNTIMES)
@pytest.mark.parametrize("stage", ["gan", "winograd", "encoder"])
def test_training(name, stage, request, record_property):
    get, extent = request.getfixturevalue(stage), FEW if name in SLOW else FULL
    value, _ = get(name, extent)
    record_property("hash", value)
    record_property("steps", extent[1 if stage == "gan" else 2])
    print(stage, name, value)
    assert value == get("PoCL", extent)[0]


def test_gan_under_oclgrind(maps, gan, tmp_path, record_property):
    """Another compiler and an interpreter of its own: as far from PoCL as can be."""
    need_oclgrind()
    networks, steps, _ = FEW
    value = train("gan", [maps, *networks, *sets(gan__save_every=steps)], steps, tmp_path / "run", 1500,
                  prefix=["oclgrind", "--log", tmp_path / "log"], COSMOCL_CACHE=tmp_path / "cache", COSMOCL_SELFTEST="off")
    record_property("hash", value)
    assert value == gan("PoCL", FEW)[0]
