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

const POINT = 4 / 3; // pixels
const HEAD = 6;
const REACH = 9; // of a head from its middle
const NEAR = 28; // pixels from a point at which it is told
const FADED = 0.3;
const PALEST = 0.25;

// The steps that are kept: what is between two of them is not shown.
const kept = [...new Set(told.paths.flatMap((path) => path.steps))].sort((one, other) => one - other);

let step = calm.matches ? told.steps : first;
let playing = null; // when the frame that is shown came up
let frame = 0; // its number, while playing: its step need not be one of those that are kept

// Numbers, as the pictures write them.

const minus = (text) => text.replace(/^-/, "\u2212");

function written(value, digits = 4) {
  if (value === null || value === undefined) return "\u2013";
  const size = Math.abs(value);
  if (size >= 1e4 && size < 1e5) return minus(value.toFixed(0));
  const plain = value.toPrecision(digits);
  if (!plain.includes("e") && (value === 0 || size >= 1e-3)) return minus(plain);
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
  for (const name of ["background", "ink", "edge", "muted", "casing", "rule", "minimum"]) {
    colors[name] = color(name);
  }
  colors.paths = told.entries.map((entry) => entry.color || color(`path-${entry.hue}`));
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

const SHORT = 2; // letters of a name that stands among the labels
const FONT = "13px system-ui, sans-serif";

function layOut(panel) {
  const width = panel.canvas.clientWidth;
  const pen = panel.canvas.getContext("2d");
  pen.font = FONT;
  const wide = Math.max(...panel.y.ticks.map(([, said]) => pen.measureText(said).width), 8);
  const chart = panel.kind !== "contour";
  const beyond = panel.x.ticks.length ? pen.measureText(panel.x.ticks.at(-1)[1]).width / 2 : 0;
  const upright = !chart && panel.y.name.length > SHORT;
  const box = {
    left: Math.ceil(wide) + (upright ? 26 : 10),
    top: chart ? 26 : 8,
    right: Math.max(12, Math.ceil(beyond) + 2),
  };
  box.width = width - box.left - box.right;
  panel.marked = marked(panel.x, pen, box);
  panel.named = between(panel.marked, pen.measureText(panel.x.name).width + 12);
  box.bottom = panel.named === null ? 40 : 26;
  box.height = box.width / panel.ratio;
  panel.box = box;
  panel.canvas.style.height = `${Math.round(box.height + box.top + box.bottom)}px`;
}

// The ticks of an axis whose labels do not overlap: where they are, and from where to where.
function marked(axis, pen, box) {
  const kept = [];
  for (const [value, said] of axis.ticks) {
    const at = box.left + box.width * onAxis(axis, value);
    const half = pen.measureText(said).width / 2;
    if (kept.length && at - half < kept.at(-1).right + 8) continue;
    kept.push({ at, said, left: at - half, right: at + half });
  }
  return kept;
}

// The middle between the last two labels with so much room between them.
function between(kept, room) {
  for (let last = kept.length - 1; last > 0; last -= 1) {
    const [one, other] = [kept[last - 1], kept[last]];
    if (other.left - one.right >= room) return (one.right + other.left) / 2;
  }
  return null;
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
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const { at, said } of panel.marked) pen.fillText(said, at, bottom + 6);
  pen.font = `italic ${FONT}`;
  if (panel.named !== null) pen.fillText(x.name, panel.named, bottom + 6);
  else pen.fillText(x.name, box.left + box.width / 2, bottom + 23);
  pen.font = FONT;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  const levels = [];
  for (const [value, said] of y.ticks) {
    const at = box.top + box.height * (1 - onAxis(y, value));
    if (levels.length && at > levels.at(-1) - 16) continue;
    levels.push(at);
    pen.fillText(said, box.left - 6, at);
    if (!chart) continue;
    pen.strokeStyle = colors.rule;
    line(pen, [[box.left, at], [box.left + box.width, at]]);
    pen.strokeStyle = colors.muted;
  }
  if (chart) {
    pen.textAlign = "left";
    pen.textBaseline = "top";
    pen.fillText(y.name, 2, 2);
    line(pen, [[box.left, box.top], [box.left, bottom], [box.left + box.width, bottom]]);
    return;
  }
  pen.save();
  pen.font = `italic ${FONT}`;
  if (y.name.length > SHORT) {
    pen.translate(9, box.top + box.height / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(y.name, 0, 0);
  } else {
    const last = levels.length - 1;
    const middle = last > 0 ? (levels[last] + levels[last - 1]) / 2 : box.top + box.height / 4;
    pen.fillText(y.name, box.left - 6, middle);
  }
  pen.restore();
  pen.strokeRect(box.left, box.top, box.width, box.height);
}

