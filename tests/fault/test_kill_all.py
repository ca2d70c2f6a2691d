"""Two hundred kills of training runs, in two runs side by side."""
from concurrent.futures import ThreadPoolExecutor

from killing import Counts, chain, same_as_undisturbed
from training import fields, write_maps

RUNS, KILLS = 2, 100


def test_two_hundred_kills_lose_nothing(tmp_path, capsys):
    maps = write_maps(tmp_path / "maps.h5", fields(12, 32))

    def one(seed):
        counts, total = chain(maps, tmp_path / f"run{seed}", KILLS, seed)
        same_as_undisturbed(maps, tmp_path / f"run{seed}", total, tmp_path / f"whole{seed}")
        return counts

    with ThreadPoolExecutor(RUNS) as pool:
        counts = sum(pool.map(one, range(10, 10 + RUNS)), Counts())
    with capsys.disabled():
        print(f"\nkill -9: {counts}")
    assert counts.kills == RUNS * KILLS and counts.resumed > KILLS and counts.writing > KILLS / 4, counts
    assert counts.lost_checkpoints == counts.unreadable == 0, counts
