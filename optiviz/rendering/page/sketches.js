// Sketches: what methods looked at in their steps. It mirrors optiviz/views/sketches.py.

// What is drawn of the shapes of a run in a row, from its state or from the file.
function sketchOf(run, row) {
  const known = (run.cache.sketches ??= []);
  const isShown = ({ role }) => told.sketches.all || !run.start || told.sketches.looks[role].grows;
  return (known[row] ??= shapesOf(run, row).filter(isShown).flatMap(partsOf));
}

// Whether a run has any, in its file or from its states.
const hasSketch = ({ sketches, ball, width, entry }) =>
  Boolean(sketches || ball || (width && told.methods[entry.method]?.sketch));

// The forms of what a run may have looked at.
const formsOf = (run) =>
  run.forms ?? [...((run.width && told.methods[run.entry.method].sketch) || []), ...(run.ball ? [run.ball[0]] : [])];

const draws = (run, isRole) => state.sketch && hasSketch(run) && formsOf(run).some(([, role]) => isRole(role));

// The steps after which a path fades: as told, or early if it would hide what grows beside it.
const trailOf = (run) => told.trail ?? (draws(run, (role) => told.sketches.looks[role].grows) ? told.sketches.trail : null);

// Whether what a trail has left is faded: of a path of samples, only if asked for.
const fades = (run) => told.trail !== null || !draws(run, (role) => role === "sample");

function shapesOf(run, row) {
  if (run.sketches) {
    return run.sketches[row].map(([form, ...numbers]) => shaped(run.forms[form], numbers));
  }
  if (!row) return run.ball ? [shaped(...run.ball)] : [];
  if (!run.width || !told.methods[run.entry.method].sketch) return [];
  const { method, values } = run.entry;
  const own = run.states.subarray(row * run.width, (row + 1) * run.width);
  const numbers = programs.methods[method].sketch(own, values, state.steps);
  if (!numbers) return [];
  let at = 0;
  const found = told.methods[method].sketch.map((form) => {
    const many = form[2].reduce((sum, [, sizes]) => sum + product(sizes), 0);
    at += many;
    return [form, numbers.slice(at - many, at)];
  });
  return found.filter(([, each]) => each.every(Number.isFinite)).map((each) => shaped(...each));
}

const product = (sizes) => sizes.reduce((one, other) => one * other, 1);

// A shape of a form, [kind, role, its parts, each with name and sizes], from its numbers.
function shaped([kind, role, parts], numbers) {
  const shape = { kind, role };
  let at = 0;
  for (const [name, sizes] of parts) {
    const own = numbers.slice(at, (at += product(sizes)));
    const [, columns] = sizes;
    if (!sizes.length) [shape[name]] = own;
    else if (columns === undefined) shape[name] = own;
    else shape[name] = Array.from({ length: sizes[0] }, (_, row) => own.slice(row * columns, (row + 1) * columns));
  }
  return shape;
}

// What is drawn of a shape: lines and dots of its role; in one dimension a model is a parabola.
function partsOf(shape) {
  const { kind, role, points } = shape;
  if (kind === "points") return [{ role, dots: true, points }];
  if (kind === "segment") return [{ role, points }];
  if (kind === "polygon") return [{ role, points: [...points, points[0]], closed: true }];
  if (kind === "ellipse") {
    const ring = outline(shape);
    return dim === 1 ? [{ role, points: ring }, { role, dots: true, points: ring }] : [{ role, points: ring, closed: true }];
  }
  return dim === 1 ? parabolaOf(shape) : modelLines(shape);
}

const TURNS = Array.from({ length: 97 }, (_, each) => {
  const angle = (2 * Math.PI * each) / 96;
  return [Math.cos(angle), Math.sin(angle)];
});

// An ellipse as a line, or the ends of an interval: the root of its matrix turns the unit circle.
function outline({ center, matrix }) {
  if (dim === 1) return [-1, 1].map((side) => [center[0] + side * Math.sqrt(Math.max(matrix[0][0], 0))]);
  const [[a, b], [, d]] = matrix;
  const root = Math.sqrt(Math.max(a * d - b * b, 0));
  const size = Math.sqrt(Math.max(a + d + 2 * root, 0)) || 1;
  return TURNS.map(([x, y]) => [center[0] + ((a + root) * x + b * y) / size, center[1] + (b * x + (d + root) * y) / size]);
}

function parabolaOf({ role, point: [x], value, gradient: [slope], hessian: [[bend]] }) {
  const at = (here) => value + slope * (here - x) + (bend / 2) * (here - x) ** 2;
  const lowest = x - slope / bend;
  const found = [{ role, at }];
  if (bend > 0) found.push({ role, dots: true, points: [[lowest, at(lowest)]] });
  return found;
}

// The isolines of a model about where it is flat, in coordinates along the axes of its Hessian:
// ellipses, of which the last leads through the point of the model, or the hyperbolas of a saddle.
function modelLines({ role, point, gradient, hessian }) {
  const { isolines: distances, saddle } = told.sketches;
  const [[a, b], [, d]] = hessian;
  const angle = Math.atan2(2 * b, a - d) / 2;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const bends = eigenvalues(hessian).reverse();
  const sides = bends.map((bend) => Math.sqrt(Math.abs(bend)));
  const slopes = [cos * gradient[0] + sin * gradient[1], cos * gradient[1] - sin * gradient[0]];
  const away = slopes.map((slope, axis) => -slope / bends[axis]);
  const turned = ([u, v]) => [cos * u - sin * v, sin * u + cos * v];
  const flat = turned(away).map((each, axis) => point[axis] + each);
  const apart = Math.hypot(away[0] * sides[0], away[1] * sides[1]);
  if (!flat.every(Number.isFinite) || !apart) return [];
  const points = distances.flatMap((distance) => [
    ...TURNS.map((turn) => {
      const far = distance / Math.sqrt(Math.abs(turn[0] ** 2 * Math.sign(bends[0]) + turn[1] ** 2 * Math.sign(bends[1])));
      if (!(far <= saddle)) return [NaN, NaN];
      return turned(turn.map((each, axis) => (apart * far * each) / sides[axis])).map((each, axis) => flat[axis] + each);
    }),
    [NaN, NaN],
  ]);
  const found = [{ role, points }];
  if (bends.every((bend) => bend > 0)) found.push({ role, dots: true, points: [flat] });
  return found;
}

// The parts of the sketches of a run that are seen in a step: those of each earlier step with their
// opacity, the oldest first, and its own. What grows looks the same in all steps.
function seenParts(run, step, role, dots) {
  const look = told.sketches.looks[role];
  const most = dots ? look.dots : look.lines;
  const kept = look.grows ? most : Math.min(most, told.trail ?? Infinity);
  const now = Math.min(step, run.last);
  const [first, last] = [rowIn(run, Math.max(now - kept, 0)), rowIn(run, now)];
  const wanted = (row) => sketchOf(run, row).filter((part) => part.role === role && Boolean(part.dots) === dots);
  const rows = Array.from({ length: last + 1 - first }, (_, each) => first + each);
  if (look.grows) return [[], rows.flatMap(wanted)];
  const before = rows.slice(0, -1);
  if (most > told.sketches.fading) return [[[look.before, before.flatMap(wanted)]], wanted(last)];
  const earlier = before.map((row) => [now - stepOf(run, row), wanted(row)]);
  const faint = ([age, parts]) => [(look.before * (most + 1 - age)) / most, parts];
  return [earlier.filter(([age]) => age <= kept).map(faint), wanted(last)];
}

// Draw what of the sketches of runs is beneath their paths, or what is above them. `put` returns
// the pixels of a part: a list, in which null is a gap. `scale` is that of the width of lines.
function drawSketches(pen, runs, step, { put, scale }, above) {
  if (!state.sketch) return;
  for (const run of runs.filter(hasSketch)) {
    const looks = Object.entries(told.sketches.looks).map(([role, style]) => {
      return [role, { ...style, color: toward(styleOf(run.entry).color, style.dark) }];
    });
    for (const [role, style] of looks) {
      if (style.over === above) drawSketchLines(pen, style, ...seenParts(run, step, role, false), put, scale);
    }
    for (const [role, style] of looks) {
      const [before, here] = seenParts(run, step, role, true);
      const places = (parts) => parts.flatMap(put).filter(Boolean);
      for (const [faint, parts] of above ? [] : before) drawDots(pen, style, places(parts), faint);
      if (above === style.above) drawDots(pen, style, places(here));
    }
  }
  pen.globalAlpha = 1;
}

// A colour that is as close to that of text as a share says.
function toward(color, share) {
  const [own, ink] = [color, look().ink].map(channels);
  return `rgb(${own.map((each, at) => each + share * (ink[at] - each))})`;
}

// Lines of earlier steps, and those of the present one with a casing. Those of a step are one line
// with gaps, so that where it crosses itself it is no darker.
function drawSketchLines(pen, { width, fill, color }, before, here, put, scale) {
  const { casing, opacity } = told.sketches;
  const isParabola = [here, ...before.map(([, parts]) => parts)].flat().some(({ at }) => at);
  const wide = isParabola ? width : width * scale; // a parabola follows nothing
  const traced = (parts) => {
    const path = new Path2D();
    for (const part of parts) {
      let drawing = false;
      for (const at of put(part)) {
        if (at) path[drawing ? "lineTo" : "moveTo"](...at);
        drawing = Boolean(at);
      }
    }
    return path;
  };
  const tier = (path, ink, points, alpha) => {
    pen.globalAlpha = alpha;
    pen.strokeStyle = ink;
    pen.lineWidth = POINT * points;
    pen.stroke(path);
  };
  for (const [faint, parts] of before) if (parts.length) tier(traced(parts), color, wide, faint);
  if (!here.length) return;
  const path = traced(here);
  tier(path, look().casing, wide + 2 * casing, opacity);
  pen.globalAlpha = fill;
  pen.fillStyle = color;
  if (fill) pen.fill(traced(here.filter(({ closed }) => closed)));
  tier(path, color, wide, 1);
}

function drawDots(pen, { dot, marker, hollow, color }, places, faint) {
  const size = (POINT * dot) / 2;
  pen.globalAlpha = faint ?? 1;
  for (const at of places) {
    if (marker === "+") {
      pen.strokeStyle = color;
      pen.lineWidth = 1.2 * POINT;
      line(pen, [[at[0] - size, at[1]], [at[0] + size, at[1]]]);
      line(pen, [[at[0], at[1] - size], [at[0], at[1] + size]]);
    } else if (marker === "x") {
      pen.strokeStyle = color;
      pen.lineWidth = (faint ? 1 : 1.6) * POINT;
      for (const way of [1, -1]) line(pen, [[at[0] - size, at[1] - way * size], [at[0] + size, at[1] + way * size]]);
    } else if (hollow) shape(pen, marker, at, size, look().casing, color, (faint ? 1 : 1.2) * POINT);
    else shape(pen, marker, at, size, color, faint ? "transparent" : look().casing, 0.6 * POINT);
  }
}

// Pixels of a part on a plane from above.
function onPlane(panel) {
  const [across, down] = onScreenOf(panel);
  return { put: ({ points }) => points.map(([x, y]) => nearPlace(across(x), down(y))), scale: 1 };
}

// Pixels of a part on a curve: what has no height is on it.
const ALONG = 241; // points of a line
function onCurve(panel, curve) {
  const [across, down] = onScreenOf(panel);
  const [low, high] = panel.x.ends;
  const spread = (from, to) => Array.from({ length: ALONG }, (_, each) => from + ((to - from) * each) / (ALONG - 1));
  const at = ([x, y = heightOf(curve, x)]) => nearPlace(across(x), down(y));
  const put = ({ at: height, dots, points }) => {
    if (height) return spread(low, high).map((x) => at([x, height(x)]));
    if (dots) return points.map(at);
    return points.slice(1).flatMap(([x], each) => spread(points[each][0], x).map((here) => at([here])));
  };
  return { put, scale: told.sketches.scales.curve };
}

// The height at a place of a curve, which may be known as points alone.
function heightOf(curve, x) {
  if (live) return onTheCurve(programs.objective.value([x]));
  const places = curve.filter((_, each) => each % 2 === 0);
  const row = rowAt(places, x);
  const share = (x - places[row]) / (places[row + 1] - places[row]);
  return within(share, 0, 1) ? curve[2 * row + 1] + share * (curve[2 * row + 3] - curve[2 * row + 1]) : NaN;
}

// Pixels, null if they are unknown or so far away that a browser draws them badly.
const nearPlace = (x, y) => (Math.abs(x) < FARTHEST && Math.abs(y) < FARTHEST ? [x, y] : null);
