#!/usr/bin/env bash
# An attestation in a DSSE envelope whose signature has no key id, or another than the reader's name for the key. Guess: DSSE calls `keyid` an optional hint that
# must not decide anything, so that a good signature of a known key is found. Seen: securesystemslib 1.6.0 (PyPI), under in-toto and TUF, looks only at
# signatures with its own name for the key: no `keyid` is a bare KeyError, an empty or another one does not count, and two by one name, of which the second is good, are a
# ValueError. openssl, asked about the same bytes and key, finds each signature good.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet 'securesystemslib[crypto]==1.6.0'
cat > seen.py <<'PY'
import base64, subprocess
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
private = Ed25519PrivateKey.generate()
public = private.public_key()
payload, kind = b'{"_type":"https://in-toto.io/Statement/v1"}', "application/vnd.in-toto+json"
signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
good = base64.b64encode(private.sign(signed)).decode()
other = base64.b64encode(Ed25519PrivateKey.generate().sign(signed)).decode()
with open("signed", "wb") as file: file.write(signed)
with open("key.pem", "wb") as file: file.write(public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
with open("signature", "wb") as file: file.write(base64.b64decode(good))
subprocess.run("openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed -sigfile signature".split(), check=True, capture_output=True)
key = SSlibKey.from_crypto(public, keyid="reader")
cases = {
    "reader": [{"keyid": "reader", "sig": good}],
    "none": [{"sig": good}],
    "empty": [{"keyid": "", "sig": good}],
    "writer": [{"keyid": "writer", "sig": good}],
    "twice": [{"keyid": "reader", "sig": other}, {"keyid": "reader", "sig": good}],
}
seen = {}
for name, signatures in cases.items():
    envelope = {"payload": base64.b64encode(payload).decode(), "payloadType": kind, "signatures": signatures}
    try:
        Envelope.from_dict(envelope).verify([key], 1)
        seen[name] = "verified"
    except Exception as error:
        seen[name] = type(error).__name__
    print(name, seen[name])
want = {"reader": "verified", "none": "KeyError", "empty": "VerificationError", "writer": "VerificationError", "twice": "ValueError"}
assert seen == want, seen
PY
venv/bin/python seen.py
