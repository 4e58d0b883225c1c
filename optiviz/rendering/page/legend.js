// The legend: a row for each optimizer, with its loss, and what can be done with it.

const legend = one(".legend");
let rows = []; // {entry, item, value, remark, detail, swatch}

// Make the rows anew, after an entry came or went.
function makeRows() {
  rows = state.entries.map(makeRow);
  legend.replaceChildren(...rows.map(({ item }) => item));
  drawSwatches();
}

function makeRow(entry) {
  const swatch = made("canvas", { className: "swatch", attributes: { "aria-hidden": "true" } });
  const [detail, remark] = ["detail", "remark"].map((className) => made("span", { className }));
  const box = made("input", { type: "checkbox", checked: !entry.hidden });
  box.addEventListener("change", () => {
    entry.hidden = !box.checked;
    changed();
  });
  const name = made("b", { textContent: entry.name, title: entry.name });
  const label = made("label", {}, box, swatch, made("span", { className: "named" }, name, detail, remark));
  const value = made("span", { className: "value" });
  const item = made("li", {}, made("div", { className: "row" }, label, value));
  const row = { entry, item, value, remark, detail, swatch };
  if (live) item.firstChild.append(...rowButtons(row));
  if (entry.open) openKnobs(row);
  const why = entry.base.why ? `Replayed from its own start: ${entry.base.why}.` : "";
  if (live && why) item.append(made("p", { className: "note", textContent: why }));
  const { unsketched } = told.methods[entry.method] ?? {};
  if (unsketched) {
    item.append(made("p", { className: "note", textContent: `Without its sketch in this page: ${unsketched}.` }));
  }
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

// The knobs that matter most come first, the others are behind "more".
function openKnobs({ entry, item }) {
  const { parameters, rate } = told.methods[entry.method];
  const isFirst = ({ name, kind }) => name === rate || kind === "decay" || name === "momentum";
  const some = parameters.some(isFirst);
  const knobs = parameters.map((each, at) => [!some || isFirst(each), makeKnob(entry, at)]);
  const [first, others] = [true, false].map((wanted) => knobs.filter(([is]) => is === wanted).map(([, knob]) => knob));
  const more = made("details", {}, made("summary", { textContent: "more" }), ...others);
  more.addEventListener("toggle", update);
  item.firstChild.after(made("div", { className: "knobs" }, ...first, ...(others.length ? [more] : [])));
}

function drawSwatches() {
  for (const { entry, swatch } of rows) {
    const pen = prepared(swatch, 28, 16);
    const { color, head } = styleOf(entry);
    pen.strokeStyle = color;
    pen.lineWidth = 2.6;
    line(pen, [[2, 8], [20, 8]]);
    shape(pen, head, [20, 8], 5.5, color, look().background);
  }
  drawKey();
}

// The key of a live page: what of it depends on the state.
function writeKey() {
  if (!main) return;
  writeSketchKey();
  if (!live) return;
  const many = state.starts.length;
  const dashed = many <= told.dashes.length;
  const from = one(".key .from");
  from.hidden = many < 2;
  from.querySelector("canvas").hidden = !dashed;
  from.querySelector("span").textContent = `${many} starts${dashed ? ", each with its dashes" : ""}`;
  const isGone = shown.some((run) => goneAt(run, rowIn(run, step), state.window));
  one(".key .away").style.visibility = isGone ? "" : "hidden"; // whose room it keeps
}

// What methods looked at that needs words most: dots stand for points, lines for other shapes.
function writeSketchKey() {
  const forms = state.sketch ? shown.filter(hasSketch).flatMap(formsOf) : [];
  const seen = new Set(forms.map(([kind, role]) => `${role} ${kind === "points"}`));
  const named = told.sketches.named.filter(([role, , dots]) => seen.has(`${role} ${dots}`));
  const marks = all(".key .sketch");
  const roles = marks.map((_, each) => named[each]?.[0] ?? "");
  if (marks.every((mark, each) => mark.dataset.role === roles[each])) return;
  for (const [each, mark] of marks.entries()) {
    mark.dataset.role = roles[each];
    mark.hidden = !roles[each];
    mark.querySelector("span").textContent = named[each]?.[1] ?? "";
  }
  drawKey();
}

// The lowest and the highest value in view.
function writeRamp() {
  const { field } = ground;
  const known = field.values.filter((value) => !Number.isNaN(value)).sort();
  const mark = one(".key .ramp");
  mark.hidden = !known.length || !look().fill;
  if (mark.hidden) return;
  const [low, high] = all("span", mark);
  low.textContent = `${told.surface.ground} ${written(known[0] * field.scale, 3)}`;
  high.textContent = written(known.at(-1) * field.scale, 3);
}

// Of the key, by the name of their mark: width in points, dashes in pixels.
const LINES = { from: [1.8, [4, 4]], tangent: [1.6, []], bends: [1.6, [2.4, 4]] };

function drawKey() {
  for (const mark of all(".key li:not(.area)")) {
    const canvas = mark.querySelector("canvas");
    const name = mark.className;
    const pen = prepared(canvas, ...(name === "ramp" ? [64, 10] : [16, 16]));
    const { muted, ramp } = look();
    if (name === "set") {
      pen.fillStyle = flatColor(mark.dataset.look);
      pen.strokeStyle = look().ink;
      pen.lineWidth = POINT;
      pen.globalAlpha = look().fill && dim === 2 ? 1 : told.edge.opacities[mark.dataset.look];
      pen.fillRect(2, 2, 12, 12);
      pen.globalAlpha = 1;
      pen.strokeRect(2, 2, 12, 12);
    } else if (name === "sketch") {
      const own = told.sketches.looks[mark.dataset.role] ?? {};
      pen.strokeStyle = mark.dataset.role === "average" ? look().ink : muted;
      pen.lineWidth = POINT * own.width;
      if (told.sketches.named.some(([role, , dots]) => dots && role === mark.dataset.role)) {
        drawDots(pen, { ...own, color: muted }, [[8, 8]], 1);
      } else line(pen, [[0, 8], [16, 8]]);
    } else if (mark.classList.contains("slope")) {
      const { width, dash } = told.gradients;
      const isOut = mark.classList.contains("out");
      pen.strokeStyle = isOut ? look().ink : muted;
      pen.lineWidth = POINT * width;
      pen.lineCap = "butt";
      pen.setLineDash(isOut ? dash.map((each) => POINT * width * each) : []);
      line(pen, [[0, 8], [16, 8]]);
      pen.setLineDash([]);
    } else if (LINES[name]) {
      const [width, dashes] = LINES[name];
      pen.strokeStyle = muted;
      pen.lineWidth = POINT * width;
      pen.setLineDash(dashes);
      line(pen, [[0, 8], [16, 8]]);
      pen.setLineDash([]);
    } else if (name === "ramp") {
      for (let at = 0; at < 64; at += 1) {
        pen.fillStyle = ramp[4 * at];
        pen.fillRect(at, 0, 1.5, 10);
      }
    } else if (name === "minimum") star(pen, [8, 8], 7);
    else if (name === "start") ring(pen, [8, 8], 5);
    else if (name === "away") shape(pen, ">", [8, 8], 5, muted, "transparent");
    else {
      pen.globalAlpha = 0.5;
      shape(pen, "o", [8, 8], 5, muted, "transparent");
    }
  }
}

function writeRows() {
  legend.classList.toggle("several", state.starts.length > 1);
  for (const { entry, value, remark, detail } of rows) {
    const own = runs.filter((run) => run.entry === entry);
    value.textContent = ends(own.map((run) => run.losses[rowIn(run, step)]));
    const said = remarkOn(own, step);
    const remarked = own.some((run) => run.outcome || evaluated(run).length);
    remark.classList.toggle("absent", !remarked); // in no step
    const text = [...own.slice(0, 1).flatMap(evaluated), said?.text].filter(Boolean).join("  ");
    if (remark.title !== text) remark.textContent = remark.title = text;
    remark.classList.toggle("warned", Boolean(said?.failed));
    const values = detailOf(entry);
    if (detail.textContent !== values) detail.textContent = values;
  }
}

// How often the objective had been evaluated, if the file has that: a list, which may be empty.
function evaluated(run) {
  const many = run.evaluations?.[rowIn(run, step)];
  return many === undefined ? [] : [`${many} evaluation${many === 1 ? "" : "s"}`];
}

// The hyperparameters of a row: the rate, and what is not a default.
function detailOf(entry) {
  if (!entry.method || (entry.base.detail && same(entry.values, entry.base.values))) return entry.base.detail;
  const { parameters, rate } = told.methods[entry.method];
  const source = entry.source && same(entry.values, entry.began) ? ` (${entry.source})` : "";
  return parameters
    .map(({ name, default: given }, at) => [name, entry.values[at], given])
    .filter(([name, value, given]) => name === rate || value !== given)
    .map(([name, value]) => `${name} ${valueSaid(value)}${name === rate ? source : ""}`)
    .join("  ");
}

// A value in few digits, but for those that tell it from 1.
function valueSaid(value) {
  if (typeof value !== "number") return String(value);
  const said = general(value);
  return Number(said) === 1 ? String(value) : said;
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
    else if (method) announce(`No more than ${MOST.entries} optimizers: remove one first.`);
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
    entry.source = given !== undefined ? "the surface's" : found === null ? "" : "found here";
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
