"""The table of results of the wider matrix, from build/matrix/results (conftest.py), as Markdown.

  table.py BUILD              writes BUILD/portability.md and prints its summary
  table.py BUILD --readme F   also puts it into F between the lines <!-- portability --> and <!-- /portability -->"""
import json
import subprocess
import sys
from datetime import date
from pathlib import Path

MARKS = "<!-- portability -->", "<!-- /portability -->"
SOURCE = Path(__file__).resolve().parents[2]
RUNTIMES = "PoCL", "rusticl", "Intel"
# File: {test: what stands in the first column}
CHECKS = {
    "test_shapes": {"test_kind_of_device": "PoCL as every other kind of device: the hash of a training", "test_tile": "all tiles of the convolutions: the hash",
                    "test_every_tile_is_tried": "no tile is left out"},
    "test_oclgrind": {"test_all_operators": "oclgrind, all operators, as every kind of device", "test_training": "oclgrind, training", "test_command": "oclgrind, other commands",
                      "test_all_operators_on_a_small_device": "oclgrind, all operators, on small devices",
                      "test_every_kernel_was_run": "oclgrind has run every kernel"},
    "test_offline": {"test_target": "all kernels compiled for GPUs and CPUs that are not here, the hot ones within registers",
                     "test_every_kernel_is_compiled": "no kernel is left out of that"},
    "test_sanitizers": {"test_program": "ASan + UBSan, test programs", "test_commands": "ASan + UBSan, commands"},
}


def read(build):
    """{file: {name: record}}; a file of tests that left nothing behind has no tests but is there."""
    found = {p.stem: {} for p in Path(__file__).parent.glob("test_*.py")}
    for path in (build / "matrix/results").glob("*.json"):
        found[path.stem] = json.loads(path.read_text())
    return found


def word(record):
    if record is None:
        return "NOT RUN"
    return {"passed": "passed", "failed": "**FAILED**", "not run": "NOT RUN"}[record["outcome"]]


def cell(record):
    if record and record["outcome"] == "passed" and record.get("hash"):
        return f"passed: `{record['hash'][:16]}` after {record['steps']} steps"
    return word(record) if not record or record["outcome"] != "not run" else f"NOT RUN ({record['why']})"


def suite_title(record):
    if record["test"] == "test_suite":
        return record["parameters"]["suite"].replace("_", " ", 1).replace("ops ops_", "operators: ")
    if record["test"] == "test_training":
        return f"training, {record['parameters']['stage']}: hash of PoCL"
    return {"test_selftest": "self-test, known hashes"}.get(record["test"], record["test"])


def by_runtime(results):
    rows, versions = {}, {}
    for file in ("test_one_result", "test_runtimes"):
        for record in results.get(file, {}).values():
            runtime = record["parameters"].get("name")
            if not runtime:
                continue
            rows.setdefault(suite_title(record), {})[runtime] = record
            if record.get("version"):
                versions[runtime] = record["version"]
    lines = ["| | " + " | ".join(RUNTIMES) + " |", "|---|" + "---|" * len(RUNTIMES),
             "| version | " + " | ".join(versions.get(r, "–") for r in RUNTIMES) + " |"]
    lines += [f"| {title} | " + " | ".join(cell(of.get(r)) for r in RUNTIMES) + " |" for title, of in rows.items()]
    return lines


def summary(records):
    """What did not pass: failures by name, the rest by reason."""
    named = {}
    for r in records:
        named.setdefault(f"{word(r)}{' (' + r['why'] + ')' if r['why'] else ''}", []).append(", ".join(r["parameters"].values()) or r["test"])
    return "; ".join(f"{what}: {', '.join(names)}" if "FAILED" in what else f"{len(names)} {what}" for what, names in named.items())


def by_check(results):
    """One line per kind of check: how many passed, and those that did not by name."""
    lines = ["| check | passed | not passed |", "|---|---|---|"]
    for file, titles in {**CHECKS, "test_one_result": {"test_gan_under_oclgrind": "a tiny GAN under oclgrind: the hash of PoCL"}}.items():
        records = results.get(file, {}).values()
        for test, title in titles.items():
            of = [r for r in records if r["test"] == test]
            bad = summary(r for r in of if r["outcome"] != "passed")
            lines.append(f"| {title} | {sum(r['outcome'] == 'passed' for r in of)} of {len(of)} | "
                         f"{bad if of else 'NOT RUN'} |")
    return lines


def others(results):
    """Files of tests that neither table knows: one line each."""
    known = {*CHECKS, "test_one_result", "test_runtimes"}
    return [f"| {file.removeprefix('test_').replace('_', ' ')} | {sum(r['outcome'] == 'passed' for r in of.values())} of {len(of)} | "
            + (summary(r for r in of.values() if r["outcome"] != "passed") if of else "NOT RUN") + " |"
            for file, of in results.items() if file not in known]


def commit():
    done = subprocess.run(["git", "-C", str(SOURCE), "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def table(build):
    results = read(build)
    every = [r for of in results.values() for r in of.values()]
    count = {o: sum(r["outcome"] == o for r in every) for o in ("passed", "failed", "not run")}
    minutes = sum(r["seconds"] for r in every) / 60
    head = (f"`./run test --all` on {date.today().isoformat()}, commit {commit()}: {count['passed']} passed, {count['failed']} failed, "
            f"{count['not run']} not run ({minutes:.0f} minutes of tests).")
    return head, "\n".join([head, "", *by_runtime(results), "", *by_check(results), *others(results)])


def put(path, text):
    old = path.read_text()
    if any(old.count(mark) != 1 for mark in MARKS):
        sys.exit(f"{path}: needs the lines {MARKS[0]} and {MARKS[1]}, once each")
    before, rest = old.split(MARKS[0])
    path.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.split(MARKS[1])[1]}")


def main(arguments):
    if len(arguments) not in (1, 3) or (len(arguments) == 3 and arguments[1] != "--readme"):
        sys.exit(__doc__)
    build = Path(arguments[0])
    head, text = table(build)
    (build / "portability.md").write_text(text + "\n")
    if len(arguments) == 3:
        put(Path(arguments[2]), text)
    print(f"{head}\nThe table: {build / 'portability.md'}; kernels on devices that are not here: {build / 'matrix/offline.txt'}")


if __name__ == "__main__":
    main(sys.argv[1:])
