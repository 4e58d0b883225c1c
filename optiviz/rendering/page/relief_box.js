// The box around the relief: its walls, and its axes with ticks, labels and names. Which edges are
// axes depends on the camera: the two along the ground that are nearest to it, and the upright one
// on the left. It mirrors optiviz/views/relief_box.py and the ticks of optiviz/views/heights.py.

const reliefBox = (() => {
  const POINT = 4 / 3; // pixels
  const SIDES = [[-1, -1], [-1, 1], [1, -1], [1, 1]];
  const FARTHEST = 0.05; // share of the box within which a tick is at its top

  // Ticks at round values: what is most welcome comes first.
  function roundTicks(field, told, most, apart, look) {
    const { low, high } = field.heights;
    const last = Math.ceil(Math.log10(Math.max(Math.abs(low), Math.abs(high))));
    const powers = Array.from({ length: 7 }, (_, down) => 10 ** (last - down));
    const round = told.heights.first.flatMap((digit) => powers.flatMap((power) => [digit * power, -digit * power]));
    const kept = [];
    for (const value of [...round.slice(0, 2), 0, ...round.slice(2)]) {
      const height = field.heightOf(value);
      if (value < low || value > high || kept.length === most) continue;
      if (kept.every(([other]) => Math.abs(height - other) >= apart)) kept.push([height, look.written(value)]);
    }
    return kept.sort(([one], [other]) => one - other);
  }

  // Ticks at values with equal steps, as many as there is room for.
  function evenTicks(field, most, apart, look) {
    const { low, high } = field.heights;
    let best = [];
    for (const stride of [1, 2]) {
      for (let many = 2 * most; many > 1; many -= 1) {
        const all = look.ticks(low, high, many).map(([value, said]) => [field.heightOf(value), said]);
        const kept = all.filter((_, nth) => nth % stride === 0);
        const free = kept.every(([height], nth) => !nth || height - kept[nth - 1][0] >= apart);
        if (best.length < kept.length && kept.length <= most && free) best = kept;
      }
      if (best.length > 1) break;
    }
    return best;
  }

  // The name of the upright axis tells how values became heights, and what is cut off.
  function nameOf(heights, look) {
    const said = look.quantity + (heights.kind === "log" ? " (log)" : "");
    const [low, high] = [heights.low, heights.high].map((bound) => look.written(bound, 3));
    if (heights.cut[0] && heights.cut[1]) return `${said} from ${low} to ${high}`;
    return said + (heights.cut[0] ? ` from ${low}` : "") + (heights.cut[1] ? ` up to ${high}` : "");
  }

  class Box {
    constructor(ground, field, look) {
      const { told } = look;
      Object.assign(this, { field, look, told: told.box, colors: ground.colors });
      this.low = told.floor ? -told.box.depth : 0;
      this.axes = ground.window.map(([low, high], axis) => ({
        name: ground.names[axis],
        ticks: look
          .ticks(low, high, told.box.ticks)
          .map(([value, said]) => [(value - low) / (high - low) - 0.5, said])
          .filter(([share]) => Math.abs(share) < told.box.corner)
          .map(([share, said]) => [share * field.sides[axis], said]),
      }));
      this.name = nameOf(field.heights, look);
    }

    corner(side, height) {
      return [(side[0] * this.field.sides[0]) / 2, (side[1] * this.field.sides[1]) / 2, height];
    }

    get corners() {
      return [this.low, this.told.tall].flatMap((height) => SIDES.map((side) => this.corner(side, height)));
    }

    setFont(pen, style = "") {
      pen.font = `${style} ${this.told.letters * POINT}px system-ui, sans-serif`;
    }

    // The part of a picture that is left to the box.
    region(pen, width, height) {
      const { pad, high, edge, tick, slant, labelled } = this.told;
      this.isLabelled = Math.min(width, height) >= labelled * POINT;
      const name = pad + high;
      let [left, bottom, right, top] = [edge, edge, edge, edge + name];
      if (this.isLabelled) {
        this.setFont(pen);
        const wide = (ticks) => Math.max(0, ...ticks.map(([, said]) => pen.measureText(said).width / POINT));
        const ground = Math.max(...this.axes.map(({ ticks }) => wide(ticks)));
        // As wide as any of its labels: which it has depends on the camera.
        const upright = wide(this.look.ticks(this.field.heights.low, this.field.heights.high, this.told.ticks));
        left = tick + pad + Math.max(upright, slant * ground) + edge;
        bottom = tick + pad + high + edge + name / 2;
        right = tick + pad + slant * ground + edge;
        top = 2 * pad + name;
      }
      return {
        left: left * POINT,
        top: top * POINT,
        width: width - (left + right) * POINT,
        height: height - (top + bottom) * POINT,
      };
    }

    // Choose the ticks of the upright axis for a camera, from how long it is where it is farthest.
    prepare(camera) {
      const { high, apart, tall, ticks, perspective } = this.told;
      const away = Math.hypot(...this.field.sides) / 2;
      const long = (camera.scale * camera.rise[0] * tall) / (1 + perspective * away);
      const gap = ((high + apart) * POINT) / long;
      const log = this.field.heights.kind === "log";
      const round = log ? roundTicks(this.field, this.look.told, ticks - 1, gap, this.look) : [];
      const found = round.length > 1 ? round : evenTicks(this.field, ticks - 1, gap, this.look);
      this.upright = found.map(([height, said]) => [height * tall, said]);
    }

    // The two walls behind the surface, with a line at each tick of the upright axis.
    drawWalls(pen, camera) {
      const near = nearest(camera);
      const corners = [[-near[0], near[1]], [-near[0], -near[1]], [near[0], -near[1]]];
      const { tall } = this.told;
      const top = tall - FARTHEST * (tall - this.low);
      const below = this.upright.map(([height]) => height).filter((height) => height < top);
      pen.beginPath();
      for (const height of [this.low, ...below, tall]) {
        corners.forEach((side, nth) => {
          const at = camera.place(...this.corner(side, height));
          if (nth) pen.lineTo(...at);
          else pen.moveTo(...at);
        });
      }
      for (const side of corners) {
        pen.moveTo(...camera.place(...this.corner(side, this.low)));
        pen.lineTo(...camera.place(...this.corner(side, tall)));
      }
      pen.strokeStyle = this.colors.rule;
      pen.lineWidth = this.told.line * POINT;
      pen.stroke();
    }

    // While the camera turns, labels fade before their axis becomes another edge.
    drawAxes(pen, camera, fades) {
      if (!this.isLabelled) return;
      const edges = edgesSeen(camera, this.field.sides);
      pen.lineWidth = this.told.line * POINT;
      pen.strokeStyle = pen.fillStyle = this.colors.muted;
      pen.textAlign = "center";
      pen.textBaseline = "middle";
      const opacity = fades ? this.opacities(camera, edges) : [1, 1, 1];
      this.drawGroundAxis(pen, camera, 0, edges[0], opacity[0]);
      this.drawGroundAxis(pen, camera, 1, edges[1], opacity[1]);
      this.drawUprightAxis(pen, camera, edges[2], opacity[2]);
    }

    opacities(camera, edges) {
      const { change, shades } = this.told;
      const found = [1, 1, 1];
      for (let shade = shades; shade > 0; shade -= 1) {
        for (const turn of [(shade * change) / shades, (-shade * change) / shades]) {
          edgesSeen(camera.turned(turn), this.field.sides).forEach((edge, nth) => {
            if (String(edge) !== String(edges[nth])) found[nth] = (shade - 1) / shades;
          });
        }
      }
      return found;
    }

    drawGroundAxis(pen, camera, number, side, opacity) {
      const { tick, pad, high, short, apart } = this.told;
      const { name, ticks } = this.axes[number];
      const at = (along) => {
        const ground = number ? [(side * this.field.sides[0]) / 2, along] : [along, (side * this.field.sides[1]) / 2];
        return camera.place(...ground, this.low);
      };
      const half = this.field.sides[number] / 2;
      const ends = [at(-half), at(half)];
      const middle = at(0);
      stroke(pen, ends[0], ends[1]);
      const along = [ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]];
      const long = Math.max(Math.hypot(...along), 1e-9);
      let out = [along[1] / long, -along[0] / long];
      const inner = camera.place(0, 0, this.low);
      if (out[0] * (middle[0] - inner[0]) + out[1] * (middle[1] - inner[1]) < 0) out = [-out[0], -out[1]];
      const reach = (width) => (Math.abs(out[0]) * width + Math.abs(out[1]) * high * POINT) / 2;
      const beside = (from, far) => [from[0] + far * out[0], from[1] + far * out[1]];
      this.setFont(pen);
      const labels = ticks.map(([place, said]) => ({ said, at: at(place), width: pen.measureText(said).width }));
      const stride = strideOf(labels, high * POINT, apart * POINT);
      let wide = 0;
      pen.globalAlpha = opacity;
      for (const label of labels.filter((_, nth) => nth % stride === 0)) {
        wide = Math.max(wide, reach(label.width));
        const place = beside(label.at, (tick + pad) * POINT + reach(label.width));
        if (!this.isFree(camera, place, label.width)) continue;
        pen.fillText(label.said, ...place);
        stroke(pen, label.at, beside(label.at, tick * POINT));
      }
      this.setFont(pen, "italic");
      const beyond = (tick + 2 * pad) * POINT + 2 * wide;
      const width = pen.measureText(name).width;
      if (name.length <= short) pen.fillText(name, ...beside(middle, beyond + reach(width)));
      else {
        pen.save();
        pen.translate(...beside(middle, beyond + (high * POINT) / 2));
        const angle = Math.atan2(along[1], along[0]);
        pen.rotate(angle - Math.PI * Math.round(angle / Math.PI));
        pen.fillText(name, 0, 0);
        pen.restore();
      }
      pen.globalAlpha = 1;
    }

    drawUprightAxis(pen, camera, left, opacity) {
      const { tick, pad, high, tall } = this.told;
      const at = (height) => camera.place(...this.corner(left, height));
      const top = at(tall);
      stroke(pen, at(this.low), top);
      this.setFont(pen);
      pen.globalAlpha = opacity;
      pen.textAlign = "right";
      for (const [height, said] of this.upright) {
        const [x, y] = at(height);
        stroke(pen, [x, y], [x - tick * POINT, y]);
        pen.fillText(said, x - (tick + pad) * POINT, y);
      }
      pen.globalAlpha = 1;
      pen.textAlign = "center";
      this.setFont(pen, "italic");
      const width = pen.measureText(this.name).width;
      let place = [Math.max(top[0], width / 2 + 1), top[1] - (2 * pad + high / 2) * POINT];
      if (!this.isFree(camera, place, width)) place = [width / 2 + 1, (high / 2 + 2) * POINT];
      pen.fillText(this.name, ...place);
    }

    // Whether a label shows none of the surface behind it.
    isFree(camera, [x, y], width) {
      const half = (this.told.high * POINT) / 2;
      return [-1, -0.5, 0, 0.5, 1].every((side) => {
        const rows = reliefCamera.covered(this.field, camera, x + (side * width) / 2);
        return !rows || y + half < rows[0] || y - half > rows[1];
      });
    }
  }

  function stroke(pen, one, other) {
    pen.beginPath();
    pen.moveTo(...one);
    pen.lineTo(...other);
    pen.stroke();
  }

  // Which labels are drawn, every one or every second one and so on.
  function strideOf(labels, high, apart) {
    for (let stride = 1; stride < labels.length; stride += 1) {
      const kept = labels.filter((_, nth) => nth % stride === 0);
      const free = kept.slice(1).every((label, nth) => {
        const other = kept[nth];
        const [x, y] = [0, 1].map((axis) => Math.abs(label.at[axis] - other.at[axis]));
        return x >= (label.width + other.width) / 2 + apart || y >= high + apart;
      });
      if (free) return stride;
    }
    return Math.max(labels.length, 1);
  }

  // The side of the x axis along v, that of the y axis along u, and the corner of the upright one.
  function edgesSeen(camera, sides) {
    const near = nearest(camera);
    const across = (side) => camera.place((side[0] * sides[0]) / 2, (side[1] * sides[1]) / 2, 0)[0];
    const left = SIDES.reduce((best, side) => (across(side) < across(best) ? side : best));
    let [xSide, ySide] = [near[1], near[0]];
    if (left[0] === near[0] && left[1] === near[1]) {
      // The nearest corner and the one behind it on the left have this coordinate in common.
      if (across([-left[0], left[1]]) < across([left[0], -left[1]])) xSide = -xSide;
      else ySide = -ySide;
    }
    return [xSide, ySide, left];
  }

  const nearest = (camera) => camera.away.map((each) => (each > 0 ? -1 : 1));

  return { Box, POINT };
})();
