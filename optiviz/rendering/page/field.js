// The surface on a grid of the window, its levels, and the lines on which it has them.

const BANDS = 22;
const FEW_BANDS = 16; // of a small picture
const POWERS = [0.12, 4]; // bounds of the exponent that spaces the levels
const HUGE = 1e200; // above it values are divided, so that differences stay finite

// Values at `columns` times `rows` points of a window; row 0 is at the bottom.
function sampled(window, columns, rows) {
  const [[left, right], [bottom, top]] = window;
  const values = new Float64Array(columns * rows);
  const { value } = programs.objective;
  let largest = 0;
  for (let row = 0, at = 0; row < rows; row += 1) {
    const y = bottom + ((top - bottom) * row) / (rows - 1);
    for (let column = 0; column < columns; column += 1, at += 1) {
      const found = value([left + ((right - left) * column) / (columns - 1), y]);
      values[at] = Number.isFinite(found) ? found : NaN;
      if (Math.abs(found) > largest && Number.isFinite(found)) largest = Math.abs(found);
    }
  }
  const scale = Math.max(1, largest / HUGE);
  if (scale > 1) for (let at = 0; at < values.length; at += 1) values[at] /= scale;
  return { window, columns, rows, values, scale };
}

// What is drawn of a loss: with a temperature T the density exp(-(loss - lowest) / T), which is 1 at
// the lowest loss in view, else the loss itself. It mirrors Density in views/sampled_surface.py.
function groundValue(loss, lowest) {
  const { temperature } = told.surface;
  return temperature === null ? loss : Math.exp(-(loss - lowest) / temperature);
}

const lowestOf = (values) => values.reduce((lowest, each) => (each < lowest ? each : lowest), Infinity);

// A field of losses as it is drawn, with the lowest of them.
function drawnField(losses) {
  const lowest = lowestOf(losses.values) * losses.scale;
  if (told.surface.temperature === null) return { ...losses, lowest };
  return { ...losses, scale: 1, lowest, values: losses.values.map((each) => groundValue(each * losses.scale, lowest)) };
}

// The levels of a field, and those of them between its lowest and its highest value.
function levelsOf(field, small) {
  const { levels, own_levels: own } = told.surface;
  const sorted = field.values.filter((value) => !Number.isNaN(value)).sort();
  if (!sorted.length) return { levels: [], inner: [] };
  const [low, high] = [sorted[0], sorted.at(-1)];
  const between = (found) => found.filter((level) => low < level && level < high);
  const isDensity = told.surface.temperature !== null;
  const given = (levels instanceof Array ? levels : isDensity ? [] : own).map((level) => level / field.scale);
  if (given.length && (levels instanceof Array || between(given).length > 2)) {
    return { levels: given, inner: between(given) };
  }
  const many = typeof levels === "number" ? levels : small && !own.length ? FEW_BANDS : BANDS;
  if (isDensity) {
    const even = Array.from({ length: many + 1 }, (_, each) => each / many);
    return { levels: even, inner: between(even) };
  }
  const half = sorted.length >> 1;
  const middle = (sorted[half] + sorted[sorted.length - 1 - half]) / 2;
  const share = high > low ? clamp((middle - low) / (high - low), 1e-9, 1 - 1e-9) : 0.5;
  const power = clamp(Math.log(0.5) / Math.log(share), ...POWERS);
  const spaced = Array.from({ length: many + 1 }, (_, each) => low + (high - low) * (each / many) ** (1 / power));
  const found = high > low ? [...new Set(spaced)] : [];
  return { levels: found, inner: between(found) };
}

// Marching squares. Corners of a cell are numbered counterclockwise from the lower left one, sides
// from the bottom one; by which corners are high, from which side to which the line goes. Higher
// values are on its left, so that each side has one way in and one way out.
const [DOWN, RIGHT, UP, LEFT_SIDE] = [0, 1, 2, 3];
const SEGMENTS = [
  [], [[DOWN, LEFT_SIDE]], [[RIGHT, DOWN]], [[RIGHT, LEFT_SIDE]], [[UP, RIGHT]],
  null, [[UP, DOWN]], [[UP, LEFT_SIDE]], [[LEFT_SIDE, UP]], [[DOWN, UP]],
  null, [[RIGHT, UP]], [[LEFT_SIDE, RIGHT]], [[DOWN, RIGHT]], [[LEFT_SIDE, DOWN]], [],
];
const SADDLES = {
  5: [[[DOWN, LEFT_SIDE], [UP, RIGHT]], [[DOWN, RIGHT], [UP, LEFT_SIDE]]],
  10: [[[RIGHT, DOWN], [LEFT_SIDE, UP]], [[LEFT_SIDE, DOWN], [RIGHT, UP]]],
};

// Lines at a level: flat arrays of columns and rows, which need not be whole numbers. A line is
// between two points where values have the level if they are linear, or at a share of the way.
function isolines({ columns, rows, values }, level, room = isolineRoom(columns * rows), shareOf = null) {
  const { next, incoming } = room;
  const many = columns * rows;
  const begun = [];
  for (let row = 0; row < rows - 1; row += 1) {
    for (let column = 0, at = row * columns; column < columns - 1; column += 1, at += 1) {
      const [a, b, c, d] = [values[at], values[at + 1], values[at + columns + 1], values[at + columns]];
      const high = (a >= level) | ((b >= level) << 1) | ((c >= level) << 2) | ((d >= level) << 3);
      if (high === 0 || high === 15) continue;
      const middle = (a + b + c + d) / 4;
      if (Number.isNaN(middle)) continue;
      const sides = [at, many + at + 1, at + columns, many + at];
      for (const [from, to] of SEGMENTS[high] ?? SADDLES[high][Number(middle >= level)]) {
        next[sides[from]] = sides[to];
        incoming[sides[to]] = 1;
        begun.push(sides[from]);
      }
    }
  }
  const place = (side) => {
    const at = side % many;
    const other = side < many ? at + 1 : at + columns;
    const [column, row] = [at % columns, Math.floor(at / columns)];
    const end = side < many ? [column + 1, row] : [column, row + 1];
    const linear = (level - values[at]) / (values[other] - values[at]);
    const share = shareOf ? shareOf(at, other, [column, row], end) : linear;
    return side < many ? [column + share, row] : [column, row + share];
  };
  const lines = [];
  const follow = (first) => {
    const line = [...place(first)];
    let side = first;
    while (next[side] >= 0) {
      const after = next[side];
      next[side] = -1;
      line.push(...place(after));
      side = after;
    }
    lines.push(line);
  };
  for (const side of begun) if (!incoming[side] && next[side] >= 0) follow(side); // open lines
  for (const side of begun) if (next[side] >= 0) follow(side); // loops
  incoming.fill(0);
  return lines;
}

// What `isolines` writes to, which it leaves as it was.
const isolineRoom = (many) => ({ next: new Int32Array(2 * many).fill(-1), incoming: new Uint8Array(2 * many) });
