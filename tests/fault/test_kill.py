"""Ten kills of a training run; test_kill_all.py does two hundred."""
from killing import chain, same_as_undisturbed
from training import fields, write_maps


def test_killed_runs_lose_nothing(tmp_path):
    maps = write_maps(tmp_path / "maps.h5", fields(12, 32))
    counts, total = chain(maps, tmp_path / "run", 10, 1)
    same_as_undisturbed(maps, tmp_path / "run", total, tmp_path / "whole")
    print(f"{total} steps: {counts}")
    assert counts.kills == 10 and counts.resumed and counts.writing, counts
    assert counts.lost_checkpoints == counts.unreadable == 0, counts
