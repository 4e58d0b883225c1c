// The camera of the relief, a shift lens, and what it sees of the surface. It mirrors
// optiviz/relief/camera.py and the rule of Shot.seen in optiviz/relief/field.py: a column of the
// picture looks along a straight line over the ground.
//
// X = v cos a - u sin a    Y = -(u cos a + v sin a)    t = scale / (1 + q Y)
// x = x0 + X t    y = y0 - (w cos e + Y sin e) t, downwards, in pixels of the page

const reliefCamera = (() => {
  const TURNS = [-20, -10, 0, 10, 20]; // degrees by which it may turn, and there is room still
  const EDGE = 1e-6; // cells by which a point at the edge of the window may be outside of it
  const HALVINGS = 6; // of the distance between two samples, until the edge of a hole is known
  const STRIDE = 1.5; // cells between two samples of the surface along a line of sight

  class Camera {
    constructor(azimuth, elevation, perspective, scale = 1, x = 0, y = 0) {
      Object.assign(this, { azimuth, elevation, perspective, scale, x, y });
      const [a, e] = [azimuth, elevation].map(reliefLight.radians);
      this.right = [-Math.sin(a), Math.cos(a)];
      this.away = [-Math.cos(a), -Math.sin(a)];
      this.rise = [Math.cos(e), Math.sin(e)];
    }

    turned(degrees) {
      const { azimuth, elevation, perspective, scale, x, y } = this;
      return new Camera(azimuth + degrees, elevation, perspective, scale, x, y);
    }

    depth(u, v) {
      return u * this.away[0] + v * this.away[1];
    }

    // Where a point of the world is in the picture.
    place(u, v, w) {
      const depth = this.depth(u, v);
      const size = this.scale / (1 + this.perspective * depth);
      return [
        this.x + (u * this.right[0] + v * this.right[1]) * size,
        this.y - (w * this.rise[0] + depth * this.rise[1]) * size,
      ];
    }

    // The camera that shows points as large as possible within a box of the picture. As there is room
    // for some turns, too, the size changes little and smoothly as it goes around them.
    fitted(points, { left, top, width, height }, distance) {
      const unit = new Camera(this.azimuth, this.elevation, this.perspective);
      const [x, y] = [[], []];
      for (const seen of TURNS.map((turn) => unit.turned(turn))) {
        for (const point of points) {
          const place = seen.place(...point);
          x.push(place[0]);
          y.push(place[1]);
        }
      }
      const ends = [x, y].map((each) => [Math.min(...each), Math.max(...each)]);
      const fit = Math.min(width / (ends[0][1] - ends[0][0]), height / (ends[1][1] - ends[1][0]));
      const scale = fit / distance;
      return new Camera(
        this.azimuth,
        this.elevation,
        this.perspective,
        scale,
        left + width / 2 - (scale * (ends[0][0] + ends[0][1])) / 2,
        top + height / 2 - (scale * (ends[1][0] + ends[1][1])) / 2,
      );
    }
  }

  // The height of the surface at a point of the ground, bilinear; nan in a hole.
  function heightAt(field, u, v) {
    const { columns, rows, sides, grid, within, tall } = field;
    const x = (u / sides[0] + 0.5) * (columns - 1);
    const y = (v / sides[1] + 0.5) * (rows - 1);
    if (!(x >= -EDGE && y >= -EDGE && x <= columns - 1 + EDGE && y <= rows - 1 + EDGE)) return NaN;
    const column = Math.min(Math.max(Math.floor(x), 0), columns - 2);
    const row = Math.min(Math.max(Math.floor(y), 0), rows - 2);
    const at = row * columns + column;
    const height = between(grid, at, columns, x - column, y - row);
    if (!field.cuts) return height;
    if (height < 0 || height > tall) return NaN;
    return within && between(within, at, columns, x - column, y - row) < 0 ? NaN : height;
  }

  function between(grid, at, columns, right, up) {
    const low = grid[at] + right * (grid[at + 1] - grid[at]);
    const above = at + columns;
    return low + up * (grid[above] + right * (grid[above + 1] - grid[above]) - low);
  }

  // Where the line over the ground that a column of the picture looks along enters and leaves the
  // rectangle, as depths. `across` is how far the column is from the middle, in units of the world.
  function lineOver(field, camera, across) {
    const { right, away, perspective } = camera;
    let [first, last] = [-Infinity, Infinity];
    for (const axis of [0, 1]) {
      const begin = across * right[axis];
      const way = away[axis] + perspective * across * right[axis];
      const half = field.sides[axis] / 2;
      if (Math.abs(way) < 1e-9) {
        if (Math.abs(begin) > half) return null;
        continue;
      }
      const [one, other] = [(-half - begin) / way, (half - begin) / way];
      first = Math.max(first, Math.min(one, other));
      last = Math.min(last, Math.max(one, other));
    }
    return first < last ? [first, last] : null;
  }

  // Call use(up) with where each sample of the surface along a line is in the picture, in units of
  // the world, nan in a hole. At the edges of a hole there are samples, too.
  function trace(field, camera, across, first, last, use) {
    const { right, away, perspective, rise } = camera;
    const cell = Math.min(field.sides[0] / (field.columns - 1), field.sides[1] / (field.rows - 1));
    const many = Math.max(Math.ceil((last - first) / (STRIDE * cell)), 1);
    const step = (last - first) / many;
    const up = (depth) => {
      const size = 1 + perspective * depth;
      const side = across * size;
      const height = heightAt(field, side * right[0] + depth * away[0], side * right[1] + depth * away[1]);
      return (height * rise[0] + depth * rise[1]) / size;
    };
    let before = NaN;
    for (let nth = 0; nth < many; nth += 1) {
      const here = up(first + step * nth);
      if (nth && Number.isNaN(here) !== Number.isNaN(before)) {
        let [known, hole] = Number.isNaN(here) ? [nth - 1, nth] : [nth, nth - 1];
        for (let halving = 0; halving < HALVINGS; halving += 1) {
          const middle = (known + hole) / 2;
          if (Number.isNaN(up(first + step * middle))) hole = middle;
          else known = middle;
        }
        use(up(first + step * known));
      }
      use(here);
      before = here;
    }
  }

  // Whether a point is behind the surface by more than so many pixels. It is on the surface unless
  // it is beneath, on the floor.
  function isHidden(field, camera, [u, v, w], slack, beneath = false) {
    const depth = camera.depth(u, v);
    const size = 1 + camera.perspective * depth;
    const across = (u * camera.right[0] + v * camera.right[1]) / size;
    const line = lineOver(field, camera, across);
    const up = (w * camera.rise[0] + depth * camera.rise[1]) / size;
    // Nearer than this, the line of sight is above the box.
    const fall = camera.rise[1] - camera.perspective * up;
    const top = fall > 0 ? (up - field.tall * camera.rise[0]) / fall : -Infinity;
    const first = line && Math.max(line[0], top);
    if (!line || depth <= first) return false;
    const far = slack / camera.scale;
    let [most, least] = [-Infinity, Infinity]; // by how much the surface is above it
    let hidden = false;
    const crossed = () => most > far && least < -far;
    trace(field, camera, across, first, depth, (here) => {
      if (Number.isNaN(here)) {
        hidden ||= crossed();
        [most, least] = [-Infinity, Infinity];
      } else {
        most = Math.max(most, here - up);
        least = Math.min(least, here - up);
      }
    });
    return hidden || (beneath ? crossed() : most > far);
  }

  // The rows of a column of the picture between which the surface is, null if it is elsewhere.
  function covered(field, camera, x) {
    const across = (x - camera.x) / camera.scale;
    const line = lineOver(field, camera, across);
    if (!line) return null;
    let [low, high] = [Infinity, -Infinity];
    trace(field, camera, across, ...line, (here) => {
      if (here < low) low = here;
      if (here > high) high = here;
    });
    return [camera.y - high * camera.scale, camera.y - low * camera.scale];
  }

  return { Camera, covered, heightAt, isHidden };
})();
