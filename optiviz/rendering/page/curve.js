// One dimension: the curve, the points on it, and their tangents.

const CURVE = { coarse: 401, fine: 2001 }; // samples
const STEEPEST = 1e100; // largest slope for which a tangent is drawn
const TANGENT = 0.11; // half the length of a tangent, as a share of the view's diagonal
const PAST = 4.5; // pixels, of earlier points

// Points of the curve in the window, flat, and the lowest loss in it; those that the file has if the
// page cannot compute.
function curveIn([[low, high]], quality) {
  if (!live) {
    const points = Float64Array.from(told.curve.flat(), (each) => each ?? NaN);
    return { points, lowest: told.surface.lowest };
  }
  const many = CURVE[quality];
  const points = new Float64Array(2 * many);
  for (let each = 0; each < many; each += 1) {
    const x = low + ((high - low) * each) / (many - 1);
    const value = programs.objective.value([x]);
    points.set([x, Number.isFinite(value) ? value : NaN], 2 * each);
  }
  const lowest = lowestOf(points.filter((_, at) => at % 2));
  return { points: points.map((each, at) => (at % 2 ? groundValue(each, lowest) : each)), lowest };
}

const onTheCurve = (loss) => groundValue(loss, curve.lowest);

// Where a row of a run is drawn: at its loss, or at the height of the line that it is beside.
const heightAt = (run, row) => run.heights?.[row] ?? onTheCurve(run.losses[row]);

// The scale of the losses of the curve, and of those that runs visit in the window.
function curveScale(curve, runs, [[low, high]]) {
  const values = curve.filter((_, at) => at % 2);
  const visited = runs.map((run) =>
    run.losses.map((_, row) => heightAt(run, row)).filter((_, row) => within(run.x[row], low, high)),
  );
  return scaleFor(told.surface.ground, [values, ...visited], true);
}

function drawCurve(panel, pen, curve) {
  const [across, down] = onScreenOf(panel);
  clipped(pen, panel.box);
  pen.strokeStyle = look().muted;
  pen.lineWidth = 1.8 * POINT;
  stroke(pen, curve.map((each, at) => (at % 2 ? down(each) : across(each))));
  pen.restore();
}

function drawWalkers(panel, pen, runs, step, curve) {
  const [across, down] = onScreenOf(panel);
  const [low, high] = panel.x.ends;
  const beside = panel.strips[0].y.kind === "linear" ? asides(panel, runs) : new Map();
  for (const run of runs) {
    const last = rowIn(run, step);
    const { color, head, dash } = styleOf(run.entry, run.start);
    clipped(pen, panel.box);
    pen.globalAlpha = 0.75;
    for (let row = beginning(run, step); row < last; row += 1) {
      shape(pen, head, [across(run.x[row]), down(heightAt(run, row))], PAST, color, look().casing, 1);
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = color;
    if (live) drawTangent(panel, pen, run, last, dash);
    pen.restore();
    clipped(pen, panel.box, REACH);
    const x = run.x[last];
    const side = x > high ? curve.length - 2 : 0; // of the curve's ends the nearer one
    const at = [across(x), down(heightAt(run, last))];
    const place = setAside(at, beside.get(run));
    if (within(x, low, high)) {
      drawTether(pen, at, place, color);
      drawHead(pen, run.entry, place);
    } else shape(pen, side ? ">" : "<", [across(curve[side]), down(curve[side + 1])], HEAD, color, look().casing);
    pen.restore();
  }
}

// The tangent at a row.
function drawTangent(panel, pen, run, row, dash) {
  const [across, down] = onScreenOf(panel);
  const [x, y] = [run.x[row], heightAt(run, row)];
  const { temperature } = told.surface;
  const slope = programs.objective.gradient([x])[0] * (temperature === null ? 1 : -y / temperature);
  if (!(Math.abs(slope) < STEEPEST)) return;
  const { width, height } = panel.box;
  const unit = across(x + 1) - across(x) || width; // pixels
  const rise = ((down(y) - down(y + 1)) / unit) * slope; // on the screen
  const run_ = (TANGENT * Math.hypot(width, height)) / unit / Math.sqrt(1 + rise ** 2);
  pen.lineWidth = 1.6 * POINT;
  pen.setLineDash(dash.map((each) => pen.lineWidth * each));
  line(pen, [-1, 1].map((end) => [across(x + end * run_), down(y + end * run_ * slope)]));
  pen.setLineDash([]);
}
