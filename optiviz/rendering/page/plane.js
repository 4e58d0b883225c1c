// The paths on a plane from above: casings, comets, heads set apart, and triangles at the edge.

const PALEST = 0.25;
const FARTHEST = 1e6; // pixels from the picture, to which points are moved that are farther

// The pixels of a run's rows, kept until the window or the box changes.
function pixelsOf(panel, run) {
  const { left, top, width, height } = panel.box;
  const key = [left, top, width, height, ...panel.x.ends, ...panel.strips[0].y.ends].join();
  if (run.cache.key === key) return run.cache.pixels;
  const [across, down] = onScreenOf(panel);
  const pixels = new Float64Array(2 * run.rows);
  for (let row = 0; row < run.rows; row += 1) {
    const [x, y] = spotOf(run, row);
    pixels[2 * row] = clamp(across(x), -FARTHEST, FARTHEST);
    pixels[2 * row + 1] = clamp(down(y), -FARTHEST, FARTHEST);
  }
  Object.assign(run.cache, { key, pixels });
  return pixels;
}

// Where a row of a run is on the large picture, in its numbers.
function spotOf(run, row) {
  const points = run.drawn ?? run.x;
  return dim === 1 ? [points[row], heightAt(run, row)] : [points[2 * row], points[2 * row + 1]];
}

// The runs that are drawn, the longer ones first, so that they hide no shorter ones.
function layered(runs, window) {
  const sides = window.map(([low, high]) => high - low);
  const length = ({ x, rows }) => {
    let sum = 0;
    for (let at = dim; at < rows * dim; at += dim) {
      let square = 0;
      for (let axis = 0; axis < dim; axis += 1) square += ((x[at + axis] - x[at + axis - dim]) / sides[axis]) ** 2;
      sum += Math.sqrt(square);
    }
    return sum;
  };
  return runs
    .filter((run) => !run.entry.hidden)
    .map((run) => [length(run), run])
    .sort(([one], [other]) => other - one)
    .map(([, run]) => run);
}

function drawPaths(panel, pen, runs, step) {
  const theme = look();
  for (const run of runs) {
    clipped(pen, panel.box);
    const pixels = pixelsOf(panel, run);
    const last = rowIn(run, step);
    const begin = beginning(run, step);
    const row = (back) => Math.max(rowIn(run, Math.max(Math.min(step, run.last) - back, 0)), begin);
    const tiers = told.comet.map(([far, near, width]) => [row(far), row(near), POINT * width]);
    const width = POINT * told.widths.line;
    pen.strokeStyle = theme.casing;
    for (const [from, to, wide] of [[begin, last, width], ...tiers]) {
      pen.lineWidth = wide + 2 * POINT * told.widths.casing;
      stroke(pen, pixels, from, to);
    }
    const { color, dash } = styleOf(run.entry, run.start);
    pen.strokeStyle = color;
    drawGrown(pen, pixels, begin, last, width, dash, fades(run));
    for (const [from, to, wide] of tiers) {
      pen.lineWidth = wide;
      stroke(pen, pixels, from, to);
    }
    pen.restore();
  }
}

function drawHeads(panel, pen, runs, step, window) {
  clipped(pen, panel.box, REACH);
  const beside = asides(panel, runs);
  const heads = [];
  for (const run of runs) {
    const row = rowIn(run, step);
    const pixels = pixelsOf(panel, run);
    const at = [pixels[2 * row], pixels[2 * row + 1]];
    const gone = goneAt(run, row, window);
    if (gone) {
      drawArrow(panel, pen, gone, null, styleOf(run.entry).color, look().casing);
      continue;
    }
    const place = setAside(at, beside.get(run));
    heads.push([run, place, run.near ? PALEST + (1 - PALEST) * run.near[row] : 1]);
    drawTether(pen, at, place, styleOf(run.entry).color);
  }
  for (const [run, place, opacity] of heads) {
    pen.globalAlpha = opacity;
    drawHead(pen, run.entry, place);
  }
  pen.globalAlpha = 1;
  pen.restore();
}

// Where a head that is set apart truly is: a dot, and a thin line from there.
function drawTether(pen, at, place, color) {
  if (Math.hypot(...difference(at, place)) < 2) return;
  for (const [ink, width] of [[look().casing, 3.4], [color, 1.4]]) {
    pen.strokeStyle = ink;
    pen.lineWidth = width;
    line(pen, [at, place]);
  }
  shape(pen, "o", at, 2.6, color, look().casing, 1);
}

// Where a head stands on the way to its end: the nearer it is to that, the farther aside.
function setAside(at, beside) {
  if (!beside) return at;
  const [end, aside] = beside;
  const share = Math.max(0, 1 - Math.hypot(...difference(at, end)) / (POINT * told.apart.reach));
  return [at[0] + share * aside[0], at[1] + share * aside[1]];
}

// Heads that end at the same place stand around it: by run, its end and where from there.
function asides(panel, runs) {
  const found = new Map();
  for (const group of together(panel, runs)) {
    const entries = [...new Set(group.map(([run]) => run.entry.number))].sort((one, two) => one - two);
    if (entries.length < 2) continue;
    const middle = [0, 1].map((axis) => group.reduce((sum, [, end]) => sum + end[axis], 0) / group.length);
    const round = (entries.length * told.apart.room) / (2 * Math.PI);
    const far = POINT * Math.max(told.apart.radius, round);
    for (const [run, end] of group) {
      const angle = Math.PI * (1 - (2 * entries.indexOf(run.entry.number)) / entries.length);
      const place = [middle[0] + far * Math.cos(angle), middle[1] - far * Math.sin(angle)];
      found.set(run, [end, difference(place, end)]);
    }
  }
  return found;
}

// Groups of runs, each with its end, whose heads would hide each other.
function together(panel, runs) {
  let groups = [];
  for (const run of runs) {
    const pixels = pixelsOf(panel, run);
    const end = [pixels[2 * run.rows - 2], pixels[2 * run.rows - 1]];
    if (!isInside(panel, end)) continue;
    const hides = ([, other]) => Math.hypot(...difference(end, other)) <= POINT * told.apart.near;
    const close = groups.filter((group) => group.some(hides));
    groups = groups.filter((group) => !close.includes(group));
    groups.push([...close.flat(), [run, end]]);
  }
  return groups;
}

const difference = (one, other) => [one[0] - other[0], one[1] - other[1]];

function isInside({ box: { left, top, width, height } }, [x, y]) {
  return within(x, left, left + width) && within(y, top, top + height);
}

// By which share of its side a point is beyond a window, and at which edge; null if it is inside.
function beyond(point, window) {
  const edge = point.map((each, axis) => clamp(each, ...window[axis]));
  const shares = point.map((each, axis) => (each - edge[axis]) / (window[axis][1] - window[axis][0]));
  const axis = Math.abs(shares[1] ?? 0) > Math.abs(shares[0]) ? 1 : 0;
  return shares[axis] ? { edge, name: [["<", ">"], ["v", "^"]][axis][Number(shares[axis] > 0)] } : null;
}

// Whether a run is out of view in a row, and then where; one that has left for good is where it
// has crossed the edge.
function goneAt(run, row, window) {
  const points = run.drawn ?? run.x;
  const crossed = run.drawn ? null : run.crossing;
  const point = crossed && row >= crossed.row ? crossed.point : [...points.subarray(row * dim, row * dim + dim)];
  return point.every(Number.isFinite) ? beyond(point, window) : null;
}

// A triangle at the edge that points to where a place beyond it is.
function drawArrow(panel, pen, { edge, name }, place, fill, ink, width) {
  shape(pen, name, toPixels(panel, dim === 1 ? [edge[0], place[1]] : edge), HEAD, fill, ink, width);
}
