/* Sorting: by the score or a map's IoU, of a run, up or down. */
const orders = [];
about.runs.forEach((run, number) => {
  const of = about.runs.length > 1 ? `, ${run.label}` : "";
  for (const map of run.maps) {
    const iou = (row) => row.runs[number].maps[map.name].iou;
    orders.push({ text: `${map.title} IoU, best first${of}`, key: (r) => -iou(r), map });
    orders.push({ text: `${map.title} IoU, worst first${of}`, key: iou, map });
  }
  const score = (row) => row.runs[number].score;
  orders.push({ text: `score, highest first${of}`, key: (r) => -score(r) });
  orders.push({ text: `score, lowest first${of}`, key: score });
});
orders.push({ text: "file name", key: (row) => row.image });

function choose() {
  const finding = element("finding").value;
  const { key } = orders[Number(element("order").value)];
  state.rows = about.rows
    .filter((row) => finding === "" || row.finding === finding)
    .map((row) => [key(row), row])
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, row]) => row);
  const list = element("list");
  list.replaceChildren(
    ...state.rows.map((row, at) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.at = at;
      say(button, finding === "" ? `${row.image} ${row.finding}` : row.image);
      const of = main && row.runs[0].maps[main.name];
      const shown = of ? of.iou : row.runs[0].score;
      say(button, shown === null ? "-" : shown.toFixed(2));
      button.addEventListener("click", () => go(at));
      item.append(button);
      return item;
    }),
  );
  list.scrollTop = 0;
  go(0);
}

function control(parent, type, name, title, style, solid, value, change) {
  const label = document.createElement("label");
  const input = document.createElement("input");
  input.type = type;
  input.dataset.map = name;
  if (type === "range") {
    input.min = 0;
    input.max = 100;
    input.value = Math.round(100 * value);
  } else {
    input.checked = value;
  }
  input.addEventListener("input", () => {
    change(type === "range" ? input.value / 100 : input.checked);
    draw();
  });
  const swatch = document.createElement("i");
  swatch.className = solid ? "swatch solid" : "swatch";
  swatch.style.color = style;
  const text = document.createElement("span");
  text.className = "name";
  text.textContent = title;
  if (type === "range") label.append(swatch, text, input);
  else label.append(input, swatch, text);
  parent.append(label);
  return input;
}

function option(select, value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  select.append(made);
}

option(element("finding"), "", "all");
for (const finding of about.findings) {
  option(element("finding"), finding, finding.replaceAll("_", " "));
}
orders.forEach((order, number) => option(element("order"), number, order.text));
const first = orders.findIndex((order) => order.map === main);
element("order").value = Math.max(first, 0);

const boxes = element("boxes");
control(boxes, "checkbox", "true", "true box", TRUE, true, true, (on) => {
  state.shown.true = on;
});
for (const map of maps) {
  const { name, title } = map;
  control(boxes, "checkbox", name, title, css(name), false, map === main, (on) => {
    state.shown[name] = on;
  });
  control(
    element("opacity"), "range", name, title, css(name), true,
    state.opacity[name],
    (value) => {
      state.opacity[name] = value;
    },
  );
}
for (const run of about.runs) {
  const stage = document.createElement("figure");
  stage.className = "stage";
  const canvas = document.createElement("canvas");
  canvas.setAttribute("role", "img");
  const said = document.createElement("p");
  said.className = "said";
  stage.append(canvas, said);
  element("stages").append(stage);
}

element("finding").addEventListener("change", choose);
element("order").addEventListener("change", choose);
element("previous").addEventListener("click", () => go(state.at - 1));
element("next").addEventListener("click", () => go(state.at + 1));
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const typing = ["INPUT", "SELECT", "TEXTAREA"].includes(
    document.activeElement.tagName,
  );
  const keys = { n: 1, p: -1 };
  if (!typing || document.activeElement.type === "checkbox") {
    keys.ArrowRight = 1;
    keys.ArrowLeft = -1;
  }
  if (event.key in keys && document.activeElement.tagName !== "SELECT") {
    go(state.at + keys[event.key]);
    event.preventDefault();
  } else if (event.key === "b" && document.activeElement.tagName !== "SELECT") {
    const inputs = [...boxes.querySelectorAll("input")];
    const on = !inputs.some((input) => input.checked);
    for (const input of inputs) {
      input.checked = on;
      input.dispatchEvent(new Event("input"));
    }
  }
});
let waiting = 0;
window.addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(draw, 150);
});
choose();
