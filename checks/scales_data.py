#!/usr/bin/env python3
"""Writes the same 600 pictures as class folders, as a table, and as arrays on every scale and in both layouts; also a table
of several labels a picture, and one of values that are no 32-bit floats.

Usage: scales_data.py FOLDER. Needs Python alone.
"""

import pathlib
import struct
import sys
import zipfile
import zlib

SIDE, COUNT, TESTS = 24, 600, 120
NAMES = ["rows", "columns", "blocks"]


def noise(n):
    n = (n * 2654435761) & 0xFFFFFFFF
    return ((n ^ (n >> 15)) * 2246822519 & 0xFFFFFFFF) >> 16


def picture(i):
    """Bytes, row by row, three channels."""
    kind, shift, period = i % 3, noise(i) % 6, 4 + noise(i + 7) % 3
    dark = [noise(3 * i + c) % 90 for c in range(3)]
    light = [150 + noise(5 * i + c) % 90 for c in range(3)]
    cells = bytearray()
    for y in range(SIDE):
        for x in range(SIDE):
            a, b = (y + shift) // period % 2, (x + shift) // period % 2
            on = (a, b, a ^ b)[kind]
            for c in range(3):
                level = (light if on else dark)[c] + noise(i * 5000 + (y * SIDE + x) * 3 + c) % 16
                cells.append(level)
    return bytes(cells)


def png(pixels):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + pixels[y * SIDE * 3 : (y + 1) * SIDE * 3] for y in range(SIDE))
    head = struct.pack(">2I5B", SIDE, SIDE, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def npy(kind, shape, data):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }" % (kind, tuple(shape))
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    all_pixels = [picture(i) for i in range(COUNT)]
    table = ["file,label,split"]
    for i, pixels in enumerate(all_pixels):
        part = "test" if i >= COUNT - TESTS else "train"
        path = folder / "folder" / part / NAMES[i % 3] / f"{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(pixels))
        table.append(f"folder/{part}/{NAMES[i % 3]}/{i}.png,{NAMES[i % 3]},{part}")
    (folder / "table.csv").write_text("\n".join(table) + "\n")
    # A chequered picture is rows and columns at once; plain stripes are one of them.
    names = {"rows": "rows", "columns": "columns", "blocks": "columns;rows"}
    rows = [line.split(",") for line in table[1:]]
    (folder / "several.csv").write_text("\n".join(table[:1] + [f"{f},{names[k]},{s}" for f, k, s in rows]) + "\n")
    values = [f"{f},{1_000_000_000 + 2 * NAMES.index(k)}.5,{s}" for f, k, s in rows]
    (folder / "large.csv").write_text("\n".join(["file,time,split", *values]) + "\n")

    def floats(values):
        return struct.pack(f"<{len(values)}f", *values)

    def first(pixels):
        return bytes(pixels[at * 3 + c] for c in range(3) for at in range(SIDE * SIDE))

    kinds = {
        "bytes": ("|u1", bytes),
        "unit": ("<f4", lambda p: floats([v / 255 for v in p])),
        "signed": ("<f4", lambda p: floats([v / 127.5 - 1 for v in p])),
        "words": ("<u2", lambda p: struct.pack(f"<{len(p)}H", *(v * 257 for v in p))),
        "first": ("|u1", first),
    }
    for name, (kind, convert) in kinds.items():
        with zipfile.ZipFile(folder / f"{name}.npz", "w") as file:
            for part, pixels in (("train", all_pixels[:-TESTS]), ("test", all_pixels[-TESTS:])):
                axes = [3, SIDE, SIDE] if name == "first" else [SIDE, SIDE, 3]
                begin = 0 if part == "train" else COUNT - TESTS
                labels = bytes((begin + k) % 3 for k in range(len(pixels)))
                file.writestr(f"x_{part}.npy", npy(kind, [len(pixels), *axes], b"".join(map(convert, pixels))))
                file.writestr(f"y_{part}.npy", npy("|u1", [len(pixels)], labels))


main()
