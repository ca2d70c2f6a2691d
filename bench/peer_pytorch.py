#!/usr/bin/env python3
"""GAN step, encoder steps and single layers: cosmocl beside PyTorch on the same machine, in turns.

    peer_pytorch.py [--preset paper2d] [--pairs 3] [--repeat 3] [--only gan,encoder,layers] [--set KEY=VALUE ...] [--json FILE]

Run it with a Python that has PyTorch (pip install torch numpy); it calls ./run for cosmocl. A pair is one run of cosmocl and one
of each of PyTorch's ways: float32 with channels_last and with the default layout, of which the faster counts; and where --more is
given, rows of their own for torch.compile and for bfloat16 inside float32 convolutions (another precision). Medians over all pairs.
"""
import argparse
import configparser
import json
import statistics
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

HERE = Path(__file__).resolve().parent
RUN = HERE.parent / "run"
PEERS = {"gan": ("gan-step", "torch_gan_step.py"), "encoder": ("encoder-step", "torch_encoder_step.py"), "layers": ("layers", "torch_layers.py")}
EAGER = {"channels_last": [], "default layout": ["--layout", "default"]}
MORE = {"compile": ["--compile"], "bf16": ["--bf16"]}


def answer(command):
    done = subprocess.run(list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        sys.stderr.write(f"{' '.join(map(str, command))}: ended with {done.returncode}: {done.stderr.strip()[-300:]}\n")
        return None
    return json.loads(done.stdout[done.stdout.index("{"):])


def network(options):
    """PyTorch's arguments for cosmocl's configuration."""
    shown = subprocess.run([RUN, "config", "show", *options], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    ini = configparser.ConfigParser()
    ini.read_string(shown)
    crop, norm = ini.getint("dataset", "crop") or ini.getint("maps", "pixels") // 2, ini["network"]["norm"]
    if norm not in ("none", "batch"):
        sys.exit(f"network.norm = {norm}: the peers have none and batch")
    return ["--image", crop, "--filters", ini["network"]["filters"].replace(" ", ""), "--norm", norm, "--batch", ini["gan"]["batch"]]


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--preset", default="paper2d")
    a.add_argument("--pairs", type=int, default=3)
    a.add_argument("--repeat", type=int, default=3)
    a.add_argument("--only", default="gan,encoder,layers")
    a.add_argument("--set", action="append", default=[])
    a.add_argument("--threads", type=int, default=2)
    a.add_argument("--more", action="store_true")
    a.add_argument("--json", metavar="FILE")
    o = a.parse_args()
    options = ["--preset", o.preset, *(w for s in o.set for w in ("--set", s))]
    shape = [*network(options), "--repeat", o.repeat, "--threads", o.threads]
    ways = {**EAGER, **(MORE if o.more else {})}
    ours, theirs, about = defaultdict(list), defaultdict(lambda: defaultdict(list)), {}
    for _ in range(o.pairs):
        for name in o.only.split(","):
            workload, script = PEERS[name]
            mine = answer([RUN, "bench", workload, "--json", "--repeat", o.repeat, *options])
            for row in mine["results"] if mine else []:
                ours[row["name"]].append(row["median_s"])
                about["cosmocl"] = f"{mine['device']}, {mine['commit']}"
            for way, flags in ways.items():
                peer = answer([sys.executable, HERE / "peers" / script, *shape, *flags])
                for row in peer["results"] if peer else []:
                    theirs[row["name"]][way].append(row["median_s"])
                    about["peer"] = peer["peer"]
    rows = []
    for name, seconds in ours.items():
        times = {way: statistics.median(s) for way, s in theirs[name].items()}
        eager = [times[way] for way in EAGER if way in times]
        if eager:
            mine = statistics.median(seconds)
            rows.append({"name": name, "cosmocl_s": mine, "pytorch_s": min(eager), "ratio": min(eager) / mine,
                         **{way + "_s": times[way] for way in MORE if way in times}})
    print(f"{about.get('cosmocl')}\n{about.get('peer')}, {o.threads} threads; {o.pairs} pairs\n")
    extra = [way for way in MORE if o.more]
    print(f"{'median ms':<52}{'cosmocl':>10}{'PyTorch':>10}{'ratio':>8}" + "".join(f"{way:>10}" for way in extra))
    for row in rows:
        print(f"{row['name']:<52}{row['cosmocl_s'] * 1e3:>10.2f}{row['pytorch_s'] * 1e3:>10.2f}{row['ratio']:>8.2f}"
              + "".join(f"{row[way + '_s'] * 1e3:>10.2f}" if way + "_s" in row else f"{'-':>10}" for way in extra))
    if o.json:
        Path(o.json).write_text(json.dumps({"schema": 1, **about, "pairs": o.pairs, "results": rows}, indent=1) + "\n")


main()
