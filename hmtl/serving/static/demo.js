// The page of the demo: asks the server what is in a text, and draws it. Whatever comes from the text or the
// server becomes text nodes and attributes only, never markup.

// Where the server has none that its model gets right.
const EXAMPLES = {
  "A life": `Ada Holm was born in Bergen in 1902. She studied at the University of Oslo, where her brother \
Nils Holm taught physics. After the war she moved to Canada and founded the Northern Weather Institute in \
Toronto. Her colleagues there called it her second home.`,
  "A company": `Lumen Records is a record label from Manchester, England. It was founded by Tom Reyes in 1987 \
and published the first album of The Paper Lions. In 2004 the company was sold to Harbour Music, whose owner, \
Clara Benn, kept it in the city.`,
  "A river": `The Elbe rises in the Czech Republic and flows through Dresden and Hamburg, in Germany, into the \
North Sea. It is more than a thousand kilometres long. Hamburg lies on its lower course, and the city owes \
its port to it.`,
  "A talk": `"Did you see Maria at the match?" Peter asked. "No, she was ill," said Anna, "but her father came, \
and he brought the twins." They had never been to the stadium before, and it rained all afternoon.`,
};

// Sizes in CSS pixels, if nothing else is said.
const ARC_STEP = 24; // from one height of arcs to the next
const ARC_FOOT = 15; // from the words to the lowest arcs
const ARC_CORNER = 6;
const ARROW = 4;
const LABEL_PADDING = 5;
const LABEL_HEIGHT = 15;
const LEAST_LABEL = 150; // a label may be this long over an arc that is shorter
const ARC_GAP = 6; // between two arcs of the same height
const FEET_APART = 9; // between two arcs at the same mention
const MARK_PADDING = 12; // of a mark around its label
const BADGE = 15; // room for the number of a cluster, after a mention
const BOX_PADDING = 3; // between a mention and the box around it
const NESTED = 2; // by how much a box is larger than the one in it
const TRACK = 20; // the height that a task's marks take under the words
const LONGEST_GROUP = 24; // characters without a space that are kept on one line
const LONGEST_SHOWN = 60; // characters of a sentence in a list
const WORD = /^[\p{L}\p{N}]/u; // what a line may begin with
// Of what has a colour the first hue, and how many from there: those of clusters are none of the labels'.
const HUES = { label: [40, 240], cluster: [300, 80], relation: [200, 80] };
const GOLDEN = 0.618034; // neighbours differ, however many there are
const LONGEST_KEPT = 40; // characters of a mention that a line's end does not break
const MOST_EXPLAINED = 30; // labels of a task in the legend

const byId = (id) => document.getElementById(id);
const page = Object.fromEntries(
  ["tasks", "run", "models", "note", "form", "text", "count", "from", "examples", "message", "result", "switches",
    "least", "status", "drawing", "sentences", "mentions", "marks", "arcs", "legend", "lists", "card", "curl",
    "example"].map((id) => [id, byId(id)]),
);

// What is drawn; the names of tasks that are not; how probable it must be; what stays highlighted: {cluster} or {relation}, a number.
let view = null;
// What the server says of the model, and which model was asked for.
let info = null;
const model = new URLSearchParams(location.search).get("model");
const hidden = new Set();
let least = 0;
let pinned = null;
let request = null;

// Elements

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function svg(name, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

function coloured(made, hue) {
  made.style.setProperty("--hue", hue);
  return made;
}

function place(made, { left, top, width, height }) {
  Object.assign(made.style, { left: `${left}px`, top: `${top}px` });
  if (width !== undefined) made.style.width = `${width}px`;
  if (height !== undefined) made.style.height = `${height}px`;
  return made;
}

function hueOf(kind, index) {
  const [first, range] = HUES[kind];
  return Math.round(first + range * ((index * GOLDEN) % 1)) % 360;
}

const widths = new Map();

/** How wide a label is in the type of a class. */
function widthOf(text, className) {
  const key = `${className} ${text}`;
  if (!widths.has(key)) {
    const probe = element("span", `${className} measure`, text);
    probe.style.padding = 0;
    document.body.append(probe);
    widths.set(key, probe.getBoundingClientRect().width);
    probe.remove();
  }
  return widths.get(key);
}

// The server

async function answerOf(response) {
  const answer = await response.json().catch(() => null);
  if (response.ok && answer) return answer;
  throw new Error(answer?.detail ?? `The server answered ${response.status}.`);
}

const addressOf = (path) => (model === null ? path : `${path}?${new URLSearchParams({ model })}`);

async function ask(path, options) {
  let response;
  try {
    response = await fetch(addressOf(path), options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached. Is it still running?");
  }
  return { answer: await answerOf(response), timing: response.headers.get("Server-Timing") ?? "" };
}

function show(error) {
  page.message.hidden = !error;
  page.message.textContent = error ? error.message : "";
}

async function analyse() {
  request?.abort();
  if (tooLong()) {
    page.result.hidden = true;
    const [length, most] = [lengthOfText(), info.max_text_length].map((number) => number.toLocaleString());
    show(new Error(`This text has ${length} characters; the limit is ${most}. Shorten it, or analyse it in parts.`));
    return;
  }
  const mine = (request = new AbortController());
  page.drawing.classList.add("busy");
  page.status.textContent = "Analysing …";
  const begun = performance.now();
  try {
    const { answer, timing } = await ask("predict", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ texts: [page.text.value] }),
      signal: mine.signal,
    });
    const took = performance.now() - begun;
    show(null);
    present(answer.predictions[0]);
    page.status.textContent = summary(timing, took);
  } catch (error) {
    if (error.name === "AbortError") return;
    page.status.textContent = "";
    page.result.hidden = true;
    show(error);
  }
  page.drawing.classList.remove("busy");
}

function summary(timing, took) {
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const size = `${count(view.sentences.length, "sentence")}, ${count(view.tokens.length, "token")}`;
  const model = timing.match(/model;dur=([\d.]+)/)?.[1];
  const share = model ? `, of which the model ${Math.round(model)} ms` : "";
  return `${size} · ${Math.round(took)} ms${share}`;
}

// What the answer says, in the terms of the drawing: spans are token indices, both ends inclusive.

// In the 2018 demo's answers these two tasks do not stand under their own names.
const FIELD = { relation: "relation_arcs_expanded", coref: "coref_clusters" };

function understand(answer) {
  const argument = (relation, name) => ({
    first: relation[`${name}_begin_token`],
    last: relation[`${name}_end_token`],
    text: relation[`${name}_text`],
  });
  const stretch = (mention) => ({ first: mention.begin_token, last: mention.end_token, ...mention });
  const ofText = (labelled) => ({ ...stretch(labelled), text: shortened(labelled.text) });
  const read = {
    mentions: stretch,
    label: ofText,
    labels: ofText,
    tokens: (type, index) => ({ type, first: index, last: index, text: answer.tokens[index].text }),
    tree: ({ type, head }, index) => ({
      type,
      text: head === null ? answer.tokens[index].text : `${answer.tokens[index].text} ← ${answer.tokens[head].text}`,
    }),
    relations: (relation) => ({
      type: relation.type,
      score: relation.score,
      from: argument(relation, "arg1"),
      to: argument(relation, "arg2"),
    }),
    // Across sentences, between first mentions: told in a list, not drawn.
    document_relations: ({ type, score, arg1_text, arg2_text }) => ({ type, score, text: `${arg1_text} → ${arg2_text}` }),
    coreference: (cluster) =>
      cluster.map(({ begin, end, text, score }) => ({ first: begin, last: end, text, score })),
  };
  const tasks = answer.tasks.map(({ name, kind, labels }) => ({
    name,
    kind,
    labels,
    found: (answer[FIELD[name] ?? name] ?? []).map(read[kind]),
  }));
  const sentences = answer.sentences.map(({ begin_token, end_token }) => [begin_token, end_token]);
  return { tokens: answer.tokens, sentences, tasks, hues: huesOf(tasks) };
}

const shortened = (text) => (text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text);

/** A label, and what it stands for where that is known. */
function explained(task, label) {
  const meaning = info?.tasks.find(({ name }) => name === task)?.explanations[label];
  return meaning ? `${label} (${meaning})` : label;
}

/** A label has one colour, whichever task it is of. */
function huesOf(tasks) {
  const labels = new Set(tasks.flatMap((task) => task.labels));
  return new Map([...labels].map((label, index) => [label, hueOf("label", index)]));
}

const isProbable = ({ score }) => score === undefined || score >= least;

/** What of a task's answers is probable enough; of a cluster two mentions at least. */
function probable({ kind, found }) {
  if (kind !== "coreference") return found.filter(isProbable);
  return found.map((cluster) => cluster.filter(isProbable)).filter((cluster) => cluster.length > 1);
}

const shown = (kind) => view.tasks
  .filter((task) => task.kind === kind && !hidden.has(task.name))
  .map((task) => ({ ...task, found: probable(task) }));

const percent = (score) => `${(100 * score).toFixed(score > 0.995 ? 1 : 0)} %`;

/** A score behind what it is of, where there is one. */
const withScore = (text, { score }) => (score === undefined ? text : `${text}, ${percent(score)}`);

/** All clusters shown, numbered through. */
const clusters = () => shown("coreference").flatMap((task) => task.found);

/** What relates two mentions, all types together: {from, to, types}. */
function relations() {
  const pairs = new Map();
  const all = shown("relations").flatMap(({ name, found }) => found.map((relation) => ({ ...relation, task: name })));
  for (const { type, from, to, score, task } of all) {
    const key = [from.first, from.last, to.first, to.last].join();
    if (!pairs.has(key)) pairs.set(key, { from, to, types: [], scored: [] });
    pairs.get(key).types.push(type);
    pairs.get(key).scored.push(withScore(explained(task, type), { score }));
  }
  return [...pairs.values()];
}

function present(answer) {
  view = understand(answer);
  view.answer = answer;
  pinned = null;
  page.result.hidden = false;
  drawSwitches();
  drawLegend();
  drawSentences();
  draw();
}

function draw() {
  drawLists();
  layOut();
  highlight(null);
}

// The text

function drawSentences() {
  view.elements = [];
  view.kept = keptTogether();
  page.sentences.replaceChildren(...view.sentences.map(sentenceElement));
  if (!view.tokens.length) {
    page.sentences.append(element("p", "quiet", "There is no word in this text."));
  }
}

/** Tokens that stay on the line of the one before, so that a mention has its label under it whole. */
function keptTogether() {
  const kept = new Set();
  const mentions = view.tasks.filter(({ kind }) => kind === "mentions").flatMap(({ found }) => found);
  for (const { first, last } of mentions) {
    if (view.tokens[last].end_char - view.tokens[first].begin_char > LONGEST_KEPT) continue;
    for (let index = first + 1; index <= last; index += 1) kept.add(index);
  }
  return kept;
}

function sentenceElement([first, last]) {
  const sentence = element("p", "sentence");
  // The drawing follows where the words stand, from whichever side they run.
  sentence.dir = "auto";
  let group = null;
  for (let index = first; index <= last; index += 1) {
    const token = view.tokens[index];
    const touching = group && view.tokens[index - 1].end_char === token.begin_char;
    const kept = group && view.kept.has(index) && group.textContent.length + token.text.length < LONGEST_KEPT;
    if (group && !touching) (kept ? group : sentence).append(" ");
    const tooLong = group?.textContent.length > LONGEST_GROUP && WORD.test(token.text);
    if (!kept && (!touching || tooLong)) {
      group = element("span", "group");
      sentence.append(group);
    }
    const made = element("span", "token", token.text);
    made.dataset.index = index;
    group.append(made);
    view.elements.push(made);
  }
  return sentence;
}

// Where everything goes. Labels need room between the words, which decides where lines break; arcs need room
// above the lines, which does not; then all has its place.

function layOut() {
  const padding = paddingOfTokens();
  let lines = readLines(padding);
  const segments = planArcs(lines);
  makeRoom(lines, segments);
  lines = readLines(padding);
  drawMentions(lines);
  drawMarks(lines);
  drawArcs(lines, segments);
}

function paddingOfTokens() {
  for (const made of view.elements) {
    made.style.padding = 0;
    made.parentElement.style.margin = 0;
  }
  const boxes = view.elements.map((made) => made.getBoundingClientRect());
  view.rightToLeft = view.elements.map((made) => getComputedStyle(made).direction === "rtl");
  const padding = boxes.map(() => ({ left: 0, right: 0 }));
  const before = (index) => (view.rightToLeft[index] ? "right" : "left");
  const behind = (index) => (view.rightToLeft[index] ? "left" : "right");
  for (const { first, last } of clusters().flat()) {
    padding[first][before(first)] += BOX_PADDING;
    padding[last][behind(last)] += BADGE;
  }
  for (const { found } of shown("mentions")) {
    for (const { first, last, type } of found) {
      // One that goes on in the next line has room enough.
      if (boxes[last].top >= boxes[first].bottom) continue;
      let width = Math.max(boxes[last].right, boxes[first].right) - Math.min(boxes[first].left, boxes[last].left);
      for (let index = first; index < last; index += 1) {
        width += padding[index].right + padding[index + 1].left;
      }
      const missing = (markWidth(type) - width) / 2;
      padding[first][before(first)] = Math.max(padding[first][before(first)], missing);
      padding[last][behind(last)] = Math.max(padding[last][behind(last)], missing);
    }
  }
  view.elements.forEach((made, index) => {
    made.style.padding = `0 ${padding[index].right}px 0 ${padding[index].left}px`;
  });
  return padding;
}

const markWidth = (type) => widthOf(type, "mark") + MARK_PADDING;

/** Lines of words on the page, and the box of each word without its padding, relative to the drawing. */
function readLines(padding) {
  const origin = page.drawing.getBoundingClientRect();
  const boxes = view.elements.map((made, index) => {
    const box = made.getBoundingClientRect();
    return {
      left: box.left - origin.left + padding[index].left,
      right: box.right - origin.left - padding[index].right,
      top: box.top - origin.top,
      bottom: box.bottom - origin.top,
    };
  });
  const lines = [];
  const lineOf = boxes.map((box, index) => {
    const line = lines.at(-1);
    const middle = (box.top + box.bottom) / 2;
    if (line && line.top < middle && middle < line.bottom) line.last = index;
    else lines.push({ first: index, last: index, top: box.top, bottom: box.bottom });
    return lines.length - 1;
  });
  return { lines, lineOf, boxes, width: origin.width };
}

/** A span's part on each line that it stands on. */
function piecesOf({ lines, lineOf, boxes }, { first, last }) {
  const pieces = [];
  for (let number = lineOf[first]; number <= lineOf[last]; number += 1) {
    const line = lines[number];
    const from = boxes[Math.max(first, line.first)];
    const to = boxes[Math.min(last, line.last)];
    pieces.push({
      line: number,
      left: Math.min(from.left, to.left),
      right: Math.max(from.right, to.right),
      top: line.top,
      bottom: line.bottom,
    });
  }
  return pieces;
}

function makeRoom({ lines, lineOf }, segments) {
  const above = lines.map(() => 0);
  const below = lines.map(() => 0);
  for (const { line, level } of segments) {
    above[line] = Math.max(above[line], ARC_FOOT + ARC_STEP * level + LABEL_HEIGHT + ARC_GAP / 2);
  }
  shown("mentions").forEach(({ found }, track) => {
    for (const { first, last } of found) {
      below.fill(TRACK * (track + 1), lineOf[first], lineOf[last] + 1);
    }
  });
  lines.forEach(({ first }, number) => {
    const made = view.elements[first];
    // A word that is longer than a line begins in one only.
    if (made.previousElementSibling) return;
    made.parentElement.style.margin = `${above[number]}px 0 ${below[number]}px`;
  });
}

// Coreference: boxes around mentions, each with the number of its cluster

function drawMentions(places) {
  const mentions = clusters().flatMap((cluster, number) =>
    cluster.map((mention, index) => ({ ...mention, number, index, size: cluster.length })),
  );
  const length = ({ first, last }) => last - first;
  mentions.sort((one, other) => length(one) - length(other));
  mentions.forEach((mention, index) => {
    const inside = mentions
      .slice(0, index)
      .filter((other) => mention.first <= other.first && other.last <= mention.last);
    mention.depth = inside.reduce((depth, other) => Math.max(depth, other.depth + 1), 0);
    mention.badges = 1 + inside.filter((other) => other.last === mention.last).length;
  });
  // Larger ones are painted first, and the arrow keys go by the order of the text.
  mentions.sort((one, other) => one.first - other.first || length(other) - length(one));
  view.mentionAt = new Map();
  for (const mention of mentions) {
    for (let index = mention.first; index <= mention.last; index += 1) view.mentionAt.set(index, mention);
  }
  page.mentions.replaceChildren(...mentions.flatMap((mention) => mentionBoxes(places, mention)));
  page.mentions.querySelector(".first")?.setAttribute("tabindex", 0);
}

function mentionBoxes(places, mention) {
  const pieces = piecesOf(places, mention);
  const larger = BOX_PADDING + NESTED * mention.depth;
  return pieces.map((piece, index) => {
    const box = coloured(element("span", "mention"), hueOf("cluster", mention.number));
    const rightToLeft = view.rightToLeft[mention.first];
    box.classList.toggle("right-to-left", rightToLeft);
    const ends = index === pieces.length - 1;
    box.dataset.cluster = mention.number;
    box.title = withScore(`cluster ${mention.number + 1}`, mention);
    if (index === 0) {
      const where = `mention ${mention.index + 1} of ${mention.size}`;
      box.classList.add("first");
      box.tabIndex = -1;
      box.setAttribute("role", "button");
      box.setAttribute("aria-label", `${mention.text}: cluster ${mention.number + 1}, ${where}`);
    } else {
      box.classList.add("continued");
      box.setAttribute("aria-hidden", true);
    }
    if (ends) box.append(element("b", "", String(mention.number + 1)));
    else box.classList.add("continues");
    const behind = ends ? BADGE * mention.badges : BOX_PADDING;
    return place(box, {
      left: piece.left - (rightToLeft ? behind : larger),
      top: piece.top - larger,
      width: piece.right - piece.left + larger + behind,
      height: piece.bottom - piece.top + 2 * larger,
    });
  });
}

// Mentions of one task: labels under the words

function drawMarks(places) {
  const marks = shown("mentions").flatMap(({ name, found }, track) =>
    found.flatMap((mention) => markElements(places, mention, name, track)),
  );
  page.marks.replaceChildren(...marks);
}

function markElements(places, mention, task, track) {
  const pieces = piecesOf(places, mention);
  return pieces.map((piece) => {
    const mark = coloured(element("span", styleOfTask(task, "mark")), view.hues.get(mention.type));
    mark.dataset.task = task;
    mark.dataset.first = mention.first;
    mark.title = withScore(`${task}: ${explained(task, mention.type)}`, mention);
    mark.textContent = mention.type;
    const least = pieces.length === 1 ? markWidth(mention.type) : 0;
    const width = Math.max(lengthOf(piece), least);
    const left = (piece.left + piece.right - width) / 2;
    return place(mark, { left, top: piece.bottom + BOX_PADDING + 1 + TRACK * track, width });
  });
}

/** The second task of mentions, and those after it, look different from the first. */
function styleOfTask(task, className) {
  const first = view.tasks.find(({ kind }) => kind === "mentions");
  return first?.name === task ? className : `${className} outlined`;
}

// Relations: arcs over the words, in one segment for each line that they cross

function planArcs(places) {
  const feet = placeFeet(places);
  const segments = relations().flatMap(({ types }, index) =>
    segmentsOf(types.join(", "), index, feet[index], places),
  );
  places.lines.forEach((line, number) => {
    stack(segments.filter((segment) => segment.line === number));
  });
  return segments;
}

/** For each relation the line and place of both its ends; ends at one mention stand side by side. */
function placeFeet(places) {
  const all = relations().map((relation) => ({
    from: { span: relation.from, other: relation.to },
    to: { span: relation.to, other: relation.from },
  }));
  const byPlace = new Map();
  for (const foot of all.flatMap(({ from, to }) => [from, to])) {
    const together = byPlace.get(foot.span.last) ?? [];
    byPlace.set(foot.span.last, [...together, foot]);
  }
  for (const together of byPlace.values()) {
    // Those that lead to the left stand left, the shortest outermost: so their arcs do not cross.
    together.sort((one, other) => direction(one) - direction(other) || distance(other) - distance(one));
    together.forEach((foot, index) => {
      const piece = piecesOf(places, foot.span).at(-1);
      const step = Math.min(FEET_APART, lengthOf(piece) / together.length);
      foot.line = piece.line;
      foot.x = (piece.left + piece.right) / 2 + step * (index - (together.length - 1) / 2);
    });
  }
  return all;
}

const direction = ({ span, other }) => Math.sign(other.last - span.last);

const distance = ({ span, other }) => other.last - span.last;

function segmentsOf(name, index, { from, to }, places) {
  const [left, right] = [from, to].sort((one, other) => one.line - other.line || one.x - other.x);
  const segments = [];
  for (let line = left.line; line <= right.line; line += 1) {
    const begins = line === left.line;
    const ends = line === right.line;
    segments.push({
      index,
      line,
      left: begins ? left.x : 0,
      right: ends ? right.x : places.width,
      leftFoot: begins && (left === to ? "head" : "tail"),
      rightFoot: ends && (right === to ? "head" : "tail"),
    });
  }
  const longest = segments.reduce((one, other) => (lengthOf(other) > lengthOf(one) ? other : one));
  for (const segment of segments) {
    // Each part of an arc that has room for it says what it is, and one of them in any case.
    const room = lengthOf(segment) - 2 * ARC_CORNER;
    const fits = labelWidth(name) <= room;
    if (segment === longest || fits) {
      segment.label = labelFor(name, segment, Math.max(room, LEAST_LABEL), places.width);
      // Over a short arc, which it would hide.
      segment.label.raised = !fits;
    }
  }
  return segments;
}

const lengthOf = ({ left, right }) => right - left;

const labelWidth = (name) => widthOf(name, "arc-label") + 2 * LABEL_PADDING;

function labelFor(name, { left, right }, room, width) {
  const most = Math.min(room, width);
  const whole = labelWidth(name);
  const text = whole <= most ? name : `${name.slice(0, Math.floor((name.length * most) / whole) - 1)}…`;
  const half = Math.min(whole, most) / 2;
  const middle = Math.min(Math.max((left + right) / 2, half), width - half);
  return { text, left: middle - half, right: middle + half };
}

/** Gives the segments of a line their heights: the shorter an arc the lower, and none over another. */
function stack(segments) {
  const levels = [];
  const from = ({ left, label }) => Math.min(left, label?.left ?? left) - ARC_GAP / 2;
  const to = ({ right, label }) => Math.max(right, label?.right ?? right) + ARC_GAP / 2;
  const apart = (one, other) => to(one) < from(other) || to(other) < from(one);
  segments.sort((one, other) => lengthOf(one) - lengthOf(other));
  for (const segment of segments) {
    segment.level = levels.findIndex((level) => level.every((other) => apart(segment, other)));
    if (segment.level < 0) segment.level = levels.push([]) - 1;
    levels[segment.level].push(segment);
  }
}

function drawArcs(places, segments) {
  const all = relations();
  const types = [...new Set(all.map((relation) => relation.types[0]))];
  const groups = all.map((relation, index) => {
    const hue = hueOf("relation", types.indexOf(relation.types[0]));
    const group = coloured(svg("g", { class: "arc", "data-relation": index }), hue);
    group.append(svg("title", {}, inWords(relation)));
    return group;
  });
  const labels = groups.map((group) => coloured(group.cloneNode(true), group.style.getPropertyValue("--hue")));
  for (const segment of segments) {
    const line = places.lines[segment.line];
    const foot = line.top - BOX_PADDING - 1;
    const height = line.top - ARC_FOOT - ARC_STEP * segment.level;
    groups[segment.index].append(...arcElements(segment, foot, height));
    if (segment.label) labels[segment.index].append(...labelElements(segment.label, height));
  }
  // Labels over all lines, so that none is crossed.
  page.arcs.replaceChildren(svg("g", { id: "links" }), ...groups, ...labels);
}

const inWords = ({ from, to, scored }) => `${from.text} — ${scored.join("; ")} → ${to.text}`;

function arcElements({ left, right, leftFoot, rightFoot }, foot, height) {
  const corner = Math.min(ARC_CORNER, (right - left) / 2);
  const up = leftFoot ? `M${left} ${foot}V${height + corner}q0 ${-corner} ${corner} ${-corner}` : `M${left} ${height}`;
  const down = rightFoot ? `H${right - corner}q${corner} 0 ${corner} ${corner}V${foot}` : `H${right}`;
  const heads = [leftFoot === "head" && left, rightFoot === "head" && right].filter((x) => x !== false);
  return [
    svg("path", { d: up + down }),
    ...heads.map((x) =>
      svg("path", { class: "head", d: `M${x} ${foot + 1}l${-ARROW} ${-1.6 * ARROW}h${2 * ARROW}z` }),
    ),
  ];
}

function labelElements({ text, left, right, raised }, height) {
  const y = raised ? height - LABEL_HEIGHT / 2 - 2 : height;
  return [
    svg("rect", { x: left, y: y - LABEL_HEIGHT / 2, width: right - left, height: LABEL_HEIGHT, rx: 4 }),
    svg("text", { x: (left + right) / 2, y, dy: "0.35em" }, text),
  ];
}

// The same as lists, for those who do not see the drawing, and to find one's way in it

function drawLists() {
  const cards = [
    ...shown("mentions").map((task) => listCard(titleOf(task), task.found.length, mentionItems(task))),
    ...cardOf("relations", relations(), relationItem),
    ...cardOf("coreference", clusters(), clusterItem),
    ...["document_relations", "tokens", "tree", "label", "labels"].flatMap(shown).map((task) =>
      listCard(titleOf(task), task.found.length, mentionItems(task))),
  ];
  page.lists.replaceChildren(...cards);
}

/** The card of all tasks of a kind that are shown, if any is. */
function cardOf(kind, all, item) {
  const tasks = shown(kind);
  const size = tasks.reduce((sum, { found }) => sum + found.length, 0);
  return tasks.length ? [listCard(tasks.map(titleOf).join(", "), size, all.map(item))] : [];
}

function listCard(title, size, items) {
  const card = element("section", "card");
  const heading = element("h2", "", `${title} `);
  heading.append(element("span", "number", String(size)));
  const list = element("ul");
  list.append(...items.map((item) => {
    const entry = element("li");
    entry.append(item);
    return entry;
  }));
  card.append(heading, items.length ? list : element("p", "quiet", "None found."));
  return card;
}

function mentionItems(task) {
  const byType = new Map();
  for (const { type, text } of task.found) byType.set(type, [...(byType.get(type) ?? []), text]);
  return [...byType].map(([type, texts]) => {
    const item = element("div", "item");
    const chip = coloured(element("span", styleOfTask(task.name, "chip"), type), view.hues.get(type));
    chip.title = explained(task.name, type);
    item.append(chip, counted(texts));
    return item;
  });
}

function relationItem({ types, scored, from, to }, index) {
  const item = itemButton("relation", index);
  item.title = scored.join("; ");
  item.append(`${from.text} `, element("span", "type", types.join(", ")), ` → ${to.text}`);
  return item;
}

function clusterItem(cluster, number) {
  const item = itemButton("cluster", number);
  const chip = coloured(element("span", "chip cluster-number", String(number + 1)), hueOf("cluster", number));
  item.append(chip, counted(cluster.map(({ text }) => text)));
  return item;
}

function itemButton(kind, number) {
  const item = element("button", `item ${kind}`);
  item.type = "button";
  item.dataset[kind] = number;
  return item;
}

/** Each text once, with its number of times. */
function counted(texts) {
  const numbers = new Map();
  for (const text of texts) numbers.set(text, (numbers.get(text) ?? 0) + 1);
  return [...numbers].map(([text, times]) => (times > 1 ? `${text} ×${times}` : text)).join(" · ");
}

// Switches

const TITLES = { ner: "Named entities", emd: "Mentions", relation: "Relations", coref: "Coreference" };

const titleOf = ({ name }) => TITLES[name] ?? name;

function drawSwitches() {
  page.switches.replaceChildren(...view.tasks.map((task) => {
    const { name } = task;
    const found = probable(task);
    const made = element("label", "switch");
    const box = element("input");
    box.type = "checkbox";
    box.checked = !hidden.has(name);
    box.dataset.task = name;
    made.append(box, titleOf(task), element("span", "number", String(found.length)));
    return made;
  }));
  const scores = view.tasks.flatMap(({ found }) => found.flat()).map(({ score }) => score);
  page.least.hidden = scores.every((score) => score === undefined);
}

// What the labels mean

function drawLegend() {
  const rows = view.tasks.flatMap(({ name, kind }) => {
    const { labels, explanations } = info.tasks.find((task) => task.name === name);
    const known = labels.filter((label) => explanations[label]).slice(0, MOST_EXPLAINED);
    if (!known.length) return [];
    const list = element("ul");
    list.append(...known.map((label) => {
      const chip = element("span", styleOfTask(name, "chip"), label);
      if (kind === "mentions") coloured(chip, view.hues.get(label));
      else chip.classList.add("plain");
      const entry = element("li");
      entry.append(chip, ` ${explanations[label]}`);
      return entry;
    }));
    return [element("h3", "", titleOf({ name })), list];
  });
  if (view.tasks.some(({ kind }) => kind === "coreference")) {
    rows.push(element("h3", "", "Coreference"), element("p", "", "Boxes with the same number mean the same thing."));
  }
  page.legend.lastElementChild.replaceChildren(...rows);
  page.legend.hidden = !rows.length;
}

// The model's card, as far as Markdown is used in it: headings, tables, paragraphs

async function showCard() {
  const goal = page.card.lastElementChild;
  if (goal.childElementCount) return;
  try {
    const response = await fetch(addressOf("model_card"));
    goal.replaceChildren(...cardElements(await response.text()));
  } catch {
    goal.replaceChildren(element("p", "", "The server cannot be reached."));
  }
}

function cardElements(markdown) {
  return markdown.trim().split(/\n{2,}/).map((block) => {
    if (block.startsWith("|")) return cardTable(block.split("\n"));
    const heading = block.match(/^#+ (.*)/);
    return heading ? element("h3", "", heading[1]) : element("p", "", block.replaceAll("`", ""));
  });
}

function cardTable([header, , ...rows]) {
  const rowOf = (line, name) => {
    const row = element("tr");
    const cells = line.split(/(?<!\\)\|/).slice(1, -1);
    row.append(...cells.map((cell) => element(name, "", cell.trim().replaceAll("\\|", "|"))));
    return row;
  };
  const table = element("table");
  table.append(rowOf(header, "th"), ...rows.map((line) => rowOf(line, "td")));
  const wide = element("div", "wide");
  wide.append(table);
  return wide;
}

/** A link that carries the text. What stands behind # is not sent to any server. */
const linkToText = () => `${location.href.split("#")[0]}#${new URLSearchParams({ text: page.text.value })}`;

/** Puts a text on the clipboard, and says on the button that it is there. */
async function copy(button, text) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser does not allow it";
  }
  setTimeout(() => { button.textContent = label; }, 1500);
}

// Highlighting

/** Shows a cluster or a relation, or else what is pinned. */
function highlight(what) {
  const active = what ?? pinned ?? {};
  page.drawing.classList.toggle("has-cluster", active.cluster !== undefined);
  page.drawing.classList.toggle("has-relation", active.relation !== undefined);
  for (const made of page.result.querySelectorAll("[data-cluster], [data-relation]")) {
    const { cluster, relation } = made.dataset;
    const on = cluster ? Number(cluster) === active.cluster : Number(relation) === active.relation;
    made.classList.toggle("active", on);
    if (made.matches(".item")) made.setAttribute("aria-pressed", on && same(pinned, active));
  }
  byId("links")?.replaceChildren(...linksOf(active.cluster));
}

const same = (one, other) => one?.cluster === other?.cluster && one?.relation === other?.relation;

/** Curves from each mention of a cluster to the next. */
function linksOf(cluster) {
  if (cluster === undefined) return [];
  const boxes = [...page.mentions.querySelectorAll(`.first[data-cluster="${cluster}"]`)];
  const points = boxes.map((box) => ({
    x: box.offsetLeft + box.offsetWidth / 2,
    top: box.offsetTop,
    bottom: box.offsetTop + box.offsetHeight,
  }));
  return points.slice(1).map((to, index) => {
    const from = points[index];
    const d = from.bottom < to.top
      ? `M${from.x} ${from.bottom}C${from.x} ${from.bottom + 30} ${to.x} ${to.top - 30} ${to.x} ${to.top}`
      : `M${from.x} ${from.top}C${from.x} ${from.top - 26} ${to.x} ${to.top - 26} ${to.x} ${to.top}`;
    return coloured(svg("path", { class: "link", d }), hueOf("cluster", cluster));
  });
}

/** The cluster or relation that an element stands for. */
function meaningOf(target) {
  const made = target.closest?.("[data-cluster], [data-relation], .token");
  if (!made) return null;
  if (made.dataset.cluster) return { cluster: Number(made.dataset.cluster) };
  if (made.dataset.relation) return { relation: Number(made.dataset.relation) };
  const mention = view.mentionAt.get(Number(made.dataset.index));
  return mention ? { cluster: mention.number } : null;
}

/** What the keyboard is at: a page that scrolls under the mouse leaves that lit. */
function meaningOfFocus() {
  const focused = document.activeElement;
  return focused?.matches(":focus-visible") ? meaningOf(focused) : null;
}

function pin(what) {
  pinned = what && !same(what, pinned) ? what : null;
  highlight(what && pinned);
}

// What the user does

const lengthOfText = () => [...page.text.value].length;

const tooLong = () => info !== null && lengthOfText() > info.max_text_length;

function countCharacters() {
  const length = lengthOfText().toLocaleString();
  page.count.textContent = info
    ? `${length} of ${info.max_text_length.toLocaleString()} characters`
    : `${length} characters`;
  page.count.classList.toggle("over", tooLong());
}

function listen() {
  page.form.addEventListener("submit", (event) => {
    event.preventDefault();
    analyse();
  });
  page.text.addEventListener("input", countCharacters);
  page.text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) analyse();
  });
  page.switches.addEventListener("change", ({ target }) => {
    hidden[target.checked ? "delete" : "add"](target.dataset.task);
    pinned = null;
    draw();
  });
  page.least.addEventListener("input", ({ target }) => {
    least = target.valueAsNumber / 100;
    page.least.querySelector("output").textContent = `${target.value} %`;
    pinned = null;
    drawSwitches();
    draw();
  });
  for (const [begin, end] of [["pointerover", "pointerout"], ["focusin", "focusout"]]) {
    page.result.addEventListener(begin, ({ target }) => highlight(meaningOf(target) ?? meaningOfFocus()));
    page.result.addEventListener(end, () => highlight(meaningOfFocus()));
  }
  page.result.addEventListener("click", ({ target }) => {
    const what = meaningOf(target);
    if (what) pin(what);
  });
  page.mentions.addEventListener("keydown", walk);
  page.card.addEventListener("toggle", showCard);
  page.models.addEventListener("change", ({ target }) => {
    location.search = new URLSearchParams({ model: target.value });
  });
  byId("copy-link").addEventListener("click", ({ target }) => copy(target, linkToText()));
  byId("copy-json").addEventListener("click", ({ target }) => copy(target, JSON.stringify(view.answer, null, 2)));
  document.addEventListener("keydown", ({ key }) => {
    if (key === "Escape" && view) pin(null);
  });
  new ResizeObserver(() => {
    if (!view || page.result.hidden || page.drawing.clientWidth === view.width) return;
    view.width = page.drawing.clientWidth;
    layOut();
    highlight(null);
  }).observe(page.drawing);
}

/** Arrow keys go from mention to mention: all of them together are one stop of the tabulator. */
function walk(event) {
  const boxes = [...page.mentions.querySelectorAll(".first")];
  const here = boxes.indexOf(document.activeElement);
  const goal = {
    ArrowRight: here + 1,
    ArrowDown: here + 1,
    ArrowLeft: here - 1,
    ArrowUp: here - 1,
    Home: 0,
    End: boxes.length - 1,
    Enter: here,
    " ": here,
  }[event.key];
  if (goal === undefined || !boxes[goal]) return;
  event.preventDefault();
  if (goal === here) pin(meaningOf(boxes[here]));
  boxes[here].tabIndex = -1;
  boxes[goal].tabIndex = 0;
  boxes[goal].focus();
}

function offerExamples() {
  const found = info.examples.length > 0;
  page.from.textContent = found ? "Test texts with all known answers right:" : "Examples:";
  const examples = found ? info.examples.map(({ title, text }) => [title, text]) : Object.entries(EXAMPLES);
  page.examples.append(...examples.map(([name, text]) => {
    const button = element("button", "", name);
    button.type = "button";
    button.addEventListener("click", () => {
      page.text.value = text;
      countCharacters();
      analyse();
    });
    return button;
  }));
}

function introduce() {
  const names = info.tasks.map(titleOf);
  const size = names.length === 1 ? "one task" : `${names.length} tasks`;
  page.tasks.textContent = `One model, ${size}: ${names.join(", ")}.`;
  const weights = info.weights ? `, ${info.weights}` : "";
  page.run.textContent = `Serving the run “${info.run}”${weights}.`;
  page.note.textContent = info.note ?? "";
  page.note.hidden = !info.note;
  page.card.hidden = !info.has_card;
  page.models.hidden = info.models.length < 2;
  page.models.lastElementChild.append(...info.models.map((name) => {
    const option = element("option", "", name);
    option.selected = name === info.run;
    return option;
  }));
}

async function describeApi() {
  const query = new URLSearchParams({ ...(model === null ? {} : { model }), text: "Ann Lee left." });
  page.curl.textContent = `curl "${new URL("jmd/", location.href.split(/[?#]/)[0])}?${query}"`;
  const { answer } = await ask("openapi.json");
  const example = answer.paths["/jmd/"].get.responses["200"].content["application/json"].example;
  page.example.textContent = JSON.stringify(example, null, 2);
}

/** A link to the API leads to what is folded up. */
function openApi() {
  if (location.hash === "#api") byId("api").open = true;
}

async function start() {
  listen();
  addEventListener("hashchange", openApi);
  openApi();
  countCharacters();
  try {
    info = (await ask("info")).answer;
    introduce();
    offerExamples();
    const text = new URLSearchParams(location.hash.slice(1)).get("text");
    if (text !== null) page.text.value = text;
    countCharacters();
    if (page.text.value) analyse();
    else page.examples.firstElementChild.click();
    await describeApi();
  } catch (error) {
    show(error);
  }
}

start();
