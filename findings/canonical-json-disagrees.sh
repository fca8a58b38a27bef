#!/usr/bin/env bash
# Three packages of PyPI that write "canonical JSON" for signatures and digests. Guess: the same text for the same document, at most numbers apart.
# Seen: three texts. securesystemslib (the OLPC form, used for TUF metadata) writes a line feed in a string as it is, which no JSON parser reads back;
# canonicaljson (Matrix) keeps `1.0` and sorts by code point; rfc8785 writes `1` and sorts by UTF-16, which puts U+1F600 before U+FF5E. A digest over
# "canonical JSON" means nothing until the form is named.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet securesystemslib==1.6.0 canonicaljson==2.0.0 rfc8785==0.1.4
cat > seen.py <<'PY'
import canonicaljson, rfc8785
from securesystemslib.formats import encode_canonical
names = {"\uff5e": 1, "\U0001f600": 2}
forms = {"rfc8785": rfc8785.dumps, "canonicaljson": canonicaljson.encode_canonical_json, "securesystemslib": lambda d: encode_canonical(d).encode()}
texts = {name: [write(names), write("a\nb")] for name, write in forms.items()}
for name, write in forms.items():
    try:
        number = write(1.0)
    except Exception as error:
        number = type(error).__name__
    texts[name].append(number)
    print(name, texts[name])
first = {name: next(c for c in text[0].decode() if c in names) for name, text in texts.items()}
assert first == {"rfc8785": "\U0001f600", "canonicaljson": "\uff5e", "securesystemslib": "\uff5e"}, first
assert [texts[n][1] for n in forms] == [b'"a\\nb"', b'"a\\nb"', b'"a\nb"']
assert texts["rfc8785"][2] == b"1" and texts["canonicaljson"][2] == b"1.0"
PY
venv/bin/python seen.py
