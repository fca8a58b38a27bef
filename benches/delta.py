#!/usr/bin/env python3
"""Deltas beside `zstd --patch-from` and `xdelta3`, which lose the digest, and whole layers, as ddiff carries them.

    benches/delta.py target/release/repro [FILES [BYTES]]

Makes a layer of FILES files with BYTES bytes altogether (20000, 300000000; half of them text, half random), and pairs of it with
others; prints a table for docs/delta.md. Needs python3, and measures beside zstd and xdelta3 where they are.
"""

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

REPRO = os.path.abspath(sys.argv[1])
FILES = int(sys.argv[2]) if len(sys.argv) > 2 else 20_000
BYTES = int(sys.argv[3]) if len(sys.argv) > 3 else 300_000_000
WORDS = [bytes(random.Random(n).choices(b"abcdefghijklmnopqrstuvwxyz", k=3 + n % 9)) for n in range(4000)]


def content(seed, size):
    chance = random.Random(seed)
    if seed % 2:
        return chance.randbytes(size)
    text = b" ".join(chance.choices(WORDS, k=size // 6 + 1))
    return (text + bytes(size))[:size]


def tree():
    chance = random.Random(0)
    sizes = [chance.randrange(200, 2 * BYTES // FILES) for _ in range(FILES)]
    return [(f"usr/share/d{n // 100}/f{n}", n, size) for n, size in enumerate(sizes)]


def layer(path, files, mtime=1_700_000_000, changed=None):
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, seed, size in files:
            info = tarfile.TarInfo(name)
            data = changed[name] if changed and name in changed else content(seed, size)
            info.size, info.mtime = len(data), mtime
            tar.addfile(info, io.BytesIO(data))


def layout(directory, tar, compress):
    blobs = os.path.join(directory, "blobs", "sha256")
    os.makedirs(blobs)

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as out:
            out.write(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    with open(tar, "rb") as source:
        diff_id = hashlib.file_digest(source, "sha256").hexdigest()
    with open(tar, "rb") as source:
        packed = subprocess.run(compress, stdin=source, stdout=subprocess.PIPE, check=True).stdout
    kind = "zstd" if compress[0] == "zstd" else "gzip"
    layers = [{"mediaType": f"application/vnd.oci.image.layer.v1.tar+{kind}", **blob(packed)}]
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]}}
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", **blob(json.dumps(config).encode())},
        "layers": layers,
    }
    top = {"mediaType": manifest["mediaType"], **blob(json.dumps(manifest).encode())}
    with open(os.path.join(directory, "index.json"), "w") as out:
        json.dump({"schemaVersion": 2, "manifests": [top]}, out)
    with open(os.path.join(directory, "oci-layout"), "w") as out:
        out.write('{"imageLayoutVersion":"1.0.0"}')
    return len(packed)


def run(command, **options):
    start = time.time()
    peak = subprocess.run(
        [sys.executable, "-c", "import resource,subprocess,sys;r=subprocess.run(sys.argv[1:],stdout=2).returncode;"
         "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss);sys.exit(r)", *command],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)
    if peak.returncode:
        sys.exit(f"{command}: {peak.stderr.decode()}")
    return time.time() - start, int(peak.stdout.split()[-1]) / 1024


def peer(command, output):
    if not shutil.which(command[0]):
        return "–"
    run(command)
    return f"{os.path.getsize(output):,}"


def main():
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as here:
        os.chdir(here)
        files, gzip = tree(), [REPRO, "layer", "gzip"]
        layer("base.tar", files)
        layout("base", "base.tar", gzip)
        name, _, size = files[FILES // 2]
        moved = sorted(files, key=lambda file: file[0][::-1])
        pairs = [
            ("one file of 200 KB replaced by random bytes", dict(files=files, changed={name: content(1, 200_000)}), gzip),
            ("every time moved by a day", dict(files=files, mtime=1_700_086_400), gzip),
            ("files in another order", dict(files=moved), gzip),
            ("500 bytes in the middle of each tenth file", dict(files=files, changed={
                n: content(s, z)[:z // 2] + content(s + 1, min(500, z // 2)) + content(s, z)[z // 2 + min(500, z // 2):]
                for n, s, z in files[::10]}), gzip),
            ("the same content with GNU gzip's level 9", dict(files=files), ["gzip", "-9n"]),
        ]
        print("| pair | target layer | delta | `zstd --patch-from` | `xdelta3 -9` | create | apply | encoder alone |")
        print("|---|---|---|---|---|---|---|---|")
        for what, how, compress in pairs:
            layer("target.tar", **how)
            shutil.rmtree("target", ignore_errors=True)
            packed = layout("target", "target.tar", compress)
            made, memory = run([REPRO, "delta", "create", "--base", "base", "--target", "target", "-o", "d"])
            shutil.rmtree("given", ignore_errors=True)
            given, used = run([REPRO, "delta", "apply", "d", "--base", "base", "-o", "given/"])
            if open("given/index.json").read() != open("target/index.json").read():
                sys.exit(f"{what}: another image came out")
            with open("target.tar", "rb") as source:
                encoded, _ = run(gzip, stdin=source)
            zstd = peer(["zstd", "-q", "-f", "--long=30", "--patch-from=base.tar", "target.tar", "-o", "z"], "z")
            xdelta = peer(["xdelta3", "-f", "-9", "-B", "2147483648", "-e", "-s", "base.tar", "target.tar", "x"], "x")
            print(f"| {what} | {packed:,} | {os.path.getsize('d'):,} | {zstd} | {xdelta} | {made:.1f} s, {memory:.0f} MiB "
                  f"| {given:.1f} s, {used:.0f} MiB | {encoded:.1f} s |", flush=True)


if __name__ == "__main__":
    main()
