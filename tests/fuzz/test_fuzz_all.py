"""Every libFuzzer target under the address and undefined-behaviour sanitizers, for COSMOCL_FUZZ_SECONDS each (60): no
crash, no leak, no hang, no failure without a reason. Prints the executions."""
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import seeds

SOURCE = Path(os.environ["COSMOCL_SOURCE"])
SECONDS = int(os.environ.get("COSMOCL_FUZZ_SECONDS", "60"))
TARGETS = sorted(path.stem for path in (SOURCE / "tests/fuzz").glob("*.c"))


@pytest.fixture(scope="session")
def folder():
    if not shutil.which("clang"):
        pytest.skip("NOT RUN: the fuzzers are built with clang, which is not installed")
    build = Path.cwd() / "fuzz"
    build.mkdir(exist_ok=True)
    words = ["-G", "Ninja", "-DCOSMOCL_FUZZ=ON", "-DCMAKE_C_COMPILER=clang"]
    with open(build / "build.log", "w") as log:
        for command in (["cmake", "-S", SOURCE, "-B", build, *words],
                        ["ninja", "-C", build, *(f"fuzz_{target}" for target in TARGETS)]):
            done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT)
            assert done.returncode == 0, (build / "build.log").read_text()[-3000:]
    seeds.make(build / "seeds")
    return build


@pytest.mark.parametrize("target", TARGETS)
def test_target(folder, target, capsys):
    corpus, found = folder / "corpus" / target, folder / "found" / target
    for path in (corpus, found):
        path.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [folder / f"fuzz_{target}", corpus, folder / "seeds" / target, f"-max_total_time={SECONDS}", "-timeout=60",
         "-rss_limit_mb=4096", "-max_len=200000", f"-artifact_prefix={found}/", "-print_final_stats=1"],
        capture_output=True, text=True, errors="replace", timeout=SECONDS + 600,
        env={**os.environ, "OCL_ICD_VENDORS": "pocl.icd",
             "ASAN_OPTIONS": "allocator_may_return_null=1:max_allocation_size_mb=2048",
             "LSAN_OPTIONS": f"suppressions={SOURCE / 'tests/fuzz/leaks.supp'}:print_suppressions=0"})
    stats = dict(re.findall(r"stat::(\w+):\s+(\d+)", done.stderr))
    with capsys.disabled():
        print(f"\n{target}: {stats.get('number_of_executed_units', '?')} executions in {SECONDS} s, "
              f"{stats.get('average_exec_per_sec', '?')} a second, {len(list(corpus.iterdir()))} inputs kept")
    assert done.returncode == 0, done.stderr[-6000:]
    assert int(stats["number_of_executed_units"]) > 100
