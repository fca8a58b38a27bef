#!/usr/bin/env python3
"""Measures `repro` as whole processes, in pairs: its way and the other way, A B A B ...

    cargo rustc --profile dist --bin repro -- -C target-feature=+crt-static
    eval "$(RIG_PARTS="registry buildkit" tests/rig/up)"
    benches/whole.py target/dist/repro [overhead] [check] [memory] [native] [inspect] [tape]

Everything is made in a folder that is removed at the end. Wall seconds are medians after one round that does not
count; `ratio` is the median of the ratios pair by pair; `peak` is the largest resident set of one process, in MiB.
The program is the one that is handed to others (README, "Install"); for small builds that of `cargo build --release`
takes up to a half longer, most of it to start. Needs Python 3.9, git and, but for `check` and `inspect`, the rig's
variables; `inspect` takes `openssl` and what is there of crane and skopeo. `tape` needs the rig's Debian base
(`tests/rig/base debian`) and a mirror to install from.
"""
import argparse
import hashlib
import http.server
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

EPOCH = 1_700_000_000


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("repro", help="the program, of a release build")
    parser.add_argument("what", nargs="*", metavar="BENCH", help=f"of {', '.join(BENCHES)}; all unless named")
    parser.add_argument("--rounds", type=int, default=7, help="counted pairs (7)")
    parser.add_argument("--only", default="", help="cases whose name has this in it")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="repro-bench-") as folder:
        bench = Bench(os.path.abspath(arguments.repro), folder, arguments.rounds, arguments.only)
        for name in arguments.what or BENCHES:
            print(f"{name}:", flush=True)
            BENCHES[name](bench)


class Bench:
    """The program, where inputs are made, and how often all is run."""

    def __init__(self, repro, folder, rounds, only):
        self.repro, self.folder, self.rounds, self.only = repro, folder, rounds, only
        self.environment = {**os.environ, "XDG_CACHE_HOME": self.path("cache"), "NO_COLOR": "1"}

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def wanted(self, name):
        return self.only in name

    def run(self, command, cwd=None):
        """Runs a command and gives its wall seconds and its peak of memory in MiB."""
        with tempfile.TemporaryFile() as out:
            started = time.perf_counter()
            child = subprocess.Popen(command, cwd=cwd, env=self.environment, stdout=out, stderr=out)
            _, status, usage = os.wait4(child.pid, 0)
            seconds = time.perf_counter() - started
            if status:
                out.seek(0)
                sys.exit(f"{command} ended with {status}:\n{out.read().decode(errors='replace')}")
        return seconds, usage.ru_maxrss / 1024

    def peak_of_own(self, command, cwd):
        """Runs a command and gives its wall seconds and the peak of its own memory in MiB, without its children's."""
        with tempfile.TemporaryFile() as out:
            started, peak = time.perf_counter(), 0
            child = subprocess.Popen(command, cwd=cwd, env=self.environment, stdout=out, stderr=out)
            while child.poll() is None:
                try:
                    with open(f"/proc/{child.pid}/status", encoding="utf-8") as status:
                        found = [line.split()[1] for line in status if line.startswith("VmHWM")]
                    peak = max([peak, *map(int, found)])
                except OSError:
                    pass
                time.sleep(0.02)
            seconds = time.perf_counter() - started
            if child.returncode:
                out.seek(0)
                sys.exit(f"{command} ended with {child.returncode}:\n{out.read().decode(errors='replace')}")
        return seconds, peak / 1024

    def pair(self, name, ours, others, bound):
        """Runs two ways in turn and prints a line; `bound` says whether the medians and their ratio will do."""
        rounds = [(ours(), others()) for _ in range(self.rounds + 1)][1:]
        mine = statistics.median(a[0] for a, _ in rounds)
        other = statistics.median(b[0] for _, b in rounds)
        ratio = statistics.median(a[0] / b[0] for a, b in rounds)
        more = statistics.median(a[0] - b[0] for a, b in rounds)
        peak = max(a[1] for a, _ in rounds)
        verdict = "ok" if bound(other, ratio, more) else "MISSED"
        spread = f"{min(a[0] for a, _ in rounds):.3f}-{max(a[0] for a, _ in rounds):.3f}"
        print(f"  {name:42} {mine:7.3f} s ({spread})  other {other:7.3f} s  more {1000 * more:+6.0f} ms"
              f"  ratio {ratio:6.3f}  peak {peak:4.0f} MiB  {verdict}", flush=True)

    def alone(self, name, command, cwd, limit):
        rounds = [self.run(command, cwd) for _ in range(max(1, self.rounds // 3))]
        peak = max(peak for _, peak in rounds)
        seconds = statistics.median(seconds for seconds, _ in rounds)
        print(f"  {name:42} {seconds:7.3f} s  peak {peak:4.0f} MiB  {'ok' if peak < limit else 'MISSED'}", flush=True)

    def repository(self, name, dockerfile, files, size, compression="gzip"):
        """A repository with a manifest, a Dockerfile and `files` files of `size` bytes together, a hundred in a folder;
        locked."""
        root = self.path(name)
        if os.path.exists(root):
            return root
        os.makedirs(root)
        draw = random.Random(name.split("-")[0])
        words = [draw.randbytes(draw.randint(2, 12)) for _ in range(4096)]
        texts = [b"".join(draw.choices(words, k=20_000)) for _ in range(64)]
        for number in range(files):
            path = os.path.join(root, "files", f"{number // 100:02}", f"{number:05}.bin")
            os.makedirs(os.path.dirname(path), exist_ok=True)
            left = size // files
            with open(path, "wb") as file:
                while left:
                    text = draw.choice(texts)[:left]
                    file.write(text)
                    left -= len(text)
        manifest = f'version = 1\n\n[image.app]\nsource-date-epoch = {EPOCH}\n\n'
        manifest += f'[image.app.output]\ncompression = "{compression}"\n'
        for file, text in [("Dockerfile", dockerfile), ("repro.toml", manifest), (".dockerignore", "repro.*\n")]:
            with open(os.path.join(root, file), "w", encoding="utf-8") as out:
                out.write(text)
        commit = ["-c", "user.name=bench", "-c", "user.email=bench@bench.example", "commit", "-qm", "inputs"]
        for step in (["init", "-q"], ["-c", "core.compression=0", "add", "."], commit):
            self.run(["git", *step], root)
        self.run([self.repro, "lock"], root)
        return root

    def plain(self, root, no_cache):
        """The client's command for the same staged context, from a dry run: a function of the output's options."""
        command = [self.repro, "build", "--engine", "buildctl", "--dry-run"] + ["--no-cache"] * no_cache
        done = subprocess.run(command, cwd=root, env=self.environment, check=True, capture_output=True, text=True)
        folder, *_, build = [line for line in done.stdout.splitlines() if not line.startswith("#")]
        words = build.split(" --output ")
        rest = words[1].split(" ", 1)[1]
        target = self.path("plain.tar")
        return lambda options: ["sh", "-c", f"{folder}; exec {words[0]} --output type=oci,dest={target},{options} {rest}"]


RUN = "FROM registry.example/busybox:1\nCOPY files /app\nRUN find /app -type f -exec cat {} + > /all\n"
COPY = "FROM scratch\nCOPY files /app\n"


def small(other, _ratio, more):
    return more <= max(0.150, 0.05 * other)


def overhead(bench):
    """The engine `buildctl` against the client itself: the same staged context, the same form of output."""
    for name, dockerfile, files, size in [
        ("ten files", COPY, 10, 40_000),
        ("1,000 files of 50 MB", COPY, 1000, 50_000_000),
        ("RUN on a base image", RUN, 20, 200_000),
    ]:
        for compression in ("uncompressed", "gzip"):
            for no_cache in (True, False):
                title = f"{name}, {compression}, {'no cache' if no_cache else 'cached'}"
                if not bench.wanted(title):
                    continue
                root = bench.repository(f"{name.replace(' ', '_')}-{compression}", dockerfile, files, size, compression)
                plain = bench.plain(root, no_cache)(f"rewrite-timestamp=true,compression={compression}")
                flags = ["--no-cache"] * no_cache + ["-o", bench.path("ours.tar")]
                ours = [bench.repro, "build", "--engine", "buildctl", *flags]
                bench.pair(title, lambda: fresh(bench, ours, root), lambda: bench.run(plain), small)


def fresh(bench, command, root):
    """Runs a build that writes `ours.tar` anew."""
    target = bench.path("ours.tar")
    if os.path.isdir(target):
        shutil.rmtree(target)
    elif os.path.exists(target):
        os.unlink(target)
    return bench.run(command, root)


def check(bench):
    """`lock --check`, and reading the context with and without what was learnt before, against `git status`."""
    root = bench.repository("status", COPY, 2000, 20_000_000)
    cache = bench.path("cache", "repro")

    def cold(command):
        shutil.rmtree(cache, ignore_errors=True)
        return bench.run(command, root)

    status = ["git", "status", "--porcelain"]
    for title, command in [
        ("lock --check", ["lock", "--check"]),
        ("build --dry-run: reads, does not pack", ["build", "--engine", "native", "--dry-run"]),
    ]:
        ours = [bench.repro, *command]
        bench.pair(f"{title}, cold", lambda: cold(ours), lambda: bench.run(status, root), lambda _o, r, _m: r <= 10)
        bench.pair(f"{title}, warm", lambda: bench.run(ours, root), lambda: bench.run(status, root),
                   lambda _o, r, _m: r <= 2)


def memory(bench):
    """The peak of memory with a layer of 1 GiB."""
    root = bench.repository("gibibyte", COPY, 1, 1 << 30)
    for title, flags in [
        ("native, digests only", ["--engine", "native"]),
        ("native, archive", ["--engine", "native", "-o", bench.path("ours.tar")]),
        ("buildctl, archive", ["--engine", "buildctl", "-o", bench.path("ours.tar")]),
    ]:
        if bench.wanted(title):
            bench.alone(title, [bench.repro, "build", *flags], root, 100)
            shutil.rmtree(bench.path("ours.tar"), ignore_errors=True)


def native(bench):
    """The engine in the process against a warm daemon through `buildctl`, the archive in the default form."""
    for name, files, size, bounds in [
        ("ten files", 10, 40_000, {True: 20, False: 20}),
        ("5,000 files of 500 MB", 5000, 500_000_000, {True: 3, False: 2}),
    ]:
        for no_cache, times in bounds.items():
            title = f"{name}, the daemon {'without cache' if no_cache else 'with cache'}"
            if not bench.wanted(title):
                continue
            root = bench.repository(f"{name.replace(' ', '_')}-gzip", COPY, files, size)
            plain = bench.plain(root, no_cache)("rewrite-timestamp=true,compression=gzip")
            # Without cache on both sides: packed layers are not remembered either.
            flags = ["--no-cache"] * no_cache + ["-o", bench.path("ours.tar")]
            ours = [bench.repro, "build", "--engine", "native", *flags]
            bench.pair(title, lambda: fresh(bench, ours, root), lambda: bench.run(plain),
                       lambda _o, r, _m, times=times: r * times <= 1)


def inspect(bench):
    """Checking a whole archive of 2 GiB in eight plain layers, against hashing the file and against other checks."""
    archive = bench.path("image.tar")
    write_image(archive, layers=8, size=(2 << 30) // 8)
    ours = [bench.repro, "inspect", archive]
    copy = bench.path("copy")
    others = [
        ("openssl dgst -sha256", ["openssl", "dgst", "-sha256", archive], 0.8),
        ("crane validate", ["crane", "validate", "--tarball", archive], 1),
        ("skopeo copy", ["skopeo", "copy", "--insecure-policy", f"oci-archive:{archive}", f"oci:{copy}:1"], 1),
    ]

    def other(command):
        shutil.rmtree(copy, ignore_errors=True)
        return bench.run(command)

    for title, command, most in others:
        if bench.wanted(title) and shutil.which(command[0]):
            bench.pair(title, lambda: bench.run(ours), lambda: other(command), lambda _o, r, _m, most=most: r <= most)
    bench.alone("peak of memory", ours, None, 64)
    piped = ["sh", "-c", 'exec "$0" inspect - < "$1"', bench.repro, archive]
    bench.alone("peak of memory, from stdin", piped, None, 64)


def write_image(path, layers, size):
    """An archive for every reader: OCI layout and `manifest.json`, with uncompressed layers of one file each."""
    block = random.Random(1).randbytes(1 << 20)
    header = tarfile.TarInfo("data")
    header.size = size
    blobs = []
    with open(path, "wb") as out:
        def member(name, length):
            info = tarfile.TarInfo(name)
            info.size = length
            out.write(info.tobuf(tarfile.USTAR_FORMAT))

        for number in range(layers):
            header.name = f"data-{number}"
            start = header.tobuf(tarfile.USTAR_FORMAT)
            piece = number.to_bytes(8, "big") + block[8:]
            summed = hashlib.sha256(start)
            for _ in range(size >> 20):
                summed.update(piece)
            summed.update(bytes(1024))
            digest = summed.hexdigest()
            blobs.append((digest, len(start) + size + 1024))
            member(f"blobs/sha256/{digest}", blobs[-1][1])
            out.write(start)
            for _ in range(size >> 20):
                out.write(piece)
            out.write(bytes(1024))

        def document(value, name=None):
            data = json.dumps(value).encode()
            digest = hashlib.sha256(data).hexdigest()
            member(name or f"blobs/sha256/{digest}", len(data))
            out.write(data + bytes(-len(data) % 512))
            return {"digest": f"sha256:{digest}", "size": len(data)}

        kinds = "application/vnd.oci.image."
        config = document({
            "architecture": "amd64", "os": "linux", "config": {},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest, _ in blobs]}})
        manifest = document({
            "schemaVersion": 2, "mediaType": kinds + "manifest.v1+json",
            "config": {"mediaType": kinds + "config.v1+json", **config},
            "layers": [{"mediaType": kinds + "layer.v1.tar", "digest": f"sha256:{digest}", "size": length}
                       for digest, length in blobs]})
        document({"schemaVersion": 2, "manifests": [{"mediaType": kinds + "manifest.v1+json", **manifest}]}, "index.json")
        document({"imageLayoutVersion": "1.0.0"}, "oci-layout")
        document([{"Config": f"blobs/sha256/{config['digest'][7:]}", "RepoTags": ["bench.example/image:1"],
                   "Layers": [f"blobs/sha256/{digest}" for digest, _ in blobs]}], "manifest.json")
        out.write(bytes(1024))


def tape(bench):
    """Replayed builds against plain ones, the memory of the server, and reading a long tape."""
    hosts = Hosts(bench)
    if bench.wanted("apt-get install of 40 packages"):
        roots = {}
        for network in ("locked", "open"):
            roots[network] = project(bench, f"apt-{network}", network, f"FROM registry.example/debian:bookworm\nRUN {APT}\n")
            hosts.lock(roots[network])
        plain = bench.plain(roots["open"], True)("rewrite-timestamp=true,compression=gzip")
        ours = [bench.repro, "build", "--engine", "buildctl", "--no-cache", "-o", bench.path("ours.tar")]
        bench.pair("apt-get install of 40 packages, replayed", lambda: fresh(bench, ours, roots["locked"]),
                   lambda: bench.run(plain), lambda _o, r, _m: r <= 1.1)
    if bench.wanted("bodies of 200 MB"):
        with Bodies(200_000_000) as address:
            hosts.mirror(address)
            get = "".join(f"RUN wget -q -O /dev/null http://bodies.example/{number}\n" for number in range(3))
            root = project(bench, "bodies", "locked", f"FROM registry.example/busybox:1\n{get}")
            for title, command in [("recorded", ["lock"]), ("replayed", ["build", "--no-cache"])]:
                seconds, peak = bench.peak_of_own([bench.repro, *command], root)
                print(f"  {f'three bodies of 200 MB, {title}':42} {seconds:7.3f} s  peak of `repro` {peak:4.0f} MiB"
                      f"  {'ok' if peak < 50 else 'MISSED'}", flush=True)
    if bench.wanted("5,000 requests"):
        root = project(bench, "long", "locked", "FROM scratch\nRUN true\n")
        lines = [f"GET https://registry.example/{number:05}.tgz 200 sha256:{number:064x} {number + 1} type=application/x-tgz"
                 for number in range(5000)]
        text = "\n".join(["# @generated by repro. Commit this file; change it with `repro lock`.", "version 1",
                          "platform linux/amd64", *lines, ""])
        with open(os.path.join(root, "repro.app.tape"), "w", encoding="utf-8") as file:
            file.write(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        bench.run([bench.repro, "lock", "--no-network"], root)
        with open(os.path.join(root, "repro.lock"), "r+", encoding="utf-8") as file:
            before, after = file.read().split("\n\n[image.app.request]")
            file.seek(0)
            file.write(f'{before}\ntape = "sha256:{digest}"\n\n[image.app.request]{after}')
        rounds = sorted(bench.run([bench.repro, "lock", "--check"], root)[0] for _ in range(9))
        middle = statistics.median(rounds)
        print(f"  {'lock --check with 5,000 requests':42} {middle:7.3f} s ({rounds[0]:.3f}-{rounds[-1]:.3f})"
              f"  {'ok' if middle < 0.05 else 'MISSED'}", flush=True)


APT = "apt-get update && apt-get install -y --no-install-recommends " + " ".join(
    "bc binutils bzip2 ca-certificates cpio curl dos2unix ed file gawk gettext-base git gnupg hostname jq less lsof m4 make"
    " man-db nano netcat-openbsd openssl patch procps psmisc python3-minimal rsync sqlite3 strace tree unzip vim-tiny wget"
    " xz-utils zip".split()) + " && rm -rf /var/lib/apt/lists/*"


def project(bench, name, network, dockerfile):
    """A repository with nothing but a Dockerfile, not locked."""
    root = bench.path(name)
    os.makedirs(root)
    manifest = f'version = 1\n[image.app]\nsource-date-epoch = {EPOCH}\nnetwork = "{network}"\n'
    for file, text in [("Dockerfile", dockerfile), ("repro.toml", manifest)]:
        with open(os.path.join(root, file), "w", encoding="utf-8") as out:
            out.write(text)
    for step in (["init", "-q"], ["add", "."]):
        bench.run(["git", *step], root)
    return root


class Hosts:
    """The user configuration: the rig's, and the hosts that downloads may come from though they are not public here."""

    def __init__(self, bench):
        self.bench, self.path = bench, bench.path("config.toml")
        with open(os.environ["REPRO_CONFIG"], encoding="utf-8") as file:
            self.text = file.read()
        bench.environment["REPRO_CONFIG"] = self.path
        self.write("")

    def write(self, more):
        self.text += more
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(self.text)

    def lock(self, root):
        for _ in range(12):
            done = subprocess.run([self.bench.repro, "lock"], cwd=root, env=self.bench.environment, capture_output=True,
                                  text=True, check=False)
            if not done.returncode:
                return
            found = [line.split("/")[2].split(":")[0] for line in done.stderr.splitlines() if "is not public" in line
                     and line.strip().startswith("http")]
            if not found:
                break
            self.write("".join(f'\n[registry."{host}"]\n' for host in sorted(set(found))))
        sys.exit(f"`repro lock` ended with {done.returncode}:\n{done.stderr}")

    def mirror(self, address):
        table = "" if "[mirror]" in self.text else "\n[mirror]\n"
        line = f'"http://bodies.example/" = "http://{address}/"\n'
        if table:
            self.write(table + line)
        else:
            self.text = self.text.replace("[mirror]\n", "[mirror]\n" + line)
            self.write("")


class Bodies:
    """A server on loopback whose every file has `size` bytes."""

    def __init__(self, size):
        piece = random.Random(2).randbytes(1 << 20)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.send_header("Content-Length", str(size))
                self.end_headers()
                for start in range(0, size, len(piece)):
                    self.wfile.write(piece[:size - start])

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return "127.0.0.1:%d" % self.server.server_address[1]

    def __exit__(self, *_):
        self.server.shutdown()


BENCHES = {"overhead": overhead, "check": check, "memory": memory, "native": native, "inspect": inspect, "tape": tape}

if __name__ == "__main__":
    main()
