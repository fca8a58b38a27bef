#!/usr/bin/env bash
# A Sigstore bundle of an attestation by a public key, without a transparency log. Guess: `tlogEntries` is a repeated field of a protobuf message, which JSON leaves out
# where it is empty, so that every reader takes both. Seen: @sigstore/bundle 4.0.0 (npm) and sigstore-protobuf-specs 0.5.2 (PyPI) read both; sigstore-models 0.0.6 (PyPI), which
# sigstore-python uses, refuses the bundle unless the empty list is spelt out.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet sigstore-models==0.0.6 sigstore-protobuf-specs==0.5.2
npm install --silent --no-save --no-audit --no-fund @sigstore/bundle@4.0.0 >/dev/null
cat > seen.py <<'PY'
import json, subprocess
from sigstore_models.bundle.v1 import Bundle
from sigstore_protobuf_specs.dev.sigstore.bundle.v1 import Bundle as Message
kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
envelope = {"payload": "e30=", "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AAAA", "keyid": "1"}]}
readers = {
    "@sigstore/bundle": lambda bundle: subprocess.run(["node", "seen.cjs", json.dumps(bundle)], check=True, capture_output=True),
    "sigstore-models": lambda bundle: Bundle.from_json(json.dumps(bundle)),
    "sigstore-protobuf-specs": Message.from_dict,
}
seen = {}
for name, read in readers.items():
    for material in ({"publicKey": {"hint": "1"}}, {"publicKey": {"hint": "1"}, "tlogEntries": []}):
        try:
            read({"mediaType": kind, "verificationMaterial": material, "dsseEnvelope": envelope})
            result = "read"
        except (ValueError, subprocess.CalledProcessError) as error:
            result = "tlogEntries missing" if "tlogEntries" in str(error) else str(error)
        print(name, sorted(material), result)
        seen.setdefault(name, []).append(result)
want = {"@sigstore/bundle": ["read", "read"], "sigstore-models": ["tlogEntries missing", "read"], "sigstore-protobuf-specs": ["read", "read"]}
assert seen == want, seen
PY
cat > seen.cjs <<'JS'
const { bundleFromJSON } = require('@sigstore/bundle');
bundleFromJSON(JSON.parse(process.argv[2]));
JS
venv/bin/python seen.py
