// How a path ends on the surface, in the words of descent/outcome.py.

const FLAT = 1e-9; // a slope smaller than this fraction of the starting slope counts as 0
const UNSTABLE = ["at a maximum", "at a saddle"]; // where no run should end, even if it is lower
const LEFT = "left the window";

// The first row from which on all points are outside of the window; -1 if the last one is inside.
function leftAt(run, window) {
  for (let row = run.rows - 1; row >= 0; row -= 1) {
    if (window.every(([low, high], axis) => within(run.x[row * dim + axis], low, high))) {
      return row === run.rows - 1 ? -1 : row + 1;
    }
  }
  return 0;
}

const within = (value, low, high) => low <= value && value <= high;

// Where a path that has left the window for good crossed its edge, a little outside; else null.
function crossing(run, window) {
  const gone = leftAt(run, window);
  if (gone <= 0) return null;
  const at = (row) => window.map((_, axis) => run.x[row * dim + axis]);
  const [last, beyond] = [at(gone - 1), at(gone)];
  let [least, edge] = [Infinity, 0];
  window.forEach(([low, high], axis) => {
    const bound = beyond[axis] > high ? high : beyond[axis] < low ? low : NaN;
    const share = (bound - last[axis]) / (beyond[axis] - last[axis]);
    if (share < least) [least, edge] = [share, axis];
  });
  const point = last.map((each, axis) => each + least * (beyond[axis] - each));
  const [low, high] = window[edge];
  const outside = 1e-6 * (high - low);
  point[edge] = beyond[edge] > high ? high + outside : low - outside;
  return { row: gone, point };
}

// A remark on a run, the step from which on it holds, and whether the run failed; null if none.
function outcomeOf(run, window) {
  if (run.ending) return { text: run.ending, since: run.endedAt, failed: true };
  const final = run.losses[run.last];
  const failed = !(final < run.losses[0]);
  if (failed && neverMoved(run)) return { text: "never moved", since: run.last, failed };
  const ground = groundAt(run, window);
  if (UNSTABLE.includes(ground) || (failed && ground !== "no lower")) {
    return { text: `ended ${ground}`, since: run.last, failed: true };
  }
  if (failed && isGrowing(run)) return { text: "growing", since: lastNoHigher(run) + 1, failed };
  const gone = leftAt(run, window);
  if (gone >= 0) {
    return { text: gone ? `${LEFT} at step ${gone}` : "outside the window", since: gone, failed };
  }
  return failed ? { text: "ended no lower", since: run.last, failed } : null;
}

const brief = ({ text }) => (text.startsWith(LEFT) ? LEFT : text);

function neverMoved(run) {
  for (let place = dim; place < run.rows * dim; place += 1) {
    if (run.x[place] !== run.x[place % dim]) return false;
  }
  return true;
}

function lastNoHigher(run) {
  let row = run.last;
  while (row > 0 && run.losses[row] > run.losses[0]) row -= 1;
  return row;
}

function isGrowing(run) {
  const middles = [];
  const many = run.last + 1;
  for (let part = 0, from = 0; part < 4; part += 1) {
    const size = Math.floor(many / 4) + (part < many % 4 ? 1 : 0);
    if (size) middles.push(median(run.losses.slice(from, from + size)));
    from += size;
  }
  return middles.length === 4 && middles.every((each, part) => !part || each > middles[part - 1]);
}

function median(values) {
  const sorted = [...values].sort((one, other) => one - other);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// On what kind of ground a path ends if the slope is 0 there, else "no lower".
function groundAt(run, window) {
  const sides = window.map(([low, high]) => high - low);
  const point = (row) => [...run.x.subarray(row * dim, row * dim + dim)];
  const slope = (row) =>
    Math.max(...programs.objective.gradient(point(row)).map((each, axis) => Math.abs(each * sides[axis])));
  const [first, last] = [slope(0), slope(run.last)];
  if (!(last <= FLAT * first)) return "no lower";
  const hessian = programs.objective.hessian(point(run.last));
  const bends = eigenvalues(hessian.map((row, i) => row.map((each, j) => each * sides[i] * sides[j])));
  if (!bends.every(Number.isFinite)) return "no lower";
  if (Math.max(...bends.map(Math.abs)) <= FLAT * first) return "on flat ground";
  if (Math.min(...bends) >= -FLAT * Math.max(...bends)) return "at a minimum no lower";
  return Math.max(...bends) < 0 ? "at a maximum" : "at a saddle";
}

// Those of a symmetric matrix of one or two rows.
function eigenvalues(matrix) {
  if (matrix.length === 1) return [matrix[0][0]];
  const [[a, b], [, d]] = matrix;
  const half = Math.hypot((a - d) / 2, b);
  return [(a + d) / 2 - half, (a + d) / 2 + half];
}

// What is said of an entry's runs in a step: of the failures only, if there are any.
function remarkOn(runs, step) {
  const known = runs.map((run) => run.outcome).filter((each) => each && step >= each.since);
  const failures = known.filter((each) => each.failed);
  const ended = failures.length ? failures : known;
  if (!ended.length) return null;
  const failed = Boolean(failures.length);
  if (runs.length === 1) return { text: brief(ended[0]), failed };
  const kinds = new Set(ended.map(({ text }) => text.split(" at step")[0]));
  const what = kinds.size === 1 ? [...kinds][0] : "went wrong";
  return { text: `${ended.length} of ${runs.length} ${what}`, failed };
}
