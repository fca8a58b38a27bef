#!/usr/bin/env bash
# A CycloneDX 1.6 document that says how an image was built (`formulation`), what was attested of it (`declarations`), what a reviewer noted
# (`annotations`) and that the list is complete (`compositions`), read and written back by cyclonedx-python-lib. Guess: it is kept, or refused.
# Seen: 11.12.0 calls it valid, reads it without a word and writes a document that is valid too and has none of the four. Its time also gets another
# spelling, so the digest moves even where nothing is lost.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet 'cyclonedx-python-lib[json-validation]==11.12.0'
cat > seen.py <<'PY'
import json
from cyclonedx.model.bom import Bom
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
time = "2026-01-01T00:00:00Z"
document = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "serialNumber": "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79",
    "version": 1,
    "metadata": {"timestamp": time, "component": {"type": "container", "name": "app", "bom-ref": "app"}},
    "compositions": [{"aggregate": "complete", "assemblies": ["app"]}],
    "annotations": [{"subjects": ["app"], "annotator": {"individual": {"name": "auditor"}}, "timestamp": time, "text": "rebuilt"}],
    "formulation": [{"bom-ref": "formula", "workflows": [{"bom-ref": "workflow", "uid": "1", "taskTypes": ["build"]}]}],
    "declarations": {"claims": [{"bom-ref": "claim", "target": "app", "predicate": "reproducible"}]},
}
valid = JsonStrictValidator(SchemaVersion.V1_6).validate_str
assert valid(json.dumps(document)) is None
text = make_outputter(Bom.from_json(document), OutputFormat.JSON, SchemaVersion.V1_6).output_as_string()
assert valid(text) is None
back = json.loads(text)
lost = sorted(document.keys() - back.keys())
print("lost:", *lost)
print(time, "is now", back["metadata"]["timestamp"])
assert lost == ["annotations", "compositions", "declarations", "formulation"]
assert back["metadata"]["timestamp"] == "2026-01-01T00:00:00+00:00"
PY
venv/bin/python seen.py
