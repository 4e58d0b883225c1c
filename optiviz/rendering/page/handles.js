// Starts: handles that the pointer drags and the arrow keys move.

const STRIDE = 0.01; // of a side, by an arrow key; ten times as much with Shift
const holder = one("#handles");
let [handles, drops] = [[], []];

function makeHandles() {
  handles = descends && main ? state.starts.map((_, number) => makeHandle(number)) : [];
  drops = handles.map((_, number) => makeDrop(number));
  holder?.replaceChildren(...handles.flatMap((handle, number) => [handle, drops[number]]));
}

// What removes a start by mouse or touch, beside its handle; keys do without it.
function makeDrop(number) {
  const drop = made("button", { type: "button", className: "drop", textContent: "\u00d7", title: "Remove", tabIndex: -1 });
  drop.setAttribute("aria-label", `Remove start ${number + 1}`);
  drop.addEventListener("pointerdown", (event) => event.preventDefault()); // the handle keeps the focus, and this its look
  drop.addEventListener("click", () => removeStart(number));
  return drop;
}

function makeHandle(number) {
  const handle = made("button", { type: "button", className: "handle" });
  handle.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    event.preventDefault();
    event.stopPropagation();
    handle.focus();
    handle.setPointerCapture(event.pointerId);
    tip.hidden = true;
    const grabbed = handle.getBoundingClientRect();
    const aside = [event.clientX - grabbed.left - grabbed.width / 2, event.clientY - grabbed.top - grabbed.height / 2];
    const move = (moved) => moveStart(number, fromScreen(moved.clientX - aside[0], moved.clientY - aside[1]));
    handle.addEventListener("pointermove", move);
    for (const end of ["pointerup", "pointercancel"]) {
      handle.addEventListener(end, () => handle.removeEventListener("pointermove", move), { once: true });
    }
  });
  handle.addEventListener("keydown", (event) => {
    const by = STRIDE * (event.shiftKey ? 10 : 1);
    const moves = { ArrowLeft: [-by, 0], ArrowRight: [by, 0], ArrowDown: [0, -by], ArrowUp: [0, by] };
    if (event.key in moves) {
      const sides = state.window.map(([low, high]) => high - low);
      moveStart(number, state.starts[number].map((each, axis) => each + moves[event.key][axis] * sides[axis]));
    } else if (event.key === "Delete" || event.key === "Backspace") removeStart(number);
    else if (event.key === " ") play(playing === null); // which would else click a button
    else return;
    event.preventDefault();
  });
  return handle;
}

// The point of the window under a place on the screen.
function fromScreen(x, y) {
  const frame = main.canvas.getBoundingClientRect();
  const { left, top, width, height } = main.box;
  const shares = [(x - frame.left - left) / width, 1 - (y - frame.top - top) / height];
  return state.window.map(([low, high], axis) => low + shares[axis] * (high - low));
}

// Move a start, within the window, to a point in as few digits as a pixel of the screen needs.
function moveStart(number, point) {
  state.starts[number] = point.map((each, axis) => {
    const [low, high] = state.window[axis];
    return shortened(clamp(each, low, high), (high - low) / 2000);
  });
  changed({ say: () => `Start ${number + 1} at ${place(state.starts[number])}. ${lossesSaid()}` });
}

const lossesSaid = () =>
  state.entries.filter(({ hidden }) => !hidden).map((entry) => `${entry.name}: ${lossSaid(entry)}`).join(" ");

// Add a start, and return whether there was room for it.
function addStart(point) {
  if (!descends) return false;
  if (state.starts.length >= MOST.starts) {
    announce(`No more than ${MOST.starts} starts: remove one first.`);
    return false;
  }
  state.starts.push(point);
  tip.hidden = true;
  makeHandles();
  moveStart(state.starts.length - 1, point);
  update();
  return true;
}

function removeStart(number) {
  if (state.starts.length === 1) return;
  state.starts.splice(number, 1);
  makeHandles();
  changed({ say: () => `Start ${number + 1} is removed.` });
  update();
  handles[Math.min(number, handles.length - 1)].focus();
}

function placeHandles() {
  handles.forEach((handle, number) => {
    const start = state.starts[number];
    const at = main.kind === "curve" ? [start[0], onTheCurve(programs.objective.value(start))] : start;
    const { left, top, width, height } = main.box;
    const seen = toPixels(main, at);
    const [x, y] = [clamp(seen[0], left, left + width), clamp(seen[1], top, top + height)]; // at the edge if beyond
    handle.hidden = Number.isNaN(x + y) || state.tab === "relief";
    handle.style.left = `${x}px`;
    handle.style.top = `${y}px`;
    const drop = drops[number];
    drop.hidden = handle.hidden || state.starts.length === 1;
    drop.style.left = `${x + (x > left + width - 40 ? -26 : 26)}px`;
    drop.style.top = `${y + (y < top + 40 ? 26 : -26)}px`;
    const keys = state.starts.length > 1 ? "arrow keys move it, Delete removes it" : "arrow keys move it";
    handle.setAttribute("aria-label", `Start ${number + 1} at ${place(start)}: ${keys}`);
  });
}
