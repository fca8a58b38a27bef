#!/usr/bin/env python3
"""Writes the root file system of the `busybox:1` base image as a tar, the same bytes for the same program.

    busybox_root.py BUSYBOX SECONDS >root.tar
"""

import io
import subprocess
import sys
import tarfile

FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/shadow": "root:*::0:::::\n",
}
FOLDERS = {"bin": 0o755, "dev": 0o755, "etc": 0o755, "proc": 0o755, "root": 0o700, "sys": 0o755, "tmp": 0o1777, "usr": 0o755, "usr/bin": 0o755, "var": 0o755}


def main():
    program, seconds = sys.argv[1], int(sys.argv[2])
    with open(program, "rb") as source:
        busybox = source.read()
    applets = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split()
    entries = {name: (tarfile.DIRTYPE, mode, b"") for name, mode in FOLDERS.items()}
    entries.update({name: (tarfile.REGTYPE, 0o644, text.encode()) for name, text in FILES.items()})
    entries.update({"bin/" + applet: (tarfile.SYMTYPE, 0o777, b"busybox") for applet in applets})
    entries["bin/busybox"] = (tarfile.REGTYPE, 0o755, busybox)
    entries["usr/bin/env"] = (tarfile.SYMTYPE, 0o777, b"../../bin/busybox")
    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|", format=tarfile.USTAR_FORMAT) as tar:
        for name, (kind, mode, body) in sorted(entries.items()):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode, entry.mtime = kind, mode, seconds
            entry.uname = entry.gname = "root"
            if kind == tarfile.SYMTYPE:
                entry.linkname = body.decode()
                tar.addfile(entry)
            else:
                entry.size = len(body)
                tar.addfile(entry, io.BytesIO(body))


if __name__ == "__main__":
    main()
