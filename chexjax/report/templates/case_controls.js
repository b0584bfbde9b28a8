/* Controls of the cases, keys, and the start. */
function swatch(style, dashed) {
  const made = document.createElement("span");
  made.className = "swatch";
  const pattern = dashed.map((part) => 2 * part).join(" ");
  made.innerHTML =
    '<svg width="28" height="8" aria-hidden="true"><line x2="28" y1="4" y2="4"' +
    ` stroke="${style}" stroke-width="3" stroke-dasharray="${pattern}"/></svg>`;
  return made;
}

function control(parent, type, name, title, mark, value, change) {
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
  const text = document.createElement("span");
  text.className = "name";
  text.textContent = title;
  if (type === "range") label.append(mark, text, input);
  else label.append(input, mark, text);
  parent.append(label);
}

function option(select, value, text) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = text;
  select.append(made);
}

KINDS.forEach((kind, number) => {
  const count = about.rows.filter(kind.of).length;
  option(element("kind"), number, `${kind.text} (${count})`);
});
option(element("finding"), "", "all");
for (const finding of about.findings) {
  option(element("finding"), finding, plain(finding));
}
orders.forEach((order, number) => option(element("order"), number, order.text));

const boxes = element("boxes");
boxes.hidden = !about.rows.some((row) => row.true);
control(boxes, "checkbox", "true", "true box", swatch(TRUE, []), true, (on) => {
  state.shown.true = on;
});
for (const map of maps) {
  const { name, title } = map;
  const mark = swatch(css(name), dashes(name));
  control(boxes, "checkbox", name, title, mark, first(map), (on) => {
    state.shown[name] = on;
  });
  control(
    element("opacity"), "range", name, title, swatch(css(name), []),
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
  const [said, bars, calls] = ["said", "bars", "calls"].map((name) => {
    const made = document.createElement("p");
    made.className = name;
    return made;
  });
  stage.append(said, makeFrame(canvas), bars, calls);
  element("stages").append(stage);
}

for (const name of ["kind", "finding", "order"]) {
  element(name).addEventListener("change", choose);
}
element("previous").addEventListener("click", () => go(state.at - 1));
element("next").addEventListener("click", () => go(state.at + 1));
element("out").addEventListener("click", () => zoomStep(-1));
element("in").addEventListener("click", () => zoomStep(1));

/* What has the focus may need the arrows itself. */
function arrowsAreFree() {
  const at = document.activeElement;
  if (at.type === "checkbox") return true;
  if (["INPUT", "TEXTAREA"].includes(at.tagName)) return false;
  return !at.closest(".scroll, .film.large");
}

const STEPS = { n: 1, p: -1, ArrowRight: 1, ArrowLeft: -1 };
const KEYS = {
  "+": () => zoomStep(1),
  "=": () => zoomStep(1),
  "-": () => zoomStep(-1),
  0: () => zoomTo(1),
  b: () => {
    const inputs = [...boxes.querySelectorAll("input")];
    const on = !inputs.some((input) => input.checked);
    for (const input of inputs) {
      input.checked = on;
      input.dispatchEvent(new Event("input"));
    }
  },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (document.activeElement.tagName === "SELECT") return;
  if (event.key in STEPS) {
    if (event.key.startsWith("Arrow") && !arrowsAreFree()) return;
    go(state.at + STEPS[event.key]);
    event.preventDefault();
  } else if (event.key in KEYS) {
    KEYS[event.key]();
  }
});
let waiting = 0;
window.addEventListener("resize", () => {
  clearTimeout(waiting);
  waiting = setTimeout(draw, 150);
});
choose();
