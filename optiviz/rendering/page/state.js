// What the reader can change, and its short form in the fragment of the page's address.

const LONGEST_FRAGMENT = 4000 + 50 * dim * told.starts.length; // letters
const MOST = {
  entries: Math.max(16, told.entries.length, ...told.presets.map(({ entries }) => entries.length)),
  starts: Math.max(12, told.starts.length, ...told.presets.map(({ starts }) => starts?.length ?? 0)),
};
const ZOOM = 1e9; // by how much a window may be smaller or larger than the page's own
const MOST_STEPS = Math.max(
  told.steps,
  Math.min(told.noise ? noises.length / dim : Infinity, Math.max(500, 4 * told.steps)),
);

const SOURCES = { tuned: "tuned", surface: "the surface's" };

// The state with which a page, or one of its situations, begins.
function ownState(preset = null) {
  const given = preset === null ? told : told.presets[preset];
  return {
    preset,
    entries: given.entries.map((base, own) => entryOf(base, own)),
    starts: (given.starts ?? told.starts).map((point) => [...point]),
    steps: given.steps ?? told.steps,
    noise: (preset === null ? null : given.noise) ?? told.noise?.sigma ?? 0,
    window: told.surface.window.map((ends) => [...ends]),
    tab: told.picture ?? "",
    chart: told.chart ?? "",
    camera: null, // of the relief; its own if null
    sketch: told.sketch, // whether sketches are drawn
    of: 0, // which of the entries that are computed the basins are of
  };
}

// An entry of the page or of a situation, the `own`-th; or one that the reader adds.
function entryOf(base, own, number = own) {
  return {
    base, own, number, name: base.name, method: base.method, values: [...base.values],
    color: base.color ?? "", hidden: false, open: false, note: "",
    began: [...base.values], // to which a reset goes back
    source: SOURCES[base.rate_source] ?? "", // of its rate
  };
}

function addedEntry(method, entries) {
  const taken = new Set(entries.map(({ number }) => number));
  let number = 0;
  while (taken.has(number)) number += 1;
  const values = told.methods[method].parameters.map((each) => each.default);
  return entryOf({ name: shortName(method), method, values }, null, number);
}

const shortName = (method) => method.replace(/[^+]*\.py:/g, "");

// Whether a hyperparameter may have a value.
function allows({ kind, default: given, low, high, low_open: above, high_open: below }, value) {
  if (kind === "flag") return typeof value === "boolean";
  if (value === null) return given === null && kind !== "rate";
  if (!Number.isFinite(value) || (kind === "integer" && !Number.isSafeInteger(value))) return false;
  if (low !== null && (above ? value <= low : value < low)) return false;
  return high === null || (below ? value < high : value <= high);
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
const zoomed = (state) => !same(state.window, told.surface.window);

// The fragment: what differs from the page's own state, "" if nothing does.

function fragmentOf(state, step) {
  const own = ownState(state.preset);
  const parts = state.preset === null ? [] : [`preset=${state.preset}`];
  parts.push(...changesOf(state, own));
  if (zoomed(state)) parts.push(`w=${state.window.map((ends) => ends.join(":")).join(",")}`);
  if (state.tab !== own.tab) parts.push(`tab=${state.tab}`);
  if (state.chart !== own.chart) parts.push(`chart=${state.chart}`);
  if (state.sketch !== own.sketch) parts.push(`sketch=${Number(state.sketch)}`);
  if (state.camera) {
    const { azimuth, elevation, distance } = state.camera;
    parts.push(`camera=${[azimuth, elevation, distance].map((each) => general(each)).join(",")}`);
  }
  if (state.of) parts.push(`of=${state.of}`);
  if (step !== state.steps) parts.push(`step=${step}`);
  return parts.join("&");
}

// How what is descended differs from another state.
function changesOf(state, own) {
  const parts = [];
  const entries = state.entries.map(entryText);
  if (!same(entries, own.entries.map(entryText))) parts.push(`o=${entries.join(",")}`);
  if (!same(state.starts, own.starts)) parts.push(`s=${state.starts.map((point) => point.join(",")).join(";")}`);
  if (state.steps !== own.steps) parts.push(`n=${state.steps}`);
  if (state.noise !== own.noise) parts.push(`noise=${state.noise}`);
  return parts;
}

function entryText(entry) {
  const parts = [entry.own === null ? encodeURIComponent(entry.method) : `@${entry.own}`];
  if (entry.method) {
    const first = entry.base.values;
    told.methods[entry.method].parameters.forEach(({ name }, place) => {
      const value = entry.values[place];
      if (value !== first[place]) parts.push(`${encodeURIComponent(name)}=${value === null ? "none" : value}`);
    });
  }
  if (entry.hidden) parts.push("hidden");
  return parts.join(":");
}

// The state and the step that a fragment says; null if anything in it is wrong.
function stateOf(fragment) {
  try {
    return fragment.length > LONGEST_FRAGMENT ? null : parsed(fragment);
  } catch {
    return null;
  }
}

function parsed(fragment) {
  const parts = fragment.split("&").map((part) => {
    check(part.includes("="));
    return [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)];
  });
  const seen = new Set(parts.map(([key]) => key));
  check(seen.size === parts.length);
  const preset = seen.has("preset") ? whole(new Map(parts).get("preset"), 0, told.presets.length - 1) : null;
  const state = ownState(preset);
  const found = { state, step: null };
  for (const [key, text] of parts) {
    if (key === "o") state.entries = entriesOf(text, preset);
    else if (key === "s") state.starts = text.split(";").map(startOf);
    else if (key === "n") state.steps = whole(text, 1, MOST_STEPS);
    else if (key === "noise") state.noise = checked(number(text), (value) => told.noise && value >= 0);
    else if (key === "w") state.window = windowOf(text);
    else if (key === "tab") state.tab = checked(text, (name) => told.picture && TABS.includes(name));
    else if (key === "chart") state.chart = checked(text, (name) => CHARTS.includes(name));
    else if (key === "sketch") state.sketch = Boolean(whole(text, 0, 1));
    else if (key === "camera") state.camera = checked(cameraOf(text), () => told.relief);
    else if (key === "of") state.of = whole(text, 0, MOST.entries);
    else if (key === "step") found.step = whole(text, 0, MOST_STEPS);
    else check(key === "preset");
  }
  check(state.starts.length <= MOST.starts);
  check(!state.of || state.of < state.entries.length);
  check(live || [...seen].every((key) => ["o", "step", "tab", "chart", "sketch"].includes(key)));
  if (found.step !== null) check(found.step <= state.steps);
  return found;
}

const CHARTS = ["loss", ...(live ? ["state"] : []), ...["data", "sharpness"].filter((name) => told[name])];
const TABS = ["contour", "curve", "relief", "basins"];

function check(condition) {
  if (!condition) throw new RangeError("not a state of this page");
}

function checked(value, condition) {
  check(condition(value));
  return value;
}

function number(text) {
  check(/^-?\d{1,25}(\.\d{1,25})?(e[+-]?\d{1,3})?$/.test(text));
  return checked(Number(text), Number.isFinite);
}

const numbers = (text) => text.split(",").map(number);
const whole = (text, low, high) =>
  checked(number(text), (value) => Number.isInteger(value) && low <= value && value <= high);

const startOf = (text) => checked(numbers(text), (point) => point.length === dim);

function windowOf(text) {
  const window = text.split(",").map((each) => each.split(":").map(number));
  check(window.length === dim && window.every((ends) => ends.length === 2));
  check(canShow(window));
  return window;
}

function cameraOf(text) {
  const [azimuth, elevation, distance, ...rest] = numbers(text);
  check(!rest.length && Math.abs(azimuth) <= 360 && within(elevation, 0, 90) && within(distance, 0.01, 100));
  return { azimuth, elevation, distance };
}

// Whether a window is neither too small for float64 nor too far from the page's own.
function canShow(window) {
  return window.every(([low, high], axis) => {
    const [first, last] = told.surface.window[axis];
    const share = (high - low) / (last - first);
    const middle = Math.max(Math.abs(low), Math.abs(high));
    return share > 1 / ZOOM && share < ZOOM && high - low > 1e-10 * middle;
  });
}

function entriesOf(text, preset) {
  const own = preset === null ? told.entries : told.presets[preset].entries;
  const entries = [];
  for (const each of text ? text.split(",") : []) {
    const [head, ...settings] = each.split(":");
    const entry = head.startsWith("@")
      ? ownEntry(own, whole(head.slice(1), 0, own.length - 1))
      : addedEntry(checked(decodeURIComponent(head), (name) => Object.hasOwn(told.methods, name)), entries);
    check(entries.every((other) => other.own === null || other.own !== entry.own));
    for (const setting of settings) {
      if (setting === "hidden") {
        entry.hidden = true;
        continue;
      }
      check(entry.method && setting.includes("="));
      const [key, value, ...rest] = setting.split("=");
      check(!rest.length);
      const { parameters } = told.methods[entry.method];
      const place = parameters.findIndex(({ name }) => name === decodeURIComponent(key));
      check(place >= 0);
      entry.values[place] = checked(valueOf(value), (found) => allows(parameters[place], found));
    }
    const parameters = entry.method ? told.methods[entry.method].parameters : [];
    check(parameters.every((parameter, place) => allows(parameter, entry.values[place])));
    entries.push(entry);
  }
  check(entries.length <= MOST.entries);
  return entries;
}

const ownEntry = (entries, own) => entryOf(entries[own], own);

function valueOf(text) {
  const words = { true: true, false: false, none: null };
  return Object.hasOwn(words, text) ? words[text] : number(text);
}
