// Sets of a surface, shaded: where a condition holds, and a veil over what is infeasible. There the
// ground has the colours of another ramp, and a line is at its edge. It mirrors
// optiviz/views/region.py.

const HALVINGS = 14; // of the distance between two points, until the edge between them is known
const LINE_SAMPLES = 2001; // along a line
const PART = 0.25; // of a cell, from whose middle its four samples are

const sets = (told.sets ?? []).map((each, at) => ({ ...each, contains: programs?.sets[at]?.value }));

// Where a set is on a grid of a window: 1 in it, else 0; row 0 is at the bottom.
function covered({ contains }, window, columns, rows) {
  const at = pointIn(window, columns, rows);
  const values = new Float64Array(columns * rows);
  for (let each = 0; each < values.length; each += 1) {
    values[each] = Number(contains(at(each % columns, Math.floor(each / columns))));
  }
  return { columns, rows, values };
}

// A point by its column and row, which need not be whole.
const pointIn = ([[left, right], [bottom, top]], columns, rows) => (column, row) => [
  left + ((right - left) * column) / (columns - 1),
  bottom + ((top - bottom) * row) / (rows - 1),
];

// The share of each cell around a point of a grid that is in a set.
function sharesOf({ contains }, window, columns, rows) {
  const at = pointIn(window, columns, rows);
  return Float32Array.from({ length: columns * rows }, (_, each) => {
    const [column, row] = [each % columns, Math.floor(each / columns)];
    const corners = [[-PART, -PART], [PART, -PART], [-PART, PART], [PART, PART]];
    return corners.reduce((sum, [right, up]) => sum + contains(at(column + right, row + up)) / 4, 0);
  });
}

// The lines at the edge of a set: flat arrays of columns and rows.
function edgesOf({ contains }, window, grid, room) {
  const at = pointIn(window, grid.columns, grid.rows);
  const share = (inside, from, to) => {
    let [low, high] = [0, 1];
    const between = (each) => at(...from.map((one, axis) => one + each * (to[axis] - one)));
    for (let each = 0; each < HALVINGS; each += 1) {
      const middle = (low + high) / 2;
      if (contains(between(middle)) === inside) low = middle;
      else high = middle;
    }
    return low;
  };
  return isolines(grid, 0.5, room, (one, other, from, to) => share(grid.values[one] === 1, from, to));
}

// Paint over the ground where sets are, with `paint` in the colours of a ramp, or without it flat.
// Return their edges.
function drawSets(pen, window, width, height, quality, paint) {
  return sets.map((set) => {
    const side = SAMPLES[quality];
    const grid = covered(set, window, side, side);
    const mask = made("canvas", { width: side, height: side });
    const image = new ImageData(side, side);
    grid.values.forEach((each, at) => {
      const row = side - 1 - Math.floor(at / side);
      image.data[4 * (row * side + (at % side)) + 3] = 255 * each;
    });
    mask.getContext("2d").putImageData(image, 0, 0);
    const layer = document.createElement("canvas");
    const brush = prepared(layer, width, height, quality === "fine" ? devicePixelRatio || 1 : 1);
    if (paint) paint(brush, look().sets[set.look]);
    else {
      brush.fillStyle = flatColor(set.look);
      brush.globalAlpha = told.edge.opacities[set.look];
      brush.fillRect(0, 0, width, height);
      brush.globalAlpha = 1;
    }
    brush.globalCompositeOperation = "destination-in";
    const [across, down] = [width, height].map((length) => length / (side - 1));
    brush.drawImage(mask, -across / 2, -down / 2, width + across, height + down);
    pen.drawImage(layer, 0, 0, width, height);
    return edgesOf(set, window, grid).map((each) => onScreen(each, grid, width, height));
  });
}

function drawEdges(pen, edges) {
  const { width, casing } = told.edge;
  for (const [ink, wide] of [[look().casing, width + 2 * casing], [look().ink, width]]) {
    pen.strokeStyle = ink;
    pen.lineWidth = POINT * wide;
    for (const each of edges) stroke(pen, each);
  }
}

// In one dimension: the intervals of a window that are in a set.
function spansOf({ contains }, [[low, high]]) {
  const at = (each) => low + ((high - low) * each) / (LINE_SAMPLES - 1);
  const edge = (inside, outside) => {
    let [one, other] = [at(inside), at(outside)];
    for (let each = 0; each < HALVINGS; each += 1) {
      const middle = (one + other) / 2;
      if (contains([middle])) one = middle;
      else other = middle;
    }
    return one;
  };
  const spans = [];
  for (let each = 0, before = false; each < LINE_SAMPLES; each += 1) {
    const inside = Boolean(contains([at(each)]));
    if (inside && !before) spans.push([each ? edge(each, each - 1) : low, high]);
    if (before && !inside) spans.at(-1)[1] = edge(each - 1, each);
    before = inside;
  }
  return spans;
}

function drawSpans(panel, pen) {
  if (!live || !sets.length) return;
  const [across] = onScreenOf(panel);
  const { top, height } = panel.box;
  clipped(pen, panel.box);
  for (const set of sets) {
    const spans = spansOf(set, state.window);
    pen.fillStyle = flatColor(set.look);
    pen.globalAlpha = told.edge.opacities[set.look];
    for (const [low, high] of spans) pen.fillRect(across(low), top, across(high) - across(low), height);
    pen.globalAlpha = 1;
    const ends = spans.flat().filter((each) => !state.window[0].includes(each)).map(across);
    drawEdges(pen, ends.map((x) => Float64Array.of(x, top, x, top + height)));
  }
  pen.restore();
}

// The colour of a set where the ground has none.
const flatColor = (name) => {
  const ramp = look().sets[name];
  return ramp[Math.floor(told.edge.flat * ramp.length)];
};
