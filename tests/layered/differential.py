#!/usr/bin/env python3
"""Holds `repro stream` beside Python's own tarfile on random trees: differential.py PROGRAM [TREES [FIRST]].

Each tree has a number, which makes it: names that are long, odd or no UTF-8, links, hard links, FIFOs, modes, owners and times that do
and don't fit into a header. docs/layered.md is written down here once more, in Python and by tarfile; both archives must be equal. A tree that
differs is left where it is, and named.
"""
import hashlib
import io
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time

ALPHABETS = ("abc", "aZ09._-+", "a é", "\U0001f40b\ue000z", "'\"\\ \t", "x\udcff\udc80")
OWNERS = (0, 1, 1000, 0o7777777, 0o10000000, 1 << 31)


def name(luck):
    letters = luck.choice(ALPHABETS)
    length = luck.choice((1, 1, 2, 3, 5, 8, luck.randint(20, 60)))
    text = "".join(luck.choice(letters) for _ in range(length)).strip("/")
    return "_" if text in ("", ".", "..") else text


def content(luck):
    size = luck.choice((0, 1, 511, 512, 513, 10240, luck.randint(0, 5000), luck.randint(0, 70000)))
    if luck.random() < 0.01:
        size = luck.randint(1 << 17, 5 << 20)
    return luck.randbytes(size)


def grow(luck, directory, depth, files):
    """Fills a directory; `files` are the regular ones, for hard links."""
    taken = {}
    for _ in range(luck.choice((0, 1, 2, 4, 9)) if depth else 0):
        entry = name(luck)
        path = os.path.join(directory, entry)
        # Long paths are cut by the system, not by tar.
        if entry in taken or len(os.fsencode(path)) > 3000 or len(os.fsencode(entry)) > 255:
            continue
        taken[entry] = True
        kind = luck.random()
        if kind < 0.3:
            os.mkdir(path)
            grow(luck, path, depth - 1, files)
            os.chmod(path, luck.choice((0o755, 0o700, 0o1777, 0o2755)))
        elif kind < 0.45:
            os.symlink(luck.choice((name(luck), "/" + name(luck), "../" + "t" * luck.randint(90, 120))), path)
        elif kind < 0.5:
            os.mkfifo(path)
        elif kind < 0.58 and files:
            os.link(luck.choice(files), path)
        else:
            with open(path, "wb") as file:
                file.write(content(luck))
            os.chmod(path, luck.choice((0o644, 0o755, 0o600, 0o444, 0o4755, 0o777)))
            files.append(path)


def below(path):
    """A path and all that is below it, links not entered, by components."""
    yield path
    if os.path.isdir(path) and not os.path.islink(path):
        for entry in sorted(os.listdir(path)):
            yield from below(os.path.join(path, entry))


def layer(paths, conf, root):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        def owned(info):
            info.uid, info.gid, info.uname, info.gname, info.mtime = *conf["owner"], conf["seconds"]
            return info
        for directory in ("/nix", "/nix/store"):
            info = owned(tarfile.TarInfo(directory))
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for path in paths:
            for place in below(root + path):
                tar.inodes = {}
                info = owned(tar.gettarinfo(place))
                info.name = place[len(root):]
                if info.isreg():
                    with open(place, "rb") as file:
                        tar.addfile(info, file)
                else:
                    tar.addfile(info)
    return out.getvalue()


def archive(conf, root):
    out = io.BytesIO()
    listed = []
    with tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
        def put(member, data, mtime=conf["seconds"]):
            info = tarfile.TarInfo(member)
            info.size, info.mtime = len(data), mtime
            tar.addfile(info, io.BytesIO(data))
        for paths in conf["store_layers"]:
            data = layer(paths, conf, root)
            checksum = hashlib.sha256(data).hexdigest()
            put(f"{checksum}/layer.tar", data)
            listed.append((checksum, paths))
        custom = root + conf["customisation_layer"]
        info = tar.gettarinfo(custom + "/layer.tar")
        with open(custom + "/checksum") as file:
            checksum = file.read().strip()
        info.name, info.mtime = f"{checksum}/layer.tar", conf["seconds"]
        with open(custom + "/layer.tar", "rb") as file:
            tar.addfile(info, file)
        listed.append((checksum, [conf["customisation_layer"]]))
        config = json.dumps({
            "created": conf["created_text"], "architecture": conf["architecture"], "os": "linux", "config": conf["config"],
            "rootfs": {"diff_ids": ["sha256:" + checksum for checksum, _ in listed], "type": "layers"},
            "history": [{"created": conf["created_text"], "comment": f"store paths: {paths}"} for _, paths in listed],
        }, indent=4).encode()
        config_name = hashlib.sha256(config).hexdigest() + ".json"
        put(config_name, config)
        names = [checksum + "/layer.tar" for checksum, _ in listed]
        put("manifest.json", json.dumps([{"Config": config_name, "RepoTags": [conf["repo_tag"]], "Layers": names}], indent=4).encode())
    return out.getvalue()


def describe(luck, root):
    store = root + "/nix/store"
    os.makedirs(store)
    paths = []
    for number in range(luck.randint(1, 5)):
        path = f"/nix/store/{number:032}-{name(luck)}"
        if luck.random() < 0.1:
            os.symlink(name(luck), root + path)
        else:
            os.mkdir(root + path)
            grow(luck, root + path, luck.randint(1, 5), [])
        paths.append(path)
    luck.shuffle(paths)
    cuts = sorted(luck.sample(range(len(paths) + 1), luck.randint(0, min(2, len(paths)))))
    layers = [paths[start:end] for start, end in zip([0, *cuts], [*cuts, len(paths)])]
    custom = "/nix/store/custom"
    os.mkdir(root + custom)
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w", format=tarfile.GNU_FORMAT) as file:
        file.addfile(tarfile.TarInfo("etc"))
    data = tar.getvalue()
    with open(root + custom + "/layer.tar", "wb") as file:
        file.write(data)
    with open(root + custom + "/checksum", "w") as file:
        file.write(hashlib.sha256(data).hexdigest() + luck.choice(("", "\n")))
    seconds = luck.choice((0, 1, 1700000000, 0o77777777777, 0o100000000000))
    date = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime(seconds))
    owner = (luck.choice(OWNERS), luck.choice(OWNERS), luck.choice(("", "root", "u" * 33, "é")), luck.choice(("", "root", "g" * 32)))
    written = {
        "architecture": luck.choice(("amd64", "arm64")), "config": {"Env": ["A=1", "É=ü"], "Labels": {name(luck): name(luck)}},
        "created": date, "mtime": date, "uid": luck.choice((owner[0], str(owner[0]))), "gid": str(owner[1]), "uname": owner[2],
        "gname": owner[3], "store_dir": "/nix/store", "from_image": None, "repo_tag": luck.choice(("a:1", None, name(luck))),
        "store_layers": layers, "customisation_layer": custom,
    }
    return written, {**written, "owner": owner, "seconds": seconds, "created_text": date}


def main():
    program = os.path.abspath(sys.argv[1])
    trees = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    first = int(sys.argv[3]) if len(sys.argv) > 3 else 0
    wrong, size = 0, 0
    work = tempfile.mkdtemp(prefix="repro-differential-")
    for number in range(first, first + trees):
        luck = random.Random(number)
        tree = os.path.join(work, str(number))
        written, conf = describe(luck, tree + "/root")
        with open(tree + "/conf.json", "w") as file:
            json.dump(written, file)
        want = archive(conf, tree + "/root")
        ran = subprocess.run([program, "stream", tree + "/conf.json", "--root", tree + "/root"], capture_output=True, env={"HOME": tree})
        size += len(want)
        if ran.returncode != 0 or ran.stdout != want:
            wrong += 1
            print(f"tree {number} differs: {tree}: status {ran.returncode}, {ran.stderr.decode(errors='replace').strip()}")
            with open(tree + "/want.tar", "wb") as file:
                file.write(want)
            continue
        shutil.rmtree(tree)
    print(f"{trees - wrong} of {trees} trees equal, {size >> 20} MiB, Python {platform.python_version()}")
    if wrong == 0:
        shutil.rmtree(work)
    sys.exit(wrong > 0)


if __name__ == "__main__":
    main()
