// The charts beside the ground: the loss, or what the optimizers keep, against the step.

const CHART_HEAD = 5;
// Names of parts of a state, the first of which that exists is drawn; as views/state.py has them.
const VELOCITY = ["velocity", "mean", "momentum_buffer", "exp_avg", "trace", "mu"];
const SQUARES = [
  "accumulator", "largest", "square",
  "max_exp_avg_sq", "exp_avg_sq", "square_avg", "sum", "nu_max", "nu", "sum_of_squares",
];
const SECOND = 0.5; // width and opacity of the second coordinate's line, relative to the first

// The strips of a chart: each with an axis and lines, which are {run, steps, values, ...}.
function stripsOf(chart, runs) {
  if (chart === "sharpness") return [sharpnessStrip(runs)];
  const strips = chart === "state" ? stateStrips(runs) : [{ name: told.loss_name, lines: runs.flatMap(lossLines) }];
  if (chart === "state") {
    for (const strip of strips) strip.y = scaleFor(strip.name, strip.lines.map(({ values }) => values));
    strips[0].y.name += dim > 1 ? ` (thick: ${names[0]}, thin: ${names[1]})` : "";
  } else {
    const values = strips[0].lines.map((each) => each.values);
    const name = CHARTS.length > 1 && told.loss_name === "loss" ? "" : told.loss_name; // its tab says it
    const most = Math.max(0, ...runs.map(({ losses }) => Math.abs(losses[0])).filter(Number.isFinite));
    strips[0].y = scaleFor(name, comparable(values, most), false, powerAbove(LOSSES[0] * most));
  }
  return strips;
}

// Sharpness, which only the file has, and dashed the limits beyond which steps are unstable: one of
// no run if it is that of all.
function sharpnessStrip(runs) {
  const { name, axis: [kind, ends, threshold, floor], limit } = told.sharpness;
  const linesOf = (part) => runs.filter((run) => run.sharpness[part]).map((run) => ({ run, ...run.sharpness[part] }));
  return {
    y: axis(name, kind, ends, threshold, floor),
    lines: linesOf("line").map((each) => ({ ...each, head: true })),
    limits: [...(limit ? [limit] : []), ...linesOf("limit")],
  };
}

function drawLimits(pen, limits, across, down) {
  for (const { run, steps, values } of limits.filter(({ run }) => !run?.entry.hidden)) {
    pen.strokeStyle = run ? styleOf(run.entry, run.start).color : look().ink;
    pen.lineWidth = POINT * told.sharpness.width;
    pen.setLineDash(told.sharpness.dash.map((each) => POINT * told.sharpness.width * each));
    stroke(pen, steps.flatMap((each, row) => [across(each), down(values[row])]));
    pen.setLineDash([]);
  }
}

// Those of some losses that one axis can show: what diverges leaves it.
const LOSSES = [1e-16, 1e3]; // lowest and highest size, in those of the largest loss at a start

function comparable(arrays, largest) {
  const high = LOSSES[1] * largest;
  if (!(high > 0 && Number.isFinite(high))) return arrays;
  return arrays.map((values) => values.map((value) => (Math.abs(value) <= high ? value : NaN)));
}

// The lines of a run's loss; the last one carries the head.
function lossLines(run) {
  if (run.lines) {
    const known = ({ values }) => values.map((value) => value ?? NaN);
    return run.lines.map((each) => ({ run, ...each, values: known(each), head: !each.faint }));
  }
  const whole = { run, steps: run.steps, values: run.losses, head: true };
  if (told.smooth === 1) return [whole];
  return [{ ...whole, faint: true, head: false }, { ...whole, values: trailingMean(run.losses, told.smooth) }];
}

function trailingMean(values, many) {
  return values.map((_, at) => {
    const latest = values.subarray(Math.max(0, at - many + 1), at + 1).filter(Number.isFinite);
    return latest.reduce((sum, each) => sum + each, 0) / latest.length;
  });
}

function stateStrips(runs) {
  const computed = runs.filter((run) => run.entry.method);
  const whole = ({ steps, near }) => !near && (!steps || steps.length > steps.at(-1)); // every step is kept
  const strips = [
    { name: "velocity", lines: computed.flatMap((run) => partLines(run, VELOCITY)) },
    { name: "accumulated squares", lines: computed.flatMap((run) => partLines(run, SQUARES)) },
    { name: "effective step", lines: runs.filter(whole).flatMap(moves) },
  ];
  const others = new Map();
  for (const run of computed.filter((each) => partOf(each, [...VELOCITY, ...SQUARES]) === undefined)) {
    const vectors = told.methods[run.entry.method].state.filter(([, size]) => size === dim && (dim > 1 || size > 1));
    for (const [name] of vectors.slice(0, 2)) {
      others.set(name, [...(others.get(name) ?? []), ...partLines(run, [name])]);
    }
  }
  const found = [...others].slice(0, 2).map(([name, lines]) => ({ name, lines }));
  strips.splice(-1, 0, ...found);
  const drawn = strips.filter(({ lines }) => lines.length);
  return drawn.length ? drawn : [strips.at(-1)];
}

// Where the first of the parts with these names begins in a run's state; undefined if none does.
function partOf(run, wanted) {
  if (!run.width) return undefined;
  let begins = 0;
  const places = new Map();
  for (const [name, size] of told.methods[run.entry.method].state) {
    if (size === dim && !places.has(name)) places.set(name, begins);
    begins += size;
  }
  return wanted.map((name) => places.get(name)).find((place) => place !== undefined);
}

function partLines(run, wanted) {
  const place = partOf(run, wanted);
  if (place === undefined) return [];
  return coordinateLines(run, (row, axis) => run.states[row * run.width + place + axis]);
}

const moves = (run) =>
  coordinateLines(run, (row, axis) => (row ? Math.abs(run.x[row * dim + axis] - run.x[row * dim + axis - dim]) : NaN));

const coordinateLines = (run, value) =>
  Array.from({ length: dim }, (_, axis) => ({
    run, steps: run.steps, share: SECOND ** axis, head: axis === 0,
    values: Float64Array.from({ length: run.rows }, (_, row) => value(row, axis)),
  }));

function drawChart(panel, pen, step) {
  for (const strip of panel.strips) {
    const [across, down] = onScreenOf(panel, strip);
    const heads = [];
    clipped(pen, strip.box, 1);
    drawLimits(pen, strip.limits ?? [], across, down);
    for (const { run, steps, values, faint, share = 1, head } of strip.lines) {
      if (run.entry.hidden) continue;
      const pixels = new Float64Array(2 * values.length);
      for (let row = 0; row < values.length; row += 1) {
        pixels[2 * row] = across(steps ? steps[row] : row);
        pixels[2 * row + 1] = down(values[row]);
      }
      const row = (wanted) => (steps ? rowAt(steps, wanted) : clamp(wanted, 0, values.length - 1));
      const now = Math.min(step, run.last);
      const { color, dash } = styleOf(run.entry, run.start);
      pen.strokeStyle = color;
      pen.globalAlpha = faint ? FADED : 0.5 + 0.5 * share;
      const begin = told.trail === null ? 0 : row(Math.max(now - told.trail, 0));
      drawGrown(pen, pixels, begin, row(now), POINT * (faint ? 1 : told.widths.line * share), dash);
      pen.globalAlpha = 1;
      if (head) heads.push([run, [pixels[2 * row(now)], pixels[2 * row(now) + 1]]]);
    }
    pen.restore();
    clipped(pen, strip.box, REACH);
    for (const [run, at] of heads) drawHead(pen, run.entry, at, CHART_HEAD);
    pen.restore();
  }
}
