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
  if (main) one("#whole").disabled = !zoomed(state);
}

// Take over a state as a whole: from the address, a situation, or the page's own.
function takeOver(wantedStep) {
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
  if (chart && live) {
    makeTabs(one("#charts"), ["loss", "state"], state.chart, (name) => {
      state.chart = name;
      chart.left = 0;
      changed();
    }, "chart");
  }
  all("#presets button").forEach((each, preset) => each.setAttribute("aria-pressed", String(preset === state.preset)));
  step = wantedStep ?? state.steps;
  writeControls();
  update();
  settle(null);
}

if (live) {
  one("#steps-range").max = MOST_STEPS;
  one("#steps-range").addEventListener("input", (event) => setSteps(Number(event.target.value)));
  stepsField.addEventListener("input", () => {
    const valid = /^\d{1,7}$/.test(stepsField.value) && within(Number(stepsField.value), 1, MOST_STEPS);
    stepsField.setAttribute("aria-invalid", String(!valid));
    if (valid) setSteps(Number(stepsField.value));
  });
  noiseRange.addEventListener("input", () => setNoise(Number((noiseRange.value * noiseTop).toPrecision(2))));
  noiseNumber.addEventListener("input", () => {
    const valid = /^\d+(\.\d*)?(e[+-]?\d+)?$/i.test(noiseNumber.value) && Number.isFinite(Number(noiseNumber.value));
    noiseNumber.setAttribute("aria-invalid", String(!valid));
    if (valid) setNoise(Number(noiseNumber.value));
  });
  for (const field of [stepsField, noiseNumber]) {
    field.addEventListener("change", () => {
      field.blur();
      field.setAttribute("aria-invalid", "false");
      writeControls();
    });
  }
  told.presets.forEach(({ name }, preset) => {
    one("#presets").append(made("button", { type: "button", textContent: name, on: { click: () => {
      const { tab, chart: shownChart } = state;
      state = { ...ownState(preset), tab, chart: shownChart };
      takeOver(0);
      play(!calm.matches);
      if (calm.matches) show(state.steps);
      one("#said").textContent = `${name}. ${lossesSaid()}`;
    } } }));
  });
  one("#presets").hidden = !told.presets.length;
  one("#over").addEventListener("click", () => {
    state = ownState();
    takeOver(null);
  });
  chosen?.addEventListener("change", draw);
}
one("main").classList.toggle("replayed", !live);
for (const element of all("[data-live]")) element.hidden = !live || (element.dataset.live === "noise" && !told.noise);
for (const element of all("[data-command]")) element.hidden = !told.command;
one("#values").addEventListener("toggle", writeTable);

for (const formula of all(".formula svg")) formula.style.verticalAlign = `${formula.dataset.down}px`;
document.documentElement.style.setProperty("--ratio", main?.kind === "contour" ? told.surface.ratio : CURVE_RATIO);

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
new ResizeObserver(refresh).observe(one("main"));
addEventListener("resize", refresh); // a window's height alone counts, too
addEventListener("hashchange", () => takeOver(readFragment()));
dark.addEventListener("change", () => {
  readTheme();
  drawSwatches();
  if (basinsFound) paintBasins(basinsFound.result);
  refresh();
});
if (!calm.matches && !shared) {
  show(frames()[0]);
  play(true);
}
