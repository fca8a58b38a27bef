#!/usr/bin/env python3
"""Measures `repro diff` beside `repro inspect`, diffoci and diffoscope, side by side in one run.

    cargo build --release
    git clone https://github.com/reproducible-containers/diffoci && git -C diffoci checkout 3c9673164836
    (cd diffoci && go build -o /tmp/peers/diffoci ./cmd/diffoci)
    python3 -m venv /tmp/peers/venv && /tmp/peers/venv/bin/pip install diffoscope==332
    benches/diff.py target/release/repro --diffoci /tmp/peers/diffoci --diffoscope /tmp/peers/venv/bin/diffoscope

Two images of 1 GiB are made, of 20,000 files in four layers, 50 of which differ; and a third that shares all but one
small layer with the first. Each command is run once that does not count and then ROUNDS times, in turns (A B A B …);
seconds are medians, `peak` the largest resident set in MiB. diffoci has no archives: the images are served by a registry
on loopback, which a thread of this program is, and pulled before it is measured; a diffoci that takes registries by
https only fails there, and is said to. diffoscope knows no images: it compares the archives. A peer that does not end within
LIMIT seconds, or says nothing of what differs, is not measured. Needs Python 3.9.
"""
import argparse
import gzip
import hashlib
import http.server
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
import threading
import time

FILES, LAYERS, DIFFERING = 20_000, 4, 50
EPOCH = 1_700_000_000
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repro", help="the program, of a release build")
    parser.add_argument("--diffoci", help="diffoci's program")
    parser.add_argument("--diffoscope", help="diffoscope's program")
    parser.add_argument("--size", type=int, default=1024, help="MiB of contents of an image (1024)")
    parser.add_argument("--rounds", type=int, default=3, help="counted rounds (3)")
    parser.add_argument("--limit", type=int, default=900, help="seconds that a peer may take (900)")
    arguments = parser.parse_args()
    repro = os.path.abspath(arguments.repro)
    with tempfile.TemporaryDirectory(prefix="repro-diff-") as folder:
        images = Images(folder, arguments.size << 20)
        first, second, third = (images.write(name) for name in ("first", "second", "third"))
        print(f"{os.path.getsize(first) >> 20} MiB an archive", flush=True)
        own = {
            "repro diff": [repro, "diff", first, second],
            "repro inspect, both": [[repro, "inspect", first], [repro, "inspect", second]],
            "repro diff, all but one layer shared": [repro, "diff", first, third],
            "repro diff, of itself": [repro, "diff", first, first],
        }
        peers = {}
        server = Registry(images)
        if arguments.diffoci:
            names = [f"127.0.0.1:{server.port}/{name}:1" for name in ("first", "second")]
            peers["diffoci"] = [arguments.diffoci, "diff", "--backend=local", "--semantic", *names]
        if arguments.diffoscope:
            peers["diffoscope"] = [arguments.diffoscope, first, second]
        environment = {**os.environ, "XDG_CACHE_HOME": os.path.join(folder, "cache"), "NO_COLOR": "1"}
        table, troubles = {name: [] for name in [*own, *peers]}, {}
        for turn in range(arguments.rounds + 1):
            for name, command in {**own, **peers}.items():
                if table[name] is None or (name in peers and turn > 1):
                    continue
                limit = arguments.limit if name in peers else None
                taken = run(command, environment, limit, is_peer=name in peers)
                if isinstance(taken, str):
                    table[name], troubles[name] = None, taken
                elif turn > 0:
                    table[name].append(taken)
        base = None
        for name, runs in table.items():
            if not runs:
                print(f"{name:38} not measured: {troubles.get(name, 'no round')}")
                continue
            seconds = statistics.median(taken[0] for taken in runs)
            base = base or seconds
            peak = max(taken[1] for taken in runs)
            status = runs[-1][2]
            print(f"{name:38} {seconds:8.2f} s  {seconds / base:7.2f} x  peak {peak:6.0f} MiB  ends with {status}", flush=True)


def run(commands, environment, limit, is_peer):
    """Seconds, the peak in MiB and the last status; a text where a peer could not be measured."""
    commands = commands if isinstance(commands[0], list) else [commands]
    start, peak, status = time.perf_counter(), 0, 0
    for command in commands:
        with tempfile.TemporaryFile() as said, tempfile.TemporaryFile() as errors:
            process = subprocess.Popen(command, env=environment, stdout=said, stderr=errors)
            timer = threading.Timer(limit, process.kill) if limit else None
            if timer:
                timer.start()
            _, code, usage = os.wait4(process.pid, 0)
            process.returncode = code
            if timer:
                timer.cancel()
            if os.WIFSIGNALED(code):
                return f"not within {limit} s"
            status = os.waitstatus_to_exitcode(code)
            peak = max(peak, usage.ru_maxrss / 1024)
            errors.seek(0)
            last = (errors.read().decode(errors="replace").strip().splitlines() or ["nothing"])[-1][:200]
            if not is_peer and status not in (0, 1):
                raise SystemExit(f"{command}: ends with {status}: {last}")
            # Both peers end with 1 where they fail, too.
            if is_peer and os.fstat(said.fileno()).st_size < 100:
                return f"it ends with {status} and tells no difference: {last}"
    return time.perf_counter() - start, peak, status


class Images:
    """Images whose layers are made once and kept by their digests."""

    def __init__(self, folder, size):
        self.folder, self.blobs, self.manifests = folder, os.path.join(folder, "blobs"), {}
        os.mkdir(self.blobs)
        luck = random.Random(7)
        words = ["".join(luck.choices("abcdefghijklmnopqrstuvwxyz", k=luck.randint(3, 9))) for _ in range(4000)]
        # Text that packs to about a third, as programs and documents do.
        self.pool = " ".join(luck.choices(words, k=400_000)).encode()
        self.each = size // FILES
        differing = set(luck.sample(range(FILES), DIFFERING))
        self.layers = {"first": [], "second": [], "third": []}
        for layer in range(LAYERS):
            one = self.layer(layer, set())
            self.layers["first"].append(one)
            self.layers["second"].append(self.layer(layer, differing))
            self.layers["third"].append(one)
        for number, name in enumerate(("first", "second", "third")):
            self.layers[name].append(self.small(number == 2))

    def content(self, number):
        start = number * 7919 % (len(self.pool) - self.each)
        return self.pool[start:start + self.each]

    def layer(self, layer, differing):
        def entries():
            for number in range(layer * FILES // LAYERS, (layer + 1) * FILES // LAYERS):
                content = self.content(number)
                if number in differing:
                    content = content[:100] + b"BUILT AT %d\n" % number + content[112:]
                yield f"usr/share/d{number // 100}/f{number}", content
        return self.pack(entries())

    def small(self, is_other):
        return self.pack(iter([("etc/stamp", b"other\n" if is_other else b"stamp\n")]))

    def pack(self, entries):
        """A layer's descriptor and diff ID."""
        path = os.path.join(self.folder, "layer")
        content = hashlib.sha256()
        with open(path, "wb") as file, gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            class Both(io.RawIOBase):
                def write(self, data):
                    content.update(data)
                    return packed.write(data)
            with tarfile.open(fileobj=Both(), mode="w|", format=tarfile.PAX_FORMAT) as archive:
                for name, data in entries:
                    entry = tarfile.TarInfo(name)
                    entry.size, entry.mtime, entry.mode = len(data), EPOCH, 0o644
                    archive.addfile(entry, io.BytesIO(data))
        digest = hashlib.sha256()
        with open(path, "rb") as file:
            for piece in iter(lambda: file.read(1 << 20), b""):
                digest.update(piece)
        size = os.path.getsize(path)
        os.rename(path, os.path.join(self.blobs, digest.hexdigest()))
        media_type = "application/vnd.oci.image.layer.v1.tar+gzip"
        return {"mediaType": media_type, "digest": f"sha256:{digest.hexdigest()}", "size": size}, f"sha256:{content.hexdigest()}"

    def keep(self, document, media_type):
        data = json.dumps(document, separators=(",", ":")).encode()
        digest = hashlib.sha256(data).hexdigest()
        with open(os.path.join(self.blobs, digest), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    def write(self, name):
        """The image as an archive."""
        layers = self.layers[name]
        history = [{"created": "2023-11-14T22:13:20Z", "created_by": f"COPY d{number} / # buildkit"} for number in range(len(layers))]
        config = {"architecture": "amd64", "os": "linux", "created": "2023-11-14T22:13:20Z", "config": {}, "history": history,
                  "rootfs": {"type": "layers", "diff_ids": [diff_id for _, diff_id in layers]}}
        config = self.keep(config, "application/vnd.oci.image.config.v1+json")
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer for layer, _ in layers]}
        top = self.keep(manifest, MANIFEST)
        self.manifests[name] = top["digest"]
        index = {"schemaVersion": 2, "manifests": [{**top, "platform": {"os": "linux", "architecture": "amd64"}}]}
        path = os.path.join(self.folder, name + ".tar")
        with tarfile.open(path, "w") as archive:
            for member, data in (("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), ("index.json", json.dumps(index).encode())):
                entry = tarfile.TarInfo(member)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
            for digest in sorted({top["digest"], config["digest"], *(layer["digest"] for layer, _ in layers)}):
                archive.add(os.path.join(self.blobs, digest[7:]), f"blobs/sha256/{digest[7:]}")
        return path


class Registry:
    """Serves the images on loopback."""

    def __init__(self, images):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                parts = self.path.split("/")
                wanted = parts[-1] if len(parts) > 3 else ""
                wanted = images.manifests.get(parts[2], "") if wanted == "1" else wanted
                path = os.path.join(images.blobs, wanted[7:])
                if self.path.rstrip("/") == "/v2":
                    return self.answer(b"{}", "application/json", None)
                if not wanted.startswith("sha256:") or not os.path.exists(path):
                    self.send_response(404)
                    self.send_header("Content-Length", "0")
                    return self.end_headers()
                with open(path, "rb") as file:
                    return self.answer(file, MANIFEST if "manifests" in parts else "application/octet-stream", wanted)

            do_HEAD = do_GET

            def answer(self, body, media_type, digest):
                size = len(body) if isinstance(body, bytes) else os.fstat(body.fileno()).st_size
                self.send_response(200)
                self.send_header("Content-Type", media_type)
                self.send_header("Content-Length", str(size))
                if digest:
                    self.send_header("Docker-Content-Digest", digest)
                self.end_headers()
                if self.command == "GET":
                    shutil.copyfileobj(io.BytesIO(body) if isinstance(body, bytes) else body, self.wfile)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, daemon=True).start()


if __name__ == "__main__":
    sys.exit(main())
