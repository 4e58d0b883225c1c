// Gradients at the heads of paths: an arrow down the loss, and dashed ones of the constraints that
// are active. It mirrors optiviz/views/gradients.py.

// The directions at each row of a run: down the loss, null if there is none, then those of
// constraints. They are from the file where the path is.
const slopesOf = (run) => run.slopes ?? (run.cache.slopes ??= downhill(run));

function downhill(run) {
  const points = Array.from({ length: run.rows }, (_, row) => [...pointOf(run, row)]);
  const ways = points.map((point) => programs.objective.gradient(point).map((each) => -each));
  const steep = ways.map((way) => Math.hypot(...way));
  const seen = steep.filter((each, row) => Number.isFinite(each) && !beyond(points[row], told.surface.window));
  const least = told.gradients.flat * seen.reduce((one, other) => Math.max(one, other), 0);
  return ways.map((way, row) => [Number.isFinite(steep[row]) && steep[row] > least ? way : null]);
}

// The shaft and the tip of an arrow, in pixels. units is the length of one unit of each coordinate.
function gradientArrow([x, y], way, units, long) {
  const { barb, turn } = told.gradients;
  const [right, up] = way.map((each, axis) => each * units[axis]);
  const angle = Math.atan2(-up, right);
  const from = ([u, v], far, angle) => [u + far * Math.cos(angle), v + far * Math.sin(angle)];
  const end = from([x, y], POINT * long, angle);
  const sides = [turn, -turn].map((each) => from(end, -POINT * barb, angle + each));
  return [[[x, y], end], [sides[0], end, sides[1]]];
}

function drawGradients(panel, pen, runs, step, window) {
  if (!told.gradients) return;
  const { down, out, width, casing, dash } = told.gradients;
  const { ink, casing: pale } = look();
  const units = window.map(([low, high], axis) => [panel.box.width, panel.box.height][axis] / (high - low));
  clipped(pen, panel.box);
  pen.lineCap = "butt";
  for (const run of runs) {
    const row = rowIn(run, step);
    const point = spotOf(run, row);
    if (!point.every(Number.isFinite) || beyond(point, window)) continue;
    const [steepest, ...others] = slopesOf(run)[row];
    const arrows = (ways, long) => ways.map((way) => gradientArrow(toPixels(panel, point), way, units, long));
    for (const [drawn, color, dashes] of [
      [arrows(others, out), ink, dash],
      [arrows(steepest ? [steepest] : [], down), styleOf(run.entry).color, []],
    ]) {
      for (const [inked, wide, pattern] of [[pale, width + 2 * casing, []], [color, width, dashes]]) {
        pen.strokeStyle = inked;
        pen.lineWidth = POINT * wide;
        for (const [shaft, tip] of drawn) {
          pen.setLineDash(pattern.map((each) => POINT * wide * each));
          line(pen, shaft);
          pen.setLineDash([]);
          line(pen, tip);
        }
      }
    }
  }
  pen.restore();
}
