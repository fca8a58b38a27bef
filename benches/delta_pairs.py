#!/usr/bin/env python3
"""Deltas of real trees beside `zstd --patch-from` and `xdelta3`, which lose the digest, and whole layers, as ddiff carries them.

    benches/delta_pairs.py target/release/repro

Installs packages of PyPI and npm at two versions each in a temporary directory and makes layers of them, as several programs compress
them; prints a table for docs/delta.md. Needs python3 with venv, npm, GNU gzip; measures beside zstd and xdelta3 where they are.
"""

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

sys.argv[2:] = []
import delta  # noqa: E402 - reads the program's path from the command line

PIP = ["requests==2.32.3", "numpy==1.26.4", "pyyaml==6.0.1"]
NPM = ["lodash@4.17.21", "typescript@5.4.5", "webpack@5.91.0"]


def python(directory, django):
    target = os.path.join(directory, "usr/lib/python3/site-packages")
    os.makedirs(target)
    command = ["venv/bin/pip", "install", "-q", "--no-compile", "--target", target, f"django=={django}", *PIP]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def node(directory, express):
    target = os.path.join(directory, "app")
    os.makedirs(target)
    command = ["npm", "install", "--silent", "--no-audit", "--no-fund", f"express@{express}", *NPM]
    subprocess.run(command, check=True, cwd=target, stdout=subprocess.DEVNULL)


def layer(directory, path):
    """The tree as a build with a fixed epoch writes it."""
    def plain(info):
        info.uid = info.gid = 0
        info.uname = info.gname = ""
        info.mtime = 1_700_000_000
        return info

    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for top, names, files in os.walk(directory):
            names.sort()
            for name in sorted(files) + [name for name in names if os.path.islink(os.path.join(top, name))]:
                full = os.path.join(top, name)
                tar.add(full, os.path.relpath(full, directory), recursive=False, filter=plain)


def main():
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as here:
        os.chdir(here)
        subprocess.run([sys.executable, "-m", "venv", "venv"], check=True)
        form, zlib = [delta.REPRO, "layer", "gzip"], [
            "python3", "-c", "import gzip,shutil,sys\n"
            "with gzip.GzipFile(fileobj=sys.stdout.buffer,mode='wb',filename='layer.tar',mtime=0) as out:\n"
            "    shutil.copyfileobj(sys.stdin.buffer,out)"]
        print("| pair | compressed by | recipe | target layer, as ddiff carries it | delta | `zstd --patch-from` | `xdelta3 -9` |")
        print("|---|---|---|---|---|---|---|")
        for what, make, versions in [
            ("Python: Django 4.2.11 → 4.2.16 beside three others", python, ("4.2.11", "4.2.16")),
            ("Node: Express 4.18.2 → 4.19.2 beside three others", node, ("4.18.2", "4.19.2")),
        ]:
            for name, version in zip(("base", "target"), versions):
                shutil.rmtree("tree", ignore_errors=True)
                make(os.path.join(here, "tree"), version)
                layer("tree", f"{name}.tar")
            shutil.rmtree("base", ignore_errors=True)
            delta.layout("base", "base.tar", form)
            zstd = delta.peer(["zstd", "-q", "-f", "--long=30", "--patch-from=base.tar", "target.tar", "-o", "z"], "z")
            xdelta = delta.peer(["xdelta3", "-f", "-9", "-B", "2147483648", "-e", "-s", "base.tar", "target.tar", "x"], "x")
            for by, compress in [("image form 1", form), ("GNU gzip -9", ["gzip", "-9"]), ("Python's gzip", zlib),
                                 ("zstd", ["zstd", "-q", "-c"])]:
                shutil.rmtree("target", ignore_errors=True)
                packed = delta.layout("target", "target.tar", compress)
                shown = subprocess.run([delta.REPRO, "delta", "create", "--base", "base", "--target", "target", "-o", "d"],
                                       check=True, stdout=subprocess.PIPE, text=True).stdout
                recipe = next((line.split("recipe ")[1].split(":")[0] for line in shown.splitlines() if "recipe " in line), "")
                recipe = recipe if not recipe.startswith("gives") else "whole"
                shutil.rmtree("given", ignore_errors=True)
                subprocess.run([delta.REPRO, "delta", "apply", "d", "--base", "base", "-o", "given/"], check=True,
                               stdout=subprocess.DEVNULL)
                with open("given/index.json") as given, open("target/index.json") as wanted:
                    if given.read() != wanted.read():
                        sys.exit(f"{what}, {by}: another image came out")
                print(f"| {what} | {by} | {recipe} | {packed:,} | {os.path.getsize('d'):,} | {zstd} | {xdelta} |", flush=True)


main()
