"""Every kernel compiled for GPUs and CPUs that are not here: all must compile, and of those that training spends its time in none
may put anything outside a GPU's registers. The table of all: build/matrix/offline.txt, kept in
bench/results/offline-kernels.txt; every shape with its options: build/matrix/offline.csv."""
import os
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from matrix import HOME, kernels
from offline import TARGETS, Refused, cpu, programs

# Where training spends its time. Not in it: what packs weights once a step, what adds up statistics of a channel or of a batch, and
# the weight gradients of a GPU with little memory (conv_weights, winograd_weights).
HOT = {"adam_step", "conv_gather", "conv_narrow_in", "conv_narrow_out", "conv_weights_blocks", "conv_weights_ci1", "conv_weights_co1",
       "gemm_tiles", "norm_apply", "norm_apply_frozen", "norm_backward_apply", "norm_backward_frozen", "norm_backward_sums", "norm_sums",
       "results_of_phases", "results_of_whole", "weights_gradients", "weights_sums", "weights_taps", "windows_of_phases",
       "windows_of_whole", "winograd_products"}
ELSEWHERE = {"peak/peak", "peak/peak_copy"}  # a benchmark

# What is known to need more than registers, and must be taken out here when it no longer does. On AMD's these are scalar registers
# that move to vector ones, without memory: the addresses of 36 products, which compilers keep for all turns of the loop over
# channels; on NVIDIA's before sm_90 the same. Intel's threads have half the registers of other GPUs' and want tiles of fewer rows; for
# pvc this compiler takes 32 work-items a thread, which leaves each half of that again.
AMD = {"results_of_phases", "windows_of_phases"}
INTEL = {"conv_gather", "conv_narrow_out", "conv_weights_blocks"}
KNOWN = {"gfx906": AMD, "gfx90a": AMD, "gfx942": {*AMD, "results_of_whole"}, "gfx1030": {*AMD, "results_of_whole"},
         "gfx1100": {*AMD, "results_of_whole"}, "sm_75": {"windows_of_phases"}, "sm_80": {"windows_of_phases"}, "tgllp": INTEL, "dg2": INTEL,
         "pvc": {*INTEL, "conv_narrow_in", "gemm_tiles", "weights_sums", "winograd_products"}}

Row = namedtuple("Row", "target file need options")
rows = {}


def compile_one(target, program):
    """Rows, or what the compiler objects to."""
    with TemporaryDirectory() as folder:
        try:
            return [Row(target, program.file, n, program.options) for n in TARGETS[target][0](program, target, Path(folder))]
        except Refused as e:
            return str(e)


def outside_registers(row):
    return row.need.scratch or row.need.spills


def compile_all(target):
    first, *rest = programs(TARGETS[target][1])
    results = [compile_one(target, first)]  # finds out what is installed, and prepares libraries
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results += pool.map(lambda program: compile_one(target, program), rest)
    return [row for r in results if not isinstance(r, str) for row in r], [r for r in results if isinstance(r, str)]


def worst(of):
    """The most that any shape of a kernel takes of each, as a cell of the table."""
    most = [max(values) for values in zip(*((r.need.registers, r.need.local, r.need.scratch, r.need.spills) for r in of))]
    return " ".join(f"{letter}{n}" for letter, n in zip(("r", "l", "m", "s"), most) if n) or "-"


LEGEND = """The most that any shape of a kernel takes, for paper2d, its direct and its normalised variant, and quick2d: r registers, l bytes
of local memory, m bytes of private memory (scratch, stack frame), s spills. x stands behind the kernels which must need no m and no s."""


def write_tables():
    (HOME / "offline.csv").write_text("target,kernel,registers,local,private,spills,note,options\n" + "".join(
        f"{r.target},{r.file}/{r.need.entry},{r.need.registers},{r.need.local},{r.need.scratch},{r.need.spills},{r.need.note},{r.options}\n"
        for of in rows.values() for r in of))
    cells = {}
    for target, of in rows.items():
        for r in of:
            cells.setdefault(f"{r.file}/{r.need.entry}{' x' * (r.need.entry in HOT)}", {}).setdefault(target, []).append(r)
    targets = [t for t in rows if rows[t]]
    lines = [["kernel", *targets], *([kernel, *(worst(of[t]) if t in of else "" for t in targets)] for kernel, of in sorted(cells.items()))]
    widths = [max(map(len, column)) for column in zip(*lines)]
    text = "\n".join("  ".join(word.ljust(w) for word, w in zip(line, widths)).rstrip() for line in lines)
    (HOME / "offline.txt").write_text(f"{LEGEND}\n\n{text}\n")


@pytest.mark.parametrize("target", TARGETS)
def test_target(target):
    rows[target], refused = compile_all(target)
    write_tables()
    outside = [r for r in rows[target] if outside_registers(r)]
    print(f"{target}: {len(rows[target])} kernels, at most {max((r.need.registers for r in rows[target]), default=0)} registers, "
          f"{len(outside)} need memory besides")
    assert not refused, "\n".join(refused)
    if TARGETS[target][0] is cpu:
        return
    hot = {r.need.entry for r in outside} & HOT
    new, gone = hot - KNOWN.get(target, set()), KNOWN.get(target, set()) - hot
    assert not new, "\n".join(f"{r.file}/{r.need.entry}: {worst([r])} {r.options}" for r in outside if r.need.entry in new)
    assert not gone, f"{', '.join(sorted(gone))}: now within registers, no longer to be listed as known"


def test_every_kernel_is_compiled():
    found = {f"{p.file}/{entry}" for p in programs("gpu") for entry in p.entries}
    missing = set(kernels()) - found - ELSEWHERE
    assert not missing, f"never compiled: {', '.join(sorted(missing))}"
