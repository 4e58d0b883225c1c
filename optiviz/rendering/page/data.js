// The samples of a fit as dots, and among them the curve of each run at a step, as views/data.py draws them.

function drawData(panel, pen, step) {
  const { x, y, size, width, residuals, points, earlier, faded } = told.data;
  const [across, down] = onScreenOf(panel);
  const [low, high] = panel.x.ends;
  const value = (point, at) => programs.curve.value([...point, at]);
  const curve = (point) => {
    const pixels = new Float64Array(2 * points);
    for (let place = 0; place < points; place += 1) {
      const at = low + ((high - low) * place) / (points - 1);
      pixels[2 * place] = across(at);
      pixels[2 * place + 1] = down(value(point, at));
    }
    return pixels;
  };
  const seen = runs.filter((run) => !run.entry.hidden);
  clipped(pen, panel.strips[0].box, 1);
  for (const run of seen) {
    const now = Math.min(step, run.last);
    const at = (wanted) => pointOf(run, rowIn(run, wanted));
    const { color, dash } = styleOf(run.entry, run.start);
    if (seen.length === 1) {
      const steps = Array.from({ length: earlier }, (_, place) => Math.floor((now * place) / earlier));
      const before = [...new Set(steps)].filter((each) => each < now);
      pen.strokeStyle = color;
      pen.lineWidth = POINT;
      before.forEach((each, place) => {
        pen.globalAlpha = faded[0] + ((faded[1] - faded[0]) * place) / Math.max(before.length - 1, 1);
        stroke(pen, curve(at(each)));
      });
      pen.globalAlpha = 1;
      if (residuals) {
        pen.strokeStyle = look().muted;
        pen.lineWidth = 0.9 * POINT;
        x.forEach((each, place) => stroke(pen, [across(each), down(y[place]), across(each), down(value(at(now), each))]));
      }
    }
    const drawn = curve(at(now));
    pen.strokeStyle = look().casing;
    pen.lineWidth = POINT * (width + 2 * told.widths.casing);
    stroke(pen, drawn);
    pen.strokeStyle = color;
    pen.lineWidth = POINT * width;
    pen.setLineDash(dash.map((each) => POINT * width * each));
    stroke(pen, drawn);
    pen.setLineDash([]);
  }
  pen.restore();
  pen.fillStyle = look().ink;
  pen.strokeStyle = look().background;
  pen.lineWidth = (POINT * size) / 7;
  x.forEach((each, place) => {
    pen.beginPath();
    pen.arc(across(each), down(y[place]), (POINT * size) / 2, 0, 2 * Math.PI);
    pen.fill();
    pen.stroke();
  });
}
