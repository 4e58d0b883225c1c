// What the controls beside the pictures do, and how the page begins.

const stepsField = one("#steps");
const noiseRange = one("#noise");
const noiseNumber = one("#noise-number");

function setSteps(steps) {
  const end = step === state.steps;
  state.steps = steps;
  if (end) step = steps;
  writeControls();
  changed({ say: () => `${steps} steps.` });
}

function setNoise(sigma) {
  state.noise = sigma;
  writeControls();
  changed({ say: () => `Noise ${sigma}. ${lossesSaid()}` });
}

const sigmas = [told.noise?.sigma ?? 0, ...told.presets.map(({ noise }) => noise ?? 0)];
const noiseTop = Math.max(2, ...sigmas.map((sigma) => 2 * sigma)); // of its slider

function writeControls() {
  if (document.activeElement !== stepsField) stepsField.value = state.steps;
  one("#steps-range").value = state.steps;
  if (document.activeElement !== noiseNumber) noiseNumber.value = state.noise;
  noiseRange.value = state.noise / noiseTop;
}

// Use what is typed into a field, or say what to write.
function takeNumber(field, parameter, use) {
  const hint = field.nextElementSibling;
  field.addEventListener("input", () => {
    const text = field.value.trim();
    const valid = NUMBER.test(text) && allows(parameter, Number(text));
    field.setAttribute("aria-invalid", String(!valid));
    hint.textContent = valid ? "" : refused(text, parameter);
    if (valid) use(Number(text));
  });
  field.addEventListener("change", () => {
    field.blur();
    field.setAttribute("aria-invalid", "false");
    hint.textContent = "";
    writeControls();
  });
}

// Take over a state as a whole: from the address, a situation, or the page's own.
function takeOver(wantedStep) {
  for (const panel of panels) panel.left = 0;
  if (relief) lookFrom(state.camera);
  makeRows();
  makeHandles();
  if (main) {
    const tabs = tabsHere();
    if (!tabs.includes(state.tab)) state.tab = main.kind;
    makeTabs(one("#tabs"), tabs, state.tab, (name) => {
      showTab(name);
      changed();
    }, "picture");
    showTab(state.tab);
  }
  if (chart) {
    makeTabs(one("#charts"), CHARTS, state.chart, (name) => {
      state.chart = name;
      chart.left = 0;
      changed();
    }, "chart");
  }
  step = wantedStep ?? state.steps;
  writeControls();
  update();
  settle(null);
}

if (live) {
  one("#steps-range").max = MOST_STEPS;
  one("#steps-range").addEventListener("input", (event) => setSteps(Number(event.target.value)));
  noiseRange.addEventListener("input", () => setNoise(Number((noiseRange.value * noiseTop).toPrecision(2))));
  takeNumber(stepsField, { kind: "integer", low: 1, high: MOST_STEPS }, setSteps);
  takeNumber(noiseNumber, { kind: "number", low: 0, high: null }, setNoise);
  told.presets.forEach(({ name }, preset) => {
    one("#presets").append(made("button", { type: "button", textContent: name, on: { click: () => {
      const { tab, chart: shownChart } = state;
      state = { ...ownState(preset), tab, chart: shownChart };
      takeOver(calm.matches ? null : 0);
      play(!calm.matches);
      one("#said").textContent = `${name}. ${lossesSaid()}`;
    } } }));
  });
  one("#presets").hidden = !told.presets.length;
  one("#over").addEventListener("click", () => {
    state = ownState();
    takeOver(null);
  });
  chosen?.addEventListener("change", () => {
    state.of = Number(chosen.value);
    changed();
  });
}
sketchBox?.addEventListener("change", () => {
  state.sketch = sketchBox.checked;
  changed();
});
one("main").classList.add("scripted");
one("main").classList.toggle("replayed", !live);
one("#values").open = false; // it is open for who has no scripts
for (const element of all("[data-live]")) {
  element.hidden = element.dataset.live === "all" ? !live : !descends;
}
for (const element of all("[data-command]")) element.hidden = !told.command;
one("#values").addEventListener("toggle", writeTable);

for (const formula of all(".formula svg")) formula.style.verticalAlign = `${formula.dataset.down}px`;
if (framed) root.style.setProperty("--tall", `${FRAMED}px`);
root.style.setProperty("--ratio", main?.kind === "contour" ? told.surface.ratio : CURVE_RATIO);

function refresh() {
  panels.forEach((panel) => {
    panel.left = 0;
  });
  fit();
  draw();
}

readTheme();
if (image) image.addEventListener("load", draw);
const begun = readFragment();
const shared = location.hash.length > 1;
takeOver(begun);
const sizes = new ResizeObserver(refresh);
for (const each of all("main, .charts")) sizes.observe(each);
addEventListener("resize", refresh); // a window's height alone counts, too
addEventListener("hashchange", () => takeOver(readFragment()));
dark.addEventListener("change", () => {
  readTheme();
  drawSwatches();
  if (basinsFound) paintBasins(basinsFound.result);
  refresh();
});
// A browser may draw no frame that is out of view, and so observe nothing: it is laid out at once.
if (framed) {
  const tell = () => parent.postMessage({ height: Math.ceil(one("main").getBoundingClientRect().bottom) }, "*");
  update();
  addEventListener("message", ({ source }) => {
    if (source !== parent) return; // which asks when the frame has its width
    refresh();
    tell();
  });
  new ResizeObserver(tell).observe(one("main"));
  addEventListener("keydown", ({ key, defaultPrevented }) => {
    if (key === "Escape" && !defaultPrevented) parent.postMessage({ key }, "*"); // perhaps to close it
  });
}
function begin() {
  show(frames()[0]);
  play(true);
}
// A page in a frame begins to play once it is seen. Until then it shows its end, also on paper.
if (!calm.matches && !shared && !framed) begin();
if (!calm.matches && framed) {
  const before = step;
  const watched = new IntersectionObserver((seen) => {
    if (!seen.some(({ isIntersecting }) => isIntersecting)) return;
    watched.disconnect();
    if (playing === null && step === before) begin();
  }, { threshold: 0.6 });
  watched.observe(one(main ? ".frame" : ".charts"));
}
