#!/usr/bin/env bash
# fflate (npm), a gzip without native code, beside node's zlib and pako. Guess: a layer of several gzip members, as eStargz and bgzip write them, is read
# whole, and one content at one level gets the same bytes however it is fed. Seen: in fflate 0.8.3 `gunzipSync` and `gunzip` give the first member only,
# without an error, `Gunzip` gives all of them; `Gzip` writes other bytes for other sizes of pushes, and others than `gzipSync`. node's zlib and pako 3.0.3
# do neither.
set -euo pipefail
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-save --no-audit --no-fund fflate@0.8.3 pako@3.0.3 >/dev/null
cat > seen.mjs <<'JS'
import assert from 'node:assert';
import { createHash } from 'node:crypto';
import zlib from 'node:zlib';
import * as fflate from 'fflate';
import * as pako from 'pako';
const lines = (from, to) => Buffer.from(Array.from({ length: to - from }, (_, i) => `line ${((from + i) * 2654435761) % 99991}\n`).join(''));
const layer = Buffer.concat([zlib.gzipSync(lines(0, 3000)), zlib.gzipSync(lines(3000, 9000))]);
const collect = (make, data, size) => {
  const pieces = [];
  const stream = make((piece) => pieces.push(Buffer.from(piece)));
  for (let at = 0; at < data.length; at += size) stream.push(data.subarray(at, at + size), at + size >= data.length);
  return Buffer.concat(pieces);
};
const read = {
  node: zlib.gunzipSync(layer).length,
  pako: pako.ungzip(layer).length,
  gunzipSync: fflate.gunzipSync(layer).length,
  gunzip: await new Promise((done, fail) => fflate.gunzip(layer, (error, data) => (error ? fail(error) : done(data.length)))),
  Gunzip: collect((sink) => new fflate.Gunzip(sink), layer, 1000).length,
};
console.log('read', read);
const content = lines(0, 100000);
const digest = (bytes) => {
  assert(zlib.gunzipSync(bytes).equals(content));
  return createHash('sha256').update(bytes).digest('hex').slice(0, 12);
};
const byPako = (size) => {
  const stream = new pako.Deflate({ gzip: true, level: 6 });
  for (let at = 0; at < content.length; at += size) stream.push(content.subarray(at, at + size), at + size >= content.length);
  return Buffer.from(stream.result);
};
const sizes = [content.length, 65536, 10000];
const written = {
  gzipSync: [digest(fflate.gzipSync(content, { level: 6, mtime: 0 }))],
  Gzip: sizes.map((size) => digest(collect((sink) => new fflate.Gzip({ level: 6, mtime: 0 }, sink), content, size))),
  pako: sizes.map((size) => digest(byPako(size))),
};
console.log('written', written);
const [whole, first] = [lines(0, 9000).length, lines(0, 3000).length];
assert.deepEqual(read, { node: whole, pako: whole, gunzipSync: first, gunzip: first, Gunzip: whole });
assert.equal(new Set([...written.gzipSync, ...written.Gzip]).size, 4);
assert.equal(new Set(written.pako).size, 1);
process.exit(0);
JS
node seen.mjs
