#!/usr/bin/env python3
"""The context digest, version 1, of a plain folder: an independent reading of docs/formats.md.

usage: context_digest.py FOLDER            prints the digest
       context_digest.py --text FOLDER     prints the text that is hashed

Knows no ignore rules and no git: give it a folder that holds exactly the context.
"""

import hashlib
import os
import re
import stat
import sys


def escape(path, also=b""):
    """`\\`, control bytes and bytes that are not UTF-8 as \\xNN."""
    out = ""
    for char in path.decode("utf-8", "surrogateescape"):
        stray = 0xDC80 <= ord(char) <= 0xDCFF
        if stray or char == "\\" or ord(char) < 0x20 or ord(char) == 0x7F or char.encode("utf-8", "surrogateescape") in also:
            out += "\\x%02x" % (ord(char) & 0xFF)
        else:
            out += char
    return out


def is_own(name):
    return name == b"repro.lock" or re.fullmatch(rb"repro\..*\.tape", name, re.S)


def entries(root, folder=b""):
    """(path, kind) of all that counts; folders only when they are empty."""
    names = [name for name in os.listdir(os.path.join(root, folder)) if not is_own(name)]
    if folder and not names:
        yield folder, "d"
    for name in names:
        path = os.path.join(folder, name)
        mode = os.lstat(os.path.join(root, path)).st_mode
        if stat.S_ISDIR(mode):
            yield from entries(root, path)
        elif stat.S_ISLNK(mode):
            yield path, "l"
        elif stat.S_ISREG(mode):
            yield path, "f"
        else:
            raise SystemExit("neither file, link nor folder: " + escape(path))


def text(root):
    lines = ["repro context 1"]
    first = {}
    for path, kind in sorted(entries(root)):
        place = os.path.join(root, path)
        if kind == "d":
            lines.append("d " + escape(path))
        elif kind == "l":
            lines.append("l %s %s" % (hashlib.sha256(os.readlink(place)).hexdigest(), escape(path)))
        else:
            facts = os.lstat(place)
            known = first.setdefault((facts.st_dev, facts.st_ino), path)
            if known != path:
                lines.append("h %s %s" % (escape(known, b" "), escape(path)))
                continue
            with open(place, "rb") as file:
                content = file.read()
            mode = "0755" if facts.st_mode & 0o100 else "0644"
            lines.append("f %s %d %s %s" % (mode, len(content), hashlib.sha256(content).hexdigest(), escape(path)))
    return "".join(line + "\n" for line in lines).encode("utf-8")


if __name__ == "__main__":
    described = text(os.fsencode(sys.argv[-1]))
    if sys.argv[1] == "--text":
        sys.stdout.buffer.write(described)
    else:
        print("sha256:" + hashlib.sha256(described).hexdigest())
