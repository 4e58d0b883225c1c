// Words.

function ends(values) {
  const finite = values.filter((value) => value !== null);
  if (!finite.length) return "\u2013";
  const digits = values.length === 1 ? 4 : 3;
  const both = [Math.min(...finite), Math.max(...finite)].map((value) => written(value, digits));
  return [...new Set(both)].join(" to ");
}

const now = (path) => rowAt(path.steps, Math.min(step, path.last));

function write() {
  one("#counter").textContent = `step ${step} of ${told.steps}`;
  slider.value = step;
  slider.setAttribute("aria-valuetext", `step ${step} of ${told.steps}`);
  told.entries.forEach((entry, number) => {
    const paths = told.paths.filter((path) => path.entry === number);
    rows[number].querySelector(".value").textContent = ends(paths.map((path) => path.losses[now(path)]));
    const detail = rows[number].querySelector(".detail");
    const remark = entry.remarks.filter(([from]) => from <= step).pop();
    const said = remark ? `${remark[1]}  ${entry.detail}` : entry.detail;
    if (detail.textContent !== said) detail.textContent = said;
    detail.classList.toggle("warned", Boolean(remark?.[2]));
  });
  told.paths.forEach((path, number) => {
    const row = now(path);
    const values = [path.steps[row], ...path.points[row].map((each) => written(each)), written(path.losses[row])];
    const remark = cells[number].lastChild;
    remark.hidden = step < path.last;
    all("td", cells[number]).slice(0, -1).forEach((cell, place) => {
      cell.textContent = values[place];
    });
    cells[number].hidden = hidden.has(path.entry);
  });
}

function show(wanted) {
  const last = kept[kept.length - 1];
  step = wanted > last ? Math.min(told.steps, wanted) : kept[rowAt(kept, wanted)];
  tip.hidden = true;
  write();
  draw();
}

// Playing.

function play(on) {
  playing = on ? performance.now() : null;
  button.textContent = on ? "Pause" : "Play";
  if (!on) return;
  if (step >= told.frames[told.frames.length - 1]) show(first);
  frame = step < first ? -1 : rowAt(told.frames, step);
  requestAnimationFrame(advance);
}

function advance(time) {
  if (playing === null) return;
  const passed = Math.floor(((time - playing) * told.fps) / 1000);
  if (passed > 0) {
    playing += (passed * 1000) / told.fps;
    frame = Math.min(frame + passed, told.frames.length - 1);
    show(told.frames[frame]);
    if (frame === told.frames.length - 1) {
      play(false);
      return;
    }
  }
  requestAnimationFrame(advance);
}

button.addEventListener("click", () => play(playing === null));

slider.addEventListener("input", () => {
  play(false);
  show(Number(slider.value));
});

addEventListener("keydown", (event) => {
  const free = !event.target.closest("button, input, summary, [tabindex]");
  if (!free || event.ctrlKey || event.metaKey || event.altKey) return;
  const here = rowAt(kept, step);
  const moves = {
    ArrowLeft: step > kept[here] ? step - 1 : kept[here - 1] ?? 0,
    ArrowRight: kept[here + 1] ?? step + 1,
    Home: 0,
    End: told.steps,
  };
  if (event.key === " ") play(playing === null);
  else if (event.key in moves) {
    play(false);
    show(moves[event.key]);
  } else return;
  event.preventDefault();
});

rows.forEach((row, number) => {
  row.querySelector("input").addEventListener("change", (event) => {
    if (event.target.checked) hidden.delete(number);
    else hidden.add(number);
    show(step);
  });
});

// What is under the pointer.

function nearest(panel, x, y) {
  let found = null;
  let least = NEAR;
  const consider = (path, row, point) => {
    const [right, down] = toPixels(panel, point);
    const far = Math.hypot(right - x, down - y);
    if (far < least) {
      least = far;
      found = { path, row, at: [right, down] };
    }
  };
  if (panel.kind === "loss") {
    for (const grown of panel.lines) {
      const path = told.paths[grown.path];
      if (hidden.has(path.entry) || grown.faint) continue;
      const last = rowAt(grown.steps, Math.min(step, path.last));
      for (let row = 0; row <= last; row += 1) {
        const at = rowAt(path.steps, grown.steps[row]);
        consider(path, at, [grown.steps[row], grown.values[row]]);
      }
    }
  } else {
    for (const path of shown()) {
      const last = now(path);
      for (let row = 0; row <= last; row += 1) consider(path, row, spot(panel, path, row));
    }
  }
  return found;
}

for (const panel of panels) {
  const { canvas } = panel;
  const tell = (event) => {
    const frame = canvas.getBoundingClientRect();
    const found = nearest(panel, event.clientX - frame.left, event.clientY - frame.top);
    tip.hidden = found === null;
    if (found === null) return;
    const { path, row, at } = found;
    const name = rows[path.entry].querySelector("b").textContent;
    const loss = `loss ${written(path.losses[row])}`;
    tip.textContent = `${name}  step ${path.steps[row]}  ${place(path.points[row])}  ${loss}`;
    const wide = tip.offsetWidth;
    const left = Math.min(frame.left + at[0] + 12, document.documentElement.clientWidth - wide - 8);
    tip.style.left = `${Math.max(left, 8) + scrollX}px`;
    tip.style.top = `${frame.top + at[1] - 40 + scrollY}px`;
  };
  canvas.addEventListener("pointermove", tell);
  canvas.addEventListener("pointerdown", tell);
  canvas.addEventListener("pointerleave", () => {
    tip.hidden = true;
  });
}

// All that changes what a panel looks like.

function refresh() {
  panels.forEach(layOut);
  drawMarks();
  draw();
}

for (const image of all(".formula svg")) {
  image.style.verticalAlign = `${image.dataset.down}px`;
}
if (ground) one(".stage").style.setProperty("--ratio", ground.ratio);
slider.max = told.steps;
readColors();
panels.forEach(layOut);
show(step);
drawMarks();
new ResizeObserver(refresh).observe(one("main"));
addEventListener("resize", refresh); // a window's height alone counts, too
dark.addEventListener("change", () => {
  readColors();
  refresh();
});
if (!calm.matches) play(true);
