#!/usr/bin/env bash
# pyoci (PyPI) builds images of Python projects, "reproducible" as long as nothing else is said. Guess: the image follows the files' content, with its
# cache of layers or without. Seen: in 0.2.1 the cache knows a file by path, size and whole seconds of its time, so a project whose times are
# set to one instant, as reproducible pipelines do, gets yesterday's layer for `VERSION = 2`. Besides, the cache is off unless `cache_dir` is given, though
# the documentation names a default. The base image is left out here: it comes from a registry and does not matter.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet pyoci==0.2.1
mkdir project
cat > seen.py <<'PY'
import os, pathlib
from pyoci.builder import ImageBuilder
from pyoci.config import BuildConfig
class WithoutBase(ImageBuilder):
    def _pull_base_image(self, layers, system, architecture):
        return [], None
def image(output, **options):
    config = BuildConfig(context_dir="project", include_paths=["app.py"], entrypoint=["app"], output_dir=output, **options)
    builder = WithoutBase(config)
    builder.build()
    return builder.manifest_digest
seen = {}
for version in (1, 2):
    source = pathlib.Path("project/app.py")
    source.write_text(f"VERSION = {version}\n")
    os.utime(source, (1600000000, 1600000000))
    seen[version] = {"no cache": image(f"plain{version}"), "cache": image(f"cached{version}", cache_dir="cache")}
    print(source.read_text().strip(), seen[version])
assert seen[1]["cache"] == seen[1]["no cache"] != seen[2]["no cache"]
assert seen[2]["cache"] == seen[1]["cache"]
assert ImageBuilder(BuildConfig(context_dir="project")).cache.enabled is False
PY
venv/bin/python seen.py
