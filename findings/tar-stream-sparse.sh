#!/usr/bin/env bash
# tar-stream (npm) on sparse files of GNU tar. Guess: refused, or expanded as Python's tarfile does. Seen: in a PAX archive the entry is a plain
# `file` named `GNUSparseFile.<process id>/hole` whose content is the sparse map and what follows it; in a GNU archive its type is null and the content
# lacks the hole. No error. Whoever copies layers through it gives containers other files, under names that differ from run to run.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund tar-stream@3.2.2 >/dev/null
truncate -s 1M hole && printf end >> hole
tar -S --format=posix -cf pax.tar hole
tar -S --format=gnu -cf gnu.tar hole
cat > read.js <<'JS'
const tar = require('tar-stream'), fs = require('fs');
const extract = tar.extract();
extract.on('entry', (header, stream, next) => {
  let length = 0;
  stream.on('data', (part) => { length += part.length; });
  stream.on('end', () => { console.log(header.type, header.name, length); next(); });
});
extract.on('error', (error) => console.log('error', error.message));
fs.createReadStream(process.argv[2]).pipe(extract);
JS
pax=$(node read.js pax.tar); gnu=$(node read.js gnu.tar)
echo "pax: $pax"; echo "gnu: $gnu"; echo "true: file hole $(stat -c %s hole)"
grep -Eq '^file .*GNUSparseFile\.[0-9]+/hole 515$' <<< "$pax"
[ "$gnu" = "null hole 3" ]
