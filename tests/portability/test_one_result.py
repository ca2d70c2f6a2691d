"""The same training gives the same bits on every runtime: the hash chains over the parameters after each step agree."""
import pytest

from matrix import RUNTIMES, SMALL, TINY, need_oclgrind, runtime, sets, train, write_maps

GAN_STEPS, ENCODER_STEPS = 300, 100


@pytest.fixture(scope="module")
def maps(tmp_path_factory):
    return write_maps(tmp_path_factory.mktemp("maps") / "maps.h5")


@pytest.fixture(scope="module")
def gan(maps, tmp_path_factory):
    """Trains once per runtime: (hash, folder)."""
    made = {}

    def get(name):
        if name not in made:
            variables, folder = runtime(name), tmp_path_factory.mktemp(name)
            made[name] = train("gan", [maps, *SMALL, *sets(gan__save_every=GAN_STEPS)], GAN_STEPS, folder, 900, **variables), folder
        return made[name]
    return get


@pytest.mark.parametrize("name", RUNTIMES)
def test_gan(name, gan, record_property):
    value, _ = gan(name)
    record_property("hash", value)
    print("gan", name, value)
    assert value == gan("PoCL")[0]


@pytest.fixture(scope="module")
def encoder(maps, gan, tmp_path_factory):
    made = {}

    def get(name):
        if name not in made:
            _, networks = gan("PoCL")
            made[name] = train("encoder", [maps, networks, "--epoch", 1, *SMALL, *sets(encoder__batch=20, encoder__micro_batch=10)],
                               ENCODER_STEPS, tmp_path_factory.mktemp(name), 900, **runtime(name))
        return made[name]
    return get


@pytest.mark.parametrize("name", RUNTIMES)
def test_encoder(name, encoder, record_property):
    value = encoder(name)
    record_property("hash", value)
    print("encoder", name, value)
    assert value == encoder("PoCL")


def test_gan_under_oclgrind(maps, tmp_path, record_property):
    """Another compiler and an interpreter of its own: as far from PoCL as can be."""
    need_oclgrind()
    few = [maps, *TINY, *sets(gan__save_every=3)]
    value = train("gan", few, 3, tmp_path / "oclgrind", 1500, prefix=["oclgrind", "--log", tmp_path / "log"],
                  COSMOCL_CACHE=tmp_path / "cache")
    record_property("hash", value)
    assert value == train("gan", few, 3, tmp_path / "pocl", 300, **runtime("PoCL"))
