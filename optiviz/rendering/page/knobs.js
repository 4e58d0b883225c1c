// Knobs: a slider for each hyperparameter, with its number, a reset, and a mark where it began.

const NOTCHES = 1000; // of a slider
const LONG = 12; // letters of a name beyond which it has a line of its own
const NINES = 5; // decades of 1 - value on the slider of a decay

// Between a parameter's values and places on its slider, from 0 to 1.
function mapping({ kind, low, high }, first) {
  if (kind === "decay") {
    const size = Math.max(NINES, first < 1 ? -Math.log10(1 - first) : 0);
    return {
      place: (value) => -Math.log10(Math.max(1 - value, 1e-17)) / size,
      value: (share) => (share === 0 ? Math.max(low ?? 0, 0) : 1 - 10 ** (-share * size)),
    };
  }
  if (kind === "rate" || (kind === "number" && low === 0)) { // logarithmic, and with 0 at the left
    const centre = first > 0 ? Math.log10(first) : -2;
    const from = Math.max(Math.min(kind === "rate" ? -4 : -6, centre - 2), low > 0 ? Math.log10(low) : -Infinity);
    const to = Math.min(Math.max(kind === "rate" ? 1 : 0, centre + 2), high === null ? Infinity : Math.log10(high));
    return {
      place: (value) => (Math.log10(Math.max(value, 1e-300)) - from) / (to - from),
      value: (share) => (share === 0 && kind === "number" ? 0 : 10 ** (from + share * (to - from))),
    };
  }
  const size = Math.max(1, 2 * Math.abs(first ?? 1));
  const from = low ?? -size;
  const to = high ?? Math.max(from + (kind === "integer" ? 20 : size), size);
  return { place: (value) => (value - from) / (to - from), value: (share) => from + share * (to - from) };
}

// A value near a place on a slider, in few digits, which the parameter allows.
function rounded(parameter, value) {
  if (parameter.kind === "integer") return Math.round(value);
  if (parameter.kind === "decay") return Number((1 - Number((1 - value).toPrecision(2))).toPrecision(12));
  return Number(value.toPrecision(3));
}

function makeKnob(entry, at) {
  const parameter = told.methods[entry.method].parameters[at];
  const first = entry.began[at];
  const set = (value) => {
    if (!allows(parameter, value)) return false;
    entry.values = entry.values.map((each, place) => (place === at ? value : each));
    entry.note = "";
    write(value);
    changed({ say: () => `${entry.name}: ${parameter.name} ${value}, ${lossSaid(entry)}` });
    return true;
  };
  const name = made("span", { className: "name", textContent: parameter.name, title: parameter.help });
  name.classList.toggle("long", parameter.name.length > LONG);
  const label = `${parameter.name} of ${entry.name}`;
  if (parameter.kind === "flag") {
    const box = made("input", { type: "checkbox", checked: entry.values[at], attributes: { "aria-label": label } });
    const write = (value) => { box.checked = value; };
    box.addEventListener("change", () => {
      entry.values = entry.values.map((each, place) => (place === at ? box.checked : each));
      changed({ say: () => `${label} is ${box.checked}, ${lossSaid(entry)}` });
    });
    const help = made("span", { className: "help", textContent: parameter.help });
    return made("label", { className: "knob flag" }, name, box, help);
  }
  const { place, value: valueAt } = mapping(parameter, first);
  const number = made("input", { type: "text", inputMode: "decimal", className: "number", autocomplete: "off" });
  number.setAttribute("aria-label", label);
  const range = made("input", { type: "range", min: 0, max: NOTCHES, step: 1 });
  range.setAttribute("aria-label", `${label}, slider`);
  const reset = made("button", { type: "button", className: "small", textContent: "\u21ba", title: "Reset" });
  reset.setAttribute("aria-label", `Reset ${label}`);
  function write(value) {
    number.value = value === null ? "" : typedForm(value);
    hint.textContent = "";
    number.setAttribute("aria-invalid", "false");
    range.value = value === null ? 0 : Math.round(NOTCHES * clamp(place(value), 0, 1));
    range.setAttribute("aria-valuetext", String(value));
    reset.disabled = value === first;
  }
  const hint = made("span", { className: "hint", attributes: { role: "status" } });
  range.addEventListener("input", () => {
    const value = rounded(parameter, valueAt(Number(range.value) / NOTCHES));
    set(allows(parameter, value) ? value : entry.values[at]);
  });
  number.addEventListener("input", () => {
    const text = number.value.trim();
    const typed = number.value;
    const valid = text === "" || NUMBER.test(text);
    const taken = valid && set(text === "" ? null : Number(text));
    number.value = typed;
    number.setAttribute("aria-invalid", String(!taken));
    hint.textContent = taken ? "" : refused(text, parameter);
  });
  number.addEventListener("change", () => write(entry.values[at]));
  reset.addEventListener("click", () => set(first));
  write(entry.values[at]);
  const track = made("span", { className: "track" }, range);
  if (parameter.kind === "rate" && entry.source) {
    const mark = made("span", { className: "tuned", title: `${entry.source}: ${valueSaid(first)}` });
    mark.style.setProperty("--at", clamp(place(first), 0, 1));
    range.setAttribute("aria-description", `The mark is at ${valueSaid(first)} (${entry.source}).`);
    track.prepend(mark);
  }
  return made("div", { className: "knob" }, name, track, number, reset, hint);
}

// A number as a field has it: 1e-6 rather than 0.000001.
const typedForm = (value) => {
  const size = Math.abs(value);
  return value && (size < 1e-3 || size >= 1e6) ? value.toExponential().replace("+", "") : String(value);
};

const NUMBER = /^-?[\d.]+(e[+-]?\d+)?$/i;

// Why a text is not taken, and what to write.
function refused(text, { kind, low, high, low_open: above, high_open: below }) {
  if (/^-?\d*,\d+$/.test(text)) return `write ${text.replace(",", ".")}`;
  const what = kind === "integer" ? "a whole number" : "a number";
  const from = low === null ? "" : above ? ` above ${valueSaid(low)}` : ` from ${valueSaid(low)}`;
  const to = high === null ? "" : below ? ` and below ${valueSaid(high)}` : ` to ${valueSaid(high)}`;
  return `${what}${from}${to}`;
}

function lossSaid(entry) {
  const found = runs.filter((run) => run.entry === entry).map((run) => run.losses.at(-1));
  return `loss ${ends(found)} after ${state.steps} steps.`;
}
