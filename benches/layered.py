#!/usr/bin/env python3
"""`repro stream` beside nixpkgs' script and Go: layered.py PROGRAM SCRIPT [ROUNDS].

SCRIPT is `stream_layered_image.py` of nixpkgs. All three write the same image of 2 GiB of store paths in 40 layers to /dev/null, in turn; the first
two are compared byte for byte before. The Go program (layered.go) hashes and writes each layer as the script does, with archive/tar and crypto/sha256. Medians,
the share of the others' throughput, and the largest peak of memory are printed.
"""
import hashlib
import io
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time

LAYERS = 40
BYTES = 2 << 30


def make(work):
    """The store: of each layer a half in two large files, the rest in files of some KiB."""
    luck = random.Random(1)
    block = luck.randbytes(1 << 20)
    store = os.path.join(work, "store")
    layers = []
    for number in range(LAYERS):
        path = os.path.join(store, f"{number:032}-package")
        os.makedirs(path + "/lib")
        rest = BYTES // LAYERS
        for large in range(2):
            with open(f"{path}/lib/large{large}", "wb") as file:
                for piece in range(BYTES // LAYERS // 4 >> 20):
                    file.write(bytes([number, piece % 256]) + block[2:])
                rest -= file.tell()
        small = 0
        while rest > 0:
            size = min(rest, luck.choice((700, 4000, 20_000, 200_000)))
            start = luck.randrange(len(block) - size)
            directory = f"{path}/share/{small // 100}"
            os.makedirs(directory, exist_ok=True)
            with open(f"{directory}/{small}", "wb") as file:
                file.write(block[start:start + size])
            rest, small = rest - size, small + 1
        layers.append([path])
    custom = os.path.join(store, "custom")
    os.mkdir(custom)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as file:
        file.addfile(tarfile.TarInfo("etc"))
    with open(custom + "/layer.tar", "wb") as file:
        file.write(tar.getvalue())
    with open(custom + "/checksum", "w") as file:
        file.write(hashlib.sha256(tar.getvalue()).hexdigest())
    conf = {
        "architecture": "amd64", "config": {}, "created": "1970-01-01T00:00:01+00:00", "mtime": "1970-01-01T00:00:01+00:00", "uid": 0, "gid": 0,
        "uname": "root", "gname": "root", "store_dir": store, "from_image": None, "repo_tag": "bench:1", "store_layers": layers,
        "customisation_layer": custom,
    }
    with open(work + "/conf.json", "w") as file:
        json.dump(conf, file)
    return work + "/conf.json"


def run(words, out=subprocess.DEVNULL):
    """Seconds and peak KiB."""
    start = time.monotonic()
    process = subprocess.Popen(words, stdout=out, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{words}: {said.decode()}")
    return time.monotonic() - start, usage.ru_maxrss


def digest(words):
    sum = hashlib.sha256()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    while data := process.stdout.read(1 << 20):
        sum.update(data)
    return sum.hexdigest()


def main():
    program, script = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    work = tempfile.mkdtemp(prefix="repro-layered-")
    try:
        conf = make(work)
        here = os.path.dirname(os.path.abspath(__file__))
        subprocess.run(["go", "build", "-o", work + "/go", here + "/layered.go"], check=True, cwd=work, env={**os.environ, "GO111MODULE": "off"})
        ways = {"repro": [program, "stream", conf], "script": [sys.executable, script, conf], "go": [work + "/go", conf]}
        if digest(ways["repro"]) != digest(ways["script"]):
            sys.exit("the archives differ")
        found = {name: [] for name in ways}
        for _ in range(rounds):
            for name, words in ways.items():
                found[name].append(run(words))
        ours = statistics.median(seconds for seconds, _ in found["repro"])
        for name, runs in found.items():
            seconds = statistics.median(seconds for seconds, _ in runs)
            print(f"{name:8} {seconds:7.2f} s {BYTES / seconds / (1 << 20):7.0f} MiB/s {seconds / ours:6.2f} x, peak {max(peak for _, peak in runs) >> 10} MiB")
        print(f"{rounds} rounds, {os.cpu_count()} processors, Python {sys.version.split()[0]}, {subprocess.check_output(['go', 'version'], text=True).strip()}")
    finally:
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
