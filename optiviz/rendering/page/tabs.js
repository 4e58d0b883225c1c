// Tabs: what the large picture and the chart show.

const reliefCanvas = one(".relief canvas");
let relief = null;
let reliefImage = null; // where there is no WebGL
let reliefGround = null; // the key of the ground that it has
const RELIEF_SAMPLES = 161; // per side
const MOST_BASINS = 256; // starts along a side
let basins = null;
let basinsFound = null; // {canvas, result}
let basinsAsked = "";

// The tabs that this page can show.
function tabsHere() {
  if (main?.kind !== "contour") return [main?.kind].filter(Boolean);
  return ["contour", ...(live && told.relief ? ["relief"] : []), ...(descends ? ["basins"] : [])];
}

// A list of tabs, of which the arrow keys select the next.
function makeTabs(holder, given, selected, select, controls) {
  const tabs = given.map((name) => {
    const tab = made("button", { type: "button", id: `tab-${name}`, textContent: name });
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", controls);
    tab.addEventListener("click", () => choose(name));
    return tab;
  });
  const mark = (name) => {
    tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(given[at] === name));
      tab.tabIndex = given[at] === name ? 0 : -1;
    });
  };
  const choose = (name) => {
    mark(name);
    select(name);
  };
  holder.addEventListener("keydown", (event) => {
    const at = tabs.indexOf(document.activeElement);
    const next = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (next === undefined || at < 0) return;
    const tab = tabs[(next + tabs.length) % tabs.length];
    tab.focus();
    tab.click();
    event.preventDefault();
    event.stopPropagation();
  });
  holder.replaceChildren(...tabs);
  holder.hidden = tabs.length < 2;
  mark(selected);
}

function showTab(name) {
  state.tab = name;
  const flat = name !== "relief";
  if (main) main.canvas.hidden = !flat;
  one(".relief").hidden = flat;
  for (const tool of all("#start, #farther, #closer")) tool.hidden = !flat || (tool.id === "start" && !descends);
  one(".seen").dataset.tab = name;
  one("#of").hidden = name !== "basins";
  all(".key .area").forEach((area) => area.remove());
  if (name !== "basins") basins?.stop();
  basinsAsked = "";
  if (main?.box) placeHandles();
}

// The relief and the basins follow what is drawn.
function drawTab() {
  if (state.tab === "relief") drawRelief();
}

function drawRelief() {
  if (!relief && !reliefImage) startRelief();
  if (!relief) {
    const { images } = told.relief;
    reliefImage.src = images[dark.matches ? "dark" : "light"] ?? Object.values(images)[0];
    return;
  }
  const { box } = main;
  Object.assign(reliefCanvas.style, { width: `${main.width}px`, height: `${main.height}px` });
  const key = [dark.matches, ...state.window.flat()].join();
  if (reliefGround !== key) {
    reliefGround = key;
    const field = drawnField(sampled(state.window, RELIEF_SAMPLES, RELIEF_SAMPLES));
    relief.setGround({
      ...field, names, levels: levelsOf(field).levels, ramp: look().ramp, dark: look().dark, colors: look(),
      ...setsInRelief(field), aspect: box.width / box.height, value: (point) => groundValue(programs.objective.value(point), field.lowest),
    });
  }
  const sides = box.width > box.height ? [1, box.height / box.width] : [box.width / box.height, 1];
  const units = state.window.map(([low, high], axis) => sides[axis] / (high - low));
  relief.setPaths(
    shown.map((run) => {
      const { color, head, dash } = styleOf(run.entry, run.start);
      const points = Array.from({ length: run.rows }, (_, row) => [...pointOf(run, row)]);
      const rows = { from: beginning(run, step), to: rowIn(run, step), faded: fades(run) };
      const scale = told.sketches.scales.relief;
      const sketch = (pen, put, above) => {
        drawSketches(pen, [run], step, { put, scale }, above);
        if (above) drawEigenvectors(pen, [run], step, put, units, told.eigenvectors?.relief);
      };
      return { points, losses: [...run.losses], color, casing: look().casing, head, dash, sketch, ...rows };
    }),
    { minima: told.surface.minima, starts: state.starts },
  );
  relief.draw();
}

// How sets cover the surface, and the lines at their edges.
function setsInRelief({ window, columns, rows }) {
  const coats = sets.map((set) => ({ ramp: look().sets[set.look], shares: sharesOf(set, window, columns, rows) }));
  const at = pointIn(window, columns, rows);
  const points = (flat) => Array.from({ length: flat.length / 2 }, (_, each) => at(flat[2 * each], flat[2 * each + 1]));
  const lines = sets.flatMap((set) => edgesOf(set, window, covered(set, window, columns, rows)));
  return { coats, edges: lines.map((flat) => ({ points: points(flat) })), edge: told.edge };
}

function startRelief() {
  relief = createRelief(reliefCanvas, {
    told: told.relief, onchange: turned, ticks: linearTicks, written, shape, quantity: told.surface.ground,
  });
  if (relief) {
    lookFrom(state.camera);
    return;
  }
  reliefImage = made("img", { alt: reliefCanvas.getAttribute("aria-label") });
  reliefCanvas.replaceWith(reliefImage);
}

// The relief's own camera if none is given.
function lookFrom(camera) {
  relief.camera = camera ?? { distance: 1, ...told.relief.camera };
}

function turned() {
  const { azimuth, elevation, distance } = relief.camera;
  const own = told.relief.camera;
  const isOwn = distance === 1 && azimuth === own.azimuth && elevation === own.elevation;
  state.camera = isOwn ? null : relief.camera;
  relief.draw();
  write();
  settleSoon(null);
}

function turnBack() {
  state.camera = null;
  lookFrom(null);
  changed({ say: () => "The view is the page's own again." });
}

// Which entry the basins are of.
const chosen = one("#basins-of");

function basinsBitmap() {
  const entries = state.entries.filter(({ method }) => method);
  const labels = entries.map(({ name }) => name);
  if (!same(labels, [...chosen.options].map(({ textContent }) => textContent))) {
    chosen.replaceChildren(...labels.map((label, at) => made("option", { value: at, textContent: label })));
  }
  state.of = Math.min(state.of, Math.max(entries.length - 1, 0));
  chosen.value = state.of;
  const entry = entries[state.of];
  if (!entry) {
    all(".key .area").forEach((area) => area.remove());
    return null;
  }
  const side = Math.min(MOST_BASINS, Math.round(Math.max(main.box.width, main.box.height)));
  const { steps, noise, window } = state;
  const question = { method: entry.method, values: entry.values, steps, window, minima: told.surface.minima, side };
  const key = JSON.stringify([question, noise]);
  if (key !== basinsAsked) {
    basinsAsked = key;
    basins ??= createBasins({ script: programsText, programs, told: told.basins, paint: paintBasins });
    basins.ask({ ...question, noise: noise ? { sigma: noise, normals: noises } : null });
  }
  return basinsFound?.canvas;
}

function paintBasins(result) {
  const canvas = made("canvas", { width: result.columns, height: result.rows });
  canvas.getContext("2d").putImageData(basinsPicture(result, look(), told.basins), 0, 0);
  basinsFound = { canvas, result };
  if (state.tab === "basins") {
    writeShares();
    draw();
  }
}

// Which share of the starts ends where, in words, and what the colours mean.
const MOST_AREAS = 4;

function writeShares() {
  const { centres, shares, done } = basinsFound.result;
  const { areas } = look();
  const seen = centres.map((_, at) => at).filter((at) => shares[at] >= 0.005);
  const largest = seen.sort((first, second) => shares[second] - shares[first]).slice(0, MOST_AREAS);
  const listed = largest.map((at) => [areas[at % areas.length], `ends at ${place(centres[at])}`, shares[at]]);
  const elsewhere = 1 - shares.reduce((sum, each) => sum + each, 0);
  const rest = shares.reduce((sum, each) => sum + each, 0) - largest.reduce((sum, at) => sum + shares[at], 0);
  if (rest >= 0.005) listed.push(["", "at others", rest]);
  const grey = `rgb(${basinsColors.nowhere(look(), told.basins)})`;
  if (elsewhere >= 0.005) listed.push([grey, `elsewhere in ${state.steps} steps`, elsewhere]);
  const marks = listed.map(([color, text, share]) => {
    const dot = made("i", { attributes: { "aria-hidden": "true" } });
    dot.style.background = color;
    return made("li", { className: "area" }, dot, `${text} ${Math.round(100 * share)}\u2009%`);
  });
  const said = done ? "darker: later" : "darker: later; still refining";
  all(".key .area").forEach((area) => area.remove());
  one(".key").append(...marks, made("li", { className: "area", textContent: said }));
}
