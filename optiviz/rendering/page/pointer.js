// The pointer on the pictures: what is under it is told; it pans, zooms, and adds starts.

const tip = one("#tip");
const NEAR = 28; // pixels from a point at which it is told
const SLIP = 5; // pixels that a pointer may move in a click
const WHEEL = 0.0015; // of zooming, by a unit of the wheel
const CLOSER = 1.5; // of zooming, by a button or key
const PAN = 0.1; // of a side, by an arrow key

function nearest(panel, x, y) {
  let found = null;
  let least = NEAR;
  const consider = (run, row, at) => {
    const far = Math.hypot(at[0] - x, at[1] - y);
    if (far < least) {
      least = far;
      found = { run, row, at };
    }
  };
  if (panel === chart) {
    for (const strip of panel.strips) {
      const [across, down] = onScreenOf(panel, strip);
      for (const { run, steps, values, faint } of strip.lines) {
        if (run.entry.hidden || faint) continue;
        for (let at = 0; at < values.length; at += 1) {
          const when = steps ? steps[at] : at;
          if (when > step) break;
          consider(run, rowIn(run, when), [across(when), down(values[at])]);
        }
      }
    }
    return found;
  }
  const [across, down] = onScreenOf(panel);
  for (const run of shown) {
    for (let row = 0; row <= rowIn(run, step); row += 1) {
      const [x, y] = spotOf(run, row);
      consider(run, row, [across(x), down(y)]);
    }
  }
  return found;
}

function tell(panel, event) {
  const frame = panel.canvas.getBoundingClientRect();
  const under = [event.clientX - frame.left, event.clientY - frame.top];
  const found = nearest(panel, ...under);
  tip.hidden = !found && !(live && panel === main && isInside(main, under));
  if (tip.hidden) return;
  const at = found?.at ?? under;
  if (found) {
    const { run, row } = found;
    const where = `step ${stepOf(run, row)}  ${place(pointOf(run, row))}`;
    tip.textContent = `${run.entry.name}  ${where}  loss ${written(run.losses[row])}`;
  } else {
    const point = fromScreen(event.clientX, event.clientY);
    const where = point.map((each, axis) => `${names[axis]} ${written(each, 3)}`).join("  ");
    tip.textContent = `${where}  loss ${written(programs.objective.value(point))}`;
  }
  const left = Math.min(frame.left + at[0] + 12, document.documentElement.clientWidth - tip.offsetWidth - 8);
  tip.style.left = `${Math.max(left, 8) + scrollX}px`;
  tip.style.top = `${frame.top + at[1] - 40 + scrollY}px`;
}

for (const panel of panels) {
  panel.canvas.addEventListener("pointermove", (event) => {
    if (!held.size) tell(panel, event);
  });
  panel.canvas.addEventListener("pointerdown", (event) => tell(panel, event));
  panel.canvas.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });
}

// Panning and zooming.

const held = new Map(); // pointers that are down on the ground, by id: where they are
let moved = false;

// Zoom by a factor around a place on the screen.
function zoom(factor, x, y) {
  const centre = fromScreen(x, y);
  setWindow(state.window.map((ends, axis) => ends.map((end) => centre[axis] + (end - centre[axis]) * factor)));
}

function setWindow(window) {
  if (!canShow(window)) return;
  state.window = tidy(window);
  const said = ([low, high], axis) => `${names[axis]} from ${written(low, 3)} to ${written(high, 3)}`;
  changed({ say: () => `The window is ${state.window.map(said).join(", ")}.` });
}

// A window in as few digits as a tenth of a pixel needs.
function tidy(window) {
  return window.map(([low, high]) => [low, high].map((each) => shortened(each, (high - low) / 1e4)));
}

function showWhole() {
  state.window = told.surface.window.map((each) => [...each]);
  changed({ say: () => "The window is the page's own again." });
}

// A place of the window that no start is near, of a sequence that fills it evenly.
const GOLDEN = [0.618034, 0.7548777, 0.5698403];
const CLEAR = 0.12; // of a side

function freePlace() {
  const candidates = Array.from({ length: 64 }, (_, each) =>
    state.window.map(([low, high], axis) => {
      const share = (0.5 + (each + 1) * (dim === 1 ? GOLDEN[0] : GOLDEN[1 + axis])) % 1;
      return low + (high - low) * (0.1 + 0.8 * share);
    }));
  const far = (point, start) => Math.hypot(...state.window.map(([low, high], axis) => (point[axis] - start[axis]) / (high - low)));
  const nearest = (point) => Math.min(...state.starts.map((start) => far(point, start)));
  return candidates.find((point) => nearest(point) > CLEAR) ?? candidates.reduce((best, each) => (nearest(each) > nearest(best) ? each : best));
}

// Two fingers are ours, and do not scroll.
for (const canvas of all(".ground canvas, .relief canvas")) {
  const take = (event) => event.touches.length > 1 && event.preventDefault();
  for (const name of ["touchstart", "touchmove"]) canvas.addEventListener(name, take, { passive: false });
}

const middleOf = (points) => [0, 1].map((axis) => points.reduce((sum, each) => sum + each[axis], 0) / points.length);
const spreadOf = (points) => (points.length > 1 ? Math.hypot(...difference(points[0], points[1])) : 1);

if (live && main) {
  const { canvas } = main;
  canvas.classList.add("live");
  canvas.addEventListener("wheel", (event) => {
    if (window.parent !== window && !event.ctrlKey && !event.metaKey) return; // the page around it scrolls
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    const turned = clamp(event.deltaY * lines, -300, 300) * (event.ctrlKey ? 4 : 1); // or a pinched touchpad
    zoom(Math.exp(turned * WHEEL), event.clientX, event.clientY);
  }, { passive: false });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    if (!held.size) moved = false;
    held.set(event.pointerId, [event.clientX, event.clientY]);
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) return;
    const before = [...held.values()];
    const place = [event.clientX, event.clientY];
    if (!moved && held.size === 1 && Math.hypot(...difference(place, before[0])) < SLIP) return;
    moved = true;
    tip.hidden = true;
    held.set(event.pointerId, place);
    if (event.pointerType === "touch" && held.size === 1) return; // one finger scrolls the page
    const after = [...held.values()];
    const [from, to] = [before, after].map((points) => fromScreen(...middleOf(points)));
    const factor = spreadOf(before) / spreadOf(after);
    setWindow(state.window.map((ends, axis) => ends.map((end) => from[axis] + (end - to[axis]) * factor)));
  });
  const release = (event) => {
    const single = held.size === 1 && held.has(event.pointerId);
    held.delete(event.pointerId);
    if (event.type !== "pointerup" || !single || moved) return;
    const frame = canvas.getBoundingClientRect();
    const at = [event.clientX - frame.left, event.clientY - frame.top];
    if (isInside(main, at)) addStart(fromScreen(event.clientX, event.clientY));
  };
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, release);
  canvas.tabIndex = 0;
  canvas.addEventListener("keydown", (event) => {
    const moves = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowDown: [0, -1], ArrowUp: [0, 1] };
    const zooms = { "+": 1 / CLOSER, "=": 1 / CLOSER, "-": CLOSER };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in moves) {
      const aside = ([low, high], axis) => PAN * moves[event.key][axis] * (high - low);
      setWindow(state.window.map((ends, axis) => ends.map((end) => end + aside(ends, axis))));
    } else if (event.key in zooms) zoom(zooms[event.key], ...middle());
    else if (event.key === "Home") showWhole();
    else return;
    event.preventDefault();
  });
  const middle = () => {
    const frame = canvas.getBoundingClientRect();
    return [frame.left + main.box.left + main.box.width / 2, frame.top + main.box.top + main.box.height / 2];
  };
  one("#closer").addEventListener("click", () => zoom(1 / CLOSER, ...middle()));
  one("#farther").addEventListener("click", () => zoom(CLOSER, ...middle()));
  one("#whole").addEventListener("click", () => {
    if (state.tab === "relief") turnBack();
    else showWhole();
  });
  one("#start").addEventListener("click", () => {
    if (addStart(freePlace())) handles.at(-1).focus();
  });
}
