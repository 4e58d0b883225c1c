// Panels with their axes: where things are on a canvas, and the ticks around them.

const SHORT = 2; // letters of a name that stands among the labels

// Fit the box of a panel into its canvas; `ratio` is width over height, null for all there is.
function layOut(panel, width, height, ratio) {
  const pen = panel.canvas.getContext("2d");
  pen.font = FONT;
  const wide = Math.max(...panel.strips.flatMap(({ y }) => y.ticks.map(([, said]) => pen.measureText(said).width)), 8);
  const beyond = panel.x.ticks.length ? pen.measureText(panel.x.ticks.at(-1)[1]).width / 2 : 0;
  const upright = panel.kind === "contour" && panel.strips[0].y.name.length > SHORT;
  // Room for labels never shrinks, so that nothing jumps while they change.
  panel.left = Math.max(panel.left ?? 0, Math.ceil(wide) + (upright ? 26 : 10));
  const named = panel.strips.some(({ y }) => y.name);
  const box = { left: panel.left, top: panel.kind === "contour" || !named ? 8 : 26, right: Math.max(14, Math.ceil(beyond) + 2) };
  box.width = Math.max(40, width - box.left - box.right);
  box.bottom = 26;
  const room = height && Math.max(40, height - box.top - box.bottom);
  if (ratio && height) box.width = Math.min(box.width, room * ratio);
  box.height = ratio ? box.width / ratio : room;
  panel.marked = marked(panel.x, pen, box);
  panel.named = between(panel.marked, pen.measureText(panel.x.name).width + 12);
  if (panel.named === null) box.bottom = 42;
  panel.box = box;
  panel.width = ratio ? box.left + box.width + box.right : width;
  panel.height = Math.round(box.top + box.height + box.bottom);
  placeStrips(panel);
}

// Strips share the box from top to bottom, the first with more of it.
const ABOVE = 26; // pixels for the name of a strip
function placeStrips({ box, strips }) {
  const each = (box.height - ABOVE * (strips.length - 1)) / strips.length;
  strips.forEach((strip, number) => {
    strip.box = { left: box.left, width: box.width, top: box.top + number * (each + ABOVE), height: each };
  });
}

// The ticks of an axis whose labels do not overlap: where they are, and from where to where.
function marked(axis, pen, box) {
  const kept = [];
  for (const [value, said] of axis.ticks) {
    const at = box.left + box.width * onAxis(axis, value);
    const half = pen.measureText(said).width / 2;
    if (kept.length && at - half < kept.at(-1).right + 8) continue;
    kept.push({ at, said, left: at - half, right: at + half });
  }
  return kept;
}

// The middle between the last two labels with so much room between them.
function between(kept, room) {
  for (let last = kept.length - 1; last > 0; last -= 1) {
    const [one, other] = [kept[last - 1], kept[last]];
    if (other.left - one.right >= room) return (one.right + other.left) / 2;
  }
  return null;
}

// Functions from numbers to pixels, across and down, in a strip of a panel.
function onScreenOf(panel, strip = panel.strips[0]) {
  const { left, top, width, height } = strip.box;
  return [along(panel.x, left, width), along(strip.y, top + height, -height)];
}

function toPixels(panel, [x, y], strip) {
  const [across, down] = onScreenOf(panel, strip);
  return [across(x ?? NaN), down(y ?? NaN)];
}

function drawAxes(panel, pen) {
  const theme = look();
  const { box, x } = panel;
  const bottom = box.top + box.height;
  pen.font = FONT;
  pen.fillStyle = theme.muted;
  pen.lineWidth = 1;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const { at, said } of panel.marked) pen.fillText(said, at, bottom + 6);
  pen.font = `italic ${FONT}`;
  if (panel.named !== null) pen.fillText(x.name, panel.named, bottom + 6);
  else pen.fillText(x.name, box.left + box.width / 2, bottom + 23);
  for (const strip of panel.strips) {
    const levels = drawLevels(panel, pen, strip, theme);
    if (panel.kind === "contour") drawFrame(panel, pen, strip.y, levels, theme);
  }
}

// The labels of an upright axis, and in a chart its name and the lines at its ticks.
function drawLevels(panel, pen, { box, y }, theme) {
  const chart = panel.kind !== "contour";
  const down = along(y, box.top + box.height, -box.height);
  const levels = [];
  pen.font = FONT;
  pen.fillStyle = theme.muted;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const [value, said] of y.ticks) {
    const at = down(value);
    if (levels.length && at > levels.at(-1) - 16) continue;
    levels.push(at);
    pen.fillText(said, box.left - 6, at);
    pen.strokeStyle = theme.rule;
    if (chart) line(pen, [[box.left, at], [box.left + box.width, at]]);
  }
  if (!chart) return levels;
  pen.textAlign = "left";
  pen.textBaseline = "bottom";
  pen.fillText(y.name, box.left, box.top - 7);
  pen.strokeStyle = theme.muted;
  const bottom = box.top + box.height;
  line(pen, [[box.left, box.top], [box.left, bottom], [box.left + box.width, bottom]]);
  return levels;
}

function drawFrame({ box }, pen, y, levels, theme) {
  pen.save();
  pen.font = `italic ${FONT}`;
  pen.fillStyle = theme.muted;
  if (y.name.length > SHORT) {
    pen.translate(9, box.top + box.height / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(y.name, 0, 0);
  } else {
    const last = levels.length - 1;
    const middle = last > 0 ? (levels[last] + levels[last - 1]) / 2 : box.top + box.height / 4;
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    pen.fillText(y.name, box.left - 6, middle);
  }
  pen.restore();
  pen.strokeStyle = theme.muted;
  pen.lineWidth = 1;
  pen.strokeRect(box.left, box.top, box.width, box.height);
}
