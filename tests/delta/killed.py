#!/usr/bin/env python3
"""Kills `repro delta` at random instants, and lets the disk run full: killed.py PROGRAM [ROUNDS].

After each of ROUNDS (50) kills there is no delta and no image, or the whole one, and the next run sweeps away what the killed one left.
Then `apply` writes into a file system of 512 KiB (as root) or below a limit on the size of files, and must leave nothing.
"""

import hashlib
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tarfile
import tempfile
import io
import time

REPRO = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 50


def layout(directory, changed):
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for number in range(120):
            data = random.Random(number + (1000 if number == changed else 0)).randbytes(8_000)
            info = tarfile.TarInfo(f"f{number}")
            info.size, info.mtime = len(data), 1_700_000_000
            tar.addfile(info, io.BytesIO(data))
    blobs = os.path.join(directory, "blobs", "sha256")
    os.makedirs(blobs)

    def blob(data):
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(blobs, digest), "wb") as out:
            out.write(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    packed = subprocess.run([REPRO, "layer", "gzip"], input=layer.getvalue(), stdout=subprocess.PIPE, check=True).stdout
    kind = "application/vnd.oci.image."
    diff_id = "sha256:" + hashlib.sha256(layer.getvalue()).hexdigest()
    config = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": [diff_id]}}
    manifest = {
        "schemaVersion": 2,
        "config": {"mediaType": kind + "config.v1+json", **blob(json.dumps(config).encode())},
        "layers": [{"mediaType": kind + "layer.v1.tar+gzip", **blob(packed)}],
    }
    top = {"mediaType": kind + "manifest.v1+json", **blob(json.dumps(manifest).encode())}
    for name, value in (("index.json", {"schemaVersion": 2, "manifests": [top]}), ("oci-layout", {"imageLayoutVersion": "1.0.0"})):
        with open(os.path.join(directory, name), "w") as out:
            json.dump(value, out)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def left(directory):
    return [name for name in os.listdir(directory) if name.startswith(".repro-")]


def killed(command, output, wanted):
    start = time.time()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    whole = time.time() - start
    assert digest(output) == wanted
    luck, there = random.Random(1), 0
    for _ in range(ROUNDS):
        os.remove(output)
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(luck.uniform(0, whole * 1.05))
        child.send_signal(signal.SIGKILL)
        child.wait()
        if os.path.exists(output):
            there += 1
            assert digest(output) == wanted, "a part of a file has its name"
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        assert not left("."), "what a killed run left is still there"
        assert digest(output) == wanted
    print(f"{command[2]}: {ROUNDS} times killed within {whole:.1f} s, {there} of them when all was done")


def full(command):
    def small():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 19, 1 << 19))

    os.mkdir("small")
    mounted = os.geteuid() == 0 and not subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "none", "small"], stderr=subprocess.DEVNULL).returncode
    try:
        done = subprocess.run(command + ["-o", "small/x.tar"], preexec_fn=None if mounted else small,
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert done.returncode == 2, done
        assert not os.listdir("small"), os.listdir("small")
        print("apply with a full disk:", done.stderr.decode().splitlines()[0])
    finally:
        if mounted:
            subprocess.run(["umount", "small"], check=True)


with tempfile.TemporaryDirectory() as here:
    os.chdir(here)
    layout("one", -1)
    layout("two", 60)
    create = [REPRO, "delta", "create", "--base", "one", "--target", "two", "-o", "d"]
    apply = [REPRO, "delta", "apply", "d", "--base", "one"]
    subprocess.run(create, check=True, stdout=subprocess.DEVNULL)
    killed(create, "d", digest("d"))
    subprocess.run(apply + ["-o", "x.tar"], check=True, stdout=subprocess.DEVNULL)
    killed(apply + ["-o", "x.tar"], "x.tar", digest("x.tar"))
    full(apply)
