"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const $ = id => document.getElementById(id);
const ROW = 26;
const ORDER = "SNBP";
const WORDS = { S: "security", N: "content", B: "benign", P: "packaging" };
const make = (name, text, className) => {
  const element = document.createElement(name);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
};
const mark = cls => {
  const element = make("span", cls, "mark " + cls);
  element.title = WORDS[cls];
  return element;
};
const isWorse = (one, other) => ORDER.indexOf(one) < ORDER.indexOf(other);
const rows = data.rows.map(([platform, cause, cls, proof, level, layer, path, field, aspects, first, second, detail, line, owner]) => (
  { platform, cause: data.causes[cause], cls, proof, level, layer, path, field, aspects, first, second, detail, line, owner }));

// ------------------------------------------------------------ layers, drawn to size
const worstOfLayer = new Map();
for (const row of rows) {
  const key = `${row.platform} ${row.layer}`;
  if (!worstOfLayer.has(key) || isWorse(row.cls, worstOfLayer.get(key))) worstOfLayer.set(key, row.cls);
}
for (const [at, platform] of data.platforms.entries()) {
  for (const [side, layers] of [["first", platform.first], ["second", platform.second]]) {
    if (!layers || !layers.length || platform.verdict === "same") continue;
    if (!$("strips").hasChildNodes()) $("strips").append(make("h2", "Layers"));
    $("strips").append(make("div", `${platform.name}, ${side}: ${layers.length === 1 ? "1 layer" : `${layers.length} layers`}`));
    const strip = make("div", undefined, "strip");
    const whole = layers.reduce((sum, layer) => sum + layer.size, 0) || 1;
    layers.forEach((layer, number) => {
      const worst = worstOfLayer.get(`${at} ${number + 1}`);
      const button = make("button", String(number + 1), worst ? "changed " + worst : "");
      button.type = "button";
      button.style.flexGrow = Math.max(layer.size / whole, 0.01);
      button.title = `layer ${number + 1}, ${layer.size} bytes${layer.instruction ? "\n" + layer.instruction : ""}`;
      button.setAttribute("aria-label", `${button.title}${worst ? ", differs: " + WORDS[worst] : ""}`);
      button.addEventListener("click", () => { $("layer").value = String(number + 1); $("platform").value = String(at); filter(); $("differences").scrollIntoView(); });
      strip.append(button);
    });
    $("strips").append(strip);
  }
}

// ------------------------------------------------------------ causes with their fixes
const byCause = new Map();
for (const row of rows) {
  const key = row.cls + row.cause.code;
  if (!byCause.has(key)) byCause.set(key, { cls: row.cls, cause: row.cause, count: 0 });
  byCause.get(key).count += 1;
}
const sorted = [...byCause.values()].sort((a, b) => ORDER.indexOf(a.cls) - ORDER.indexOf(b.cls) || b.count - a.count);
if (sorted.length) $("causes").append(make("h2", "Causes"));
for (const { cls, cause, count } of sorted) {
  const details = make("details");
  const summary = make("summary");
  summary.append(mark(cls), `${cause.code} ${cause.name} (${count}): ${cause.message}`);
  details.append(summary, ...remedy(cause));
  $("causes").append(details);
}

// What to do, and the change that can be copied where there is one.
function remedy(cause) {
  return cause.fix && cause.fix !== cause.help ? [make("p", cause.help), copy(cause.fix)] : [copy(cause.help)];
}

function copy(text) {
  const box = make("div", undefined, "fix");
  const code = make("code", text);
  const button = make("button", "Copy");
  button.type = "button";
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      document.execCommand("copy");
    }
    button.textContent = "Copied";
  });
  box.append(code, button);
  return box;
}

// ------------------------------------------------------------ filters
data.platforms.forEach((platform, at) => $("platform").append(new Option(platform.name, at)));
[...new Set(rows.map(row => row.cause.code))].sort().forEach(code => $("code").append(new Option(code, code)));
[...new Set(rows.map(row => row.layer).filter(layer => layer))].sort((a, b) => a - b).forEach(layer => $("layer").append(new Option(layer, layer)));

const closed = new Set();
let shown = [];
let chosen = -1;

function filter() {
  const words = $("search").value.toLowerCase();
  const [platform, cls, code, layer] = ["platform", "class", "code", "layer"].map(id => $(id).value);
  const found = rows.filter(row =>
    (platform === "" || row.platform === Number(platform)) && (cls === "" || row.cls === cls) &&
    (code === "" || row.cause.code === code) && (layer === "" || row.layer === Number(layer)) &&
    (words === "" || `${row.path || ""} ${row.field || ""} ${row.owner || ""} ${row.cause.code} ${row.cause.name}`.toLowerCase().includes(words)));
  $("count").textContent = `${found.length} of ${rows.length}`;
  shown = flat(found);
  chosen = -1;
  $("space").style.height = shown.length * ROW + "px";
  $("list").scrollTop = 0;
  draw();
}

// The tree as lines: what has no path first, then directories with what is in them. The rows come sorted by path.
function flat(found) {
  const lines = [];
  const within = [];
  for (const row of found) {
    const parts = row.path === null ? [""] : row.path.split("/");
    const name = parts.pop();
    let same = 0;
    while (same < within.length && same < parts.length && within[same].name === parts[same]) same += 1;
    within.length = same;
    for (let at = same; at < parts.length; at += 1) {
      const outer = within[at - 1];
      const directory = { name: parts[at], path: outer ? `${outer.path}/${parts[at]}` : parts[at], count: 0, worst: "P" };
      directory.isShown = !outer || outer.isOpen;
      directory.isOpen = directory.isShown && !closed.has(directory.path);
      within.push(directory);
      if (directory.isShown) lines.push({ depth: at, directory, name: directory.name });
    }
    for (const directory of within) {
      directory.count += 1;
      if (isWorse(row.cls, directory.worst)) directory.worst = row.cls;
    }
    if (!within.length || within[within.length - 1].isOpen) lines.push({ depth: parts.length, row, name });
  }
  return lines;
}

function draw() {
  const list = $("list");
  const from = Math.max(0, Math.floor(list.scrollTop / ROW) - 10);
  const to = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 10);
  const made = [];
  for (let at = from; at < to; at += 1) {
    const { depth, row, directory, name } = shown[at];
    const line = make("div", undefined, "row");
    line.id = "row" + at;
    line.style.top = at * ROW + "px";
    line.style.paddingLeft = 8 + depth * 16 + "px";
    line.setAttribute("role", "treeitem");
    line.setAttribute("aria-level", depth + 1);
    line.setAttribute("aria-selected", at === chosen);
    const cls = directory ? directory.worst : row.cls;
    line.append(mark(cls));
    if (directory) {
      line.setAttribute("aria-expanded", !closed.has(directory.path));
      line.append(`${closed.has(directory.path) ? "▸" : "▾"} ${name}/ (${directory.count})`);
    } else {
      const what = row.aspects.length ? row.aspects.join(", ") : row.path === null ? "" : row.first === null ? "only in the second" : "only in the first";
      line.append(`${name || row.field || row.level} `, make("span", `${row.cause.code} ${row.cause.name} ${what}`, "aside"));
    }
    line.addEventListener("click", () => choose(at));
    made.push(line);
  }
  $("space").replaceChildren(...made);
  if (chosen >= 0) list.setAttribute("aria-activedescendant", "row" + chosen);
}

function choose(at) {
  if (at < 0 || at >= shown.length) return;
  chosen = at;
  const { row, directory } = shown[at];
  if (directory) {
    const top = $("list").scrollTop;
    closed.has(directory.path) ? closed.delete(directory.path) : closed.add(directory.path);
    filter();
    chosen = at;
    $("list").scrollTop = top;
  } else {
    tell(row);
  }
  const list = $("list");
  if (at * ROW < list.scrollTop) list.scrollTop = at * ROW;
  if ((at + 1) * ROW > list.scrollTop + list.clientHeight) list.scrollTop = (at + 1) * ROW - list.clientHeight;
  draw();
}

// ------------------------------------------------------------ one difference
function tell(row) {
  const where = [data.platforms[row.platform]?.name, row.level, row.layer && `layer ${row.layer}`, row.aspects.join(", "), row.line && `line ${row.line} of the Dockerfile`, row.owner && `file of ${row.owner}`].filter(Boolean).join(", ");
  const head = make("h2", row.path ?? row.field ?? row.level);
  const cause = make("p");
  cause.append(mark(row.cls), `${row.cause.code} ${row.cause.name} (${row.proof}): ${row.cause.message}`);
  const parts = [head, make("p", where + (row.path && row.field ? `, ${row.field}` : "")), cause];
  if (row.first !== null || row.second !== null) parts.push(pair([[row.first ?? "", row.second ?? "", true]]));
  const detail = row.detail;
  if (detail && detail.kind === "text") {
    for (const hunk of detail.hunks) parts.push(make("p", `lines ${hunk.first} and ${hunk.second}`), pair(sides(hunk.lines)));
    if (detail.more) parts.push(make("p", `and ${detail.more} more places`));
  } else if (detail && detail.kind === "bytes") {
    parts.push(make("p", `at byte ${detail.at}`), pair(hex(detail.first, detail.second)));
  } else if (detail && detail.kind === "package") {
    parts.push(make("p", `${detail.name}: ${detail.first ?? "none"} → ${detail.second ?? "none"}`));
    if (detail.files.length) parts.push(make("p", `${detail.files.length} of its files differ:`), make("pre", detail.files.slice(0, 200).join("\n")));
  } else if (detail) {
    parts.push(make("p", detail.name), pair([[detail.first, detail.second, true]]));
  }
  parts.push(...remedy(row.cause));
  $("detail").replaceChildren(...parts);
  // On a narrow screen it stands below the list.
  if ($("detail").offsetTop > $("list").offsetTop) $("detail").scrollIntoView({ block: "nearest" });
}

function sides(lines) {
  const out = [];
  let gone = [], come = [];
  const flush = () => {
    for (let at = 0; at < Math.max(gone.length, come.length); at += 1) out.push([gone[at] ?? "", come[at] ?? "", true, gone[at] === undefined, come[at] === undefined]);
    gone = []; come = [];
  };
  for (const line of lines) {
    const text = line.slice(1);
    if (line[0] === "-") gone.push(text);
    else if (line[0] === "+") come.push(text);
    else { flush(); out.push([text, text, false]); }
  }
  flush();
  return out;
}

function hex(first, second) {
  const bytes = text => text.match(/.{1,32}/g) || [];
  const spaced = text => (text || "").replace(/../g, "$& ");
  const [one, other] = [bytes(first), bytes(second)];
  return Array.from({ length: Math.max(one.length, other.length) }, (_, at) => [spaced(one[at]), spaced(other[at]), one[at] !== other[at]]);
}

function pair(lines) {
  const box = make("div", undefined, "pair");
  for (const [first, second, differs, noFirst, noSecond] of lines) {
    box.append(make("div", first, differs && !noFirst ? "gone" : ""), make("div", second, differs && !noSecond ? "come" : ""));
  }
  return box;
}

// ------------------------------------------------------------ wiring
let wait = 0;
$("search").addEventListener("input", () => { clearTimeout(wait); wait = setTimeout(filter, 120); });
for (const id of ["platform", "class", "code", "layer"]) $(id).addEventListener("change", filter);
$("filters").addEventListener("submit", event => event.preventDefault());
$("list").addEventListener("scroll", draw, { passive: true });
$("list").addEventListener("keydown", event => {
  const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20 }[event.key];
  if (step) { event.preventDefault(); move(Math.min(shown.length - 1, Math.max(0, chosen + step))); }
  else if (event.key === "Home" || event.key === "End") { event.preventDefault(); move(event.key === "Home" ? 0 : shown.length - 1); }
  else if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(chosen); }
  else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
    const directory = shown[chosen]?.directory;
    if (directory && closed.has(directory.path) === (event.key === "ArrowRight")) { event.preventDefault(); choose(chosen); }
  }
});
function move(at) {
  if (at < 0) return;
  if (shown[at].directory) { chosen = at; keep(at); draw(); } else choose(at);
}
function keep(at) {
  const list = $("list");
  if (at * ROW < list.scrollTop) list.scrollTop = at * ROW;
  if ((at + 1) * ROW > list.scrollTop + list.clientHeight) list.scrollTop = (at + 1) * ROW - list.clientHeight;
}
addEventListener("resize", draw);
$("differences").hidden = rows.length === 0;
filter();
