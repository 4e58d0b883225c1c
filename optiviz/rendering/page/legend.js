// The legend: a row for each optimizer, with its loss, and what can be done with it.

const legend = one(".legend");
let rows = []; // {entry, item, value, detail, swatch}

// Make the rows anew, after an entry came or went.
function makeRows() {
  rows = state.entries.map(makeRow);
  legend.replaceChildren(...rows.map(({ item }) => item));
  drawSwatches();
}

function makeRow(entry) {
  const swatch = made("canvas", { className: "swatch", attributes: { "aria-hidden": "true" } });
  const detail = made("span", { className: "detail" });
  const box = made("input", { type: "checkbox", checked: !entry.hidden });
  box.addEventListener("change", () => {
    entry.hidden = !box.checked;
    changed();
  });
  const label = made("label", {}, box, swatch, made("span", {}, made("b", { textContent: entry.name }), " ", detail));
  const value = made("span", { className: "value" });
  const item = made("li", {}, made("div", { className: "row" }, label, value));
  const row = { entry, item, value, detail, swatch };
  if (live) item.firstChild.append(...rowButtons(row));
  if (entry.open) openKnobs(row);
  const why = entry.base.why ? `Replayed from its own start: ${entry.base.why}.` : "";
  if (live && why) item.append(made("p", { className: "note", textContent: why }));
  if (entry.note) item.append(made("p", { className: "note", textContent: entry.note }));
  return row;
}

function rowButtons(row) {
  const { entry } = row;
  const remove = made("button", { type: "button", className: "small", textContent: "\u00d7", title: "Remove" });
  remove.setAttribute("aria-label", `Remove ${entry.name}`);
  remove.addEventListener("click", () => {
    state.entries = state.entries.filter((each) => each !== entry);
    makeRows();
    changed({ say: () => `${entry.name} is removed.` });
    (legend.querySelector("button") ?? one("#add")).focus();
  });
  const spacer = made("span", { className: "small" });
  if (!entry.method || !told.methods[entry.method].parameters.length) return [spacer, remove];
  const toggle = made("button", { type: "button", className: "small tune", title: "Hyperparameters" });
  toggle.append(one("#icon").content.cloneNode(true));
  toggle.setAttribute("aria-label", `Hyperparameters of ${entry.name}`);
  toggle.setAttribute("aria-expanded", String(entry.open));
  toggle.addEventListener("click", () => {
    entry.open = !entry.open;
    toggle.setAttribute("aria-expanded", String(entry.open));
    if (entry.open) openKnobs(row);
    else row.item.querySelector(".knobs").remove();
    update();
  });
  return [toggle, remove];
}

function openKnobs({ entry, item }) {
  const { parameters } = told.methods[entry.method];
  item.firstChild.after(made("div", { className: "knobs" }, ...parameters.map((_, at) => makeKnob(entry, at))));
}

function drawSwatches() {
  for (const { entry, swatch } of rows) {
    const pen = prepared(swatch, 34, 16);
    const { color, head } = styleOf(entry);
    pen.strokeStyle = color;
    pen.lineWidth = 2.6;
    line(pen, [[3, 8], [26, 8]]);
    shape(pen, head, [26, 8], 5.5, color, look().background);
  }
  drawKey();
}

// The marks of the key: in a live page, those of starts come and go with these.
function writeKey() {
  if (!live || !main) return;
  const key = one(".key");
  const many = state.starts.length > 1 && state.starts.length <= told.dashes.length ? state.starts.length : 0;
  const marks = all(".from", key);
  if (marks.length !== many) {
    marks.forEach((mark) => mark.remove());
    for (let start = 0; start < many; start += 1) {
      const sample = made("canvas", { attributes: { "aria-hidden": "true" } });
      key.append(made("li", { className: "from" }, sample, made("span")));
    }
    drawKey();
  }
  all(".from span", key).forEach((text, start) => {
    text.textContent = `from ${[...state.starts[start]].map((each) => minus(general(each, 3))).join(", ")}`;
  });
  const leaves = shown.some(({ x }) => x.some((each, at) => !within(each, ...state.window[at % dim])));
  key.querySelector(".away").style.visibility = leaves ? "" : "hidden"; // whose room it keeps
}

function drawKey() {
  all(".key .from").forEach((mark, start) => {
    const pen = prepared(mark.querySelector("canvas"), 34, 16);
    pen.strokeStyle = look().muted;
    pen.lineWidth = POINT * told.widths.line;
    pen.setLineDash(told.dashes[start].map((each) => pen.lineWidth * each));
    line(pen, [[2, 8], [32, 8]]);
    pen.setLineDash([]);
  });
  for (const mark of all(".key li:not(.from, .area)")) {
    const pen = prepared(mark.querySelector("canvas"), 16, 16);
    if (mark.className === "minimum") star(pen, [8, 8], 7);
    else if (mark.className === "start") ring(pen, [8, 8], 5);
    else if (mark.className === "away") shape(pen, ">", [8, 8], 5, look().muted, "transparent");
    else {
      pen.globalAlpha = 0.5;
      shape(pen, "o", [8, 8], 5, look().muted, "transparent");
      pen.globalAlpha = 1;
    }
  }
}

function writeRows() {
  for (const { entry, value, detail } of rows) {
    const own = runs.filter((run) => run.entry === entry);
    value.textContent = ends(own.map((run) => run.losses[rowIn(run, step)]));
    const remark = remarkOn(own, step);
    const said = [remark?.text, detailOf(entry)].filter(Boolean).join("  ");
    if (detail.textContent !== said) detail.parentNode.title = detail.textContent = said;
    detail.classList.toggle("warned", Boolean(remark?.failed));
  }
}

// The hyperparameters of a row: the rate, and what is not a default.
function detailOf(entry) {
  if (!entry.method || (entry.base.detail && same(entry.values, entry.base.values))) return entry.base.detail;
  const { parameters, rate } = told.methods[entry.method];
  return parameters
    .map(({ name, default: given }, at) => [name, entry.values[at], given])
    .filter(([name, value, given]) => name === rate || value !== given)
    .map(([name, value]) => `${name} ${typeof value === "number" ? general(value) : value}`)
    .join("  ");
}

function ends(values) {
  const finite = values.filter(Number.isFinite);
  if (!finite.length) return "\u2013";
  const digits = values.length === 1 ? 4 : 3;
  const both = [Math.min(...finite), Math.max(...finite)].map((value) => written(value, digits));
  return [...new Set(both)].join(" to ");
}

// Adding an optimizer.

const menu = one("#add");
if (live) {
  const keys = Object.keys(told.methods).sort();
  menu.append(...keys.map((key) => made("option", { value: key, textContent: shortName(key) })));
  menu.addEventListener("change", () => {
    const method = menu.value;
    menu.value = "";
    if (method && state.entries.length < MOST.entries) addMethod(method);
  });
}

function addMethod(method) {
  const entry = addedEntry(method, state.entries);
  const { parameters, rate } = told.methods[method];
  const place = parameters.findIndex(({ name }) => name === rate);
  if (place >= 0 && entry.values[place] === null) {
    const given = told.rates?.[method];
    const found = given ?? foundRate(method, state);
    entry.values[place] = entry.began[place] = found ?? 0.01;
    if (given === undefined) {
      entry.note = found === null
        ? `No rate of 57 keeps ${entry.name} in the window: try others.`
        : `${rate} ${general(found)}: of 57 rates, the lowest mean of the lowest loss so far.`;
    }
  }
  state.entries.push(entry);
  makeRows();
  rows.at(-1).item.scrollIntoView({ block: "nearest" });
  changed({ say: () => `${entry.name} is added, ${detailOf(entry)}.` });
}
