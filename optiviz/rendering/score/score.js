
// The page of a score: its matrix opens problems, each with a live page or a chart of its gaps.

const { goesOn, optimizers, shares, problems } = JSON.parse(document.getElementById("score").textContent);
const dialog = document.getElementById("opened");
const cells = [...document.querySelectorAll("#matrix [data-problem]")];
const SVG = "http://www.w3.org/2000/svg";
const CHART = { width: 480, height: 250, left: 46, right: 24, top: 24, bottom: 40 };

function made(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

function drawn(tag, attributes, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.textContent = text;
  return element;
}

// The gaps of a problem against the evaluations, both with logarithmic axes.
function chartOf({ name, budget, tolerance, gaps }) {
  const { width, height, left, right, top, bottom } = CHART;
  const low = Math.min(Math.floor(Math.log10(tolerance)) - 1, -1);
  const high = Math.max(0, Math.ceil(Math.max(...gaps.flat().map((gap) => gap ?? 0))));
  const ends = [shares[0], 1].map((share) => Math.log10(share * budget));
  const x = (power) => left + ((power - ends[0]) / (ends[1] - ends[0])) * (width - left - right);
  const y = (power) => top + ((high - power) / (high - low)) * (height - top - bottom);
  const svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  svg.setAttribute("aria-label", `The gap of each optimizer on ${name} against the evaluations.`);
  const stride = Math.ceil((high - low) / 5);
  for (let power = high; power >= low; power -= stride) {
    svg.append(
      drawn("line", { class: "grid", x1: left, x2: width - right, y1: y(power), y2: y(power) }),
      drawn("text", { x: left - 6, y: y(power) + 4, "text-anchor": "end" }, power ? `1e${power}` : "1"),
    );
  }
  for (let power = Math.ceil(ends[0]); power <= ends[1]; power += 1) {
    svg.append(drawn("text", { x: x(power), y: height - bottom + 16, "text-anchor": "middle" }, (10 ** power).toLocaleString("en")));
  }
  const goal = y(Math.log10(tolerance));
  svg.append(drawn("line", { class: "goal", x1: left, x2: width - right, y1: goal, y2: goal }));
  svg.append(drawn("text", { x: width - right, y: goal - 5, "text-anchor": "end" }, "solved below"));
  svg.append(drawn("text", { x: (left + width - right) / 2, y: height - 6, "text-anchor": "middle" }, "evaluations"));
  svg.append(drawn("text", { x: left, y: 12 }, "gap, the median over starts, as a share of that at the start"));
  gaps.forEach((line, number) => {
    const points = line.map((gap, at) => [x(Math.log10(shares[at] * budget)), y(Math.max(gap ?? NaN, low))]);
    const seen = points.filter((point) => point.every(Number.isFinite));
    const d = seen.map((point) => point.map((each) => each.toFixed(1)).join(" ")).join("L");
    if (d) svg.append(drawn("path", { class: `line o${number}`, d: `M${d}` }));
  });
  return made("div", { className: "chart" }, svg);
}

function tableOf({ rates, ranks, solved }) {
  const heads = ["optimizer", "rank", "solved", "rate"].map((head) => made("th", { scope: "col", textContent: head }));
  const rows = optimizers.map((name, number) => made(
    "tr", {},
    made("th", { scope: "row" }, made("i", { className: `dot o${number}` }), name),
    ...[ranks, solved, rates].map((texts) => made("td", { textContent: texts[number] || "–" })),
  ));
  return made("table", {}, made("thead", {}, made("tr", {}, ...heads)), made("tbody", {}, ...rows));
}

function commandOf(command) {
  const button = made("button", { type: "button", textContent: "Copy" });
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(command);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(button.previousElementSibling);
    }
  });
  return made("div", { className: "command" }, made("code", { textContent: command }), button);
}

// Put what there is of a problem into a place: only now is its live page assembled.
function fill(place, number) {
  const problem = problems[number];
  const { dim, budget, group, page, title, command } = problem;
  const variables = `${dim.toLocaleString("en")} variable${dim === 1 ? "" : "s"}`;
  const about = `${title ? `${title}, ` : ""}of the group ${group}: ${variables}, ${budget.toLocaleString("en")} evaluations a run.`;
  const holder = made("div", { className: "problem" }, made("p", { textContent: about }));
  place.append(holder);
  if (page) {
    const frame = made("div", { className: "place" });
    holder.append(frame);
    frame.style.height = `${expected(partsOf(number).scene, frame.clientWidth)}px`;
    addFrame(frame, number, `The paths on ${problem.name}`);
  }
  holder.append(made("div", { className: "numbers" }, chartOf(problem), tableOf(problem)));
  if (command) holder.append(commandOf(command));
}

function open(number) {
  const title = made("h2", { id: "opened-title", textContent: problems[number].name });
  const holder = dialog.lastElementChild;
  holder.replaceChildren(title);
  dialog.showModal();
  dialog.scrollTop = 0;
  fill(holder, number);
}

document.getElementById("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => dialog.lastElementChild.replaceChildren());
dialog.addEventListener("click", ({ target }) => {
  if (target === dialog) dialog.close(); // beside what it shows
});
addEventListener("message", ({ source, data }) => {
  if (data?.key === "Escape" && frameOf(source)?.closest("dialog")) dialog.close();
});

// One cell can be reached by Tab, the others from there by the arrow keys.
const columns = optimizers.length;
cells.forEach((cell, at) => {
  cell.tabIndex = at ? -1 : 0;
  cell.addEventListener("click", () => open(cell.dataset.problem));
  cell.addEventListener("focus", () => {
    for (const each of cells) each.tabIndex = each === cell ? 0 : -1;
  });
  cell.addEventListener("keydown", (event) => {
    const row = at - (at % columns);
    const next = {
      ArrowLeft: at % columns ? at - 1 : at,
      ArrowRight: at % columns < columns - 1 ? at + 1 : at,
      ArrowUp: at - columns,
      ArrowDown: at + columns,
      Home: row,
      End: row + columns - 1,
    }[event.key];
    if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    cells[next]?.focus();
    event.preventDefault();
  });
});
for (const each of document.querySelectorAll(".scripted")) each.hidden = false;

// While work goes on, the page is written anew every few seconds. Where it is scrolled to stays.
if (goesOn) setInterval(() => dialog.open || location.reload(), 5000);

// A problem that folds out is made when it is opened first: the best and the worst when they are near.
const near = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    near.unobserve(target);
    target.open = true;
  }
}, { rootMargin: "200px" });
for (const each of document.querySelectorAll("details.extreme")) {
  each.addEventListener("toggle", () => fill(each, each.dataset.problem), { once: true });
  if (each.matches("h3 + details")) near.observe(each);
}
