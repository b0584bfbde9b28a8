/* Zoom: the canvas grows in a frame that scrolls; two frames move together. */
const ZOOMS = [1, 1.5, 2, 3, 4, 6, 8];
const MOST = 2048; /* pixels of a canvas's side */

/* Gives the canvas the film's shape and as many pixels as it can show. */
function fit(stage, film) {
  const canvas = stage.querySelector("canvas");
  const [wide, high] = film ? [film.width, film.height] : [1, 1];
  stage.dataset.film = film ? `${wide} × ${high}` : "";
  stage.dataset.width = wide;
  stage.querySelector(".film").style.aspectRatio = `${wide} / ${high}`;
  canvas.style.width = `${100 * state.zoom}%`;
  const shown = Math.max(canvas.clientWidth, 240);
  const width = Math.min(
    Math.round(shown * (window.devicePixelRatio || 1)),
    Math.round(Math.min(MOST, (MOST * wide) / high)),
  );
  const height = Math.round((width * high) / wide);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
}

function sayZoom() {
  const stage = element("stages").firstElementChild;
  const shown = stage.querySelector("canvas").clientWidth;
  const percent = Math.round((100 * shown) / stage.dataset.width);
  const said = element("zoom");
  said.textContent = stage.dataset.film ? `${percent} %` : `× ${state.zoom}`;
  said.title = stage.dataset.film
    ? `of the stored film, ${stage.dataset.film} pixels`
    : "";
  element("out").disabled = state.zoom === ZOOMS[0];
  element("in").disabled = state.zoom === ZOOMS.at(-1);
}

/* Zooms so that a place of the film, in shares, stays where it is seen. */
function zoomTo(zoom, at) {
  const frames = [...document.querySelectorAll(".film")];
  const first = frames[0];
  const [w, h] = [first.clientWidth, first.clientHeight];
  at ||= {
    x: (first.scrollLeft + w / 2) / (w * state.zoom),
    y: (first.scrollTop + h / 2) / (h * state.zoom),
    dx: w / 2,
    dy: h / 2,
  };
  state.zoom = zoom;
  for (const frame of frames) {
    frame.firstElementChild.style.width = `${100 * zoom}%`;
    frame.classList.toggle("large", zoom > 1);
    frame.scrollLeft = at.x * frame.clientWidth * zoom - at.dx;
    frame.scrollTop = at.y * frame.clientHeight * zoom - at.dy;
  }
  return draw();
}

const zoomStep = (by) => {
  const to = ZOOMS[ZOOMS.indexOf(state.zoom) + by];
  return to ? zoomTo(to) : Promise.resolve();
};

function makeFrame(canvas) {
  const frame = document.createElement("div");
  frame.className = "film";
  frame.tabIndex = 0;
  frame.setAttribute("role", "group");
  frame.setAttribute("aria-label", "film, scrolls when it is enlarged");
  frame.append(canvas);
  frame.addEventListener("dblclick", (event) => {
    const edge = frame.getBoundingClientRect();
    const [dx, dy] = [event.clientX - edge.left, event.clientY - edge.top];
    const x = (frame.scrollLeft + dx) / (frame.clientWidth * state.zoom);
    const y = (frame.scrollTop + dy) / (frame.clientHeight * state.zoom);
    zoomTo(state.zoom > 1 ? 1 : 3, { x, y, dx, dy });
  });
  frame.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button === 0) {
      frame.setPointerCapture(event.pointerId);
    }
  });
  frame.addEventListener("pointermove", (event) => {
    if (event.pointerType !== "mouse" || !event.buttons) return;
    frame.scrollLeft -= event.movementX;
    frame.scrollTop -= event.movementY;
  });
  frame.addEventListener("scroll", () => {
    for (const other of document.querySelectorAll(".film")) {
      if (other === frame) continue;
      other.scrollLeft = frame.scrollLeft;
      other.scrollTop = frame.scrollTop;
    }
  });
  return frame;
}
