#!/usr/bin/env python3
"""Push, pull and copy beside crane and skopeo: ship.py PROGRAM [ROUNDS] [MIB].

An image of 1 GiB in eight gzip layers goes from a layout to a registry, from there to a layout, and from registry to registry: Debian's
docker-registry on loopback, a new one for each run, no cache of `repro` before. Then all but one layer are in the cache, and the image is pulled
once more. Medians of wall and processor time, the largest peak of memory, and how `repro` stands to the faster of the two are printed.
"""
import hashlib
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import zlib

LAYERS = 8
EPOCH = "2023-11-14T22:13:20Z"


def blob(layout, data, media_type):
    digest = hashlib.sha256(data).hexdigest()
    with open(f"{layout}/blobs/sha256/{digest}", "wb") as file:
        file.write(data)
    return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data)}


def layer(layout, seed, size):
    """One file of random bytes as a gzip layer."""
    header = bytearray(512)
    header[0:4] = b"f%03d" % seed
    header[100:108], header[108:116], header[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    header[124:136], header[136:148] = b"%011o\0" % size, b"%011o\0" % 1_700_000_000
    header[148:156], header[156:157], header[257:265] = b" " * 8, b"0", b"ustar\x0000"
    header[148:156] = b"%06o\0 " % sum(header)
    content = bytes(header) + random.Random(seed).randbytes(size) + bytes(1024 + -size % 512)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    diff = "sha256:" + hashlib.sha256(content).hexdigest()
    return diff, blob(layout, packer.compress(content) + packer.flush(), "application/vnd.oci.image.layer.v1.tar+gzip")


def image(layout, mebibytes):
    os.makedirs(layout + "/blobs/sha256")
    layers = [layer(layout, seed, (mebibytes << 20) // LAYERS) for seed in range(LAYERS)]
    config = {
        "created": EPOCH, "architecture": "amd64", "os": "linux", "config": {},
        "rootfs": {"type": "layers", "diff_ids": [diff for diff, _ in layers]},
        "history": [{"created": EPOCH, "created_by": "bench"} for _ in layers],
    }
    config = blob(layout, json.dumps(config).encode(), "application/vnd.oci.image.config.v1+json")
    kind = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [described for _, described in layers]}
    manifest = blob(layout, json.dumps(manifest).encode(), kind)
    manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
    with open(layout + "/index.json", "w") as file:
        json.dump({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [manifest]}, file)
    with open(layout + "/oci-layout", "w") as file:
        file.write('{"imageLayoutVersion":"1.0.0"}')
    return layers[-1][1]["digest"]


class Registry:
    """A docker-registry of its own, on a free port of loopback."""

    def __init__(self, work):
        self.directory = tempfile.mkdtemp(dir=work)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.host = "127.0.0.1:%d" % free.getsockname()[1]
        config = self.directory + "/config.yml"
        with open(config, "w") as file:
            json.dump({"version": 0.1, "log": {"level": "error"}, "http": {"addr": self.host}, "storage": {"filesystem": {"rootdirectory": self.directory}}}, file)
        self.process = subprocess.Popen(["docker-registry", "serve", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://{self.host}/v2/").close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("the registry does not answer")

    def end(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        shutil.rmtree(self.directory)


def run(words, environment):
    """Wall seconds, processor seconds, peak KiB."""
    start = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        sys.exit(f"{words}: {said.decode()}")
    return time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def main():
    program = os.path.abspath(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    mebibytes = int(sys.argv[3]) if len(sys.argv) > 3 else 1024
    work = tempfile.mkdtemp(prefix="repro-ship-")
    found, running = {}, []
    try:
        layout = work + "/layout"
        # In a process of its own: what a child's peak counts begins with its parent's size.
        made = subprocess.run([sys.executable, "-c", "import sys; sys.path.insert(0, sys.argv[1]); import ship; print(ship.image(sys.argv[2], int(sys.argv[3])))", os.path.dirname(os.path.abspath(__file__)), layout, str(mebibytes)], check=True, capture_output=True, text=True)
        last = made.stdout.strip()
        for _ in range(rounds):
            for name in ("repro", "crane", "skopeo"):
                one, other = running[:] = Registry(work), Registry(work)
                home, out = work + "/home", work + "/out"
                os.mkdir(home)
                environment = {**os.environ, "HOME": home, "XDG_CACHE_HOME": home + "/cache", "XDG_CONFIG_HOME": home}
                from_, to = f"{one.host}/app:1", f"{other.host}/app:1"
                ways = {
                    "repro": [["push", layout, from_], ["pull", from_, "-o", out + "/"], ["copy", "docker://" + from_, "docker://" + to]],
                    "crane": [["push", layout, from_], ["pull", "--format", "oci", from_, out], ["copy", from_, to]],
                    "skopeo": [["copy", "--dest-tls-verify=false", f"oci:{layout}:latest", "docker://" + from_],
                               ["copy", "--src-tls-verify=false", "docker://" + from_, f"oci:{out}:latest"],
                               ["copy", "--src-tls-verify=false", "--dest-tls-verify=false", "docker://" + from_, "docker://" + to]],
                }[name]
                for what, words in zip(("push", "pull", "copy"), ways):
                    if what == "copy" and name == "repro":
                        shutil.rmtree(home + "/cache", ignore_errors=True)
                    found.setdefault((what, name), []).append(run([program if name == "repro" else name, *words], environment))
                if name == "repro":
                    shutil.rmtree(out)
                    run([program, "pull", from_, "-o", out + "/"], environment)
                    shutil.rmtree(out)
                    kept = subprocess.run(["find", home + "/cache", "-name", last.removeprefix("sha256:")], capture_output=True, text=True).stdout.split()
                    for path in kept:
                        os.unlink(path)
                    found.setdefault(("pull of one layer", name), []).append(run([program, "pull", from_, "-o", out + "/"], environment))
                shutil.rmtree(out)
                shutil.rmtree(home)
                while running:
                    running.pop().end()
        for (what, name), runs in sorted(found.items()):
            wall, cpu = (statistics.median(run[at] for run in runs) for at in (0, 1))
            print(f"{what:18} {name:7} {wall:6.2f} s wall, {cpu:6.2f} s processor, peak {max(run[2] for run in runs) >> 10} MiB")
        for what in ("push", "pull", "copy"):
            median = {name: statistics.median(run[0] for run in found[what, name]) for name in ("repro", "crane", "skopeo")}
            print(f"{what}: {min(median['crane'], median['skopeo']) / median['repro']:.2f} x as fast as the faster of both")
        for words in (["crane", "version"], ["skopeo", "--version"], ["docker-registry", "--version"]):
            print(subprocess.run(words, capture_output=True, text=True).stdout.strip())
        print(f"{rounds} rounds, {mebibytes} MiB, {os.cpu_count()} processors")
    finally:
        for registry in running:
            registry.end()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
