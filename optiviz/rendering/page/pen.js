// Canvases, in pixels of the page, and the shapes on them.

const POINT = 4 / 3; // pixels
const HEAD = 6;
const REACH = 9; // of a head from its middle
const FADED = 0.3;
const FONT = "13px system-ui, sans-serif";

function prepared(canvas, width, height, ratio = devicePixelRatio || 1) {
  const [across, down] = [Math.max(1, Math.round(width * ratio)), Math.max(1, Math.round(height * ratio))];
  if (canvas.width !== across) canvas.width = across;
  if (canvas.height !== down) canvas.height = down;
  const pen = canvas.getContext("2d");
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, across, down);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  pen.globalAlpha = 1;
  return pen;
}

function line(pen, points) {
  pen.beginPath();
  for (const [x, y] of points) pen.lineTo(x, y);
  pen.stroke();
}

// A line through pixels in a flat array, from row to row; it has gaps where these are not known.
// What is far from the canvas is left out, since a browser would draw each of its dashes.
const FAR = 4000; // pixels

function stroke(pen, pixels, from = 0, to = pixels.length / 2 - 1) {
  pen.beginPath();
  let drawing = false; // whether the line has come to the row before
  let [u, v] = [NaN, NaN];
  for (let at = 2 * from; at <= 2 * to; at += 2) {
    const [x, y] = [pixels[at], pixels[at + 1]];
    const near = Math.abs(x) <= FAR && Math.abs(y) <= FAR;
    if (near && drawing) pen.lineTo(x, y);
    else if (near && Number.isNaN(u + v)) pen.moveTo(x, y);
    else if (!Number.isNaN(u + v + x + y)) {
      const [first, last] = nearby([u, v], [x, y]);
      if (first <= last) {
        pen.moveTo(u + first * (x - u), v + first * (y - v));
        pen.lineTo(u + last * (x - u), v + last * (y - v));
      }
    }
    drawing = near;
    [u, v] = [x, y];
  }
  pen.stroke();
}

// From which to which share a straight line is not far from the canvas; none if the first is larger.
function nearby(one, other) {
  let [first, last] = [0, 1];
  for (const axis of [0, 1]) {
    const length = other[axis] - one[axis];
    const ends = [(-FAR - one[axis]) / length, (FAR - one[axis]) / length].sort((a, b) => a - b);
    if (length === 0) {
      if (Math.abs(one[axis]) > FAR) return [1, 0];
      continue;
    }
    first = Math.max(first, ends[0]);
    last = Math.min(last, ends[1]);
  }
  return [first, last];
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

const ring = (pen, at, size = 6.5) => shape(pen, "o", at, size, look().background, look().ink, 2.2);
const star = (pen, at, size = 10.5) => shape(pen, "*", at, size, look().minimum, look().edge, 1);

function clipped(pen, { left, top, width, height }, room = 0) {
  pen.save();
  pen.beginPath();
  pen.rect(left - room, top - room, width + 2 * room, height + 2 * room);
  pen.clip();
}

// How the paths of an entry look: the first colours of the theme, then again with other marks.

function styleOf(entry, start = 0) {
  const { paths } = look();
  const again = Math.floor(entry.number / paths.length);
  return {
    color: entry.color || paths[entry.number % paths.length],
    head: told.markers[(entry.number + again) % told.markers.length],
    dash: told.dashes[(start + (entry.color ? 0 : again)) % told.dashes.length],
  };
}

const drawHead = (pen, entry, at, size = HEAD) => {
  const { head, color } = styleOf(entry);
  shape(pen, head, at, size, color, look().casing);
};

// The row from which on a path is drawn in full.
function beginning(run, step) {
  const trail = trailOf(run);
  return trail === null ? 0 : rowIn(run, Math.max(Math.min(step, run.last) - trail, 0));
}

// A line up to a row, faded where the trail has left it.
function drawGrown(pen, pixels, begin, last, width, dash, faded = true) {
  pen.lineWidth = width;
  pen.setLineDash(dash.map((each) => width * each));
  if (begin > 0 && faded) {
    const alpha = pen.globalAlpha;
    pen.globalAlpha = FADED * alpha;
    stroke(pen, pixels, 0, begin);
    pen.globalAlpha = alpha;
  }
  stroke(pen, pixels, begin, last);
  pen.setLineDash([]);
}
