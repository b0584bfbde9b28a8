"use strict";

/* Tables: a click on a column's name sorts by it, again the other way. */
for (const table of document.querySelectorAll("table")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    head.firstElementChild.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const body = table.tBodies[0];
      const key = (row) => {
        const cell = row.cells[column];
        const value = cell.dataset.value;
        return value === undefined ? cell.textContent : Number(value);
      };
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [key(a), key(b)];
        const numbers = typeof x === "number" && typeof y === "number";
        // Cells without a number go last, whichever way.
        if (typeof x !== typeof y) return typeof x === "number" ? -1 : 1;
        const order = numbers ? x - y : x.localeCompare(y);
        return down ? -order : order;
      });
      body.append(...rows);
    });
  });
}

/* The first columns, which name a row, stay while the others scroll: as many
   as leave a good third of the frame, the first in any case. */
function stick(table) {
  const frame = table.parentElement;
  const heads = [...table.tHead.rows[0].cells];
  const named = heads.findIndex((head) => head.classList.contains("number"));
  const lefts = [];
  let left = 0;
  for (const head of heads.slice(0, named < 0 ? 1 : named)) {
    const right = left + head.offsetWidth;
    if (lefts.length && right > 0.64 * frame.clientWidth) break;
    lefts.push(left);
    left = right;
  }
  for (const row of table.rows) {
    lefts.forEach((place, column) => {
      row.cells[column].classList.add("stuck");
      row.cells[column].style.left = `${place}px`;
    });
    [...row.cells].slice(lefts.length).forEach((cell) => {
      cell.classList.remove("stuck");
    });
  }
}

const seen = new ResizeObserver((entries) => {
  for (const entry of entries) stick(entry.target);
});
for (const table of document.querySelectorAll("table")) seen.observe(table);
