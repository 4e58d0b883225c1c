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

const ring = (pen, at, size = 6.5) =>
  shape(pen, "o", at, size, colors.background, colors.ink, 2.2);
const star = (pen, at, size = 10.5) => shape(pen, "*", at, size, colors.minimum, colors.edge, 1);

// The row from which on a path is drawn in full.
const beginning = (steps, now) =>
  told.trail === null ? 0 : rowAt(steps, Math.max(now - told.trail, 0));

// The latest steps, wider and wider: from row to row, and the width.
function comet(steps, now) {
  const row = (back) => Math.max(rowAt(steps, Math.max(now - back, 0)), beginning(steps, now));
  return told.comet.map(([far, near, width]) => [row(far), row(near), POINT * width]);
}

// A line up to the step, faded where the trail has left it.
function drawGrown(pen, path, steps, points, now) {
  const last = rowAt(steps, now);
  const begin = beginning(steps, now);
  const width = POINT * told.widths.line;
  pen.strokeStyle = colors.paths[path.entry];
  pen.lineWidth = width;
  pen.setLineDash(path.dash.map((each) => width * each));
  if (begin > 0) {
    pen.globalAlpha = FADED;
    line(pen, points.slice(0, begin + 1));
    pen.globalAlpha = 1;
  }
  line(pen, points.slice(begin, last + 1));
  pen.setLineDash([]);
  return last;
}

// The paths in the order in which they are drawn.
const layered = [...told.paths].sort((one, other) => one.layer - other.layer);
const shown = () => layered.filter((path) => !hidden.has(path.entry));

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
      const tiers = comet(path.steps, now);
      const whole = [beginning(path.steps, now), last, POINT * told.widths.line];
      pen.strokeStyle = colors.casing;
      for (const [from, to, width] of [whole, ...tiers]) {
        pen.lineWidth = width + 2 * POINT * told.widths.casing;
        line(pen, points.slice(from, to + 1));
      }
      drawGrown(pen, path, path.steps, points, now);
      for (const [from, to, width] of tiers) {
        pen.lineWidth = width;
        line(pen, points.slice(from, to + 1));
      }
    }
    pen.restore();
  }
  for (const minimum of panel.minima) star(pen, toPixels(panel, minimum));
  clipped(pen, around(box));
  const beside = asides(panel);
  for (const path of shown()) {
    const row = now(path);
    if (away(panel, pen, path, row)) continue;
    const near = path.near === null ? 1 : path.near[row];
    pen.globalAlpha = PALEST + (1 - PALEST) * near;
    let at = toPixels(panel, spot(panel, path, row));
    if (beside.has(path)) {
      const [end, aside] = beside.get(path);
      const share = Math.max(0, 1 - Math.hypot(...difference(at, end)) / (POINT * told.apart.reach));
      at = [at[0] + share * aside[0], at[1] + share * aside[1]];
    }
    drawHead(pen, path, at);
    pen.globalAlpha = 1;
  }
  pen.restore();
}

// Heads that end at the same place stand around it: by path, its end and where from there.
function asides(panel) {
  const found = new Map();
  if (panel.curve) return found;
  for (const group of together(panel)) {
    const entries = [...new Set(group.map(([path]) => path.entry))].sort((one, two) => one - two);
    if (entries.length < 2) continue;
    const [x, y] = [0, 1].map((axis) => group.reduce((sum, [, end]) => sum + end[axis], 0));
    const round = (entries.length * told.apart.room) / (2 * Math.PI);
    const far = POINT * Math.max(told.apart.radius, round);
    for (const [path, end] of group) {
      const angle = Math.PI * (1 - (2 * entries.indexOf(path.entry)) / entries.length);
      const middle = [x / group.length, y / group.length];
      const place = [middle[0] + far * Math.cos(angle), middle[1] - far * Math.sin(angle)];
      found.set(path, [end, difference(place, end)]);
    }
  }
  return found;
}

// Groups of paths, each with its end, whose heads would hide each other.
function together(panel) {
  let groups = [];
  for (const path of shown()) {
    const end = toPixels(panel, spot(panel, path, rowAt(path.steps, path.last)));
    if (!inside(panel, end)) continue;
    const hides = ([, other]) => Math.hypot(...difference(end, other)) <= POINT * told.apart.near;
    const close = groups.filter((group) => group.some(hides));
    groups = groups.filter((group) => !close.includes(group));
    groups.push([...close.flat(), [path, end]]);
  }
  return groups;
}

const difference = (one, other) => [one[0] - other[0], one[1] - other[1]];

function inside(panel, [x, y]) {
  const { left, top, width, height } = panel.box;
  return left <= x && x <= left + width && top <= y && y <= top + height;
}

// A point out of view is a triangle at the edge, or at the curve's end that is nearer.
function away(panel, pen, path, row) {
  const axes = panel.curve ? [panel.x] : [panel.x, panel.y];
  const point = (path.drawn || path.points)[row];
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
  if (panel.curve) return [path.points[row][0], path.losses[row]];
  return (path.drawn || path.points)[row];
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
  all(".key .from").forEach((mark, start) => {
    const pen = prepared(mark.querySelector("canvas"), 34, 16);
    pen.strokeStyle = colors.muted;
    pen.lineWidth = POINT * told.widths.line;
    pen.setLineDash(told.paths[start].dash.map((each) => pen.lineWidth * each));
    line(pen, [[2, 8], [32, 8]]);
  });
  for (const mark of all(".key li:not(.from)")) {
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

