#!/usr/bin/env bash
# dulwich (PyPI) writes archives of a commit, as `git archive` does. Guess: the same files. Seen: in 1.2.21 a symbolic link comes out as an ordinary file
# with mode 0 that holds the link's target, and `export-ignore` and `export-subst` of the commit's .gitattributes have no effect. An image built from the
# archive holds other files than one built from git's.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet dulwich==1.2.21
git init --quiet tree && cd tree
echo 'body {}' > style.css && ln -s style.css link.css && echo notes > notes && echo 'commit $Format:%H$' > version
printf 'notes export-ignore\nversion export-subst\n' > .gitattributes
git add . && git -c user.name=a -c user.email=a@example.org commit --quiet -m first
git archive --output=../git.tar HEAD
cat > ../seen.py <<'PY'
import tarfile
from dulwich import porcelain
with open("../dulwich.tar", "wb") as out:
    porcelain.archive(".", b"HEAD", outstream=out)
seen = {}
for name in ("git", "dulwich"):
    archive = tarfile.open(f"../{name}.tar")
    link = archive.getmember("link.css")
    version = archive.extractfile("version").read()
    seen[name] = ("notes" in archive.getnames(), link.issym(), link.mode, b"$Format" in version)
    print(name, "holds", *archive.getnames(), "link.css", "link" if link.issym() else "file", oct(link.mode), version)
assert seen == {"git": (False, True, 0o777, False), "dulwich": (True, False, 0, True)}, seen
PY
../venv/bin/python ../seen.py
