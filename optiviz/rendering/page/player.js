// Playing: the steps one after the other, by time, buttons, keys and the slider.

const slider = one("#step");
const button = one("#play");
const speed = one("#speed");

let playing = null; // when the frame that is shown came up
let frame = 0; // its number, while playing

// The step of each frame: those of the recipe, or as many for another number of steps.
function frames() {
  if (state.steps === told.steps) return told.frames;
  const many = Math.max(1, Math.min(state.steps, told.frames.length - 1));
  return Array.from({ length: many + 1 }, (_, each) => Math.round((each * state.steps) / many));
}

function play(on) {
  playing = on ? performance.now() : null;
  button.textContent = on ? "Pause" : "Play";
  settle(null);
  if (!on) return;
  const all = frames();
  if (step >= all.at(-1)) show(all[0]);
  frame = step < all[0] ? -1 : rowAt(all, step);
  requestAnimationFrame(advance);
}

function advance(time) {
  if (playing === null) return;
  const all = frames();
  const rate = told.fps * Number(speed.value);
  const passed = Math.floor(((time - playing) * rate) / 1000);
  if (passed > 0) {
    playing += (passed * 1000) / rate;
    frame = Math.min(frame + passed, all.length - 1);
    show(all[frame]);
    if (frame === all.length - 1) {
      play(false);
      return;
    }
  }
  requestAnimationFrame(advance);
}

function goTo(wanted) {
  play(false);
  show(wanted);
}

function beside(direction) {
  const steps = keptSteps();
  if (!steps) return step + direction;
  const here = rowAt(steps, step);
  if (direction < 0) return step > steps[here] ? step - 1 : steps[here - 1] ?? 0;
  return steps[here + 1] ?? step + 1;
}

button.addEventListener("click", () => play(playing === null));
one("#back").addEventListener("click", () => goTo(beside(-1)));
one("#forward").addEventListener("click", () => goTo(beside(1)));
slider.addEventListener("input", () => goTo(Number(slider.value)));

// What needs the keys itself: space, and the others.
const SPACED = "button:not([role=tab]), input:not([type=range]), select, textarea, summary";
const MOVED = "input:not([type=checkbox]), select, textarea, [role=tab], .handle, .wide, canvas[tabindex]";

// What was clicked, rather than reached by keys, does not keep the space bar for itself.
const CLICKED = "button:not(.handle, .drop, [role=tab]), summary, [type=checkbox]";
let byPointer = false;
addEventListener("pointerdown", () => { byPointer = true; });
addEventListener("keydown", () => { byPointer = false; }, { capture: true });
addEventListener("click", () => {
  if (byPointer && document.activeElement?.matches(CLICKED)) document.activeElement.blur();
});

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest(event.key === " " ? SPACED : MOVED)) return;
  if (event.key === " ") play(playing === null);
  else if (event.key === "ArrowLeft") goTo(beside(-1));
  else if (event.key === "ArrowRight") goTo(beside(1));
  else if (event.key === "Home") goTo(0);
  else if (event.key === "End") goTo(state.steps);
  else return;
  event.preventDefault();
});
