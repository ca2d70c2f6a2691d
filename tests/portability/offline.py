"""Kernels compiled for devices that are not here, and what each needs of the device's registers and memory.

The program itself says what to compile: its debug messages name each kernel with the options it is built with. One function
per family of compilers takes a program and a target and returns a Need per kernel."""
import re
import shutil
from collections import namedtuple
from functools import lru_cache
from pathlib import Path
from tempfile import NamedTemporaryFile

import pytest

from matrix import HOME, PROGRAM, RUNTIMES, SOURCE, call, sets

UNPACKED = HOME / "offline"  # see ./run
LIBRARIES = UNPACKED / "usr/lib/x86_64-linux-gnu"
PTXAS = UNPACKED / "nvidia/lib"
BITCODE = Path("/usr/lib/x86_64-linux-gnu/amdgcn/bitcode")
CLANG, CLANG_SPIRV = "clang-19", "clang-15"  # the second writes what llvm-spirv-15 reads
SECONDS = 300  # for one program

Program = namedtuple("Program", "file options entries")  # of entries, a tuple
# Registers of a work-item (of Intel, of its hardware thread); bytes of memory that a work-group shares; bytes of private
# memory of a work-item outside registers (scratch, stack frame); registers or bytes spilled, which on Intel count as scratch.
Need = namedtuple("Need", "entry registers local scratch spills note")


class Refused(Exception):
    """A compiler's complaint."""


# ---- what to compile

# Trainings whose every kernel is compiled; of kernels that these do not use, the shapes of a self-test.
TRAININGS = (["--preset", "paper2d"], ["--preset", "paper2d", *sets(network__algorithm="direct")],
             ["--preset", "paper2d", *sets(network__norm="batch")], ["--preset", "quick2d"],
             ["--preset", "paper2d", *sets(network__algorithm="clblast")], ["--preset", "paper2d", *sets(run__budget_mib=512)],
             ["--preset", "paper2d", *sets(run__budget_mib=512, network__algorithm="direct")])


def named(command, kind):
    """(file, entry, options) of all kernels that a command uses on this kind of device."""
    done = call([PROGRAM, *command, "-v"], SECONDS, COSMOCL_EMULATE=kind, COSMOCL_CACHE=HOME / "cache/offline", **RUNTIMES["PoCL"][0])
    assert done.returncode == 0, done.stderr[-3000:]
    return set(re.findall(r"debug: kernel (\w+)/(\w+) (.*)", done.stderr))


@lru_cache(maxsize=None)
def programs(kind):
    used = set().union(*(named(["memory", *training], kind) for training in TRAININGS))
    entries = {use[:2] for use in used}
    for command in (["selftest", "--quick"], ["doctor", "--json"]):
        used |= {use for use in named(command, kind) if use[:2] not in entries}
    return [Program(file, options, tuple(sorted(e for f, e, o in used if (f, o) == (file, options))))
            for file, options in sorted({(f, o) for f, _, o in used})]


# ---- the compilers

def need(*tools):
    for tool in tools:
        if not Path(shutil.which(tool) or tool).is_file():
            pytest.skip(f"{Path(tool).name} is not installed")


def compiled(command, **variables):
    """What the compiler says."""
    done = call(command, SECONDS, **variables)
    if done.returncode:
        raise Refused(f"{' '.join(str(word) for word in command)}\n{done.stdout[-500:]}{done.stderr[-1500:]}")
    return done.stdout + done.stderr


def clang(compiler, program, out, *options):
    source = SOURCE / "kernels" / f"{program.file}.cl"
    return compiled([compiler, "-x", "cl", *program.options.split(), "-Xclang", "-finclude-default-header", "-O3", *options, source,
                     "-o", out])


def of_entries(program, needs):
    """The kernels that are used; a file may hold more."""
    found = {n.entry: n for n in needs}
    if missing := set(program.entries) - set(found):
        raise Refused(f"{program.file} {program.options}: nothing is said of {', '.join(missing)}")
    return [found[entry] for entry in program.entries]


@lru_cache(maxsize=None)
def amd_libraries():
    """AMD's, and the constants of newer devices that Debian's version of them lacks."""
    need(CLANG, BITCODE / "opencl.bc")
    folder = HOME / "offline-amd"
    shutil.copytree(BITCODE, folder, dirs_exist_ok=True)
    for name, version in (("942", 9402), ("1100", 11000)):
        text = folder / f"{name}.ll"
        text.write_text("@__oclc_ISA_version = linkonce_odr hidden local_unnamed_addr addrspace(4) constant i32 "
                        f"{version}\n")
        compiled([CLANG, "-target", "amdgcn-amd-amdhsa", "-nogpulib", "-c", "-emit-llvm", "-x", "ir", text, "-o", folder / f"oclc_isa_version_{name}.bc"])
    return folder


def amd(program, target, folder):
    said = clang(CLANG, program, folder / "out.o", "-c", "-target", "amdgcn-amd-amdhsa", f"-mcpu={target}",
                 f"--rocm-device-lib-path={amd_libraries()}", "-Rpass-analysis=kernel-resource-usage")
    needs = []
    for part in said.split("Function Name: ")[1:]:
        n = {name: int(value) for name, value in re.findall(r"remark: +([\w ]+?)(?: \[[\w/]+\])?: (\d+) \[-Rpass", part)}
        needs.append(Need(part.split()[0], n["VGPRs"] + n.get("AGPRs", 0), n["LDS Size"], n["ScratchSize"], n["SGPRs Spill"] + n["VGPRs Spill"],
                          f"{n['Occupancy']} waves"))
    return of_entries(program, needs)


@lru_cache(maxsize=None)
def nvidia_tools():
    library, assembler = UNPACKED / "usr/lib/clc/nvptx64--nvidiacl.bc", next(PTXAS.rglob("bin/ptxas"), PTXAS / "ptxas")
    need(CLANG, library, assembler)
    return library, assembler


@lru_cache(maxsize=None)
def ptx(program):
    """The text that serves all of NVIDIA's targets. libclc has no get_work_dim; NVIDIA's own reads such a register."""
    with NamedTemporaryFile(suffix=".ptx") as out:
        clang(CLANG, program, out.name, "-S", "-w", "-Dget_work_dim=__nvvm_read_ptx_sreg_gridid", "-target", "nvptx64-nvidia-nvcl",
              "-Xclang", "-target-cpu", "-Xclang", "sm_60", "-Xclang", "-mlink-builtin-bitcode", "-Xclang", nvidia_tools()[0])
        return Path(out.name).read_text()


def nvidia(program, target, folder):
    (folder / "in.ptx").write_text(ptx(program))
    said = compiled([nvidia_tools()[1], "-v", f"-arch={target}", folder / "in.ptx", "-o", folder / "out.cubin"])
    needs = []
    for part in said.split("Compiling entry function '")[1:]:
        stack, stores, loads = map(int, re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", part).groups())
        local = re.search(r"(\d+) bytes smem", part)
        needs.append(Need(part.split("'")[0], int(re.search(r"Used (\d+) registers", part)[1]), int(local[1]) if local else 0, stack,
                          stores + loads, ""))
    return of_entries(program, needs)


def intel(program, target, folder):
    compiler = UNPACKED / "usr/bin/ocloc"
    need(compiler)
    source = SOURCE / "kernels" / f"{program.file}.cl"
    compiled([compiler, "compile", "-file", source, "-device", target, "-options", f"{program.options} -I {source.parent}",
              "-internal_options", "-cl-allow-zebin", "-out_dir", folder, "-output", "out"], LD_LIBRARY_PATH=LIBRARIES)
    binary = next(folder.glob("out*.bin")).read_bytes()
    needs = []
    for entry, text in re.findall(rb"- name: +(\w+)(.*?)(?=- name:|\0)", binary, re.S):
        n = {name: int(value) for name, value in re.findall(r"(grf_count|simd_size|slm_size): +(\d+)", text.decode(errors="replace"))}
        if "simd_size" in n:
            needs.append(Need(entry.decode(), n["grf_count"], n.get("slm_size", 0), intel_scratch(text.decode(errors="replace"), n["simd_size"]),
                              0, f"SIMD{n['simd_size']}"))
    return of_entries(program, needs)


def intel_scratch(text, simd):
    """Bytes of a work-item; those of a hardware thread are divided among its work-items."""
    parts = re.findall(r"usage: +\w+_space\s+size: +(\d+)(\s+is_simt_thread: +true)?", text)
    return sum(int(size) if each else -(-int(size) // simd) for size, each in parts)


CPUS = {"x86-64-v3": ["-target", "x86_64-unknown-linux-gnu", "-march=x86-64-v3"],
        "x86-64-v4": ["-target", "x86_64-unknown-linux-gnu", "-march=x86-64-v4", "-mprefer-vector-width=512"],
        "neoverse-n1": ["-target", "aarch64-unknown-linux-gnu", "-mcpu=neoverse-n1"]}


def cpu(program, target, folder):
    """Of vector registers alone: a few addresses on the stack are how a CPU works."""
    need(CLANG)
    code = folder / "out.ll"
    clang(CLANG, program, code, "-S", "-emit-llvm", "-include", Path(__file__).parent / "offline_cpu.h", *CPUS[target])
    code.write_text(code.read_text().replace("spir_kernel ", ""))  # kernels become functions, for ARM's compiler knows no others
    compiled([CLANG, *CPUS[target], "-O3", "-S", "-fstack-usage", "-w", code, "-o", folder / "out.s"])
    stacks = dict(re.findall(r":(\w+)\t(\d+)\t", (folder / "out.su").read_text()))
    parts = re.split(r"^(\w+):", (folder / "out.s").read_text(), flags=re.M)
    needs = []
    for entry, text in zip(parts[1::2], parts[2::2]):
        spilled = [int(size) for size in re.findall(r"(\d+)-byte (?:Folded )?Spill", text) if int(size) >= 16]
        if entry in stacks:
            needs.append(Need(entry, 0, 0, int(stacks[entry]), len(spilled), ""))
    return of_entries(program, needs)


def spirv(program, target, folder):
    """No compiler but the format that drivers exchange, validated."""
    need(CLANG_SPIRV, "llvm-spirv-15", "spirv-val")
    clang(CLANG_SPIRV, program, folder / "out.bc", "-O0", "-target", "spir64-unknown-unknown", "-c", "-emit-llvm")  # optimised code has no SPIR-V
    compiled(["llvm-spirv-15", "--spirv-max-version=1.2", folder / "out.bc", "-o", folder / "out.spv"])
    compiled(["spirv-val", "--target-env", "opencl1.2", folder / "out.spv"])
    return []


# Target: compiler, and the kind of device of host/device/emulate.c whose shapes it gets.
TARGETS = {
    **{t: (amd, "gpu") for t in ("gfx906", "gfx90a", "gfx942", "gfx1030", "gfx1100")},
    **{t: (nvidia, "gpu") for t in ("sm_75", "sm_80", "sm_90", "sm_100")},
    **{t: (intel, "gpu") for t in ("tgllp", "dg2", "pvc")},
    "spirv": (spirv, "gpu"),
    "x86-64-v4": (cpu, "cpu-16"), "x86-64-v3": (cpu, "cpu-8"), "neoverse-n1": (cpu, "cpu-4")}
