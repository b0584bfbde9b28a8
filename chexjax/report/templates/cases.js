/* Cases: film, maps and boxes on a canvas. */
const about = JSON.parse(document.getElementById("about").textContent);
const element = (id) => document.getElementById(id);
let pictures = null;
const COLOURS = {
  sal: [255, 120, 30],
  det: [60, 160, 255],
  mix: [30, 220, 150],
};
const OTHERS = [
  [240, 110, 220],
  [240, 190, 60],
  [150, 200, 255],
  [190, 150, 120],
];
const TRUE = "#ffe94a";
/* Dashes tell maps apart where hues do not; in multiples of the line's width. */
const DASHES = { sal: [2, 2], det: [6, 2, 1, 2], mix: [5, 3] };
const OTHER_DASHES = [[8, 2], [4, 1.5, 1, 1.5], [1, 1.5], [10, 4]];
const css = (name) => `rgb(${colour(name).join(",")})`;
const plain = (name) => name.replaceAll("_", " ");

/* Every map once, whichever run has it. */
const maps = [];
for (const run of about.runs) {
  for (const map of run.maps) {
    if (!maps.some((other) => other.name === map.name)) maps.push(map);
  }
}
const known = (map) => COLOURS[map.name] !== undefined;
const others = maps.filter((map) => !known(map)).map((map) => map.name);
const colour = (name) =>
  COLOURS[name] || OTHERS[others.indexOf(name) % OTHERS.length];
const dashes = (name) =>
  DASHES[name] || OTHER_DASHES[others.indexOf(name) % OTHER_DASHES.length];
const main = maps.find((map) => map.name === about.runs[0].main) || maps[0];
/* What is shown at first: the map of each run that tables show. */
const first = (map) => about.runs.some((run) => run.main === map.name);
const state = {
  rows: [],
  at: 0,
  zoom: 1,
  opacity: Object.fromEntries(
    maps.map((map) => [map.name, first(map) ? 0.6 : 0]),
  ),
  shown: Object.fromEntries(
    [["true", true]].concat(maps.map((m) => [m.name, first(m)])),
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

function outline(canvas, box, style, dashed) {
  const context = canvas.getContext("2d");
  const [x1, y1, x2, y2] = box.map(
    (edge, i) => edge * (i % 2 ? canvas.height : canvas.width),
  );
  /* As wide on the screen at any zoom. */
  const width = Math.max(1.5, (2 * canvas.width) / canvas.clientWidth);
  context.setLineDash([]);
  context.lineWidth = width + 2;
  context.strokeStyle = "rgba(0,0,0,0.7)";
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
  context.setLineDash(dashed.map((part) => part * width));
  context.lineWidth = width;
  context.strokeStyle = style;
  context.strokeRect(x1, y1, x2 - x1, y2 - y1);
}

const caseOf = (row) => (row ? `${row.image} ${row.finding}` : "none");

async function drawStage(stage, number, row) {
  const canvas = stage.querySelector("canvas");
  const run = row ? row.runs[number] : null;
  const wanted = run
    ? about.runs[number].maps.filter(
        (m) => state.opacity[m.name] > 0 && run.maps[m.name],
      )
    : [];
  const [film, ...heats] = await Promise.all([
    picture(row ? row.film : null),
    ...wanted.map((map) => picture(run.maps[map.name].picture)),
  ]);
  if (state.rows[state.at] !== row) return;
  fit(stage, film);
  const context = canvas.getContext("2d");
  context.globalAlpha = 1;
  context.clearRect(0, 0, canvas.width, canvas.height);
  if (film) context.drawImage(film, 0, 0, canvas.width, canvas.height);
  heats.forEach((heat, i) => {
    if (!heat) return;
    context.globalAlpha = state.opacity[wanted[i].name];
    const layer = tinted(heat, wanted[i].name);
    context.drawImage(layer, 0, 0, canvas.width, canvas.height);
  });
  context.globalAlpha = 1;
  const outlines = row ? outlinesOf(number, row) : [];
  explain(stage, run, outlines, wanted);
  const text = stage.querySelector(".said").textContent;
  const said = row ? `Film with maps and boxes. ${text}` : "no case";
  canvas.setAttribute("aria-label", said);
  canvas.dataset.case = caseOf(row);
  for (const of of outlines) {
    for (const box of of.boxes) outline(canvas, box, of.style, of.dashed);
  }
}

/* The boxes that are shown on a film, with what they are; the true ones last,
   above the others. */
function outlinesOf(number, row) {
  const found = [];
  for (const { name, title } of about.runs[number].maps) {
    const map = row.runs[number].maps[name];
    if (state.shown[name] && map && map.box) {
      const [style, dashed] = [css(name), dashes(name)];
      found.push({ title: `box of ${title}`, boxes: [map.box], style, dashed });
    }
  }
  if (state.shown.true && row.true) {
    const boxes = [row.true, ...row.more];
    found.push({ title: "true box", boxes, style: TRUE, dashed: [] });
  }
  return found;
}

async function draw() {
  const row = state.rows[state.at];
  const stages = [...element("stages").children];
  await Promise.all(stages.map((stage, n) => drawStage(stage, n, row)));
  sayZoom();
  document.body.dataset.drawn = caseOf(row);
}

/* What the boxes on the film are, and a colour bar for every map that is shown,
   with the values of its ends. */
function explain(stage, run, outlines, wanted) {
  stage.querySelector(".bars").replaceChildren(
    ...outlines.map((of) => {
      const line = document.createElement("span");
      line.className = "bar";
      line.append(swatch(of.style, of.dashed));
      say(line, of.title);
      return line;
    }),
    ...wanted
      .filter((map) => run.maps[map.name].high !== null)
      .map((map) => {
        const of = run.maps[map.name];
        const line = document.createElement("span");
        line.className = "bar";
        const ramp = document.createElement("i");
        const [to, part] = [css(map.name), 100 * state.opacity[map.name]];
        ramp.style.background =
          "linear-gradient(to right, #404040, " +
          `color-mix(in srgb, ${to} ${part}%, #404040))`;
        say(line, `map of ${map.title}`);
        say(line, short(of.low));
        line.append(ramp);
        say(line, short(of.high));
        return line;
      }),
  );
}

const short = (value) =>
  Math.abs(value) < 5e-4 ? "0.000" : Number(value.toPrecision(3)).toString();

function say(parent, text, style) {
  const span = document.createElement("span");
  span.textContent = text;
  if (style) span.className = style;
  parent.append(span);
}
