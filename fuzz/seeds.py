#!/usr/bin/env python3
"""Makes seeds for the fuzz targets out of archives and the repository's own texts: seeds.py ARCHIVES CORPUS."""
import glob
import hashlib
import json
import os
import re
import sys
import tarfile
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
            keep("archive", file.read())
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
                        keep("tar", zlib.decompressobj(31).decompress(data, 1 << 17))
                    elif data[:4] == b"\x28\xb5\x2f\xfd":
                        keep("compression", data)
                    else:
                        keep("tar", data)
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

    keep_all("shell", ("$A", "${A}", "${A:-b}", "${A:+b}", "${A:?no}", "${A#a*}", "${A##*b}", "${A%b}", "${A%%b*}", "${A/a/b}",
                       "${A//[a-z]/$EMPTY}", "'$A'", '"$A"', "\\$A", "a\\ b 'c d' \"e f\"", "${EMPTY:-${A}}", "$PATTERN", "${LONG#x}",
                       "${A#$PATTERN}", "`$A", "${", "$", "'", "${A:", "$1 $@ $?", "${LONG}${LONG}"))

    ignore = [json.loads(line) for line in read("tests/context_ignore.jsonl").splitlines()[1:]]
    keep_all("ignore", {case["ignore"] for case in ignore if "ignore" in case})
    keep_all("ignore", (b"**/*.md\n!a/**\0a/b.md\0c/d/e.md", b"\xef\xbb\xbf/a\n! b\n#c\n\0b", b"[^a-c]?\\*\0d\xff"))

    manifests = ["repro.toml.example", *glob.glob("examples/*/repro.toml", root_dir=ROOT)]
    keep_all("manifest", [read(name) for name in sorted(manifests)])
    for key in ('platforms = ["linux/arm64"]', 'source-date-epoch = "2024-01-02"', 'scrub = ["apt-cache", "/a/**"]',
                'contexts = { a = "docker-image://b.example/c:1", d = "../.." }', 'args = { A = 1 }', 'allow = [{ what = "x" }]',
                'network = "locked"\nrun-env = { A = "epoch" }'):
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

    keep_all("attributes", ("*.txt text eol=crlf\0b/a.txt", "[attr]lfs filter=lfs -text\n*.bin lfs\0x.bin", "* text=auto\n*.png binary\0c.png",
                            '"a \\"b\\".txt" text', "/sub/** ident -eol\0sub/x", "a[b-d]? !text working-tree-encoding=UTF-16\0acx",
                            "# no\n\n *.c diff=cpp crlf=input", "**/deep/*.txt -text", "[attr]a b\n[attr]b a\n* a", "!x text", "x/ export-ignore"))


main()
