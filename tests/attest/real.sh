#!/usr/bin/env bash
# Tries real programs on what `repro attest` writes, and `repro attest` on what they write, and prints a table, a line a case:
#
#     REPRO=target/debug/repro tests/attest/real.sh
#
# Python's securesystemslib, in-toto-attestation and sigstore-models come from PyPI. `COSIGN3`, `COSIGN2` and `SLSA_VERIFIER` name the programs; what is
# not there is told as not run, and `cosign` of Go's module proxy takes a quarter of an hour to compile:
#
#     GOBIN=$PWD/bin go install github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3
#
# With a rig (`RIG_REGISTRY`, `BUILDKIT_HOST`) BuildKit's own provenance is read, too, and a registry without the referrers API is used.
# Ends with 1 if a case is not as it says.
set -euo pipefail
repro=$(realpath "${REPRO:-target/debug/repro}")
work=$(mktemp -d)
serving=
trap '[ -z "$serving" ] || kill "$serving"; rm -rf "$work"' EXIT
cd "$work"
export HOME=$work/home XDG_CACHE_HOME=$work/cache COSIGN_PASSWORD= SIGSTORE_NO_CACHE=1
mkdir "$HOME"
failed=0
vsa=https://slsa.dev/verification_summary/v1

# case NAME WANT COMMAND…: WANT is `ok` or `no`.
case_of() {
    local name=$1 want=$2 got=ok
    shift 2
    "$@" >"$work/log" 2>&1 || got=no
    local said=
    [ "$got" = "$want" ] || { failed=1; said=" (expected $want: $(tail -n 1 "$work/log" | cut -c1-160))"; }
    printf '| %-72s | %s%s |\n' "$name" "$got" "$said"
}

# A project that is recorded, served, and verified by two auditors: an Ed25519 key and one of P-256.
git init -q project && cd project
printf 'version = 1\n[image.app]\n' >repro.toml
printf 'FROM scratch\nCOPY a /a\n' >Dockerfile
echo a >a
git add . && git -c user.name=a -c user.email=a@a.example commit -qm a
"$repro" -q lock && "$repro" -q build --record -o "$work/app.tar" >/dev/null
git add repro.lock && git -c user.name=a -c user.email=a@a.example commit -qm b
for type in ed25519 ecdsa-p256; do
    "$repro" attest keygen --type $type -o "$work/$type" >/dev/null
    "$repro" -q verify --attest "$work/$type.intoto.jsonl" --key "$work/$type.pem" \
        --builder-id https://a.example/builder --verifier-id https://a.example/repro >/dev/null
    for kind in vsa provenance; do
        "$repro" attest extract "$work/$type.intoto.jsonl" --type $kind -o "$work/$type.$kind.intoto.json"
        "$repro" attest extract "$work/$type.intoto.jsonl" --type $kind --format sigstore -o "$work/$type.$kind.sigstore.json"
    done
done
cd "$work"
"$repro" serve store --writable >address & serving=$!
until [ -s address ]; do sleep 0.1; done
here=$(head -n 1 address)/acme/app
digest=$(sed -n 's/^manifest = "\(sha256:[0-9a-f]*\)"/\1/p' project/repro.lock | head -n 1)
hex=${digest#sha256:}

echo "| what | result |"
echo "|---|---|"

# Python.
python3 -m venv venv
venv/bin/pip install --quiet 'securesystemslib[crypto]==1.6.0' in-toto-attestation==0.9.3
python3 -m venv models
models/bin/pip install --quiet sigstore-models==0.0.6
cat >dsse.py <<'PY'
import json, sys
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
envelope = json.load(open(sys.argv[1]))
with open(sys.argv[2], "rb") as file:
    key = load_pem_public_key(file.read())
# The name that the envelope gives the key has to be given here, too; reading the envelope takes it out.
keyid = envelope["signatures"][0]["keyid"]
Envelope.from_dict(envelope).verify([SSlibKey.from_crypto(key, keyid=keyid)], 1)
PY
cat >statement.py <<'PY'
import base64, json, sys
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.predicates.vsa.v1 import vsa_pb2
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as Message
payload = base64.b64decode(json.load(open(sys.argv[1]))["payload"])
message = json_format.Parse(payload, Message())
Statement.copy_from_pb(message).validate()
predicate = json.dumps(json.loads(payload)["predicate"])
if sys.argv[2] == "provenance":
    json_format.Parse(predicate, Provenance())
else:
    json_format.Parse(predicate, vsa_pb2.VerificationSummary())
PY
cat >bundle.py <<'PY'
import json, sys
from sigstore_models.bundle.v1 import Bundle
text = open(sys.argv[1]).read()
assert Bundle.from_json(text).dsse_envelope.payload
PY
for type in ed25519 ecdsa-p256; do
    for kind in vsa provenance; do
        case_of "securesystemslib 1.6.0 verifies our $kind, $type" ok venv/bin/python dsse.py $type.$kind.intoto.json $type.pub.pem
    done
    # It wants a list of log entries, which may be left out where there is none.
    case_of "sigstore-models 0.0.6 reads our bundle, $type" no models/bin/python bundle.py $type.vsa.sigstore.json
done
case_of "in-toto-attestation 0.9.3 reads our provenance, strictly" ok venv/bin/python statement.py ed25519.provenance.intoto.json provenance
# SLSA lets a summary have members that are named by URIs, this reader does not.
case_of "in-toto-attestation 0.9.3 reads our summary, strictly" no venv/bin/python statement.py ed25519.vsa.intoto.json vsa

"$repro" -q push app.tar "$here:1" >/dev/null
for type in ed25519 ecdsa-p256; do "$repro" -q attest push $type.intoto.jsonl --to "$here:1" >/dev/null; done
case_of "we verify what we pushed" ok "$repro" attest verify --from "$here" --key ed25519.pub.pem --lock project/repro.lock

# cosign, of each version that is named.
for name in COSIGN3 COSIGN2; do
    cosign=${!name:-}
    if [ ! -x "${cosign:-/}" ] || [ -d "${cosign:-/}" ]; then echo "| $name | not run |"; continue; fi
    version=cosign\ $("$cosign" version 2>/dev/null | sed -n 's/^GitVersion: *//p')
    offline=(--insecure-ignore-tlog)
    for type in ed25519 ecdsa-p256; do
        case_of "$version verify-blob-attestation: our bundle, $type" ok "$cosign" verify-blob-attestation --bundle $type.vsa.sigstore.json \
            --new-bundle-format --key $type.pub.pem "${offline[@]}" --type $vsa --digest "$hex" --digestAlg sha256
        case_of "$version verify-blob-attestation: our envelope, $type" ok "$cosign" verify-blob-attestation --signature $type.vsa.intoto.json \
            --new-bundle-format=false --key $type.pub.pem "${offline[@]}" --type $vsa --digest "$hex" --digestAlg sha256
        case_of "$version verify-attestation: what we pushed, $type" ok "$cosign" verify-attestation --key $type.pub.pem "${offline[@]}" \
            --new-bundle-format --type $vsa --allow-http-registry "$here@$digest"
    done
    case_of "$version refuses our envelope under another key" no "$cosign" verify-blob-attestation --signature ed25519.vsa.intoto.json \
        --new-bundle-format=false --key ecdsa-p256.pub.pem "${offline[@]}" --type $vsa --digest "$hex" --digestAlg sha256
    # What it writes: a summary that our auditor would sign, in both ways of storage.
    rm -f cosign.key cosign.pub
    "$cosign" generate-key-pair >/dev/null 2>&1
    python3 - <<'PY'
import base64, json
payload = base64.b64decode(json.load(open("ed25519.vsa.intoto.json"))["payload"])
json.dump(json.loads(payload)["predicate"], open("predicate.json", "w"))
PY
    storage=("--new-bundle-format=true" "--new-bundle-format=false")
    for form in "${storage[@]}"; do
        "$repro" -q push app.tar "$here-${name,,}${form##*=}:1" >/dev/null
        quiet=(--tlog-upload=false)
        ! "$cosign" attest --help 2>&1 | grep -q -- --use-signing-config || quiet+=(--use-signing-config=false)
        case_of "$version attest $form" ok "$cosign" attest --yes --key cosign.key "${quiet[@]}" "$form" --type $vsa --predicate predicate.json \
            --allow-http-registry "$here-${name,,}${form##*=}@$digest"
        case_of "we verify what $version attested, $form" ok "$repro" attest verify --from "$here-${name,,}${form##*=}" --key cosign.pub --lock project/repro.lock
    done
    case_of "we sign with the key of $version, and it verifies" ok bash -c "
        cd project && '$repro' -q verify --attest ../bare.$name.jsonl >/dev/null && cd .. &&
        chmod 600 cosign.key && '$repro' attest sign bare.$name.jsonl --detached --key cosign.key --passphrase-fd 3 3<<<'' -o signed.$name.jsonl &&
        '$repro' attest extract signed.$name.jsonl --type vsa --format sigstore -o signed.$name.sigstore.json &&
        '$cosign' verify-blob-attestation --bundle signed.$name.sigstore.json --new-bundle-format --key cosign.pub --insecure-ignore-tlog --type $vsa --digest $hex --digestAlg sha256"
done

if [ -x "${SLSA_VERIFIER:-/}" ] && [ ! -d "${SLSA_VERIFIER:-/}" ]; then
    for type in ed25519 ecdsa-p256; do
        case_of "slsa-verifier verify-vsa: our summary, $type" ok "$SLSA_VERIFIER" verify-vsa --subject-digest "$digest" --attestation-path $type.vsa.intoto.json \
            --verifier-id https://a.example/repro --resource-uri pkg:oci/app --verified-level REPRO_BIT_FOR_BIT --public-key-path $type.pub.pem
    done
else
    echo "| slsa-verifier | not run |"
fi

if [ -n "${RIG_REGISTRY:-}" ] && [ -n "${BUILDKIT_HOST:-}" ]; then
    for mode in min max; do
        buildctl build --frontend dockerfile.v0 --local context=project --local dockerfile=project --opt "attest:provenance=mode=$mode" \
            --output "type=image,name=$RIG_REGISTRY/attest/app:$mode,push=true" >log 2>&1
        case_of "we show BuildKit's provenance (mode=$mode)" ok bash -c "'$repro' attest show --from $RIG_REGISTRY/attest/app:$mode | grep 'built by'"
    done
    "$repro" -q push app.tar "$RIG_REGISTRY/attest/plain:1" >/dev/null
    "$repro" -q attest push ed25519.intoto.jsonl --to "$RIG_REGISTRY/attest/plain:1" >/dev/null
    case_of "we verify what we pushed to a registry without the referrers API" ok \
        "$repro" attest verify --from "$RIG_REGISTRY/attest/plain" --key ed25519.pub.pem --lock project/repro.lock
    if [ -x "${COSIGN3:-/}" ] && [ ! -d "${COSIGN3:-/}" ]; then
        case_of "cosign verifies it there" ok "$COSIGN3" verify-attestation --key ed25519.pub.pem --insecure-ignore-tlog --new-bundle-format --type $vsa \
            --allow-http-registry "$RIG_REGISTRY/attest/plain@$digest"
    fi
else
    echo "| BuildKit's provenance, a registry without the referrers API | not run |"
fi
exit $failed
