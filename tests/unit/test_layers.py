"""The house stays in order: includes point downwards, each outside library has one user, nothing grows past a screen,
memory comes from one place, and the library neither prints nor exits."""
import os
import re
from pathlib import Path

import pytest

ROOT = Path(os.environ.get("COSMOCL_SOURCE", Path(__file__).resolve().parents[2]))
HOST = ROOT / "host"

STAGES = {"sim", "maps", "dataset", "nets", "stats", "report"}
BELOW_STAGES = {"ops", "io", "cluster", "device", "base"}
MAY_INCLUDE = {
    "base": set(),
    "device": {"base"},
    "io": {"base"},
    "cluster": {"base"},
    "ops": {"device", "base"},
    **{stage: BELOW_STAGES for stage in STAGES},
    "commands": STAGES | BELOW_STAGES,
    "api": STAGES | BELOW_STAGES,
}
# Pattern of a header -> the files that may include it.
USERS = {
    r"clblast(_c)?\.h": r"host/ops/gemm\.c",
    r"clFFT\.h|vkFFT.*\.h": r"host/ops/fft\w*\.[ch]",
    r"(hdf5(_hl)?|H5\w*|png|fitsio)\.h": r"host/io/.*",
    r"mpi\.h": r"host/cluster/.*",
    r"CL/.*|OpenCL/.*": r"host/(device|ops)/.*",
    r"ini\.h": r"host/(base|device)/.*",
    r"Random123/.*": r"host/base/rng\.c",
    r"xxhash\.h": r"host/base/hash\.c",
    r"libqhull_r/.*|qhull.*\.h": r"host/maps/.*",
}
FUNCTION_LINES, FILE_LINES = 80, 600


def sources(*patterns):
    return sorted(p for pattern in patterns for p in ROOT.glob(pattern))


def name(path):
    return path.relative_to(ROOT).as_posix()


def includes(path):
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1), found.group(2)


def code(path):
    """The text with comments and strings blanked, lines kept."""
    def blank(found):
        return re.sub(r"[^\n]", " ", found.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, path.read_text(), flags=re.S)


def said_at_head(text, what):
    """Whether the comment at the head of a file says why it is larger than the rule: 'longer than 80 lines because …'."""
    head = re.match(r"\s*/\*.*?\*/", text, re.S)
    return bool(head) and f"longer than {what}" in re.sub(r"\s*\n\s*\*?\s*", " ", head.group(0))


def functions(text):
    """(first line, number of lines, name) of every function: clang-format puts its braces into column 0."""
    lines, start, signature = text.split("\n"), None, 0
    for i, line in enumerate(lines):
        if line.startswith("{") and start is None:
            start = i
            signature = i - 1
            while signature > 0 and lines[signature - 1].strip() and not lines[signature - 1].startswith(("}", "#")):
                signature -= 1
        elif line.startswith("}") and start is not None:
            heading = " ".join(lines[signature:start])
            named = re.search(r"(\w+)\s*\(", heading)
            yield signature + 1, i - signature + 1, named.group(1) if named else "?"
            start = None


def test_there_is_something_to_check():
    assert len(sources("host/base/*.c")) > 8
    assert len([f for p in sources("host/base/*.c") for f in functions(code(p))]) > 60


@pytest.mark.parametrize("layer", sorted(MAY_INCLUDE))
def test_includes_point_downwards(layer):
    wrong = []
    for path in sources(f"host/{layer}/**/*.c", f"host/{layer}/**/*.h"):
        for number, mark, header in includes(path):
            folder = header.split("/")[0]
            if "/" in header and folder in MAY_INCLUDE and folder != layer and folder not in MAY_INCLUDE[layer]:
                wrong.append(f"{name(path)}:{number}: {layer} must not include {header}")
            if mark == '"' and "/" not in header:
                wrong.append(f"{name(path)}:{number}: write the folder too: {header}")
            if header.startswith(".."):
                wrong.append(f"{name(path)}:{number}: no way up: {header}")
    assert not wrong, "\n".join(wrong)


def test_every_folder_of_host_has_its_place():
    assert {p.name for p in HOST.iterdir() if p.is_dir()} <= set(MAY_INCLUDE)


def test_outside_libraries_have_one_user():
    wrong = []
    for path in sources("host/**/*.c", "host/**/*.h"):
        for number, _, header in includes(path):
            for pattern, users in USERS.items():
                if re.fullmatch(pattern, header) and not re.fullmatch(users, name(path)):
                    wrong.append(f"{name(path)}:{number}: {header} is for {users}")
    assert not wrong, "\n".join(wrong)


def test_public_headers_stand_alone():
    wrong = []
    for path in sources("include/**/*.h"):
        for number, mark, header in includes(path):
            if path.name == "interop.h" and re.fullmatch(r"CL/cl\.h", header):
                continue  # the one optional header that hands out OpenCL objects
            if not re.fullmatch(r"cosmocl/\w+\.h|std(bool|def|int|io)\.h", header):
                wrong.append(f"{name(path)}:{number}: {header}")
    assert not wrong, "\n".join(wrong)


def test_functions_fit_a_screen():
    wrong = []
    for path in sources("host/**/*.c"):
        if said_at_head(path.read_text(), f"{FUNCTION_LINES} lines"):
            continue
        for first, length, function in functions(code(path)):
            if length > FUNCTION_LINES:
                wrong.append(f"{name(path)}:{first}: {function} has {length} lines")
    assert not wrong, "\n".join(wrong)


def test_files_have_one_subject():
    wrong = []
    for path in sources("host/**/*.c", "host/**/*.h", "kernels/*", "tests/*/*.c"):
        text = path.read_text()
        length = text.count("\n")
        if length > FILE_LINES and not said_at_head(text, f"{FILE_LINES} lines"):
            wrong.append(f"{name(path)}: {length} lines")
    assert not wrong, "\n".join(wrong)


def test_memory_comes_from_one_place():
    wrong = []
    for path in sources("host/**/*.c"):
        if name(path) in ("host/base/memory.c", "host/base/context.c"):
            continue
        for number, line in enumerate(code(path).split("\n"), 1):
            if re.search(r"(?<![\w.>])(malloc|calloc|realloc|strdup|strndup|asprintf|aligned_alloc|posix_memalign)\s*\(", line):
                wrong.append(f"{name(path)}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_library_neither_prints_nor_exits():
    wrong = []
    for path in sources("host/**/*.c"):
        if name(path).startswith("host/commands/") or name(path) in ("host/report/gnuplot.c", "host/base/isolate.c"):
            continue  # the latter two start a process: what exits there is the child
        for number, line in enumerate(code(path).split("\n"), 1):
            if re.search(r"(?<![\w.>])(printf|puts|putchar|perror|exit|_exit|abort|setlocale|signal)\s*\(|"
                         r"\b(stdout|stderr)\b", line):
                wrong.append(f"{name(path)}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_nothing_is_left_for_later():
    wrong = []
    for path in sources("host/**/*.[ch]", "kernels/*", "include/**/*.h", "cmake/*", "tests/*/*.c"):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", line):
                wrong.append(f"{name(path)}:{number}: {line.strip()}")
    assert not wrong, "\n".join(wrong)


def test_the_checks_themselves_can_fail():
    text = "int f(int x)\n{\n" + "    x++;\n" * 90 + "    return x;\n}\n"
    assert list(functions(text)) == [(1, 94, "f")]
    assert not said_at_head("/* Short. */\n" + text, "80 lines")
    assert said_at_head("/* f is longer than\n * 80 lines because it is a table. */\n" + text, "80 lines")
