/* Cases. */
const about = JSON.parse(document.getElementById("about").textContent);
const element = (id) => document.getElementById(id);
let pictures = null;
const COLOURS = {
  sal: [255, 120, 30],
  det: [60, 160, 255],
  mix: [30, 220, 150],
};
const OTHER = [240, 110, 220];
const TRUE = "#ffe94a";
const colour = (name) => COLOURS[name] || OTHER;
const css = (name) => `rgb(${colour(name).join(",")})`;

/* Every map once, whichever run has it. */
const maps = [];
for (const run of about.runs) {
  for (const map of run.maps) {
    if (!maps.some((known) => known.name === map.name)) maps.push(map);
  }
}
const main = maps.find((map) => map.name === "mix") || maps[0];
const state = {
  rows: [],
  at: 0,
  opacity: Object.fromEntries(
    maps.map((map) => [map.name, map === main ? 0.6 : 0]),
  ),
  shown: Object.fromEntries(
    [["true", true]].concat(maps.map((m) => [m.name, m === main])),
  ),
};

/* Pictures are parsed when the first is asked for, decoded one by one. */
const decoded = new Map();
function picture(number) {
  if (number === null || number === undefined) return Promise.resolve(null);
  if (!decoded.has(number)) {
    pictures ||= JSON.parse(element("pictures").textContent);
    const image = new Image();
    image.src = `data:image/jpeg;base64,${pictures[number]}`;
    decoded.set(number, image.decode().then(() => image));
    if (decoded.size > 60) decoded.delete(decoded.keys().next().value);
  }
  return decoded.get(number);
}

/* A grey map becomes its colour, the more opaque the higher. */
function tinted(image, name) {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const [red, green, blue] = colour(name);
  for (let i = 0; i < pixels.data.length; i += 4) {
    pixels.data[i + 3] = pixels.data[i];
    pixels.data[i] = red;
    pixels.data[i + 1] = green;
    pixels.data[i + 2] = blue;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

function outline(context, box, style, dashed, side) {
  const [x1, y1, x2, y2] = box.map((edge) => edge * side);
  const width = Math.max(2, side / 220);
  context.setLineDash([]);
  context.lineWidth = width + 2;
  context.strokeStyle = "rgba(0,0,0,0.7)";
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  context.setLineDash(dashed ? [width * 4, width * 3] : []);
  context.lineWidth = width;
  context.strokeStyle = style;
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
}

async function draw() {
  const row = state.rows[state.at];
  const stages = [...element("stages").children];
  await Promise.all(
    stages.map(async (stage, number) => {
      const canvas = stage.querySelector("canvas");
      const side = Math.round(
        Math.max(canvas.clientWidth, 240) * (window.devicePixelRatio || 1),
      );
      const run = row ? row.runs[number] : null;
      const wanted = run
        ? about.runs[number].maps.filter((m) => state.opacity[m.name] > 0)
        : [];
      const [film, ...heats] = await Promise.all([
        picture(row ? row.film : null),
        ...wanted.map((map) => picture(run.maps[map.name].picture)),
      ]);
      if (state.rows[state.at] !== row) return;
      if (canvas.width !== side) canvas.width = canvas.height = side;
      const context = canvas.getContext("2d");
      context.globalAlpha = 1;
      context.clearRect(0, 0, side, side);
      if (film) context.drawImage(film, 0, 0, side, side);
      heats.forEach((heat, i) => {
        if (!heat) return;
        context.globalAlpha = state.opacity[wanted[i].name];
        const layer = tinted(heat, wanted[i].name);
        context.drawImage(layer, 0, 0, side, side);
      });
      context.globalAlpha = 1;
      if (!row) return;
      for (const map of about.runs[number].maps) {
        const box = run.maps[map.name].box;
        if (state.shown[map.name] && box) {
          outline(context, box, css(map.name), true, side);
        }
      }
      if (state.shown.true && row.true) {
        for (const box of [row.true, ...row.more]) {
          outline(context, box, TRUE, false, side);
        }
      }
      canvas.dataset.case = `${row.image} ${row.finding}`;
      canvas.setAttribute("aria-label", `${row.finding}, ${row.image}`);
    }),
  );
  document.body.dataset.drawn = row ? `${row.image} ${row.finding}` : "none";
}

function say(parent, text, style) {
  const span = document.createElement("span");
  span.textContent = text;
  if (style) span.style.color = style;
  parent.append(span);
}

function describe() {
  const row = state.rows[state.at];
  element("position").textContent = row
    ? `${state.at + 1} of ${state.rows.length}`
    : "no case";
  [...element("stages").children].forEach((stage, number) => {
    const said = stage.querySelector(".said");
    said.replaceChildren();
    if (!row) return;
    const run = row.runs[number];
    if (about.runs.length > 1) say(said, about.runs[number].label);
    say(said, row.finding.replaceAll("_", " "));
    say(said, row.image);
    say(said, run.score === null ? "no score" : `score ${run.score.toFixed(3)}`);
    for (const map of about.runs[number].maps) {
      const of = run.maps[map.name];
      say(
        said,
        of.box ? `${map.title} IoU ${of.iou.toFixed(2)}` : `${map.title} no box`,
      );
    }
    if (row.film === null) say(said, "film not stored");
  });
  for (const button of element("list").querySelectorAll("button")) {
    const current = Number(button.dataset.at) === state.at;
    if (current !== (button.getAttribute("aria-current") === "true")) {
      button.setAttribute("aria-current", current);
      if (current) {
        const list = element("list");
        const top = button.offsetTop - list.offsetTop;
        if (top < list.scrollTop || top > list.scrollTop + list.clientHeight - 30) {
          list.scrollTop = top - list.clientHeight / 2;
        }
      }
    }
  }
}

function go(to) {
  const last = state.rows.length - 1;
  state.at = Math.min(Math.max(to, 0), Math.max(last, 0));
  describe();
  draw();
}
