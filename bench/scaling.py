#!/usr/bin/env python3
"""Cost of a GAN step against the batch and against the pixels: a table, the slopes in log-log, and a plot.

    scaling.py [--preset paper2d] [--repeat 3] [--batches 1,2,5,...] [--images 64,128,256] [--set KEY=VALUE ...] [--svg FILE] [--json FILE]

A slope of 1 is linear; below, the step is cheaper per sample the larger it is. Pixels grow at the configuration's batch.
"""
import argparse
import configparser
import json
import math
import subprocess
from pathlib import Path

RUN = Path(__file__).resolve().parent.parent / "run"
WIDTH, HEIGHT, EDGE = 360, 300, 55


def shown(options):
    ini = configparser.ConfigParser()
    ini.read_string(subprocess.run([RUN, "config", "show", *options], check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout)
    return ini


def seconds(options, repeat, **values):
    words = [w for k, v in values.items() for w in ("--set", f"{k.replace('__', '.')}={v}")]
    done = subprocess.run([RUN, "bench", "gan-step", "--json", "--repeat", str(repeat), *options, *words], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout[done.stdout.index("{"):])["results"][0]["median_s"]


def slope(x, y):
    u, v = [math.log(a) for a in x], [math.log(a) for a in y]
    mu, mv = sum(u) / len(u), sum(v) / len(v)
    return sum((a - mu) * (b - mv) for a, b in zip(u, v)) / sum((a - mu) ** 2 for a in u)


def panel(left, title, unit, x, y):
    """One log-log plot with a line of slope 1 through the last point, as SVG."""
    low, high = math.log10(min(x)), math.log10(max(x))
    floor, top = math.log10(min(y)) - .1, math.log10(max(y)) + .1
    at = lambda a, b: (left + EDGE + (math.log10(a) - low) / (high - low) * (WIDTH - EDGE - 15), 35 + (top - math.log10(b)) / (top - floor) * (HEIGHT - 80))
    points = [at(a, b) for a, b in zip(x, y)]
    begin = max(min(x), max(x) * 10 ** floor / y[-1])
    (x0, y0), (x1, y1) = at(begin, y[-1] * begin / max(x)), points[-1]
    text = [f'<text x="{left + EDGE}" y="20" font-weight="bold">{title}: slope {slope(x, y):.2f}</text>',
            f'<path d="M{left + EDGE} 35V{HEIGHT - 45}H{left + WIDTH - 15}" fill="none" stroke="#444"/>',
            f'<path d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}" stroke="#999" stroke-dasharray="5 4"/>',
            f'<path d="M{" L".join(f"{a:.1f} {b:.1f}" for a, b in points)}" fill="none" stroke="#0072b2" stroke-width="2"/>',
            f'<text x="{left + WIDTH / 2}" y="{HEIGHT - 8}" text-anchor="middle">{unit}</text>']
    for (a, b), xv, yv in zip(points, x, y):
        text += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="#0072b2"/>', f'<text x="{a:.1f}" y="{HEIGHT - 28}" text-anchor="middle" font-size="10">{xv}</text>']
    for yv in (y[0], y[len(y) // 2], y[-1]):
        text.append(f'<text x="{left + EDGE - 6}" y="{at(x[0], yv)[1] + 4:.1f}" text-anchor="end" font-size="10">{yv:.3g} s</text>')
    return "\n".join(text)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--preset", default="paper2d")
    a.add_argument("--repeat", type=int, default=3)
    a.add_argument("--batches", default="1,2,5,10,20,50,100,200,400")
    a.add_argument("--images", default="64,128,256")
    a.add_argument("--set", action="append", default=[])
    a.add_argument("--svg", metavar="FILE")
    a.add_argument("--json", metavar="FILE")
    o = a.parse_args()
    options = ["--preset", o.preset, *(w for s in o.set for w in ("--set", s))]
    ini = shown(options)
    micro, side = ini.getint("gan", "micro_batch"), ini.getint("dataset", "crop")
    batches, images = ([int(n) for n in text.split(",")] for text in (o.batches, o.images))
    by_batch = [seconds(options, o.repeat, gan__batch=n, gan__micro_batch=min(n, micro)) for n in batches]
    by_image = [seconds(options, o.repeat, dataset__crop=n, maps__pixels=2 * n) for n in images]
    pixels = [n * n for n in images]
    print(f"{'batch of ' + str(side) + ' x ' + str(side):<24}{'step':>12}{'per image':>14}")
    for n, s in zip(batches, by_batch):
        print(f"{n:<24}{1e3 * s:>9.1f} ms{1e3 * s / n:>11.2f} ms")
    print(f"slope {slope(batches, by_batch):.3f}\n\n{'image':<24}{'step':>12}{'per megapixel':>14}")
    for n, s in zip(images, by_image):
        print(f"{f'{n} x {n}':<24}{1e3 * s:>9.1f} ms{1e3 * s / n / n / ini.getint('gan', 'batch') * 1e6:>11.0f} ms")
    print(f"slope {slope(pixels, by_image):.3f}")
    if o.json:
        Path(o.json).write_text(json.dumps({"schema": 1, "batches": dict(zip(o.batches.split(","), by_batch)), "images": dict(zip(o.images.split(","), by_image)),
                                            "slope_batch": slope(batches, by_batch), "slope_pixels": slope(pixels, by_image)}, indent=1) + "\n")
    if o.svg:
        Path(o.svg).write_text(f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="12">\n'
                               + panel(0, f"GAN step, {side}² pixels", "images in a batch", batches, by_batch) + "\n"
                               + panel(WIDTH, f"GAN step, batch {ini['gan']['batch']}", "pixels of an image", pixels, by_image) + "\n</svg>\n")


main()
