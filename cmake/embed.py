#!/usr/bin/env python3
"""embed.py ROOT LIST OUT.c: the files named in LIST, as the table that host/base/embedded.h declares."""
import sys

root, listing, out = sys.argv[1:]
names = sorted(line.strip() for line in open(listing) if line.strip())
with open(out, "w") as f:
    f.write('#include "base/embedded.h"\n')
    for i, name in enumerate(names):
        data = open(f"{root}/{name}", "rb").read()
        f.write(f"static const char file_{i}[] = {{")
        f.write(",".join(str(b if b < 128 else b - 256) for b in data + b"\0"))
        f.write("};\n")
    f.write("const embedded_file embedded_files[] = {\n")
    for i, name in enumerate(names):
        f.write(f'    {{"{name}", file_{i}, sizeof file_{i} - 1}},\n')
    f.write(f'    {{0, 0, 0}}}};\nconst int embedded_count = {len(names)};\n')
