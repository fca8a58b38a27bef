#!/usr/bin/env bash
# A Sigstore bundle whose DSSE payload is in URL-safe base64, with padding, read by libraries of two languages. Guess: DSSE and protobuf's JSON both
# let a writer choose the alphabet, so all give the payload. Seen: @sigstore/bundle 4.0.0 (npm) and securesystemslib 1.6.0 (PyPI) do. sigstore-models 0.0.6, which
# sigstore-python uses, and sigstore-protobuf-specs 0.5.2 leave out `-` and `_`: mostly that ends in "Incorrect padding", and where four of them stand in a
# payload in other bytes, so that a good attestation of an image counts as one with a bad signature.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet securesystemslib==1.6.0 sigstore-models==0.0.6 sigstore-protobuf-specs==0.5.2
npm install --silent --no-save --no-audit --no-fund @sigstore/bundle@4.0.0 >/dev/null
cat > seen.py <<'PY'
import base64, json, subprocess
from securesystemslib.dsse import Envelope
from sigstore_models.bundle.v1 import Bundle
from sigstore_protobuf_specs.dev.sigstore.bundle.v1 import Bundle as Message
def bundle(payload):
    envelope = {"payload": payload, "payloadType": "application/vnd.in-toto+json", "signatures": [{"sig": "AAAA", "keyid": "1"}]}
    kind = "application/vnd.dev.sigstore.bundle.v0.3+json"
    return {"mediaType": kind, "verificationMaterial": {"publicKey": {"hint": "1"}, "tlogEntries": []}, "dsseEnvelope": envelope}
readers = {
    "@sigstore/bundle": lambda read: subprocess.run(["node", "seen.cjs", json.dumps(read)], check=True, capture_output=True).stdout,
    "securesystemslib": lambda read: Envelope.from_dict(read["dsseEnvelope"]).payload,
    "sigstore-models": lambda read: Bundle.from_json(json.dumps(read)).dsse_envelope.payload,
    "sigstore-protobuf-specs": lambda read: Message.from_dict(read).dsse_envelope.payload,
}
seen = {}
for content in (b'{"a":"???"}', b'{"a":"???","b":"???","c":"???","d":"???"}'):
    for name, read in readers.items():
        assert read(bundle(base64.b64encode(content).decode())) == content
        try:
            payload = read(bundle(base64.urlsafe_b64encode(content).decode()))
            result = "read" if payload == content else "read as other bytes"
        except ValueError as error:
            assert "Incorrect padding" in str(error), error
            result = "Incorrect padding"
        print(name, content.decode(), result)
        seen.setdefault(name, []).append(result)
strict = ["Incorrect padding", "read as other bytes"]
assert list(seen.values()) == [["read", "read"], ["read", "read"], strict, strict], seen
PY
cat > seen.cjs <<'JS'
const { bundleFromJSON } = require('@sigstore/bundle');
process.stdout.write(bundleFromJSON(JSON.parse(process.argv[2])).content.dsseEnvelope.payload);
JS
venv/bin/python seen.py
