// The surface of the relief as numbers, without any drawing: its heights, its holes, and its contour
// lines. It mirrors optiviz/views/heights.py and optiviz/views/relief_surface.py, whose constants
// are `told`, the answer of optiviz/rendering/page/relief.py.
//
// The world is a box: u and v lie within its sides, of which the longer one is 1; w is the height.

const reliefField = (() => {
  const { clip } = reliefLight;
  const COARSER = 0.7; // share of the grid of a picture's light: a page has less time, and light is soft

  // How values become heights, from 0 to 1.

  function quantile(sorted, share) {
    const place = share * (sorted.length - 1);
    const first = Math.floor(place);
    const next = Math.min(first + 1, sorted.length - 1);
    return sorted[first] + (place - first) * (sorted[next] - sorted[first]);
  }

  // grows(above) says whether the surface has a pole at its highest, or lowest, point on the grid.
  function heightsFor(values, told, kind, grows) {
    const known = values.filter(Number.isFinite).sort();
    if (!known.length) return { low: 0, high: 1, kind: "linear", softness: 1, cut: [false, false] };
    let [low, high] = [known[0], known.at(-1)];
    const [below, middle, above] = [1 - told.most, 0.5, told.most].map((share) => quantile(known, share));
    const cut = [
      middle - low > (1 + told.tallPole) * (middle - below) && grows(false, middle),
      high - middle > (1 + told.tallPole) * (above - middle) && grows(true, middle),
    ];
    if (cut[0]) low = below;
    if (cut[1]) high = above;
    if (!(high > low)) {
      [low, high] = [low - Math.max(Math.abs(low), 1) / 2, high + Math.max(Math.abs(high), 1) / 2];
    }
    const span = high - low;
    const half = middle - low;
    const softness = half < span / 2 ? half * (half / (span - 2 * half)) : Infinity;
    return {
      low,
      high,
      kind: kind ?? (half < told.decades * span ? "log" : "linear"),
      softness: clip(softness, told.softness[0] * span, told.softness[1] * span),
      cut,
    };
  }

  // Heights for a surface that ends at some values between the points of the grid.
  function withEnds(heights, ends, told) {
    const known = ends.filter(Number.isFinite);
    if (!known.length) return heights;
    const span = heights.high - heights.low;
    const low = known.reduce((least, each) => Math.min(least, each), heights.low);
    const high = known.reduce((most, each) => Math.max(most, each), heights.high);
    const below = low < heights.low - told.farther * span;
    const above = high > heights.high + told.farther * span;
    const cut = [heights.cut[0] || below, heights.cut[1] || above];
    return { ...heights, low: cut[0] ? heights.low : low, high: cut[1] ? heights.high : high, cut };
  }

  // A function of a value; what is beyond the bounds is only as far as to tell that it is.
  function rule(heights, told) {
    const { low, high, kind, softness } = heights;
    const span = high - low;
    const whole = Math.log1p(span / softness);
    return (value) => {
      const above = value - low;
      const linear = kind === "linear" || above < 0;
      return clip(linear ? above / span : Math.log1p(above / softness) / whole, -told.beyond, 1 + told.beyond);
    };
  }

  // Whether the surface has no value, or goes on growing, where it is looked at more closely.
  function growsAt(ground, told, above, middle) {
    if (!ground.value) return false;
    const { values, columns, rows, window } = ground;
    let best = -1;
    values.forEach((each, at) => {
      if (Number.isFinite(each) && (best < 0 || (above ? each > values[best] : each < values[best]))) best = at;
    });
    const [width, height] = window.map(([low, high]) => high - low);
    const x = window[0][0] + ((best % columns) / (columns - 1)) * width;
    const y = window[1][0] + (Math.floor(best / columns) / (rows - 1)) * height;
    let most = above ? -Infinity : Infinity;
    for (let row = 0; row < told.closer; row += 1) {
      for (let column = 0; column < told.closer; column += 1) {
        const [right, up] = [column, row].map((each) => (2 * each) / (told.closer - 1) - 1);
        const value = ground.value([
          clip(x + (right * width) / (columns - 1), ...window[0]),
          clip(y + (up * height) / (rows - 1), ...window[1]),
        ]);
        if (!Number.isFinite(value)) return true;
        most = above ? Math.max(most, value) : Math.min(most, value);
      }
    }
    return Math.abs(most - middle) > told.growth * Math.abs(values[best] - middle);
  }

  // Where the surface ends between a point of the grid that has a value and one that has none.
  function edgesOf(ground, told) {
    const { values, columns, rows, window } = ground;
    if (values.every(Number.isFinite)) return [];
    const found = [];
    const place = (column, row) => [
      window[0][0] + (column / (columns - 1)) * (window[0][1] - window[0][0]),
      window[1][0] + (row / (rows - 1)) * (window[1][1] - window[1][0]),
    ];
    for (let at = 0; at < values.length; at += 1) {
      if (!Number.isFinite(values[at])) continue;
      const [column, row] = [at % columns, Math.floor(at / columns)];
      for (const [right, up] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) {
        const [x, y] = [column + right, row + up];
        if (x < 0 || y < 0 || x >= columns || y >= rows) continue;
        const outside = y * columns + x;
        if (Number.isFinite(values[outside])) continue;
        const edge = { inside: at, outside, share: 0, value: values[at] };
        const [here, there] = [place(column, row), place(x, y)];
        if (!ground.value) edge.share = 0.5;
        for (let step = 0.5; ground.value && step >= 0.5 ** told.halvings; step /= 2) {
          const share = edge.share + step;
          const value = ground.value(here.map((each, axis) => each + share * (there[axis] - each)));
          if (Number.isFinite(value)) Object.assign(edge, { share, value });
        }
        found.push(edge);
      }
    }
    return found;
  }

  // Let the last known value of its row or column stand for nan.
  function fill(grid, columns, rows) {
    const pass = (first, step, many) => {
      for (const [begin, stride] of [[first, step], [first + (many - 1) * step, -step]]) {
        let last = NaN;
        for (let nth = 0, at = begin; nth < many; nth += 1, at += stride) {
          if (Number.isNaN(grid[at])) grid[at] = last;
          else last = grid[at];
        }
      }
    };
    for (let row = 0; row < rows; row += 1) pass(row * columns, 1, columns);
    for (let column = 0; column < columns; column += 1) pass(column, columns, rows);
    grid.forEach((each, at) => {
      if (Number.isNaN(each)) grid[at] = 0;
    });
  }

  // The points near a cell that reaches from beneath the box above it.
  function tornPoints(low, high, columns, rows) {
    const torn = new Set();
    if (!low.includes(1) || !high.includes(1)) return torn;
    for (let row = 0; row + 1 < rows; row += 1) {
      for (let column = 0; column + 1 < columns; column += 1) {
        const at = row * columns + column;
        const corners = [at, at + 1, at + columns, at + columns + 1];
        if (!corners.some((each) => low[each]) || !corners.some((each) => high[each])) continue;
        for (let y = Math.max(row - 1, 0); y <= Math.min(row + 2, rows - 1); y += 1) {
          for (let x = Math.max(column - 1, 0); x <= Math.min(column + 2, columns - 1); x += 1) {
            torn.add(y * columns + x);
          }
        }
      }
    }
    return torn;
  }

  // The heights in the box, which go on beyond an edge so that it is where it is, and the distance
  // within edges, in cells: null if there are none.
  function gridsOf(ground, edges, heightOf, told) {
    const { values, columns, rows } = ground;
    const { tall } = told.box;
    const grid = Float32Array.from(values, (each) => (Number.isFinite(each) ? heightOf(each) * tall : NaN));
    const [low, high] = [grid.map((each) => each < 0), grid.map((each) => each > tall)];
    const ends = edges.map(({ value }) => heightOf(value) * tall);
    edges.forEach(({ outside }, nth) => {
      if (ends[nth] < 0) low[outside] = 1;
      if (ends[nth] > tall) high[outside] = 1;
    });
    const torn = tornPoints(low, high, columns, rows);
    if (!edges.length && !torn.size && !grid.some(Number.isNaN)) return [grid, null];
    const within = grid.map((each) => (Number.isNaN(each) ? -1 : 1));
    const { least } = told.heights;
    for (const { inside, outside, share } of edges) {
      const kept = clip(share, least, 1 - least);
      within[inside] = Math.min(within[inside], kept);
      within[outside] = Math.max(within[outside], kept - 1);
    }
    extend(grid, edges, ends, columns, rows, least);
    for (const at of torn) within[at] = -1;
    return [grid, within];
  }

  // Let a grid go on beyond edges as it would have to so that it has these values there.
  function extend(grid, edges, ends, columns, rows, least) {
    const total = new Map();
    edges.forEach(({ inside, outside, share }, nth) => {
      const kept = clip(share, least, 1 - least);
      const [sum, weight] = total.get(outside) ?? [0, 0];
      total.set(outside, [sum + grid[inside] * kept + ends[nth] - grid[inside], weight + kept]);
    });
    for (const [outside, [sum, weight]] of total) grid[outside] = sum / weight;
    fill(grid, columns, rows);
  }

  // A function of a value: its place among the levels, in levels, which goes on beyond them.
  function placeIn(levels) {
    const last = levels.length - 1;
    if (last < 1) return () => 0.5;
    const span = levels[last] - levels[0];
    return (value) => {
      if (value <= levels[0]) return Math.max((value - levels[0]) / span, -1);
      if (value >= levels[last]) return last + Math.min((value - levels[last]) / span, 1);
      let [low, high] = [0, last];
      while (high - low > 1) {
        const middle = (low + high) >> 1;
        if (levels[middle] <= value) low = middle;
        else high = middle;
      }
      return low + (value - levels[low]) / (levels[high] - levels[low]);
    };
  }

  // Which levels have lines: those that are reached within the box. `many` is the last place.
  function linesOf(levels, values, heights) {
    const known = values.filter(Number.isFinite);
    const least = known.reduce((low, each) => Math.min(low, each), Infinity);
    const most = known.reduce((high, each) => Math.max(high, each), -Infinity);
    const inner = (level) => level > Math.max(least, heights.low) && level < Math.min(most, heights.high);
    const [first, last] = [levels.findIndex(inner), levels.findLastIndex(inner)];
    return { first: Math.max(first, 0), last, many: Math.max(levels.length - 1, 1) };
  }

  // Every how many levels there is a line, so that lines are not too near one another.
  function strideOf(places, columns, rows, sides, shown, told) {
    const [riseU, riseV] = reliefLight.slopes(places, columns, rows, sides);
    let long = 0; // of all lines together: how fast places change, summed up over the ground
    places.forEach((place, at) => {
      if (place > shown.first - 0.5 && place < shown.last + 0.5) long += Math.hypot(riseU[at], riseV[at]);
    });
    long /= places.length;
    const many = shown.last - shown.first + 1;
    return Math.max(Math.ceil(Math.min(told.apart * long, Math.max(many / told.fewest, 1))), 1);
  }

  // Everything about the surface that is drawn, computed once for a ground.
  function fieldOf(ground, told) {
    const { columns, rows, aspect } = ground;
    const sides = aspect > 1 ? [1, 1 / aspect] : [aspect, 1];
    const edges = edgesOf(ground, told.heights);
    const grows = (above, middle) => growsAt(ground, told.heights, above, middle);
    const found = heightsFor(ground.values, told.heights, told.height, grows);
    const heights = withEnds(found, edges.map((edge) => edge.value), told.heights);
    const heightOf = rule(heights, told.heights);
    const [grid, within] = gridsOf(ground, edges, heightOf, told);
    const solid = grid.map((each) => clip(each, 0, told.box.tall));
    const [wide, high] = [columns, rows].map((count) => Math.min(count, Math.round(COARSER * told.light.grid)));
    const coarse = reliefLight.resampled(solid, columns, rows, wide, high);
    const [sky, sun] = [reliefLight.openSky, reliefLight.sunlit].map((light) =>
      reliefLight.resampled(light(coarse, wide, high, sides, told.light), wide, high, columns, rows),
    );
    const placeOf = placeIn(Float64Array.from(ground.levels));
    const places = Float32Array.from(ground.values, (each) => (Number.isFinite(each) ? placeOf(each) : NaN));
    const ends = edges.map(({ value }) => placeOf(value));
    extend(places, edges, ends, columns, rows, told.heights.least);
    const shown = linesOf(ground.levels, ground.values, heights);
    const stride = strideOf(places, columns, rows, sides, shown, told.lines);
    const [riseU, riseV] = reliefLight.slopes(solid, columns, rows, sides);
    const shareOf = (at) => places[at] / shown.many;
    const [above, below] = reliefLight.shade({ riseU, riseV, sky, sun }, shareOf, ground.ramp, told.light, ground.coats);
    return {
      columns, rows, sides, heights, heightOf, grid, within, places, above, below,
      // By the points inside and outside: where the surface ends between them.
      edges: new Map(
        edges.map(({ inside, outside, share, value }) => [
          inside * grid.length + outside,
          { share, height: heightOf(value) * told.box.tall, place: placeOf(value) },
        ]),
      ),
      shown: { ...shown, stride, first: shown.first + (stride >> 1) },
      tall: told.box.tall,
      cuts: within !== null || heights.cut[0] || heights.cut[1],
    };
  }

  return { fieldOf };
})();
