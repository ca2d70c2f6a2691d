"""Records what every test of the matrix came to, for the table of results: build/matrix/results/FILE.json holds one object
per test. A test that did not get to its end (a crash, the time limit) stays NOT RUN there."""
import json
from pathlib import Path

from matrix import HOME

records = {}


def write(stem):
    folder = HOME / "results"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.json").write_text(json.dumps(records[stem], indent=1))


def pytest_collection_finish(session):
    if session.config.option.collectonly:
        return
    for item in session.items:
        stem = Path(item.fspath).stem
        if stem not in records:
            path = HOME / "results" / f"{stem}.json"
            records[stem] = json.loads(path.read_text()) if path.exists() else {}
        call = getattr(item, "callspec", None)
        words = dict(zip(call.params, call.id.split("-", len(call.params) - 1))) if call and len(call.params) > 1 else \
            {name: call.id for name in call.params} if call else {}
        records[stem][item.name] = {"test": item.originalname, "parameters": words, "outcome": "not run",
                                    "why": "did not come to its end", "seconds": 0}
    for stem in records:
        write(stem)


def pytest_runtest_logreport(report):
    stem, name = Path(report.nodeid.split("::")[0]).stem, report.nodeid.split("::")[1]
    r = records[stem][name]
    r["seconds"] += report.duration
    if report.when == "call" or report.outcome != "passed":
        r["outcome"] = {"passed": "passed", "failed": "failed", "skipped": "not run"}[report.outcome]
        r["why"] = report.longrepr[2].removeprefix("Skipped: ") if report.outcome == "skipped" else ""
        r.update(report.user_properties)
    write(stem)
