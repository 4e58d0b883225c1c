// Evenly spaced streamlines of the gradient flow, wider where it is steep, each with an arrow. It
// mirrors optiviz/views/streamlines.py. Points are in pixels, from the lower left corner.

const STREAM = { // as those of the pictures; of spacings unless said otherwise
  most: 24, // along the longer side
  step: 0.2,
  density: 1.3, // points through which lines are traced
  near: 0.5, // how near lines may come
  shortest: 1.6,
  longest: 2, // longer sides, either way
  cells: 6, // of the raster of what is near a line
  widths: [0.45, 1.3], // points, where it is flat and where it is steep
  classes: 8, // of widths
  barb: 0.055, // inches
  opacity: 0.7,
};
const BARB = [[1, 0], [-0.7, 0.7], [-0.35, 0], [-0.7, -0.7]];

// Lines in a rectangle, flat arrays of points; flow returns a direction of any length, and lines end
// where it is nan or turns back, as at a minimum.
function streamlines(flow, sides, spacing) {
  const counts = sides.map((side) => Math.max(2, Math.round((STREAM.density * side) / spacing)));
  const step = STREAM.step * spacing;
  const traces = [];
  for (let row = 0; row < counts[1]; row += 1) {
    for (let column = 0; column < counts[0]; column += 1) {
      const seed = [(sides[0] * (column + 0.5)) / counts[0], (sides[1] * (row + 0.5)) / counts[1]];
      traces.push([step, -step].map((each) => traced(flow, seed, sides, each)));
    }
  }
  traces.sort((one, other) => other.flat().length - one.flat().length);
  const cell = spacing / STREAM.cells;
  const columns = Math.floor(sides[0] / cell) + 1;
  const rows = Math.floor(sides[1] / cell) + 1;
  const at = (x, y) => Math.floor(y / cell) * columns + Math.floor(x / cell);
  const [taken, close] = [new Uint8Array(columns * rows), new Uint8Array(columns * rows)];
  const mark = (raster, line, reach) => {
    const far = Math.floor(reach / cell);
    for (let point = 0; point < line.length; point += 2) {
      const [x, y] = [Math.floor(line[point] / cell), Math.floor(line[point + 1] / cell)];
      for (let up = -far; up <= far; up += 1) {
        for (let right = -far; right <= far; right += 1) {
          const inside = within(x + right, 0, columns - 1) && within(y + up, 0, rows - 1);
          if (inside && Math.hypot(right, up) * cell <= reach) raster[(y + up) * columns + x + right] = 1;
        }
      }
    }
  };
  const free = (line) => {
    for (let point = 0; point < line.length; point += 2) {
      if (close[at(line[point], line[point + 1])]) return line.slice(0, point);
    }
    return line;
  };
  const kept = [];
  for (const ways of traces) {
    if (taken[at(...ways[0])]) continue;
    const [ahead, back] = ways.map(free);
    const line = [];
    for (let point = back.length - 2; point > 0; point -= 2) line.push(back[point], back[point + 1]);
    line.push(...ahead);
    if ((line.length / 2) * step < STREAM.shortest * spacing) continue;
    kept.push(line);
    mark(taken, line, spacing);
    mark(close, line, STREAM.near * spacing);
  }
  return kept;
}

// The points of a line from a seed, by the midpoint rule.
function traced(flow, [x, y], [width, height], step) {
  const found = [x, y];
  const most = Math.floor((STREAM.longest * Math.max(width, height)) / Math.abs(step));
  const unit = (direction) => {
    const long = Math.hypot(...direction);
    return direction.map((each) => each / long);
  };
  let before = [0, 0];
  for (let each = 0; each < most; each += 1) {
    const half = unit(flow(x, y));
    const way = unit(flow(x + (step / 2) * half[0], y + (step / 2) * half[1]));
    [x, y] = [x + step * way[0], y + step * way[1]];
    const goesOn = way[0] * before[0] + way[1] * before[1] >= 0;
    if (!(goesOn && within(x, 0, width) && within(y, 0, height))) break;
    found.push(x, y);
    before = way;
  }
  return found;
}

// The negative gradient of a field at pixels, in its own units, between the points of the grid.
function slopeOf({ window, columns, rows, values }, width, height) {
  const units = window.map(([low, high], axis) => (high - low) / ([columns, rows][axis] - 1));
  const down = [new Float64Array(values.length), new Float64Array(values.length)];
  for (let at = 0; at < values.length; at += 1) {
    const [column, row] = [at % columns, Math.floor(at / columns)];
    const [left, right] = [column ? 1 : 0, column + 1 < columns ? 1 : 0];
    const [below, above] = [row ? columns : 0, row + 1 < rows ? columns : 0];
    down[0][at] = (values[at - left] - values[at + right]) / ((left + right) * units[0]);
    down[1][at] = (values[at - below] - values[at + above]) / (((below + above) / columns) * units[1]);
  }
  const slope = (x, y) => {
    const [across, up] = [(x / width) * (columns - 1), (y / height) * (rows - 1)];
    const [column, row] = [clamp(Math.floor(across), 0, columns - 2), clamp(Math.floor(up), 0, rows - 2)];
    const [u, v] = [across - column, up - row];
    const at = row * columns + column;
    return down.map((each) => {
      const lower = (1 - u) * each[at] + u * each[at + 1];
      return (1 - v) * lower + v * ((1 - u) * each[at + columns] + u * each[at + columns + 1]);
    });
  };
  const sizes = down[0].map((each, at) => Math.hypot(each, down[1][at])).filter(Number.isFinite).sort();
  return [slope, sizes[sizes.length >> 1] ?? 1];
}

function drawStreamlines(pen, field, width, height, quality, theme) {
  const inch = 72 * POINT;
  const [slope, middle] = slopeOf(field, width, height);
  const scales = field.window.map(([low, high], axis) => [width, height][axis] / (high - low));
  const flow = (x, y) => slope(x, y).map((each, axis) => each * scales[axis]);
  const spacing = Math.max(Math.max(width, height) / STREAM.most, ARROWS.apart * inch);
  const layer = document.createElement("canvas");
  const brush = prepared(layer, width, height, quality === "fine" ? devicePixelRatio || 1 : 1);
  brush.strokeStyle = brush.fillStyle = theme.muted;
  const paths = Array.from({ length: STREAM.classes }, () => new Path2D());
  for (const line of streamlines(flow, [width, height], spacing)) {
    let [before, number] = [null, -1];
    for (let at = 0; at < line.length; at += 2) {
      const [x, y] = [line[at], line[at + 1]];
      const steep = Math.hypot(...slope(x, y));
      const share = steep / (steep + middle) || 0;
      if (before) {
        const own = Math.min(Math.floor(((share + before[2]) / 2) * STREAM.classes), STREAM.classes - 1);
        if (own !== number) paths[own].moveTo(before[0], height - before[1]);
        paths[own].lineTo(x, height - y);
        number = own;
      }
      before = [x, y, share];
    }
    drawBarb(brush, line, STREAM.barb * inch, height);
  }
  const [thin, wide] = STREAM.widths;
  paths.forEach((path, number) => {
    brush.lineWidth = POINT * (thin + ((wide - thin) * (number + 0.5)) / STREAM.classes);
    brush.stroke(path);
  });
  pen.globalAlpha = STREAM.opacity;
  pen.drawImage(layer, 0, 0, width, height);
  pen.globalAlpha = 1;
}

// An arrow in the middle of a line.
function drawBarb(pen, line, size, height) {
  const at = 2 * (line.length >> 2);
  const [x, y] = [line[at], line[at + 1]];
  const [right, up] = [line[at + 2] - line[at - 2], line[at + 3] - line[at - 1]];
  const long = Math.hypot(right, up);
  pen.beginPath();
  for (const [along, aside] of BARB) {
    const shift = [(along * right - aside * up) / long, (along * up + aside * right) / long];
    pen.lineTo(x + size * shift[0], height - y - size * shift[1]);
  }
  pen.fill();
}
