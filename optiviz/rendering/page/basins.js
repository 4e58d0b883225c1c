// Basins of attraction: which minimum each start of a grid reaches, and when it arrives there, for one
// optimizer. It mirrors optiviz/descent/basins.py and optiviz/views/basins.py.
//
// const basins = createBasins({script, programs, told, paint})
//   script: the text of the programs script, for a worker; programs: what it declares, for where there
//   can be no worker; told: the answer of basins.py; paint(result): called for each finer grid.
// basins.ask({method, values, steps, noise, window, minima, side})     cancels what was asked before
//   method: a key of programs.methods; values: its hyperparameters; noise: null or {sigma, normals},
//   two normals per step; window: [[x0, x1], [y0, y1]]; minima: the known ones; side: starts along
//   each side of the last grid, before which there are 16, 32, 64.. of them.
//   result: {columns, rows, ends, areas, arrived, centres, shares, latest, done}; row 0 is at the bottom
//     ends: Float64Array of points (x, y), nan where a run diverged; areas: Int16Array, the number of
//     the centre that a run ends at, -1 for none; arrived: Int32Array, the first step from which on it
//     stays there, -1 for none; centres: the known minima, and others that were found; shares: of all
//     starts, by centre; latest: the last step at which any run arrives; done: this is the last grid.
// basins.stop(); basins.dispose()
// basinsPicture(result, {areas, background, muted}, told) => ImageData of columns x rows, row 0 at the top

// All that runs in a worker, which gets the text of this function: it refers to nothing else.
function basinsWork(programs, told, send, slice) {
  const FIRST = 16; // starts along each side of the first grid
  let current = null;

  const sizes = (side) => {
    const found = [];
    for (let each = FIRST; each < side; each *= 2) found.push(each);
    return [...found, side];
  };

  const apart = (x, y, [u, v]) => (x - u) * (x - u) + (y - v) * (y - v);

  // The number of the minimum within a radius of a point, -1 if there is none.
  function nearest(x, y, minima, radius) {
    let [best, number] = [radius * radius, -1];
    for (let which = 0; which < minima.length; which += 1) {
      const far = apart(x, y, minima[which]);
      if (far <= best) [best, number] = [far, which];
    }
    return number;
  }

  // A function that walks from a start and returns its path, numbers x, y, nan from where it diverged.
  function walker({ method, values, steps, noise }) {
    const { init, step } = programs.methods[method];
    const { objective } = programs;
    const path = new Float64Array(2 * (steps + 1));
    let now = 0;
    const noisy = (x) => objective.gradient(x).map((each, axis) => each + noise.sigma * noise.normals[2 * now + axis]);
    const seen = { ...objective, gradient: noise ? noisy : objective.gradient };
    return (start) => {
      let x = start;
      let state = init(x, values, steps);
      path.fill(NaN);
      [path[0], path[1]] = x;
      for (now = 0; state && now < steps; now += 1) {
        const next = step(seen, x, state, values, steps);
        if (!next) break; // its code raises an error
        [x, state] = next;
        if (!Number.isFinite(x[0]) || !Number.isFinite(x[1])) break;
        path[2 * now + 2] = x[0];
        path[2 * now + 3] = x[1];
      }
      return path;
    };
  }

  // The first step from which on a path stays near a point.
  function arrival(path, point, radius) {
    let step = path.length / 2;
    while (step > 0 && apart(path[2 * step - 2], path[2 * step - 1], point) <= radius * radius) step -= 1;
    return step;
  }

  // The minimum near a point, null if there is none within twice the radius.
  function polished(start, radius, steepest) {
    const { gradient, hessian } = programs.objective;
    let x = start;
    const slope = (g) => Math.max(Math.abs(g[0]), Math.abs(g[1]));
    for (let step = 0; step < told.polish; step += 1) {
      const [g, h] = [gradient(x), hessian(x)];
      if (!h.flat().every(Number.isFinite)) return null;
      if (slope(g) <= told.flat * steepest) break;
      const size = h[0][0] * h[1][1] - h[0][1] * h[1][0];
      x = [
        x[0] - (g[0] * h[1][1] - g[1] * h[0][1]) / size,
        x[1] - (g[1] * h[0][0] - g[0] * h[1][0]) / size,
      ];
      if (!(apart(...x, start) <= 4 * radius * radius)) return null;
    }
    const h = hessian(x);
    const least = (h[0][0] + h[1][1]) / 2 - Math.hypot((h[0][0] - h[1][1]) / 2, h[1][0]);
    return slope(gradient(x)) <= told.flat * steepest && least > 0 ? x : null;
  }

  // The minima that nobody listed around which ends of runs gather.
  function found(ask, radius, starts, ends) {
    const { value, gradient } = programs.objective;
    const inside = ([x, y]) => ask.window.every(([low, high], axis) => low <= [x, y][axis] && [x, y][axis] <= high);
    let loose = ends
      .filter(inside)
      .map((end) => ({ end, loss: value(end) }))
      .filter(({ loss }) => Number.isFinite(loss));
    if (!loose.length) return [];
    const slopes = starts.flatMap((start) => gradient(start)).map(Math.abs);
    const steepest = slopes.reduce((most, each) => (each > most ? each : most), 0);
    const few = Math.max(2, Math.floor(told.crowd * starts.length));
    const minima = [];
    while (loose.length >= few && minima.length < told.most) {
      const best = loose.reduce((least, each) => (each.loss < least.loss ? each : least)).end;
      const near = (end, point, far) => apart(...end, point) <= far * far;
      const crowd = loose.filter(({ end }) => near(end, best, 2 * radius));
      const close = crowd.length >= few ? polished(best, radius, steepest) : null;
      const point = close && inside(close) ? close : null;
      if (point && nearest(...point, [...ask.minima, ...minima], radius) < 0) minima.push(point);
      loose = loose.filter(({ end }) => !near(end, best, 2 * radius) && !(point && near(end, point, radius)));
    }
    return minima;
  }

  // The result for a grid of so many starts along each side; it yields after each run.
  function* mapped(ask, side) {
    const [width, height] = ask.window.map(([low, high]) => high - low);
    const radius = told.radius * Math.hypot(width, height);
    const walk = walker(ask);
    const many = side * side;
    const starts = Array.from({ length: many }, (_, at) => [
      ask.window[0][0] + (width * ((at % side) + 0.5)) / side,
      ask.window[1][0] + (height * (Math.floor(at / side) + 0.5)) / side,
    ]);
    const ends = new Float64Array(2 * many);
    const [areas, arrived] = [new Int16Array(many).fill(-1), new Int32Array(many).fill(-1)];
    const run = (at, minima) => {
      const path = walk(starts[at]);
      const end = path.subarray(-2);
      ends.set(end, 2 * at);
      areas[at] = nearest(...end, minima, radius);
      if (areas[at] >= 0) arrived[at] = arrival(path, minima[areas[at]], radius);
    };
    for (let at = 0; at < many; at += 1) {
      run(at, ask.minima);
      yield null;
    }
    const late = [...areas.keys()].filter((at) => areas[at] < 0);
    const endOf = (at) => [ends[2 * at], ends[2 * at + 1]];
    const others = found(ask, radius, starts, late.map(endOf));
    const centres = [...ask.minima, ...others];
    for (const at of late) {
      if (nearest(...endOf(at), others, radius) < 0) continue;
      run(at, centres); // again, as now it is known where to
      yield null;
    }
    const shares = centres.map((_, which) => areas.filter((each) => each === which).length / many);
    const latest = arrived.reduce((most, each) => Math.max(most, each), 0);
    yield { columns: side, rows: side, ends, areas, arrived, centres, shares, latest, done: side === ask.side };
  }

  function* refined(ask) {
    for (const side of sizes(ask.side)) yield* mapped(ask, side);
  }

  // Work for a moment, and look whether something else is asked meanwhile.
  function go(work, number) {
    if (work !== current) return;
    const begun = performance.now();
    while (performance.now() - begun < slice) {
      const { value, done } = work.next();
      if (done) return;
      if (!value) continue;
      send({ number, result: value });
      break;
    }
    setTimeout(go, 0, work, number);
  }

  return {
    ask(ask, number) {
      current = refined(ask);
      setTimeout(go, 0, current, number); // never paints while it is asked
    },
    stop() {
      current = null;
    },
  };
}

const createBasins = (() => {
  const SLICE = 8; // milliseconds of work at a time where there is no worker
  const WORKER_SLICE = 25;

  class Basins {
    constructor({ script, programs, told, paint }) {
      Object.assign(this, { programs, told, paint, asked: null, number: 0 });
      const source =
        `${script}\nconst work = (${basinsWork})(programs, ${JSON.stringify(told)}, postMessage, ${WORKER_SLICE});` +
        "onmessage = ({ data }) => (data.asked ? work.ask(data.asked, data.number) : work.stop());";
      try {
        this.address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
        this.worker = new Worker(this.address);
        this.worker.onmessage = ({ data }) => this.receive(data);
        this.worker.onerror = () => this.workHere(); // as in a sandboxed frame
      } catch {
        this.workHere();
      }
    }

    workHere() {
      this.worker?.terminate();
      this.worker = null;
      this.here = basinsWork(this.programs, this.told, (data) => this.receive(data), SLICE);
      if (this.asked) this.here.ask(this.asked, this.number);
    }

    receive({ number, result }) {
      if (number === this.number && this.asked) this.paint(result);
    }

    ask(asked) {
      this.asked = asked;
      this.number += 1;
      if (this.worker) this.worker.postMessage({ asked, number: this.number });
      else this.here.ask(asked, this.number);
    }

    stop() {
      this.asked = null;
      if (this.worker) this.worker.postMessage({});
      else this.here.stop();
    }

    dispose() {
      this.stop();
      this.worker?.terminate();
      URL.revokeObjectURL(this.address);
    }
  }

  return (given) => new Basins(given);
})();

const basinsColors = (() => {
  const rgb = (color) => [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16));
  const mixed = (one, other, share) => one.map((each, part) => each + share * (other[part] - each));
  // The colour of starts that reach no minimum.
  const nowhere = ({ background, muted }, told) => mixed(rgb(background), rgb(muted), told.nowhere);
  return { rgb, mixed, nowhere };
})();

// Hues are those of the minima, and the sooner a run arrives the brighter it is.
function basinsPicture(result, colors, told) {
  const { rgb, mixed } = basinsColors;
  const { columns, rows, areas, arrived, latest } = result;
  const hues = colors.areas.map(rgb);
  const nowhere = basinsColors.nowhere(colors, told);
  const levels = told.levels - 1;
  const picture = new ImageData(columns, rows);
  for (let at = 0; at < areas.length; at += 1) {
    const share = Math.round(Math.min(arrived[at] / Math.max(latest, 1), 1) * levels) / levels;
    const [toward, much] = share < 0.5 ? [255, told.bright * (1 - 2 * share)] : [0, told.dark * (2 * share - 1)];
    const color = areas[at] < 0 ? nowhere : mixed(hues[areas[at] % hues.length], [toward, toward, toward], much);
    const top = rows - 1 - Math.floor(at / columns);
    picture.data.set([...color, 255], 4 * (top * columns + (at % columns)));
  }
  return picture;
}
