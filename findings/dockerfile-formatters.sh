#!/usr/bin/env bash
# Two formatters of Dockerfiles: dockerfile-utils, which Docker's language server uses, and dockerfmt, which prettier-plugin-sh uses. Guess: only blanks
# between words change, so at most the history of the image does. Seen: both write a Dockerfile of another image.
# dockerfile-utils 0.16.3 indents continued lines anew inside quotes, so the file that `printf` writes changes. dockerfmt 0.5.4 makes `ENV NAME VALUE`
# to `ENV NAME=VALUE` without quotes, which sets another variable or does not build, takes the quotes of a COPY in JSON form away, so that it copies
# other files, and folds the blanks of a here-document whose RUN goes on after the name.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --no-audit --no-fund --ignore-scripts dockerfile-utils@0.16.3 vscode-languageserver-textdocument@1.0.13 @reteps/dockerfmt@0.5.4 >/dev/null
cat > Dockerfile <<'DOCKERFILE'
FROM alpine:3.22
ENV JAVA_OPTS -Xmx1g -Dfile.encoding=UTF-8
COPY ["two words", "/srv/"]
RUN cat <<EOF > /etc/app.yaml
app:
    port: 80
EOF
RUN printf 'a \
  b' > /etc/app.txt
DOCKERFILE
cat > seen.mjs <<'JS'
import { readFileSync, writeFileSync } from 'node:fs';
import utils from 'dockerfile-utils';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { formatDockerfileContents } from '@reteps/dockerfmt';
const text = readFileSync('Dockerfile', 'utf8');
const edits = utils.format(text, { insertSpaces: true, tabSize: 4 });
writeFileSync('utils', TextDocument.applyEdits(TextDocument.create('', 'dockerfile', 0, text), edits));
writeFileSync('dockerfmt', await formatDockerfileContents(text, { indent: 4, trailingNewline: true, spaceRedirects: true }));
JS
node seen.mjs
for formatter in utils dockerfmt; do
    echo "$formatter:"
    diff Dockerfile "$formatter" | tee "$formatter.diff" || true
done
diff utils.diff - <<'SEEN'
9c9
<   b' > /etc/app.txt
---
>     b' > /etc/app.txt
SEEN
diff dockerfmt.diff - <<'SEEN'
2,3c2,3
< ENV JAVA_OPTS -Xmx1g -Dfile.encoding=UTF-8
< COPY ["two words", "/srv/"]
---
> ENV JAVA_OPTS=-Xmx1g -Dfile.encoding=UTF-8
> COPY two words /srv/
6c6
<     port: 80
---
> port: 80
SEEN
