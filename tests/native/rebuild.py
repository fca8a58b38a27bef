#!/usr/bin/env python3
"""Builds the golden cases of `tests/cases/native` with a running BuildKit and compares digests and error texts:

    eval "$(tests/rig/up)"
    tests/native/rebuild.py [--every N] [CASE-PREFIX…]

Every case goes through `buildctl` as its README says, with base images as OCI layouts, files staged with times that follow
from their content, and everything else denied. Prints what differs and `N of M equal`; ends with 1 if anything does that
the case's `differs_with` does not name for this version.
"""
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from concurrent.futures import ThreadPoolExecutor

CASES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "cases", "native")
# 2100-01-01, later than every epoch.
LATEST = 4102444800
POLICY = {"rules": [
    {"action": "DENY", "selector": {"identifier": ".*", "match_type": "REGEX"}},
    {"action": "ALLOW", "selector": {"identifier": "^(local|oci-layout)://.*$", "match_type": "REGEX"}},
]}


def main():
    arguments, step = sys.argv[1:], 1
    if arguments[:1] == ["--every"]:
        step, arguments = int(arguments[1]), arguments[2:]
    names = sorted(os.listdir(os.path.join(CASES, "cases")))
    names = [name for name in names if not arguments or name.startswith(tuple(arguments))][::step]
    version = daemon_version()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = list(pool.map(run, names))
    different = [(name, told, known(name, version)) for name, told in zip(names, found) if told]
    for name, told, is_known in different:
        print(f"{name}: {told}{' (known)' if is_known else ''}")
    print(f"{len(names) - len(different)} of {len(names)} equal with BuildKit {version}")
    sys.exit(any(not is_known for _, _, is_known in different))


def daemon_version():
    workers = subprocess.run(["buildctl", "debug", "workers", "--format", "{{json .}}"], capture_output=True, check=True)
    return json.loads(workers.stdout)[0]["buildkitVersion"]["version"]


def read(name):
    with open(os.path.join(CASES, "cases", name, "case.json"), encoding="utf-8") as file:
        return json.load(file)


def known(name, version):
    return any(version in builder for builder in read(name).get("differs_with", {}))


def run(name):
    """What differs from the recorded result; nothing if nothing does."""
    case, directory = read(name), os.path.join(CASES, "cases", name)
    with tempfile.TemporaryDirectory() as work:
        arguments = ["buildctl", "build", "--progress=plain", "--no-cache", "--frontend=dockerfile.v0"]
        local(arguments, "dockerfile", directory)
        stage(case["context"], os.path.join(directory, "context"), os.path.join(work, "context"))
        local(arguments, "context", os.path.join(work, "context"))
        for context, entries in case.get("named_contexts", {}).items():
            path = os.path.join(work, "contexts", context)
            stage(entries, os.path.join(directory, "contexts", context), path)
            local(arguments, context, path)
            option(arguments, f"context:{context}", f"local:{context}")
        for number, (reference, fixture) in enumerate(sorted(case["bases"].items())):
            layout = os.path.join(CASES, "bases", fixture)
            with open(os.path.join(layout, "index.json"), encoding="utf-8") as file:
                digest = json.load(file)["manifests"][0]["digest"]
            arguments += ["--oci-layout", f"base-{number}={layout}"]
            option(arguments, f"context:{reference}", f"oci-layout://base-{number}@{digest}")
        option(arguments, "platform", case["platform"])
        option(arguments, "build-arg:SOURCE_DATE_EPOCH", case["source_date_epoch"])
        for key, value in case.get("build_args", {}).items():
            option(arguments, f"build-arg:{key}", value)
        for key, value in case.get("labels", {}).items():
            option(arguments, f"label:{key}", value)
        if case.get("target"):
            option(arguments, "target", case["target"])
        image = os.path.join(work, "image.tar")
        output = ["type=oci", f"dest={image}", "compression=gzip", "rewrite-timestamp=true", "oci-mediatypes=true"]
        output += [quoted(f"annotation.{key}={value}") for key, value in (case.get("annotations") or {}).items()]
        if case.get("image_name"):
            output.append(f"name={case['image_name']}")
        arguments += ["--output", ",".join(output)]
        policy = os.path.join(work, "policy.json")
        with open(policy, "w", encoding="utf-8") as file:
            json.dump(POLICY, file)
        arguments += ["--source-policy-file", policy]
        finished = subprocess.run(arguments, capture_output=True, check=False)
        return compare(case["expected"], finished, image)


def compare(expected, finished, image):
    if finished.returncode:
        found = words(finished.stderr.decode(errors="replace"))
        if "error" not in expected:
            return f"fails: {found}"
        wanted = expected["error"]
        return None if found == wanted else f"error: {found}\n  instead of {wanted}"
    if "error" in expected:
        return f"builds, and should fail: {expected['error']}"
    with tarfile.open(image) as archive:
        top = json.load(archive.extractfile("index.json"))["manifests"][0]["digest"]
    wanted = expected.get("index_digest") or expected["manifest_digest"]
    return None if top == wanted else f"digest {top} instead of {wanted}"


def words(log):
    """The error as the cases have it: what differs from run to run is named only."""
    error = re.findall("^error: (.*)$", log, re.MULTILINE)[-1]
    error = re.sub(r"ref [a-z0-9]+::[a-z0-9]+", "ref <id>", error)
    error = re.sub(r"/[^ :\"]*/(buildkit-mount\d+|snapshots/\d+/fs)", "<mount>", error)
    return re.sub(r" \(did you mean [^)]*\)", "", error)


def local(arguments, name, path):
    arguments += ["--local", f"{name}={path}"]


def option(arguments, key, value):
    arguments += ["--opt", f"{key}={value}"]


def quoted(field):
    return '"' + field.replace('"', '""') + '"' if re.search(r'[,"\n]', field) else field


def stage(entries, data, target):
    """Writes a context: times follow from contents, since the daemon keeps what it got under equal times."""
    os.makedirs(target)
    for entry in entries:
        name = base64.b64decode(entry["path_base64"]) if "path_base64" in entry else entry["path"].encode()
        path = os.path.join(target.encode(), name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        seconds = LATEST
        if entry["type"] == "dir":
            os.makedirs(path, exist_ok=True)
        elif entry["type"] == "symlink":
            os.symlink(entry["target"].encode(), path)
        elif entry["type"] == "hardlink":
            os.link(os.path.join(target.encode(), entry["target"].encode()), path)
            continue
        else:
            content = contents(entry, data, name)
            with open(path, "wb") as file:
                file.write(content)
            os.chmod(path, int(str(entry["mode"]), 8))
            seconds += int(hashlib.sha256(content).hexdigest()[:6], 16)
        os.utime(path, (seconds, seconds), follow_symlinks=False)
    for directory, _, _ in os.walk(target.encode()):
        os.chmod(directory, 0o755)
        os.utime(directory, (LATEST, LATEST))


def contents(entry, data, name):
    if "data_base64" in entry:
        return base64.b64decode(entry["data_base64"])
    with open(os.path.join(data.encode(), name), "rb") as file:
        return file.read()


if __name__ == "__main__":
    main()
