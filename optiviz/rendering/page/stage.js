// What is seen: the state, its runs, and the panels that show them.

let { state, step } = { state: ownState(), step: 0 };
let runs = []; // of all entries
let shown = []; // those that are drawn, in their order
let ground = null; // the latest that was computed, with its key
let curve = null;
let groundTimer = 0;

const CURVE_RATIO = 1.35; // width over height
const [EDGES, KEY] = [10, 36]; // pixels above and below the picture, and of the key
const SETTLED = 140; // milliseconds without a change after which the ground is drawn finely

const mainKind = dim === 1 ? "curve" : "contour";
const main = told.picture ? { kind: mainKind, canvas: one(".ground canvas"), strips: [{}] } : null;
const chart = told.chart ? { kind: "chart", canvas: one(".charts canvas"), strips: [{}] } : null;
const panels = [main, chart].filter(Boolean);
// Whether there are two columns. In a frame, nothing may depend on its height, which follows.
const isWide = matchMedia(framed
  ? "(min-width: 780px)"
  : "(min-width: 820px) and (min-aspect-ratio: 1/1), (min-width: 600px) and (max-height: 480px)");
const FRAMED = 640; // pixels that the picture of a page in a frame is tall, at most
const MOST_TALL = 0.6; // share of the screen's height that a picture has where there is one column

const tools = one("#tools");
const sketchBox = one("#sketch input");
const image = told.images ? new Image() : null;

function readTheme() {
  if (image) {
    image.src = told.images[dark.matches ? "dark" : "light"] ?? Object.values(told.images)[0];
    image.alt = "";
  }
}

// Run all entries, and choose the axes for what they do.
function compute() {
  runs = runAll(state);
  for (const run of runs) {
    if (run.entry.method) run.outcome = outcomeOf(run, told.surface.window);
    run.crossing = main?.kind === "contour" && live ? crossing(run, state.window) : null;
  }
  shown = layered(runs, state.window);
  chooseAxes();
}

function chooseAxes(quality = "fine") {
  chart?.canvas.setAttribute("aria-label", told.charts[state.chart]);
  if (main) {
    const [[left, right], up] = state.window;
    main.x = axis(names[0], "linear", [left, right]);
    if (main.kind === "contour") main.strips[0].y = axis(names[1], "linear", up);
    else {
      const key = [left, right, quality, dark.matches].join();
      if (curve?.key !== key) curve = { key, ...curveIn(state.window, quality) };
      main.strips[0].y = curveScale(curve.points, runs, state.window);
    }
  }
  if (chart && state.chart === "data") {
    const [across, up] = told.data.names.map((name, at) => axis(name, "linear", told.data.ends[at]));
    chart.x = across;
    chart.strips = [{ name: up.name, y: up, lines: [] }];
  } else if (chart) {
    chart.x = axis(told.unit, "linear", [0, Math.max(state.steps, told.live ? told.steps : 1, 1)]);
    chart.strips = stripsOf(state.chart, runs);
  }
}

function fit() {
  root.classList.toggle("columns", isWide.matches);
  if (main) {
    const [seen, bar] = [one(".seen"), one(".seen .bar")];
    const room = innerHeight - EDGES - bar.offsetHeight - KEY; // whatever the key has
    const fills = main.kind === "curve" && isWide.matches && !framed;
    const tall = framed ? FRAMED : isWide.matches ? room : MOST_TALL * innerHeight;
    layOut(main, seen.clientWidth, tall, fills ? null : told.surface.ratio ?? CURVE_RATIO);
    one(".frame").style.height = `${main.height}px`;
    const { left, top, width } = main.box;
    const above = main.kind === "contour" ? top + 6 : 2;
    Object.assign(tools.style, { top: `${above}px`, right: `calc(100% - ${left + width - 6}px)` });
    placeHandles();
  }
  if (chart) {
    const frame = one(".charts");
    const height = isWide.matches ? frame.clientHeight : state.chart === "state" ? 440 : 240;
    layOut(chart, frame.clientWidth, height, null);
  }
}

function draw() {
  for (const panel of panels) {
    const { canvas, width, height } = panel;
    if (canvas.hidden) continue;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
    const pen = prepared(canvas, width, height);
    if (panel === chart) {
      drawAxes(panel, pen);
      (state.chart === "data" ? drawData : drawChart)(panel, pen, step);
    } else drawMain(pen);
  }
  drawTab();
}

function drawMain(pen) {
  const { box } = main;
  if (main.kind === "curve") {
    drawSpans(main, pen);
    drawAxes(main, pen);
    drawCurve(main, pen, curve.points);
    drawMarks(pen, state.starts, ring, live);
    drawMarks(pen, told.surface.minima, star);
    drawSketch(pen, false);
    drawSketch(pen, true);
    drawWalkers(main, pen, shown, step, curve.points);
    return;
  }
  clipped(pen, box);
  const bitmap = state.tab === "basins" ? basinsBitmap() : groundNow();
  if (bitmap) {
    pen.imageSmoothingEnabled = state.tab !== "basins";
    pen.drawImage(bitmap, box.left, box.top, box.width, box.height);
  }
  pen.restore();
  drawAxes(main, pen);
  drawMarks(pen, live ? state.starts : told.starts_seen, ring, live);
  drawSketch(pen, false);
  drawPaths(main, pen, shown, step);
  drawSketch(pen, true);
  drawBends(pen);
  drawGradients(main, pen, shown, step, state.window);
  drawMarks(pen, told.surface.minima, star);
  drawHeads(main, pen, shown, step, state.window);
}

function drawSketch(pen, above) {
  clipped(pen, main.box);
  drawSketches(pen, shown, step, main.kind === "curve" ? onCurve(main, curve.points) : onPlane(main), above);
  pen.restore();
}

function drawBends(pen) {
  const units = state.window.map(([low, high], axis) => [main.box.width, main.box.height][axis] / (high - low));
  clipped(pen, main.box);
  drawEigenvectors(pen, shown, step, onPlane(main).put, units, POINT * told.eigenvectors?.longest);
  pen.restore();
}

// Marks at points of the surface that are in the window; those beyond it are arrows if `arrows`.
function drawMarks(pen, points, mark, arrows = false) {
  for (const point of points) {
    const at = main.kind === "curve" ? [point[0], live ? onTheCurve(programs.objective.value(point)) : point[1]] : point;
    const gone = beyond(point, state.window);
    if (!gone) mark(pen, toPixels(main, at));
    else if (arrows) drawArrow(main, pen, gone, at, look().background, look().ink, 2);
  }
}

// The ground of the window: a coarse one at once, a fine one when nothing has changed for a while.
function groundNow() {
  if (!live) return image.complete ? image : null;
  const { width, height } = main.box;
  const key = [width, height, devicePixelRatio, dark.matches, ...state.window.flat()].join();
  if (ground?.key === key) return ground.canvas;
  const first = !ground;
  computeGround(key, first ? "fine" : "coarse");
  if (!first) {
    clearTimeout(groundTimer);
    groundTimer = setTimeout(() => {
      computeGround(key, "fine");
      draw();
    }, SETTLED);
  }
  return ground.canvas;
}

function computeGround(key, quality) {
  ground = { key, ...groundOf(state.window, main.box.width, main.box.height, quality, look()) };
  writeRamp();
}

// Changes of the state: what follows is drawn in the next frame, once for all that came before.

let awaited = 0;
let settled = 0;

function changed({ say = null } = {}) {
  if (!awaited) {
    awaited = requestAnimationFrame(() => {
      awaited = 0;
      update();
    });
  }
  settleSoon(say);
}

function settleSoon(say) {
  clearTimeout(settled);
  settled = setTimeout(() => settle(say), 500);
}

function update() {
  step = Math.min(step, state.steps);
  compute();
  write();
  fit();
  draw();
}

// Say something that all readers see for a while.
let noticed = 0;

function announce(text) {
  one("#notice").textContent = text;
  clearTimeout(noticed);
  noticed = setTimeout(() => {
    one("#notice").textContent = "";
  }, 4000);
}

// What need not follow at once: the address, words for screen readers, and the table.
function settle(say) {
  writeFragment();
  writeCommand();
  describe();
  if (say) one("#said").textContent = say();
}

// Texts.

function write() {
  const counter = `${told.unit} ${step} of ${state.steps}`;
  one("#counter").style.minWidth = `${told.unit.length + 3.5 + 2 * String(state.steps).length}ch`; // so that nothing moves
  one("#counter").textContent = counter;
  slider.max = state.steps;
  slider.value = step;
  slider.setAttribute("aria-valuetext", counter);
  slider.style.setProperty("--done", `${(100 * step) / Math.max(state.steps, 1)}%`);
  all("#presets button").forEach((each, preset) =>
    each.setAttribute("aria-pressed", String(preset === state.preset && !changesOf(state, ownState(preset)).length)));
  const nothing = !shown.length && (state.entries.length ? "All optimizers are hidden" : "No optimizer: add one");
  if (main) {
    one("#whole").hidden = !live || !(state.tab === "relief" ? state.camera : zoomed(state));
    one("#empty").hidden = !nothing;
    one("#empty span").textContent = nothing || "";
    one("#sketch").hidden = !shown.some(hasSketch);
    sketchBox.checked = state.sketch;
  }
  writeRows();
  writeKey();
  if (one("#values").open) writeTable();
}

function writeTable() {
  const seen = runs.filter((run) => !run.entry.hidden);
  const many = seen.some(({ start }) => start > 0); // starts
  const cells = (run) => {
    const row = rowIn(run, step);
    const values = [stepOf(run, row), ...[...pointOf(run, row)].map((each) => written(each)), written(run.losses[row])];
    const ended = run.outcome && step >= run.last ? run.outcome.text : "";
    const remark = [...evaluated(run), ended].filter(Boolean).join(", ");
    return [
      made("th", { scope: "row", textContent: run.entry.name + (many ? ` from ${place(pointOf(run, 0))}` : "") }),
      ...values.map((value) => made("td", { textContent: value })),
      made("td", { textContent: remark }),
    ];
  };
  one("tbody").replaceChildren(...seen.map((run) => made("tr", {}, ...cells(run))));
}

// Say in the pictures' alternative texts where the paths go.
function describe() {
  if (!main || !live) return;
  const ends = shown.map((run) => {
    const [from, to] = [0, run.last].map((row) => place(pointOf(run, rowIn(run, row))));
    const remark = run.outcome ? `, ${run.outcome.text}` : "";
    return `${run.entry.name} goes from ${from} to ${to}, loss ${written(run.losses.at(-1))}${remark}`;
  });
  main.canvas.setAttribute("aria-label", `${told.title}. ${ends.join("; ")}.`);
}

function show(wanted) {
  const steps = keptSteps();
  const last = steps?.at(-1);
  step = clamp(wanted, 0, state.steps);
  if (steps && step <= last) step = steps[rowAt(steps, step)];
  tip.hidden = true;
  write();
  draw();
}

// The steps that are kept, where the file lacks some: what is between two of them is not shown.
const ownSteps = [...new Set(told.paths.flatMap((path) => path.steps))].sort((one, other) => one - other);
const keptSteps = () => (live ? null : ownSteps);
