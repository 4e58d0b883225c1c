"use strict";

const told = JSON.parse(document.getElementById("scene").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const one = (selector) => document.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

const slider = one("#step");
const button = one("#play");
const tip = one("#tip");
const rows = all(".legend li");
const cells = all("tbody tr");
const hidden = new Set();
const first = told.frames[0];
const panels = told.panels.map((panel) => ({ ...panel, canvas: one(`.${panel.kind} canvas`) }));
const ground = panels.find((panel) => panel.kind !== "loss");

const HEAD = 6;
const REACH = 9; // of a head from its middle
const NEAR = 28; // pixels from a point at which it is told
const FADED = 0.3;
const PALEST = 0.25;

// The steps that are kept: what is between two of them is not shown.
const kept = [...new Set(told.paths.flatMap((path) => path.steps))].sort((one, other) => one - other);

let step = calm.matches ? told.steps : first;
let playing = null; // when the frame that is shown came up

// Numbers, as the pictures write them.

const minus = (text) => text.replace(/^-/, "\u2212");

function written(value, digits = 4) {
  if (value === null || value === undefined) return "\u2013";
  const size = Math.abs(value);
  if (size >= 1e4 && size < 1e5) return minus(value.toFixed(0));
  const plain = value.toPrecision(digits);
  if (!plain.includes("e") && (value === 0 || size >= 1e-4)) return minus(plain);
  return minus(value.toExponential(2).replace("+", ""));
}

const place = (point) => `(${point.map((each) => written(each, 3)).join(", ")})`;

// The last of rising numbers that is not above a number.
function rowAt(steps, wanted) {
  let low = 0;
  let high = steps.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (steps[middle] <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}

// Where a number lies on an axis, from 0 to 1.

const SYMLOG = 1 / (1 - 1 / 10); // decades that the linear part is worth

function scaled(axis, value) {
  if (axis.kind === "log") return Math.log10(Math.max(value, Number.MIN_VALUE));
  if (axis.kind === "symlog") {
    const share = value / axis.threshold;
    const size = Math.abs(share);
    return size <= 1 ? share * SYMLOG : Math.sign(share) * (SYMLOG + Math.log10(size));
  }
  return value;
}

function onAxis(axis, value) {
  if (value === null) return NaN;
  const [low, high] = axis.ends.map((end) => scaled(axis, end));
  return (scaled(axis, value) - low) / (high - low);
}

// Canvases, in pixels of the page.

let colors = {};

function readColors() {
  const style = getComputedStyle(document.documentElement);
  const color = (name) => style.getPropertyValue(`--${name}`).trim();
  for (const name of ["background", "ink", "edge", "muted", "casing", "minimum"]) {
    colors[name] = color(name);
  }
  colors.paths = told.entries.map((entry) => color(`path-${entry.hue}`));
  for (const panel of panels) {
    if (!panel.images) continue;
    panel.image = new Image();
    panel.image.addEventListener("load", draw);
    panel.image.src = panel.images[dark.matches ? "dark" : "light"] ?? Object.values(panel.images)[0];
  }
}

function prepared(canvas, width, height) {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  return pen;
}

const FONT = "13px system-ui, sans-serif";

function layOut(panel) {
  const width = panel.canvas.clientWidth;
  const pen = panel.canvas.getContext("2d");
  pen.font = FONT;
  const wide = Math.max(...panel.y.ticks.map(([, said]) => pen.measureText(said).width), 8);
  const chart = panel.kind !== "contour";
  const beyond = panel.x.ticks.length ? pen.measureText(panel.x.ticks.at(-1)[1]).width / 2 : 0;
  const box = {
    left: Math.ceil(wide) + (chart ? 12 : 26),
    top: chart ? 26 : 8,
    right: Math.max(12, Math.ceil(beyond) + 2),
    bottom: 40,
  };
  box.width = width - box.left - box.right;
  box.height = box.width / panel.ratio;
  panel.box = box;
  panel.canvas.style.height = `${Math.round(box.height + box.top + box.bottom)}px`;
}

function toPixels(panel, [x, y]) {
  const { box } = panel;
  return [
    box.left + box.width * onAxis(panel.x, x),
    box.top + box.height * (1 - onAxis(panel.y, y)),
  ];
}

function drawAxes(panel, pen) {
  const { box, x, y } = panel;
  const chart = panel.kind !== "contour";
  pen.font = FONT;
  pen.fillStyle = colors.muted;
  pen.strokeStyle = colors.muted;
  pen.lineWidth = 1;
  const bottom = box.top + box.height;
  let free = -Infinity;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const [value, said] of x.ticks) {
    const at = box.left + box.width * onAxis(x, value);
    const half = pen.measureText(said).width / 2;
    if (at - half < free) continue;
    free = at + half + 8;
    pen.fillText(said, at, bottom + 6);
  }
  pen.fillText(x.name, box.left + box.width / 2, bottom + 23);
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  let above = Infinity;
  for (const [value, said] of y.ticks) {
    const at = box.top + box.height * (1 - onAxis(y, value));
    if (at > above) continue;
    above = at - 16;
    pen.fillText(said, box.left - 6, at);
    if (!chart) continue;
    pen.globalAlpha = 0.2;
    line(pen, [[box.left, at], [box.left + box.width, at]]);
    pen.globalAlpha = 1;
  }
  if (chart) {
    pen.textAlign = "left";
    pen.textBaseline = "top";
    pen.fillText(y.name, 2, 2);
    line(pen, [[box.left, box.top], [box.left, bottom], [box.left + box.width, bottom]]);
    return;
  }
  pen.save();
  pen.translate(9, box.top + box.height / 2);
  if (y.name.length > 1) pen.rotate(-Math.PI / 2);
  pen.textAlign = "center";
  pen.fillText(y.name, 0, 0);
  pen.restore();
  pen.strokeRect(box.left, box.top, box.width, box.height);
}

function line(pen, points) {
  pen.beginPath();
  let drawing = false;
  for (const [x, y] of points) {
    if (Number.isNaN(x) || Number.isNaN(y)) drawing = false;
    else if (drawing) pen.lineTo(x, y);
    else {
      pen.moveTo(x, y);
      drawing = true;
    }
  }
  pen.stroke();
}

const SHAPES = {
  s: [[-1, -1], [1, -1], [1, 1], [-1, 1]],
  D: [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  "^": [[0, -1.2], [1.2, 1], [-1.2, 1]],
  v: [[0, 1.2], [1.2, -1], [-1.2, -1]],
  "<": [[-1.2, 0], [1, -1.2], [1, 1.2]],
  ">": [[1.2, 0], [-1, -1.2], [-1, 1.2]],
  "*": Array.from({ length: 10 }, (_, each) => {
    const far = each % 2 ? 0.42 : 1.1;
    return [far * Math.sin((each * Math.PI) / 5), -far * Math.cos((each * Math.PI) / 5)];
  }),
};

function shape(pen, name, [x, y], size, fill, edge, width = 1.4) {
  if (Number.isNaN(x) || Number.isNaN(y)) return;
  pen.beginPath();
  if (SHAPES[name]) {
    for (const [right, down] of SHAPES[name]) pen.lineTo(x + size * right, y + size * down);
    pen.closePath();
  } else pen.arc(x, y, size, 0, 2 * Math.PI);
  pen.fillStyle = fill;
  pen.strokeStyle = edge;
  pen.lineWidth = width;
  pen.fill();
  pen.stroke();
}

function clipped(pen, { left, top, width, height }) {
  pen.save();
  pen.beginPath();
  pen.rect(left, top, width, height);
  pen.clip();
}

// A box with the room that heads at its edges take.
const around = ({ left, top, width, height }) => ({
  left: left - REACH,
  top: top - REACH,
  width: width + 2 * REACH,
  height: height + 2 * REACH,
});

const ring = (pen, at, size = 6.5) => shape(pen, "o", at, size, colors.casing, colors.ink, 1.8);
const star = (pen, at, size = 9) => shape(pen, "*", at, size, colors.minimum, colors.edge, 1);

// A line up to the step, faded where the trail has left it.
function drawGrown(pen, path, steps, points, now) {
  const last = rowAt(steps, now);
  const begin = told.trail === null ? 0 : rowAt(steps, Math.max(now - told.trail, 0));
  pen.strokeStyle = colors.paths[path.entry];
  pen.lineWidth = 2.4;
  pen.setLineDash(path.dash.map((each) => 2.4 * each));
  if (begin > 0) {
    pen.globalAlpha = FADED;
    line(pen, points.slice(0, begin + 1));
    pen.globalAlpha = 1;
  }
  line(pen, points.slice(begin, last + 1));
  pen.setLineDash([]);
  return last;
}

const shown = () => told.paths.filter((path) => !hidden.has(path.entry));

function drawGround(panel, pen) {
  const { box } = panel;
  clipped(pen, box);
  if (panel.image?.complete) pen.drawImage(panel.image, box.left, box.top, box.width, box.height);
  if (panel.curve) {
    pen.strokeStyle = colors.ink;
    pen.lineWidth = 2;
    line(pen, panel.curve.map((point) => toPixels(panel, point)));
  }
  pen.restore();
}

function drawPaths(panel, pen) {
  const { box } = panel;
  for (const start of panel.starts) ring(pen, toPixels(panel, start));
  for (const path of shown()) {
    const at = (row) => toPixels(panel, spot(panel, path, row));
    const now = Math.min(step, path.last);
    const last = rowAt(path.steps, now);
    clipped(pen, box);
    const points = Array.from({ length: last + 1 }, (_, row) => at(row));
    if (panel.curve) {
      for (const point of points.slice(0, -1)) {
        pen.globalAlpha = 2 * FADED;
        shape(pen, told.entries[path.entry].head, point, 3, colors.paths[path.entry], "transparent", 0);
      }
      pen.globalAlpha = 1;
    } else {
      pen.strokeStyle = colors.casing;
      pen.lineWidth = 4.4;
      const begin = told.trail === null ? 0 : rowAt(path.steps, Math.max(now - told.trail, 0));
      line(pen, points.slice(begin));
      drawGrown(pen, path, path.steps, points, now);
    }
    pen.restore();
  }
  for (const minimum of panel.minima) star(pen, toPixels(panel, minimum));
  clipped(pen, around(box));
  for (const path of shown()) {
    const row = now(path);
    if (away(panel, pen, path, row)) continue;
    const near = path.near === null ? 1 : path.near[row];
    pen.globalAlpha = PALEST + (1 - PALEST) * near;
    const at = spot(panel, path, row);
    drawHead(pen, path, toPixels(panel, at));
    pen.globalAlpha = 1;
  }
  pen.restore();
}

// A point out of view is a triangle at the edge, or at the curve's end that is nearer.
function away(panel, pen, path, row) {
  const axes = panel.curve ? [panel.x] : [panel.x, panel.y];
  const point = path.points[row];
  if (point.includes(null)) return false;
  const edge = axes.map(({ ends: [low, high] }, axis) => Math.min(Math.max(point[axis], low), high));
  const beyond = axes.map(({ ends: [low, high] }, axis) => (point[axis] - edge[axis]) / (high - low));
  const axis = Math.abs(beyond[1]) > Math.abs(beyond[0]) ? 1 : 0;
  if (!beyond[axis]) return false;
  const far = beyond[axis] > 0;
  const place = panel.curve ? panel.curve[far ? panel.curve.length - 1 : 0] : edge;
  const name = [["<", ">"], ["v", "^"]][axis][Number(far)];
  shape(pen, name, toPixels(panel, place), HEAD, colors.paths[path.entry], colors.casing);
  return true;
}

// Where a row of a path stands on a panel, in its numbers.
function spot(panel, path, row) {
  return panel.curve ? [path.points[row][0], path.losses[row]] : path.points[row];
}

function drawHead(pen, path, at) {
  shape(pen, told.entries[path.entry].head, at, HEAD, colors.paths[path.entry], colors.casing);
}

function drawLoss(panel, pen) {
  clipped(pen, around(panel.box));
  const heads = [];
  for (const grown of panel.lines) {
    const path = told.paths[grown.path];
    if (hidden.has(path.entry)) continue;
    const points = grown.values.map((value, row) => toPixels(panel, [grown.steps[row], value]));
    pen.globalAlpha = grown.faint ? FADED : 1;
    const last = drawGrown(pen, path, grown.steps, points, Math.min(step, path.last));
    pen.globalAlpha = 1;
    if (!grown.faint) heads.push([path, points[last]]);
  }
  for (const [path, at] of heads) drawHead(pen, path, at);
  pen.restore();
}

function draw() {
  for (const panel of panels) {
    const { box, canvas } = panel;
    const height = box.height + box.top + box.bottom;
    const pen = prepared(canvas, canvas.clientWidth, height);
    if (panel.kind !== "loss") drawGround(panel, pen);
    drawAxes(panel, pen);
    if (panel.kind === "loss") drawLoss(panel, pen);
    else drawPaths(panel, pen);
  }
}

function drawMarks() {
  rows.forEach((row, number) => {
    const pen = prepared(row.querySelector(".swatch"), 34, 16);
    pen.strokeStyle = colors.paths[number];
    pen.lineWidth = 2.6;
    line(pen, [[3, 8], [26, 8]]);
    shape(pen, told.entries[number].head, [26, 8], 5.5, colors.paths[number], colors.background);
  });
  for (const mark of all(".key li")) {
    const pen = prepared(mark.querySelector("canvas"), 16, 16);
    if (mark.className === "minimum") star(pen, [8, 8], 7);
    else if (mark.className === "start") ring(pen, [8, 8], 5);
    else if (mark.className === "away") shape(pen, ">", [8, 8], 5, colors.muted, "transparent");
    else {
      pen.globalAlpha = 0.5;
      shape(pen, "o", [8, 8], 5, colors.muted, "transparent");
    }
  }
}

// Words.

function ends(values) {
  const finite = values.filter((value) => value !== null);
  if (!finite.length) return "\u2013";
  const digits = values.length === 1 ? 4 : 3;
  const both = [Math.min(...finite), Math.max(...finite)].map((value) => written(value, digits));
  return [...new Set(both)].join(" to ");
}

const now = (path) => rowAt(path.steps, Math.min(step, path.last));

function write() {
  one("#counter").textContent = `step ${step} of ${told.steps}`;
  slider.value = step;
  slider.setAttribute("aria-valuetext", `step ${step} of ${told.steps}`);
  told.entries.forEach((entry, number) => {
    const paths = told.paths.filter((path) => path.entry === number);
    rows[number].querySelector(".value").textContent = ends(paths.map((path) => path.losses[now(path)]));
    const detail = rows[number].querySelector(".detail");
    const remark = entry.remarks.filter(([from]) => from <= step).pop();
    const said = remark ? `${remark[1]}  ${entry.detail}` : entry.detail;
    if (detail.textContent !== said) detail.textContent = said;
    detail.classList.toggle("warned", Boolean(remark));
  });
  told.paths.forEach((path, number) => {
    const row = now(path);
    const values = [path.steps[row], ...path.points[row].map((each) => written(each)), written(path.losses[row])];
    const remark = cells[number].lastChild;
    remark.hidden = step < path.last;
    all("td", cells[number]).slice(0, -1).forEach((cell, place) => {
      cell.textContent = values[place];
    });
    cells[number].hidden = hidden.has(path.entry);
  });
}

function show(wanted) {
  const last = kept[kept.length - 1];
  step = wanted > last ? Math.min(told.steps, wanted) : kept[rowAt(kept, wanted)];
  tip.hidden = true;
  write();
  draw();
}

// Playing.

function play(on) {
  playing = on ? performance.now() : null;
  button.textContent = on ? "Pause" : "Play";
  if (!on) return;
  if (step >= told.frames[told.frames.length - 1]) show(first);
  requestAnimationFrame(advance);
}

function advance(time) {
  if (playing === null) return;
  const passed = Math.floor(((time - playing) * told.fps) / 1000);
  if (passed > 0) {
    playing += (passed * 1000) / told.fps;
    const frame = step < first ? -1 : rowAt(told.frames, step);
    const next = Math.min(frame + passed, told.frames.length - 1);
    show(told.frames[next]);
    if (next === told.frames.length - 1) {
      play(false);
      return;
    }
  }
  requestAnimationFrame(advance);
}

button.addEventListener("click", () => play(playing === null));

slider.addEventListener("input", () => {
  play(false);
  show(Number(slider.value));
});

addEventListener("keydown", (event) => {
  const free = !event.target.closest("button, input, summary, [tabindex]");
  if (!free || event.ctrlKey || event.metaKey || event.altKey) return;
  const here = rowAt(kept, step);
  const moves = {
    ArrowLeft: step > kept[here] ? step - 1 : kept[here - 1] ?? 0,
    ArrowRight: kept[here + 1] ?? step + 1,
    Home: 0,
    End: told.steps,
  };
  if (event.key === " ") play(playing === null);
  else if (event.key in moves) {
    play(false);
    show(moves[event.key]);
  } else return;
  event.preventDefault();
});

rows.forEach((row, number) => {
  row.querySelector("input").addEventListener("change", (event) => {
    if (event.target.checked) hidden.delete(number);
    else hidden.add(number);
    show(step);
  });
});

// What is under the pointer.

function nearest(panel, x, y) {
  let found = null;
  let least = NEAR;
  const consider = (path, row, point) => {
    const [right, down] = toPixels(panel, point);
    const far = Math.hypot(right - x, down - y);
    if (far < least) {
      least = far;
      found = { path, row, at: [right, down] };
    }
  };
  if (panel.kind === "loss") {
    for (const grown of panel.lines) {
      const path = told.paths[grown.path];
      if (hidden.has(path.entry) || grown.faint) continue;
      const last = rowAt(grown.steps, Math.min(step, path.last));
      for (let row = 0; row <= last; row += 1) {
        const at = rowAt(path.steps, grown.steps[row]);
        consider(path, at, [grown.steps[row], grown.values[row]]);
      }
    }
  } else {
    for (const path of shown()) {
      const last = now(path);
      for (let row = 0; row <= last; row += 1) consider(path, row, spot(panel, path, row));
    }
  }
  return found;
}

for (const panel of panels) {
  const { canvas } = panel;
  const tell = (event) => {
    const frame = canvas.getBoundingClientRect();
    const found = nearest(panel, event.clientX - frame.left, event.clientY - frame.top);
    tip.hidden = found === null;
    if (found === null) return;
    const { path, row, at } = found;
    const name = rows[path.entry].querySelector("b").textContent;
    const loss = `loss ${written(path.losses[row])}`;
    tip.textContent = `${name}  step ${path.steps[row]}  ${place(path.points[row])}  ${loss}`;
    const wide = tip.offsetWidth;
    const left = Math.min(frame.left + at[0] + 12, document.documentElement.clientWidth - wide - 8);
    tip.style.left = `${Math.max(left, 8) + scrollX}px`;
    tip.style.top = `${frame.top + at[1] - 40 + scrollY}px`;
  };
  canvas.addEventListener("pointermove", tell);
  canvas.addEventListener("pointerdown", tell);
  canvas.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });
}

// All that changes what a panel looks like.

function refresh() {
  panels.forEach(layOut);
  drawMarks();
  draw();
}

for (const image of all(".formula svg")) {
  image.style.verticalAlign = `${image.dataset.down}px`;
}
if (ground) one(".stage").style.setProperty("--ratio", ground.ratio);
slider.max = told.steps;
readColors();
panels.forEach(layOut);
show(step);
drawMarks();
new ResizeObserver(refresh).observe(one("main"));
addEventListener("resize", refresh); // a window's height alone counts, too
dark.addEventListener("change", () => {
  readColors();
  refresh();
});
if (!calm.matches) play(true);
