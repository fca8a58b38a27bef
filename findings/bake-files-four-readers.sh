#!/usr/bin/env bash
# Four readers of HCL and a bake file, as `docker buildx bake` takes it. Guess: strings without functions come out alike, expressions marked as such.
# Seen: `"app:${TAG}"` is `app:TAG` for pygohcl 1.2.9, an ordinary tag that nobody wrote. `"$${HOME}"`, which means the text `${HOME}`, is `${HOME}` for
# hcl2-parser 1.0.3, the same as the variable; hcl2json 0.21.0 leaves both as they are in the file. python-hcl2 8.1.4 gives values with
# their quotes, and an inline Dockerfile with its `<<EOT`. A tool that looks for tags or base images in bake files finds four different ones.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet python-hcl2==8.1.4 pygohcl==1.2.9
npm install --silent --no-save --no-audit --no-fund --ignore-scripts hcl2-parser@1.0.3 @cdktf/hcl2json@0.21.0 >/dev/null
cat > docker-bake.hcl <<'HCL'
target "app" {
  tags = ["app:${TAG}"]
  args = { HOME = "$${HOME}" }
  dockerfile-inline = <<EOT
FROM alpine:${TAG}
EOT
}
HCL
cat > seen.py <<'PY'
import hcl2, json, pygohcl
text = open("docker-bake.hcl").read()
def show(name, target):
    print(name, json.dumps([target["tags"][0], target["args"]["HOME"], target["dockerfile-inline"]]))
show("python-hcl2", hcl2.loads(text)["target"][0]['"app"'])
show("pygohcl", pygohcl.loads(text)["target"]["app"])
PY
cat > seen.cjs <<'JS'
const text = require('fs').readFileSync('docker-bake.hcl', 'utf8');
const show = (name, read) => {
  const [target] = read.target.app;
  console.log(name, JSON.stringify([target.tags[0], target.args.HOME, target['dockerfile-inline']]).replaceAll('","', '", "'));
};
show('hcl2-parser', require('hcl2-parser').parseToObject(text)[0]);
require('@cdktf/hcl2json').parse('docker-bake.hcl', text).then((read) => show('hcl2json', read));
JS
{ venv/bin/python seen.py; node seen.cjs; } | tee seen
diff seen - <<'SEEN'
python-hcl2 ["\"app:${TAG}\"", "\"$${HOME}\"", "\"<<EOT\nFROM alpine:${TAG}\nEOT\""]
pygohcl ["app:TAG", "${HOME}", "FROM alpine:TAG\n"]
hcl2-parser ["app:${TAG}", "${HOME}", "FROM alpine:${TAG}\n"]
hcl2json ["app:${TAG}", "$${HOME}", "FROM alpine:${TAG}\n"]
SEEN
