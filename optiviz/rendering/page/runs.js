// Runs: the path of each entry from each start, computed here or read from the file.

// One run: rows of points `x`, flat, with the loss of each; `steps` says which rows are kept and
// is null if all are; `last` is the last row with a finite point and loss.

const MOST_STATE = 64; // numbers of a state that is kept for the state panel
const MOST_SKETCHED = 1024; // and of one that a sketch is made from

const noises = told.noise ? decoded(told.noise.normals) : new Float64Array(0);

function decoded(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Float64Array(bytes.buffer);
}

// The objective of a run, with noise on its gradients: `at` sets the step.
function noisy(objective, sigma) {
  let [step, undefinedAt] = [0, -1];
  const gradient = (x) => {
    const found = objective.gradient(x);
    if (!found.every(Number.isFinite) && x.every(Number.isFinite) && !overflows(x)) undefinedAt = step;
    return sigma ? found.map((each, axis) => each + sigma * noises[step * dim + axis]) : found;
  };
  return {
    value: objective.value,
    hessian: objective.hessian,
    gradient,
    at: (now) => {
      step = now;
    },
    undefinedAt: () => undefinedAt,
  };
}

// Whether numbers are too large for float64 rather than undefined: far from all that is drawn.
const overflows = (x) =>
  told.surface.window.some(([low, high], axis) => Math.abs(x[axis]) > 1e3 * (Math.abs(low) + Math.abs(high) + 1));

// A run of `steps` steps, which ends early as descent/walk.py does.
function descend({ method, values, steps, sigma, start }) {
  const program = programs.methods[method];
  const thirdParty = told.methods[method].third_party;
  const f = noisy(programs.objective, sigma);
  const points = new Float64Array((steps + 1) * dim);
  const losses = new Float64Array(steps + 1);
  let x = [...start];
  let state = program.init(x, values, steps);
  const most = program.sketch ? MOST_SKETCHED : MOST_STATE;
  const width = state && state.length <= most ? state.length : 0;
  const states = new Float64Array((steps + 1) * width);
  let [ending, endedAt, step] = ["", steps, 0];
  for (; ; step += 1) {
    if (step) {
      f.at(step - 1);
      const [before, next] = [x, program.step(f, x, state, values, steps)];
      if (next) [x, state] = next;
      const gone = next && thirdParty && x.some(Number.isNaN) && before.every(Number.isFinite);
      if (!next || (gone && f.undefinedAt() < 0)) { // its code raises an error, or must not return this
        [ending, endedAt] = [`${next ? "returned nan" : "stopped"} at step ${step}`, step];
        step -= 1;
        break;
      }
    }
    const finite = x.every(Number.isFinite);
    if (f.undefinedAt() >= 0 && !finite) {
      [ending, endedAt] = [`no gradient at step ${step - 1}`, step - 1];
      step -= 1;
      break;
    }
    const loss = f.value(x);
    points.set(x, step * dim);
    losses[step] = loss;
    for (let place = 0; place < width; place += 1) states[step * width + place] = state[place];
    if (!finite || !Number.isFinite(loss)) {
      ending = finite && !overflows(x) ? `no gradient at step ${step}` : `diverged at step ${step}`;
      endedAt = step;
      step -= 1;
      break;
    }
    if (!state) [ending, endedAt] = ["stopped at step 0", 0];
    if (!state || step === steps) break;
  }
  const last = Math.max(step, 0);
  const rows = last + 1;
  return {
    steps: null, rows, last, ending, endedAt, width,
    x: points.subarray(0, rows * dim), losses: losses.subarray(0, rows), states: states.subarray(0, rows * width),
    near: null, lines: null, drawn: null, cache: {},
  };
}

// A run that the file has.
function replayed(path) {
  const flat = (points) => Float64Array.from(points.flat(), (each) => each ?? NaN);
  return {
    steps: path.steps, rows: path.steps.length, last: path.last, ending: "", endedAt: path.last,
    x: flat(path.points), drawn: path.drawn && !live ? flat(path.drawn) : null, cache: {},
    losses: Float64Array.from(path.losses, (each) => each ?? NaN),
    heights: path.heights && Float64Array.from(path.heights, (each) => each ?? NaN),
    forms: path.forms, sketches: path.sketches, slopes: path.slopes, sharpness: path.sharpness, evaluations: path.evaluations,
    width: 0, states: new Float64Array(0), near: path.near, lines: path.lines,
    outcome: path.outcome && { text: path.outcome[0], since: path.outcome[1], failed: path.outcome[2] },
  };
}

const ownRuns = told.paths.map((path) => ({ ...replayed(path), entry: path.entry, start: path.start }));

// The row of a run in a step, and the step of a row.
const rowIn = (run, step) =>
  run.steps ? rowAt(run.steps, Math.min(step, run.last)) : clamp(step, 0, run.rows - 1);
const stepOf = (run, row) => (run.steps ? run.steps[row] : row);
const pointOf = (run, row) => run.x.subarray(row * dim, row * dim + dim);

// The runs of the entries, in the order of entries and starts; those that did not change are kept.
let kept = new Map();

function runAll(state) {
  const before = kept;
  kept = new Map();
  return state.entries.flatMap((entry) => {
    if (!entry.method) {
      const own = ownRuns.filter((run) => told.entries[run.entry] === entry.base);
      return own.map((run) => ({ ...run, entry }));
    }
    return state.starts.map((start, number) => {
      const setup = { method: entry.method, values: entry.values, steps: state.steps, sigma: state.noise, start };
      const key = JSON.stringify(setup);
      const run = kept.get(key) ?? before.get(key) ?? descend(setup);
      kept.set(key, run);
      return { ...run, entry, start: number, ball: isOwn(setup, entry.base, number) ? entry.base.balls[number] : null };
    });
  });
}

// Whether a run is one of the file, whose ball of noise the file has.
const isOwn = ({ method, values, steps, sigma, start }, base, number) =>
  Boolean(base.balls?.[number]) &&
  same([method, values, steps, sigma, start], [base.method, base.values, told.steps, told.noise.sigma, told.starts[number]]);

// The rate, eight of a decade, with the lowest mean of the lowest loss so far; null if none ends
// in the window.
function foundRate(method, state) {
  const { parameters, rate } = told.methods[method];
  const place = parameters.findIndex(({ name }) => name === rate);
  let [best, least] = [null, Infinity];
  for (let eighth = -32; eighth <= 24; eighth += 1) {
    const values = parameters.map(({ default: given }) => given);
    values[place] = Number((10 ** (eighth / 8)).toPrecision(3));
    let total = 0;
    for (const start of state.starts) {
      const run = descend({ method, values, steps: state.steps, sigma: state.noise, start });
      const inside = told.surface.window.every(([low, high], axis) =>
        within(run.x[run.last * dim + axis], low, high));
      if (run.ending || !inside) total = Infinity;
      let lowest = Infinity;
      for (const loss of run.losses) total += (lowest = Math.min(lowest, loss)) / run.rows;
    }
    if (total < least) [best, least] = [values[place], total];
  }
  return best;
}
