// The eigenvectors of the Hessian at the heads of paths: two lines, longer where it is flatter, and
// dashed where the loss curves down. It mirrors optiviz/views/eigenvectors.py.

// Half of each line, and whether the loss curves down along it. units is the length in the picture
// of one unit of each coordinate, and longest that of half of the longer line.
function armsAt(point, units, longest) {
  const { shortest, flat } = told.eigenvectors;
  const hessian = programs.objective.hessian(point);
  const bends = eigenvalues(hessian);
  const largest = Math.max(...bends.map(Math.abs));
  if (!Number.isFinite(largest) || !largest) return [];
  const [[a, b], [, d]] = hessian;
  const angle = Math.atan2(2 * b, a - d) / 2; // of the larger eigenvalue
  const ways = [[-Math.sin(angle), Math.cos(angle)], [Math.cos(angle), Math.sin(angle)]];
  const seen = ways.map(([x, y]) => Math.hypot(x * units[0], y * units[1]));
  const stiff = bends.map((bend, at) => Math.sqrt(Math.abs(bend)) / seen[at]);
  const least = Math.min(...stiff);
  return ways.map((way, at) => {
    const share = Math.max(stiff[at] > least ? least / stiff[at] : 1, shortest);
    return { way: way.map((each) => (each * share * longest) / seen[at]), down: bends[at] < -flat * largest };
  });
}

// Draw them for runs in a step. `put` returns the pixels of a part, in which null is a gap.
function drawEigenvectors(pen, runs, step, put, units, longest) {
  if (!told.eigenvectors || !live) return;
  const { width, casing, dash } = told.eigenvectors;
  pen.lineCap = "butt";
  for (const run of runs) {
    const point = spotOf(run, rowIn(run, step));
    if (!point.every(Number.isFinite) || beyond(point, state.window)) continue;
    const halves = armsAt(point, units, longest).flatMap(({ way, down }) =>
      [1, -1].map((side) => {
        const end = point.map((each, axis) => each + side * way[axis]);
        return { places: put({ points: [point, end] }).filter(Boolean), down };
      }),
    );
    const tiers = [[look().casing, width + 2 * casing, false], [styleOf(run.entry).color, width, true]];
    for (const [ink, wide, isDashed] of tiers) {
      pen.strokeStyle = ink;
      pen.lineWidth = POINT * wide;
      for (const { places, down } of halves) {
        pen.setLineDash(isDashed && down ? dash.map((each) => each * width * POINT) : []);
        line(pen, places);
      }
    }
  }
  pen.setLineDash([]);
  pen.lineCap = "round";
}
