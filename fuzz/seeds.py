#!/usr/bin/env python3
"""Makes seeds for the fuzz targets out of archives and the repository's own texts: seeds.py ARCHIVES CORPUS."""
import glob
import gzip
import hashlib
import importlib.util
import io
import json
import marshal
import os
import re
import sqlite3
import struct
import sys
import tarfile
import tempfile
import zipfile
import zlib


def main():
    archives, corpus = sys.argv[1:]

    def keep(target, data):
        if len(data) <= 65536:
            folder = os.path.join(corpus, target)
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, hashlib.sha256(data).hexdigest()[:16]), "wb") as file:
                file.write(data)

    for name in sorted(os.listdir(archives)):
        if not name.endswith(".tar"):
            continue
        path = os.path.join(archives, name)
        with open(path, "rb") as file:
            data = file.read()
        keep("archive", data)
        keep("buildkit", b"a" + data)
        try:
            with tarfile.open(path) as archive:
                for member in archive:
                    if not member.isfile() or member.size > 1 << 20:
                        continue
                    data = archive.extractfile(member).read()
                    if data[:1] in (b"{", b"["):
                        keep("json", data)
                    elif data[:2] == b"\x1f\x8b":
                        keep("compression", data)
                        layer = zlib.decompressobj(31).decompress(data, 1 << 17)
                        keep("tar", layer)
                        keep("base_layer", layer)
                    elif data[:4] == b"\x28\xb5\x2f\xfd":
                        keep("compression", data)
                    else:
                        keep("tar", data)
                        keep("base_layer", data)
        except (tarfile.TarError, zlib.error, EOFError, ValueError, OSError):
            # Many of them are broken; what could be read serves.
            continue
    for text in ("alpine", "a/b", "a.b/c", "localhost/a", "a_b/c__d", "A", "a:b", "a@b", "a:5000/b:c@sha256:" + "f" * 64, "x--y/z",
                 "a" * 64, "docker.io/a", "index.docker.io/a", "[fe80::1]/a", "linux", "arm", "linux/amd64", "linux/arm/v7",
                 "windows(10.0)/amd64", "darwin/arm64", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z",
                 "2024-02-29T12:00:00-23:59", "sha256:" + "a" * 64, "sha512:" + "b" * 128, "md5:" + "0" * 32, "docker.io/library/alpine:3.20", "ghcr.io/a/b@sha256:" + "0" * 64, "localhost:5000/x:y",
                 "[::1]:5000/a", "sha512:" + "0" * 128, "linux/arm64/v8", "2021-06-01T14:00:00.123+02:00"):
        keep("reference", text.encode())
    keep_texts(keep)
    keep_deltas(keep)
    keep_differences(keep)


def keep_deltas(keep):
    """Deltas from the base in fuzz/src/deltas.rs, whose layer has 4000 bytes, each its place modulo 251."""
    base = bytes(place % 251 for place in range(4000))

    def digest(data):
        return "sha256:" + hashlib.sha256(data).hexdigest()

    def compact(value):
        return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()

    def described(kind, data):
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": digest(data), "size": len(data)}

    def frame(data):
        """One zstd frame with one raw block."""
        block = (len(data) << 3 | 1).to_bytes(3, "little")
        return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + block + data

    def number(value):
        data = b""
        while value > 0x7f:
            data, value = data + bytes([value & 0x7f | 0x80]), value >> 7
        return data + bytes([value])

    def image(layer, packed, kind):
        config = compact({"architecture": "amd64", "os": "linux", "rootfs": {"diff_ids": [digest(layer)], "type": "layers"}})
        manifest = compact({"schemaVersion": 2, "config": described("config.v1+json", config),
                            "layers": [described(kind, packed)]})
        return config, manifest

    base_config, base_manifest = image(base, base, "layer.v1.tar")
    for copied, new in ((0, b"n"), (1, b""), (4000, b""), (300, b"new" * 100), (4000, bytes(3000)), (77, base), (3999, b"x"), (64, b"y")):
        content = base[:copied] + new + base[copied // 2:copied]
        instructions = number(copied << 1 | 1) + number(0) if copied else b""
        instructions += number(len(new) << 1) + new if new else b""
        rest = copied - copied // 2
        step = copied // 2 - copied
        instructions += number(rest << 1 | 1) + number(-2 * step - 1 if step < 0 else 0) if rest else b""
        config, manifest = image(content, content, "layer.v1.tar")
        index = compact({"schemaVersion": 2, "manifests": [described("manifest.v1+json", manifest)]})
        blobs = {digest(content): {"content": len(content), "copied": copied + rest, "digest": digest(content), "form": "delta",
                                   "part": len(frame(instructions)), "recipe": "stored", "size": len(content)}}
        for data in (config, manifest):
            blobs[digest(data)] = {"digest": digest(data), "form": "document", "size": len(data)}
        documents = index + b"".join(data for _, data in sorted((digest(data), data) for data in (config, manifest)))
        stream = {"blob": digest(base), "diffId": digest(base), "size": len(base), "start": 0}
        header = {
            "bases": [{"configs": [digest(base_config)], "digests": [digest(base_manifest)]}],
            "blobs": [blobs[name] for name in sorted(blobs)],
            "documents": {"content": len(documents), "size": len(frame(documents))},
            "streams": [stream] if copied else [],
            "target": {"digests": [digest(manifest)], "index": len(index)},
        }
        keep("delta", compact(header) + b"\n" + frame(documents) + frame(instructions))


def keep_differences(keep):
    """Pairs of files that differ in what a look knows, and documents of `repro diff`."""
    def packed(make, *times):
        return [make(time) for time in times]

    def gzipped(time):
        return gzip.compress(b"the same content\n" * 9, mtime=time)

    def zipped(time):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in ("a", "b/c"):
                archive.writestr(zipfile.ZipInfo(name, (2000 + time, 1, 1, 0, 0, 0)), name * 9)
        return buffer.getvalue()

    def tarred(time):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name in ("a", "b/c"):
                entry = tarfile.TarInfo(name)
                entry.size, entry.mtime = 9, time
                archive.addfile(entry, io.BytesIO(b"nine byte"))
        return buffer.getvalue()

    def library(time):
        header = b"a.o/            %-12d0     0     644     4         `\n" % time
        return b"!<arch>\n" + header + b"code"

    def compiled(time):
        code = compile("def f(x):\n    return [x, {'a', 'b'}]\n", "m.py", "exec")
        return importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, 1_700_000_000 + time, 40) + marshal.dumps(code)

    def database(time):
        with tempfile.TemporaryDirectory() as directory:
            path = os.path.join(directory, "d")
            base = sqlite3.connect(path)
            base.execute("create table t (a, b)")
            base.executemany("insert into t values (?, ?)", [(i, "x" * i) for i in range(20)])
            base.commit()
            for _ in range(time):
                base.execute("vacuum")
            base.close()
            with open(path, "rb") as file:
                return file.read()

    def program(time):
        note = struct.pack("<III", 4, 20, 3) + b"GNU\0" + bytes([time]) * 20
        names = b"\0.note.gnu.build-id\0.shstrtab\0"
        offset = 64
        sections = [(0, 0, 0, 0), (1, 7, offset, len(note)), (20, 3, offset + len(note), len(names))]
        table = b"".join(struct.pack("<IIQQQQIIQQ", name, kind, 0, 0, at, size, 0, 0, 1, 0) for name, kind, at, size in sections)
        start = offset + len(note) + len(names)
        header = b"\x7fELF\2\1\1" + bytes(9) + struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 0, start, 0, 64, 0, 0, 64, 3, 2)
        return header + note + names + table

    def status(time):
        return b"".join(b"Package: %s\nStatus: install ok installed\nVersion: 1.%d\n\n" % (name, time) for name in (b"a", b"b"))

    pairs = [("a.gz", *packed(gzipped, 1, 2)), ("a.jar", *packed(zipped, 1, 2)), ("a.tar", *packed(tarred, 1, 2)),
             ("a.a", *packed(library, 1, 2)), ("m.pyc", *packed(compiled, 1, 2)), ("d.sqlite", *packed(database, 0, 2)),
             ("usr/bin/a", *packed(program, 1, 2)), ("var/lib/dpkg/status", *packed(status, 1, 2)),
             ("etc/passwd", b"root:x:0:0::/:/bin/sh\n", b"root:x:0:0::/:/bin/sh\na:x:7:7::/:/bin/sh\n"),
             ("etc/shadow", b"root:*:19675:0:99999:7:::\n", b"root:*:19676:0:99999:7:::\n"),
             ("var/log/dpkg.log", b"2023-11-14 22:13:20 install a\n", b"2023-11-15 08:01:02 install a\n"),
             ("a.json", b'{"a":1,"b":[1,2]}', b'{"b":[1,2],"a":1}\n'), ("list", b"a\nb\nc\n", b"c\nb\na\n"),
             ("lib/apk/db/installed", b"P:a\nV:1\nF:usr\nR:x\n\n", b"P:a\nV:2\nF:usr\nR:x\n\n"),
             ("x/a-1.dist-info/RECORD", b"a,sha256=x,1\nb,,\n", b"b,,\na,sha256=x,1\n"), ("c", b"int a;\r\n", b"int a;\n")]
    for path, first, second in pairs:
        if len(first) < 1 << 16:
            keep("look", path.encode() + b"\n" + struct.pack("<H", len(first)) + first + second)
    kinds = [{"kind": "text", "hunks": [{"first": 1, "second": 1, "lines": [" a", "-b", "+c"]}], "more": 1},
             {"kind": "bytes", "at": 4, "first": "00ff", "second": "01"}, None,
             {"kind": "package", "name": "a", "first": "1", "second": None, "files": ["etc/a"]},
             {"kind": "field", "name": "mtime", "first": "1", "second": "2"}]
    for number in range(10):
        detail = kinds[number % len(kinds)]
        found = {"code": "C12%d" % (number % 2), "name": "n", "class": "SNBP"[number % 4], "proof": "proven", "level": "entry",
                 "layer": number or None, "path": "etc/a" if number else None, "field": None, "aspects": ["content"],
                 "first": "1", "second": None, "line": number, "message": "m", "help": "h", "fix": "f"}
        if detail:
            found["detail"] = detail
        layer = {"diffId": None, "digest": "sha256:0", "size": 9, "instruction": "RUN a"}
        image = {"manifest": "sha256:1", "config": None, "layers": [layer]}
        platform = {"platform": "linux/amd64", "verdict": "differs", "first": image, "second": image, "unread": number, "differences": [found] * number}
        rule = {"code": "C061", "path": "/a", "reason": "r", "expires": None, "matches": number}
        document = {"version": 1, "status": 1, "same": False, "first": {"source": "a"}, "second": None, "index": [found],
                    "platforms": [platform] * (number % 3), "ignored": [rule], "error": None}
        keep("report", json.dumps(document).encode())


ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")


def read(*names):
    with open(os.path.join(ROOT, *names), encoding="utf-8") as file:
        return file.read()


def blocks(document, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", document, re.MULTILINE | re.DOTALL)


def keep_texts(keep):
    def keep_all(target, texts):
        for text in texts:
            keep(target, text if isinstance(text, bytes) else text.encode())

    cases = [json.loads(line) for line in read("tests/cases/dockerfiles/sources.jsonl").splitlines()]
    keep_all("dockerfile", {case["dockerfile"] for case in cases})
    linted = [json.loads(line) for line in read("tests/cases/lint/cases.jsonl").splitlines()]
    keep_all("lint", {case["dockerfile"] for case in linted})

    keep_all("shell", ("$A", "${A}", "${A:-b}", "${A:+b}", "${A:?no}", "${A#a*}", "${A##*b}", "${A%b}", "${A%%b*}", "${A/a/b}",
                       "${A//[a-z]/$EMPTY}", "'$A'", '"$A"', "\\$A", "a\\ b 'c d' \"e f\"", "${EMPTY:-${A}}", "$PATTERN", "${LONG#x}",
                       "${A#$PATTERN}", "`$A", "${", "$", "'", "${A:", "$1 $@ $?", "${LONG}${LONG}"))

    ignore = [json.loads(line) for line in read("tests/context_ignore.jsonl").splitlines()[1:]]
    keep_all("ignore", {case["ignore"] for case in ignore if "ignore" in case})
    keep_all("ignore", (b"**/*.md\n!a/**\0a/b.md\0c/d/e.md", b"\xef\xbb\xbf/a\n! b\n#c\n\0b", b"[^a-c]?\\*\0d\xff"))

    with open(os.path.join(ROOT, "tests/cases/attest/cases.jsonl"), "rb") as cases:
        for case in map(json.loads, cases):
            for name, file in case["files"].items():
                if "text" in file and name.endswith((".jsonl", ".json", ".toml")):
                    keep("attestation", file["text"].encode())
    manifests = ["repro.toml.example", *glob.glob("examples/*/repro.toml", root_dir=ROOT)]
    keep_all("manifest", [read(name) for name in sorted(manifests)])
    for key in ('platforms = ["linux/arm64"]', 'source-date-epoch = "2024-01-02"', 'scrub = ["apt-cache", "/a/**"]',
                'contexts = { a = "docker-image://b.example/c:1", d = "../.." }', 'args = { A = 1 }', 'allow = [{ what = "x" }]',
                'network = "locked"\nrun-env = { A = "epoch" }',
                'layers = [{ paths = ["a", "b/c/"], to = "/d", owner = "1:2", mode = "0640" }]\nbase = "e:1"',
                'layers = [{ paths."linux/amd64" = ["a"], to = "/" }]\nconfig = { env = { A = "\\"$" }, cmd = ["x"], workdir = "/w" }'):
        keep("manifest", f"version = 1\n[image.app]\n{key}\n".encode())

    formats = read("docs/formats.md")
    locks = [block for block in blocks(formats, "toml") if block.startswith("# @generated")]
    locks += [read(name) for name in sorted(glob.glob("examples/*/repro.lock", root_dir=ROOT))]
    keep_all("lockfile", locks)
    for lock in locks:
        lines = lock.splitlines(keepends=True)
        for at in (5, len(lines) // 2, len(lines) - 4):
            ours, theirs = lines[at], re.sub("[0-9a-f]{8}", "12345678", lines[at], count=1)
            for base in ("", f"||||||| base\n{ours}"):
                conflict = f"<<<<<<< ours\n{ours}{base}=======\n{theirs}>>>>>>> theirs\n"
                keep("lockfile", "".join([*lines[:at], conflict, *lines[at + 1:]]).encode())

    others = [re.sub("[0-9a-f]{8}", "12345678", lock) for lock in locks]
    keep_all("sides", [f"{one}\0{other}" for one in locks for other in locks + others])

    keep_all("buildkit", (
        "l#5 [2/2] RUN b\n#5 ERROR: process \"/bin/sh\"\n------\n > [2/2] RUN b:\n0.082 y\n------\nDockerfile:2\n"
        "   2 | >>> RUN b\nerror: failed to solve: process \"/bin/sh -c b\" did not complete successfully: exit code: 3\n",
        "lerror: failed to solve: digest mismatch sha256:" + "9" * 64 + ": sha256:" + "8" * 64,
        "lerror: failed to solve: source \"https://f.example/p\" denied by policy: source denied by policy",
        "lerror: failed to solve: dockerfile parse error on line 2: unknown instruction: RUNN",
        "l#5 [2/3] RUN b\n#5 0.241 proxy network requests:\n#5 0.241 - GET https://h.example/a?b -> 200\n",
        "lerror: failed to solve: failed to load LLB: network.host is not allowed",
        'r{"record":{"Ref":"mine","Result":{"Attestations":[{"digest":"sha256:' + "0" * 64 + '","annotations":'
        '{"in-toto.io/predicate-type":"https://slsa.dev/provenance/v1"}}]}}}\n\0{"buildDefinition":{"resolvedDependencies":'
        '[{"uri":"pkg:docker/a@1","digest":{"sha256":"' + "0" * 64 + '"}}],"internalParameters":{"dockerfileVersion":"1.28.0"}}}',
        'r{"record":{"Ref":"other"}}\n{"record":{"Ref":"mine","Result":{}}}\n\0',
    ))

    documents = [read(name) for name in sorted(glob.glob("tests/cases/imports/docs/*.json", root_dir=ROOT))]
    keep_all("imports", documents)

    tapes = [block for block in blocks(formats, "text") if "\nplatform " in block]
    keep_all("tape", tapes)
    for tape in tapes:
        lines = tape.splitlines(keepends=True)
        keep_all("tape", ["".join(lines[:end]) for end in range(1, len(lines))])
        keep_all("tape", ["".join([*lines[:3], line]) for line in lines[3:]])
        keep("tape", "".join([*lines, lines[2].replace("amd64", "arm64"), *lines[3:]]).encode())

    heads = ("GET /t/http/h.example/ HTTP/1.1\r\nHost: x\r\nAccept: a, b\r\n\r\nrest", "GET / HTTP/1.0\r\n\r\n",
             "HEAD /a?b=c HTTP/1.1\r\nConnection: close\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
             "GET / HTTP/1.1\r\nRange: bytes=1-2\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "\r\nGET / HTTP/1.1\r\n\r\n",
             "CONNECT h.example:443 HTTP/1.1\r\n\r\n", "GET http://h.example/ HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\n a: b\r\n\r\n")
    keep_all("request_head", heads)

    keep_all("challenge", ('Bearer realm="https://a.example/t",service="s",scope="repository:x:pull,push"', "bearer Realm = r , Service=s",
                           'Basic realm="x", Bearer realm="q\\"uo\\\\te"', 'Basic realm="x, y"', "Basic", 'Bearer service="s"',
                           'Bearer realm="open', "Negotiate abc==", 'Digest realm="a", nonce="b", qop="auth,auth-int"', "\"", ","))

    cases = sorted(glob.glob("tests/cases/layered/*/case.json", root_dir=ROOT))
    described = [json.dumps(json.loads(read(name))["conf"]) for name in cases]
    graph = [{"path": "/nix/store/1-a", "references": ["/nix/store/2-b", "/nix/store/1-a"]}, {"path": "/nix/store/2-b", "references": []}]
    graphs = (json.dumps(graph), json.dumps({node["path"]: node for node in graph}))
    keep_all("description", described)
    keep_all("description", [f"{described[0]}\0{one}\0{other}" for one in graphs for other in graphs])
    keep_all("owners", ("app:x:1000:1001::/:/bin/sh\0team:x:7:app", "root:x:0:0:r:/:/bin/sh\napp:x:4294967295:1:::\0team::65534:",
                        "app:x:-1:5:::\0team:x:99999999999:", "# app\n\n app : x : 1 : 2\0", "app:x\napp:x:1\napp:x:2:3\0team:x:4\nteam:x:5:",
                        "+app::::::\napp:x:010:0x1:::\0:x:1:", "app:x:1:2:::\r\n\0team:x:3:\r\n", "\0", "app\0team", "app:x:1:2\0"))

    keep_all("attributes", ("*.txt text eol=crlf\0b/a.txt", "[attr]lfs filter=lfs -text\n*.bin lfs\0x.bin", "* text=auto\n*.png binary\0c.png",
                            '"a \\"b\\".txt" text', "/sub/** ident -eol\0sub/x", "a[b-d]? !text working-tree-encoding=UTF-16\0acx",
                            "# no\n\n *.c diff=cpp crlf=input", "**/deep/*.txt -text", "[attr]a b\n[attr]b a\n* a", "!x text", "x/ export-ignore"))


main()
