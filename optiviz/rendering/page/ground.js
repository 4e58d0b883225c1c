// The ground: bands of colour, and contour lines lit from the upper left, as views/ground.py.

const CLASSES = 6; // of lines, on either side, by how directly the slope faces the light
const REACHED = 2; // vertices to either side from which the direction of a line is taken
const LINE = { width: [0.45, 0.65], opacity: [0.32, 0.68] }; // along the light, and across it more
const FINE = 0.8; // factor of the width of lines in a small picture
const SMALL = 260; // points
const ARROWS = { most: 17, apart: 0.24 }; // along the longer side, and the least spacing in inches
const SAMPLES = { coarse: 97, fine: 321 };

const channels = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));

// A canvas with the ground of a window, `width` times `height` pixels of the page.
function groundOf(window, width, height, quality, theme) {
  const ratio = quality === "fine" ? devicePixelRatio || 1 : 1;
  const losses = sampled(window, SAMPLES[quality], SAMPLES[quality]);
  const field = drawnField(losses);
  const small = Math.min(width, height) / POINT < SMALL;
  const { levels, inner } = levelsOf(field, small);
  const canvas = document.createElement("canvas");
  const pen = prepared(canvas, width, height, ratio);
  const coloredBy = (ramp, share) => ramp[Math.round(share * (ramp.length - 1))];
  const colored = (share) => coloredBy(theme.ramp, share);
  const filled = theme.fill && field.values.some((value) => !Number.isNaN(value));
  const paint = (brush, ramp) => {
    const share = (each) => each / Math.max(inner.length, 1);
    const colors = Array.from({ length: inner.length + 1 }, (_, each) => channels(coloredBy(ramp, share(each))));
    const bands = document.createElement("canvas");
    const fineness = quality === "fine" ? ratio : 0.5;
    paintBands(prepared(bands, width, height, fineness), bands, field, inner, colors);
    brush.drawImage(bands, 0, 0, width, height);
  };
  if (filled) paint(pen, theme.ramp);
  const edges = drawSets(pen, window, width, height, quality, filled ? paint : null);
  const room = isolineRoom(field.columns * field.rows);
  const lines = inner.map((level) => isolines(field, level, room).map((each) => onScreen(each, field, width, height)));
  if (filled) drawLit(pen, lines.flat(), theme, small ? FINE : 1);
  else {
    inner.forEach((level, number) => {
      pen.strokeStyle = theme.isoline ?? colored(levels.indexOf(level) / Math.max(levels.length - 1, 1));
      pen.lineWidth = POINT * (theme.labels ? 0.9 : 0.6);
      for (const each of lines[number]) stroke(pen, each);
    });
  }
  for (const each of edges) drawEdges(pen, each);
  drawHeld(pen, losses, width, height, theme);
  if (told.surface.field === "arrows") drawArrows(pen, window, width, height, theme);
  if (told.surface.field === "stream") drawStreamlines(pen, losses, width, height, quality, theme);
  if (theme.labels) {
    const behind = (level) => (filled ? colored(inner.indexOf(level) / inner.length) : theme.background);
    drawLabels(pen, lines, inner, field.scale, width, height, theme, behind);
  }
  return { canvas, field, levels, inner };
}

// The isoline of a minimum that constraints hold, which touches their edge.
function drawHeld(pen, losses, width, height, theme) {
  const { level, width: wide, dash, casing } = told.surface.held;
  if (level === null) return;
  const lines = isolines(losses, level).map((each) => onScreen(each, losses, width, height));
  pen.lineCap = "butt";
  pen.setLineDash(dash.map((each) => each * wide * POINT));
  for (const [ink, points] of [[theme.casing, wide + 2 * casing], [theme.ink, wide]]) {
    pen.strokeStyle = ink;
    pen.lineWidth = POINT * points;
    for (const each of lines) stroke(pen, each);
  }
  pen.setLineDash([]);
}

// A line in columns and rows as one in pixels.
function onScreen(line, { columns, rows }, width, height) {
  const found = new Float64Array(line.length);
  for (let at = 0; at < line.length; at += 2) {
    found[at] = (line[at] / (columns - 1)) * width;
    found[at + 1] = height - (line[at + 1] / (rows - 1)) * height;
  }
  return found;
}

// Each pixel has the colour of its band; where a level crosses it, of both bands in their shares.
function paintBands(pen, { width, height }, { columns, rows, values }, inner, colors) {
  const image = pen.createImageData(width, height);
  const { data } = image;
  const [acrossStep, upStep] = [(columns - 1) / width, (rows - 1) / height];
  let band = 0;
  for (let y = 0, out = 0; y < height; y += 1) {
    const up = (height - y - 0.5) * upStep;
    const row = Math.min(Math.floor(up), rows - 2);
    const v = up - row;
    for (let x = 0; x < width; x += 1, out += 4) {
      const across = (x + 0.5) * acrossStep;
      const column = Math.min(Math.floor(across), columns - 2);
      const u = across - column;
      const at = row * columns + column;
      const [a, b, c, d] = [values[at], values[at + 1], values[at + columns], values[at + columns + 1]];
      const lower = a + (b - a) * u;
      const upper = c + (d - c) * u;
      const value = lower + (upper - lower) * v;
      if (Number.isNaN(value)) continue;
      while (band > 0 && value < inner[band - 1]) band -= 1;
      while (band < inner.length && value >= inner[band]) band += 1;
      const slope = Math.hypot(((b - a) * (1 - v) + (d - c) * v) * acrossStep, (upper - lower) * upStep);
      const under = band > 0 ? (value - inner[band - 1]) / slope : Infinity; // pixels to the level below
      const over = band < inner.length ? (inner[band] - value) / slope : Infinity;
      const color = colors[band];
      let [other, share] = [color, 0];
      if (under < 0.5 && under <= over) [other, share] = [colors[band - 1], 0.5 - under];
      else if (over < 0.5) [other, share] = [colors[band + 1], 0.5 - over];
      data[out] = color[0] + (other[0] - color[0]) * share;
      data[out + 1] = color[1] + (other[1] - color[1]) * share;
      data[out + 2] = color[2] + (other[2] - color[2]) * share;
      data[out + 3] = 255;
    }
  }
  pen.putImageData(image, 0, 0);
}

// Contour lines as the light falls on their slopes, whose higher values are on the left of a line.
function drawLit(pen, lines, theme, scale) {
  const paths = Array.from({ length: 2 * CLASSES + 1 }, () => new Path2D());
  for (const line of lines) {
    const last = line.length / 2 - 1;
    let before = null;
    for (let at = 0; at < last; at += 1) {
      const far = at >= REACHED && at + 1 + REACHED <= last ? REACHED : 0;
      const [from, to] = [2 * (at - far), 2 * (at + 1 + far)];
      const right = line[to] - line[from];
      const up = line[from + 1] - line[to + 1];
      const facing = -(up + right) / (Math.SQRT2 * Math.hypot(right, up));
      const number = CLASSES + (Math.round(facing * CLASSES) || 0);
      if (number !== before) paths[number].moveTo(line[2 * at], line[2 * at + 1]);
      paths[number].lineTo(line[2 * at + 2], line[2 * at + 3]);
      before = number;
    }
  }
  pen.lineCap = "butt";
  paths.forEach((path, number) => {
    const share = Math.abs(number - CLASSES) / CLASSES;
    const [color, opacity] = number > CLASSES ? theme.lit : theme.shaded;
    pen.strokeStyle = color;
    pen.globalAlpha = opacity * (LINE.opacity[0] + share * LINE.opacity[1]);
    pen.lineWidth = POINT * scale * (LINE.width[0] + share * LINE.width[1]);
    pen.stroke(path);
  });
  pen.globalAlpha = 1;
}

// Arrows down the gradient, one in the middle of each cell; longer where it is steeper.
function drawArrows(pen, window, width, height, theme) {
  const inch = 72 * POINT;
  const side = Math.max(Math.max(width, height) / ARROWS.most, ARROWS.apart * inch);
  const [columns, rows] = [width, height].map((length) => Math.max(1, Math.round(length / side)));
  const arrows = [];
  for (let row = 0; row < rows; row += 1) {
    for (let column = 0; column < columns; column += 1) {
      const shares = [(column + 0.5) / columns, (row + 0.5) / rows];
      const point = shares.map((share, axis) => window[axis][0] + share * (window[axis][1] - window[axis][0]));
      const gradient = programs.objective.gradient(point);
      const seen = gradient.map((each, axis) => -each * ([width, height][axis] / (window[axis][1] - window[axis][0])));
      const [angle, steep] = [Math.atan2(-seen[1], seen[0]), Math.hypot(...gradient)];
      const at = [shares[0] * width, (1 - shares[1]) * height];
      if (Number.isFinite(steep) && Number.isFinite(angle)) arrows.push({ at, angle, steep });
    }
  }
  const middle = arrows.length ? median(arrows.map(({ steep }) => steep)) : 0;
  pen.fillStyle = theme.muted;
  pen.globalAlpha = 0.75;
  for (const { at, angle, steep } of arrows) {
    const long = (0.92 * side * steep) / (steep + middle);
    const thick = side / 20;
    if (!(long > 0.5 * thick)) continue;
    const tip = Math.min(1, long / (5 * thick)) * thick; // a short arrow is all head
    pen.save();
    pen.translate(...at);
    pen.rotate(angle);
    pen.beginPath();
    const [tail, point] = [-long / 2, long / 2];
    const half = [[tail, thick / 2], [point - 4.4 * tip, thick / 2], [point - 5 * tip, 2.25 * tip]];
    const outline = [...half, [point, 0], ...half.map(([x, y]) => [x, -y]).reverse()];
    for (const [x, y] of outline) pen.lineTo(x, y);
    pen.fill();
    pen.restore();
  }
  pen.globalAlpha = 1;
}

// Losses on some of the contour lines, where there is room, in as few digits as tell them apart.
function drawLabels(pen, lines, levels, scale, width, height, theme, behind) {
  const many = Math.max(2, Math.floor((2.2 * Math.min(width, height)) / (72 * POINT)));
  const stride = Math.ceil(levels.length / many) || 1;
  const shown = levels.filter((_, each) => each % stride === 0);
  const said = labelsOf(shown.map((level) => level * scale));
  pen.font = `${9 * POINT}px system-ui, sans-serif`;
  pen.textAlign = "center";
  pen.textBaseline = "middle";
  pen.lineWidth = 5;
  const taken = [];
  shown.forEach((level, each) => {
    for (const line of lines[each * stride]) {
      const half = pen.measureText(said[each]).width / 2;
      const at = 2 * Math.floor(line.length / 4);
      const [x, y] = [line[at], line[at + 1]];
      const free = taken.every(([left, top]) => Math.hypot(left - x, top - y) > 2.5 * half + 8);
      const inside = within(x, half + 8, width - half - 8) && within(y, half + 8, height - half - 8);
      if (line.length < 24 || !inside || !free) continue;
      taken.push([x, y]);
      let angle = Math.atan2(line[at + 5] - line[at - 3], line[at + 4] - line[at - 4]);
      if (Math.abs(angle) > Math.PI / 2) angle -= Math.sign(angle) * Math.PI;
      pen.save();
      pen.translate(x, y);
      pen.rotate(angle);
      pen.strokeStyle = behind(level);
      pen.strokeText(said[each], 0, 0);
      pen.fillStyle = theme.muted;
      pen.fillText(said[each], 0, 0);
      pen.restore();
    }
  });
}

function labelsOf(levels) {
  for (let digits = 1; digits < 17; digits += 1) {
    const said = levels.map((level) => general(level, digits));
    const near = said.every((each, at) => Math.abs(Number(each) - levels[at]) <= 0.02 * Math.abs(levels[at]));
    if (near && new Set(said).size === said.length) return said.map(minus);
  }
  return levels.map((level) => minus(String(level)));
}
