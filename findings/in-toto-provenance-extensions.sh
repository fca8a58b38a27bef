#!/usr/bin/env bash
# in-toto's own Python models and a provenance of SLSA v1 that carries a field of its builder, as BuildKit's does (`buildkit_metadata`, `buildkit_hermetic`).
# Guess: SLSA tells readers to ignore fields that they don't know, so it is read.
# Seen: in-toto-attestation 0.9.3 holds predicates as protobuf messages, whose JSON reader refuses an unknown field. Told to ignore it, it
# drops the field, so that what is written back is another statement and no signature over it holds.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet in-toto-attestation==0.9.3 protobuf==7.36.2
cat > seen.py <<'PY'
import json
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
predicate = {
    "buildDefinition": {"buildType": "https://builder.example/v1", "externalParameters": {}},
    "runDetails": {"builder": {"id": "https://builder.example"}, "metadata": {"invocationId": "1", "buildkit_metadata": {"vcs": {}}}},
}
text = json.dumps(predicate)
try:
    json_format.Parse(text, Provenance())
    raise SystemExit("it was read")
except json_format.ParseError as error:
    print(error)
    assert "buildkit_metadata" in str(error)
read = json_format.Parse(text, Provenance(), ignore_unknown_fields=True)
back = json_format.MessageToDict(read)
print(back)
assert "buildkit_metadata" not in back["runDetails"]["metadata"]
PY
venv/bin/python seen.py
