"""What the program says when it is called wrongly, what it says of itself, and where it says it."""
import json
import os
import pty
import re
import select
import signal
import subprocess
import time
from pathlib import Path

import pytest

COSMOCL = os.environ["COSMOCL"]
SOURCE = Path(os.environ.get("COSMOCL_SOURCE", Path(__file__).resolve().parents[2]))


def cosmocl(*arguments, **options):
    environment = {**os.environ, **options.pop("env", {})}
    return subprocess.run([COSMOCL, *arguments], capture_output=True, text=True, timeout=60, env=environment, **options)


def commands():
    """The names of the table, as the overview lists them."""
    text = cosmocl("--help").stdout
    body = text[:text.index("Flags of every command")]
    unbuilt = re.search(r"^Not in this build: (.*)$", body, re.M)
    return re.findall(r"^  ([a-z]+(?: [a-z]+)?) {2,}", body, re.M) + (unbuilt.group(1).split(", ") if unbuilt else [])


COMMANDS = commands()


def test_overview_lists_what_the_design_names():
    for name in ("devices", "selftest", "simulate", "snapshot info", "maps", "dataset info", "train gan", "train encoder",
                 "select", "generate", "infer", "stats", "report", "pipeline", "config explain", "config show", "bench"):
        assert name in COMMANDS
    assert len(COMMANDS) == len(set(COMMANDS)) >= 25


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("form", ["last", "first", "word"])
def test_help_of_every_command(name, form):
    words = name.split()
    r = cosmocl(*{"last": [*words, "--help"], "first": ["-h", *words], "word": ["help", *words]}[form])
    assert r.returncode == 0 and r.stderr == ""
    assert r.stdout.startswith(f"usage: cosmocl {name}")
    for part in ("Flags of every command", "--device SPEC", "\nExample: cosmocl "):
        assert part in r.stdout
    # The example is a line that the parser takes: every flag in it is one that the help lists, or a configuration key.
    example = r.stdout[r.stdout.index("\nExample: cosmocl "):]
    assert f"cosmocl {name}" in example
    for flag in re.findall(r"(?<= )--?[a-z][a-z-]*", example):
        assert re.search(rf"(^|[ ,]){flag}( |\n|,)", r.stdout[:r.stdout.index("\nExample")]), flag
    assert max(map(len, r.stdout.splitlines())) <= 140


def test_no_flag_does_nothing():
    """Every flag of a command that is built is read by some command's code, or sets a configuration key."""
    code = "".join(p.read_text() for p in (SOURCE / "host/commands").glob("*.c") if p.name != "main.c")
    table = (SOURCE / "host/commands/main.c").read_text()
    idle = []
    for name in COMMANDS:
        text = cosmocl(*name.split(), "--help").stdout
        if "(not in this build)" in text or "Flags of this command" not in text:
            continue
        own = text[text.index("Flags of this command"):text.index("Flags of every command")]
        for flag in re.findall(r"^  --([a-z-]+)", own, re.M):
            sets_key = re.search(r'\{"%s",\s*("[^"]*"|NULL),\s*"[^"]*",\s*("[^"]*"|NULL),\s*"[a-z]+\.' % flag, table)
            if not sets_key and f'"{flag}"' not in code:
                idle.append(f"{name} --{flag}")
    assert not idle


@pytest.mark.parametrize("name", COMMANDS)
def test_wrong_flag_of_every_command(name):
    r = cosmocl(*name.split(), "--no-such-flag")
    assert r.returncode == 2 and r.stdout == ""
    assert r.stderr.startswith("cosmocl: error: unknown flag --no-such-flag")


@pytest.mark.parametrize("arguments, message", [
    ([], "no command; `cosmocl --help` lists all commands"),
    (["smulate"], "unknown command smulate; did you mean simulate?"),
    (["sim"], "unknown command sim; `cosmocl --help` lists all commands"),
    (["trian", "gan"], "did you mean train gan?"),
    (["train"], "train: needs a second word: gan, encoder"),
    (["train", "--preset", "quick2d"], "train: needs a second word: gan, encoder"),
    (["train", "gna"], "unknown command train gna; after train comes one of: gan, encoder"),
    (["config"], "config: needs a second word: explain, show"),
    (["simulate", "--msh", "3"], "unknown flag --msh; did you mean --mesh?"),
    (["simulate", "--preste=quick2d"], "unknown flag --preste; did you mean --preset?"),
    (["simulate", "-x"], "unknown flag -x"),
    (["--mesh", "64", "simulate"], "unknown flag --mesh"),
    (["simulate", "--gan.batch=3"], "unknown flag --gan.batch; configuration keys are given as --set gan.batch=VALUE"),
    (["simulate", "--mesh"], "--mesh: needs a value: --mesh N"),
    (["simulate", "--set"], "--set: needs a value: --set SECTION.KEY=VALUE"),
    (["simulate", "-o"], "-o: needs a value: -o OUT"),
    (["config", "show", "--json=yes"], "--json: takes no value"),
    (["simulate", "extra"], "simulate: extra is one argument too many"),
    (["maps"], "maps: needs SNAPSHOT..."),
    (["train", "encoder", "maps.h5"], "train encoder: needs MAPS RUN"),
    (["simulate", "--set", "gan.batch"], "--set: gan.batch: must be section.key=value"),
    (["simulate", "--set", "gan.batch=many"], "--set: gan.batch = many: is not an integer"),
    (["simulate", "--set", "gan.batsh=3"], "--set: unknown key gan.batsh; did you mean gan.batch?"),
    (["simulate", "--seed", "-1"], "--seed: run.seed = -1: must be between 0 and 9e+18"),
    (["simulate", "--mesh", "ten"], "--mesh: simulate.mesh = ten: is not an integer"),
    (["simulate", "--preset", "none"], "there is no preset none; there are: "),
    (["--completion", "fish"], "--completion fish: only bash is known"),
    (["config", "explain", "gan.batsh"], "there is no key or section gan.batsh; did you mean gan.batch?"),
    (["config", "explain", "gan", "--ini"], "--ini prints all keys"),
])
def test_wrong_usage(arguments, message):
    r = cosmocl(*arguments)
    assert r.returncode == 2
    assert r.stdout == ""
    assert r.stderr.startswith("cosmocl: error: ") and message in r.stderr
    assert r.stderr.count("\n") == 1


def test_help_goes_to_stdout_and_lists_exit_codes():
    r = cosmocl("--help")
    assert r.returncode == 0 and r.stderr == ""
    for code in ("0 ok", "1 failure", "2 usage", "3 device", "4 memory", "5 self-test", "6 data", "75 stopped", "130 int"):
        assert code in r.stdout
    assert cosmocl("train", "--help").stdout == r.stdout
    assert cosmocl("help").stdout == r.stdout


def test_version():
    assert re.fullmatch(r"cosmocl \d+\.\d+\.\d+ \(\w+\+?\)\n", cosmocl("--version").stdout)
    assert set(json.loads(cosmocl("--version", "--json").stdout)) == {"version", "commit"}


def test_shared_flags_stand_anywhere():
    for arguments in (["--set", "gan.batch=7", "config", "show"], ["config", "show", "--set=gan.batch=7"],
                      ["config", "show", "--set", "gan.batch=8", "--set", "gan.batch=7"]):
        r = cosmocl(*arguments)
        assert r.returncode == 0 and "\nbatch = 7\n" in r.stdout


def test_double_dash_ends_the_flags():
    r = cosmocl("config", "show", "--", "--help")
    assert r.returncode == 6 and "--help" in r.stderr


def test_memory_out_at_every_allocation():
    for n in range(1, 2000):
        r = cosmocl("config", "show", "--preset", "quick2d", env={"COSMOCL_FAIL_ALLOCATION": str(n)})
        if r.returncode == 0:
            break
        assert r.returncode == 4, r
        assert r.stdout == "" and "no memory for" in r.stderr
    assert 50 < n < 1999


def test_full_standard_output_is_an_error():
    with open("/dev/full", "w") as full:
        r = subprocess.run([COSMOCL, "config", "explain"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
    assert r.returncode == 1
    assert "standard output: cannot write: No space left on device" in r.stderr


def test_closed_pipe_is_quiet():
    p = subprocess.Popen([COSMOCL, "config", "explain"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    p.stdout.close()
    assert p.stderr.read() == b""
    assert p.wait(timeout=60) == 1


def on_terminal(arguments, environment):
    """What a run writes to a terminal that is its stderr."""
    try:
        master, slave = pty.openpty()
    except OSError as e:  # a bare chroot has no /dev/pts
        pytest.skip(f"this system gives no terminals ({e}); what is written to one is not checked here")
    p = subprocess.Popen([COSMOCL, *arguments], stdout=subprocess.DEVNULL, stderr=slave, env={**os.environ, **environment})
    os.close(slave)
    text = b""
    while select.select([master], [], [], 30)[0]:
        try:
            piece = os.read(master, 4096)
        except OSError:
            break
        if not piece:
            break
        text += piece
    p.wait(timeout=30)
    os.close(master)
    return text


def test_color_only_where_wanted():
    wrong = ["nonsense"]
    assert b"\033[31m" in on_terminal(wrong, {"TERM": "xterm", "NO_COLOR": ""})
    assert b"\033" not in on_terminal(wrong, {"TERM": "xterm", "NO_COLOR": "1"})
    assert b"\033" not in on_terminal(wrong, {"TERM": "dumb", "NO_COLOR": ""})
    assert "\033" not in cosmocl(*wrong).stderr


def test_completion_script_works_in_bash():
    script = cosmocl("--completion", "bash").stdout

    def complete(*words):
        line = " ".join(f"'{w}'" for w in words)
        run = f"COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; compopt() {{ :; }}; _cosmocl; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        r = subprocess.run(["bash", "-c", script + run], capture_output=True, text=True, timeout=60)
        assert r.stderr == "", r.stderr
        return set(r.stdout.split())

    assert {"simulate", "snapshot", "select"} <= complete("cosmocl", "s")
    assert "train" in complete("cosmocl", "") and "gan" not in complete("cosmocl", "")
    assert complete("cosmocl", "train", "g") >= {"gan"}
    unbuilt = [n.split() for n in COMMANDS if "(not in this build)" in cosmocl(*n.split(), "--help").stdout]
    for name in unbuilt:
        assert name[-1] not in complete("cosmocl", *name)
    assert complete("cosmocl", "simulate", "--me") == {"--mesh"}
    assert complete("cosmocl", "dataset", "export", "--sp") == {"--split"}
    assert "--mesh" not in complete("cosmocl", "train", "gan", "--")
    assert complete("cosmocl", "simulate", "--preset", "qui") == {"quick2d"}
    assert complete("cosmocl", "simulate", "--set", "gan.lab") == {"gan.label_noise="}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_reach_a_running_command(number, tmp_path):
    """A FIFO that nobody writes to keeps `config show --config` waiting; a second SIGINT must end it at once."""
    fifo = tmp_path / "fifo.ini"
    os.mkfifo(fifo)
    p = subprocess.Popen([COSMOCL, "config", "show", "--config", str(fifo)], stdout=subprocess.DEVNULL,
                         stderr=subprocess.PIPE, text=True)
    # The handlers stand before the arguments are read, and those block on the FIFO.
    deadline = time.time() + 30
    while time.time() < deadline:
        status = Path(f"/proc/{p.pid}/status").read_text()
        caught = int(re.search(r"SigCgt:\s*(\w+)", status).group(1), 16)
        if caught >> (signal.SIGTERM - 1) & 1 and "sleeping" in status:
            break
        time.sleep(.01)
    p.send_signal(number)
    time.sleep(.2)
    assert p.poll() is None, "the first request only asks"
    if number == signal.SIGTERM:
        p.send_signal(signal.SIGTERM)
        time.sleep(.1)
        assert p.poll() is None
        p.send_signal(signal.SIGINT)
        time.sleep(.2)
        assert p.poll() is None
    p.send_signal(signal.SIGINT)
    assert p.wait(timeout=10) == 130
    assert "interrupt again to quit at once" in p.stderr.read()
