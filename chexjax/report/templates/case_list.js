/* Which cases are shown, in which order; a list of them, and what each says. */
const ALARM = "false alarm";
const MISS = "miss";
const has = (row, kind) => row.runs.some((run) => run.kind === kind);
const KINDS = [
  { text: "all cases", of: () => true },
  { text: "with a true box", of: (row) => row.true !== null },
  { text: "false alarms", of: (row) => has(row, ALARM) },
  { text: "misses", of: (row) => has(row, MISS) },
];
const iouOf = (run, map) =>
  run.maps[map.name] && run.maps[map.name].box !== undefined
    ? run.maps[map.name].iou
    : null;

/* The first run that is wrong says what kind of case a row is. */
const judged = (row) =>
  row.runs.find((run) => run.kind === ALARM || run.kind === MISS) || row.runs[0];

/* Worst first: the kinds take turns, each from its worst on. */
function worstFirst(rows) {
  const queues = { alarm: [], miss: [], box: [] };
  for (const row of rows) {
    const run = judged(row);
    if (run.kind === ALARM) queues.alarm.push([-run.score, row]);
    else if (run.kind === MISS) queues.miss.push([run.score, row]);
    else queues.box.push([main ? (iouOf(run, main) ?? 2) : 2, row]);
  }
  const turns = Object.values(queues).flatMap((queue, turn) =>
    sorted(queue).map((row, rank) => [3 * rank + turn, row]),
  );
  return sorted(turns);
}

/* Rows by their keys; those without a key come last. */
function sorted(pairs) {
  const known = pairs.filter(([key]) => key !== null);
  known.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const rest = pairs.filter(([key]) => key === null);
  return [...known, ...rest].map(([, row]) => row);
}

const orders = [{ text: "worst first", sort: worstFirst }];
const by = (text, key) =>
  orders.push({ text, sort: (rows) => sorted(rows.map((r) => [key(r), r])) });
const negated = (value) => (value === null ? null : -value);
about.runs.forEach((run, number) => {
  const of = about.runs.length > 1 ? `, ${run.label}` : "";
  for (const map of run.maps) {
    const iou = (row) => iouOf(row.runs[number], map);
    by(`${map.title} IoU, best first${of}`, (row) => negated(iou(row)));
    by(`${map.title} IoU, worst first${of}`, iou);
  }
  const score = (row) => row.runs[number].score;
  by(`score, highest first${of}`, (row) => negated(score(row)));
  by(`score, lowest first${of}`, score);
});
by("file name", (row) => row.image);

function choose() {
  const finding = element("finding").value;
  const kind = KINDS[Number(element("kind").value)];
  const rows = about.rows.filter(
    (row) => (finding === "" || row.finding === finding) && kind.of(row),
  );
  state.rows = orders[Number(element("order").value)].sort(rows);
  const list = element("list");
  list.replaceChildren(...state.rows.map(item));
  list.scrollTop = 0;
  go(0);
}

function item(row, at) {
  const made = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.at = at;
  say(button, row.image, "file");
  const run = judged(row);
  const iou = main ? iouOf(run, main) : null;
  const shown = [plain(row.finding)];
  if (run.kind === ALARM || run.kind === MISS) {
    shown.push(`${run.kind} ${run.score.toFixed(2)}`);
  }
  if (row.true) shown.push(iou === null ? "box" : `IoU ${iou.toFixed(2)}`);
  say(button, shown.join(" · "), "what");
  button.addEventListener("click", () => go(at));
  made.append(button);
  return made;
}

function describe() {
  const row = state.rows[state.at];
  element("position").textContent = row
    ? `${state.at + 1} of ${state.rows.length}`
    : "no case";
  [...element("stages").children].forEach((stage, number) => {
    const said = stage.querySelector(".said");
    said.replaceChildren();
    stage.querySelector(".calls").textContent = row ? calls(row, number) : "";
    if (!row) return;
    const run = row.runs[number];
    if (about.runs.length > 1) say(said, about.runs[number].label);
    say(said, plain(row.finding), "strong");
    if (run.kind) say(said, run.kind, run.kind === "right" ? "" : "strong");
    say(said, run.score === null ? "no score" : `score ${run.score.toFixed(3)}`);
    for (const map of about.runs[number].maps) {
      const of = run.maps[map.name];
      if (!of || !row.true) continue;
      const iou = of.box ? `IoU ${of.iou.toFixed(2)}` : "no box";
      say(said, `${map.title} ${iou}`);
    }
    say(said, row.image);
    if (!row.true) say(said, "no true box");
    if (row.film === null) say(said, "film not stored");
    else if (!Object.keys(run.maps).length) say(said, "maps not stored");
  });
  for (const button of element("list").querySelectorAll("button")) {
    const current = Number(button.dataset.at) === state.at;
    if (current !== (button.getAttribute("aria-current") === "true")) {
      button.setAttribute("aria-current", current);
      if (current) reveal(button);
    }
  }
}

/* Sensitivity and specificity at the threshold of the case's finding. */
function calls(row, number) {
  const of = about.runs[number].calls[row.finding];
  if (!of) return "";
  const share = (part, whole) =>
    whole ? `${(part / whole).toFixed(2)} (${part} of ${whole})` : "undefined";
  return (
    `${plain(row.finding)} is called from a score of ${of.cut.toFixed(3)} on: ` +
    `sensitivity ${share(of.found, of.positives)}, ` +
    `specificity ${share(of.passed, of.negatives)}.`
  );
}

function reveal(button) {
  const list = element("list");
  const top = button.offsetTop - list.offsetTop;
  if (top < list.scrollTop || top > list.scrollTop + list.clientHeight - 50) {
    list.scrollTop = top - list.clientHeight / 2;
  }
}

function go(to) {
  const last = state.rows.length - 1;
  state.at = Math.min(Math.max(to, 0), Math.max(last, 0));
  describe();
  draw();
}
