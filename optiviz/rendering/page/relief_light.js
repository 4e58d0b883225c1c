// The light on the relief that does not depend on where it is seen from, computed once for a surface:
// how much of the sky is open above each point of a grid, and how much of the sun is seen from it.
// The rest is computed for each pixel, in relief.js. It mirrors optiviz/relief/light.py.

const reliefLight = (() => {
  const radians = (degrees) => (degrees * Math.PI) / 180;
  const clip = (value, low, high) => Math.min(Math.max(value, low), high);

  function resampled(values, columns, rows, wide, high) {
    if (columns === wide && rows === high) return values;
    const found = new Float32Array(wide * high);
    const across = Float32Array.from({ length: wide }, (_, x) => (x * (columns - 1)) / (wide - 1));
    for (let y = 0; y < high; y += 1) {
      const row = (y * (rows - 1)) / (high - 1);
      const first = Math.min(Math.floor(row), rows - 2);
      const up = row - first;
      for (let x = 0; x < wide; x += 1) {
        const column = Math.min(Math.floor(across[x]), columns - 2);
        const right = across[x] - column;
        const at = first * columns + column;
        const low = values[at] + right * (values[at + 1] - values[at]);
        const above = at + columns;
        const top = values[above] + right * (values[above + 1] - values[above]);
        found[y * wide + x] = low + up * (top - low);
      }
    }
    return found;
  }

  function slopes(grid, columns, rows, sides) {
    const along = [new Float32Array(grid.length), new Float32Array(grid.length)];
    const [cellU, cellV] = [sides[0] / (columns - 1), sides[1] / (rows - 1)];
    for (let row = 0, at = 0; row < rows; row += 1) {
      const [down, up] = [row ? columns : 0, row + 1 < rows ? columns : 0];
      for (let column = 0; column < columns; column += 1, at += 1) {
        const [left, right] = [column ? 1 : 0, column + 1 < columns ? 1 : 0];
        along[0][at] = (grid[at + right] - grid[at - left]) / (cellU * (left + right));
        along[1][at] = (grid[at + up] - grid[at - down]) / ((cellV * (up + down)) / columns);
      }
    }
    return along;
  }

  // Call a function of each point and of the one that lies so many columns and rows from it.
  function eachAhead(columns, rows, right, up, use) {
    const [left, end] = [Math.max(-right, 0), columns - Math.max(right, 0)];
    const top = rows - Math.max(up, 0);
    for (let row = Math.max(-up, 0); row < top; row += 1) use(row * columns + left, row * columns + end);
  }

  // How many columns and rows away the point of a grid is that is nearest to a distance in a
  // direction, and how far away it really is.
  function shift([cellU, cellV], angle, distance) {
    const right = Math.round((distance * Math.cos(angle)) / cellU);
    const up = Math.round((distance * Math.sin(angle)) / cellV);
    return [right, up, Math.hypot(right * cellU, up * cellV)];
  }

  // The share of the light of the sky that reaches each point: in each direction, the sky begins at
  // the highest slope to what is seen there.
  function openSky(grid, columns, rows, sides, told) {
    const cell = [sides[0] / (columns - 1), sides[1] / (rows - 1)];
    const sky = new Float32Array(grid.length);
    const [riseU, riseV] = slopes(grid, columns, rows, sides);
    const steepest = new Float32Array(grid.length);
    const nearest = Math.max(...cell);
    const ratio = ((told.reach * Math.max(...sides)) / nearest) ** (1 / (told.distances - 1));
    for (let nth = 0; nth < told.directions; nth += 1) {
      const angle = (nth * 2 * Math.PI) / told.directions;
      const [alongU, alongV] = [Math.cos(angle), Math.sin(angle)];
      for (let at = 0; at < grid.length; at += 1) {
        const slope = riseU[at] * alongU + riseV[at] * alongV;
        steepest[at] = slope > 0 ? slope : 0;
      }
      for (let far = 0; far < told.distances; far += 1) {
        const [right, up, distance] = shift(cell, angle, nearest * ratio ** far);
        const offset = up * columns + right;
        const share = 1 / distance;
        eachAhead(columns, rows, right, up, (begin, end) => {
          for (let at = begin; at < end; at += 1) {
            const slope = (grid[at + offset] - grid[at]) * share;
            if (slope > steepest[at]) steepest[at] = slope;
          }
        });
      }
      for (let at = 0; at < grid.length; at += 1) {
        const slope = steepest[at];
        sky[at] += (1 - slope / Math.sqrt(1 + slope * slope)) / told.directions;
      }
    }
    return sky;
  }

  // The share of the sun that is seen from each point: in its direction, what rises above a ray
  // towards it hides it, the more the higher.
  function sunlit(grid, columns, rows, sides, told) {
    const cell = [sides[0] / (columns - 1), sides[1] / (rows - 1)];
    const sun = new Float32Array(grid.length);
    const hidden = new Float32Array(grid.length);
    const drop = Math.tan(radians(told.sun[1]));
    const step = 2 * Math.max(...cell);
    const tall = grid.reduce((most, each) => Math.max(most, each)) - grid.reduce((least, each) => Math.min(least, each));
    const farthest = Math.min(tall / drop, Math.hypot(...sides));
    for (let nth = 0; nth < told.suns; nth += 1) {
      const angle = radians(told.sun[0] + told.sunWidth * (nth / (told.suns - 1) - 0.5));
      hidden.fill(-1);
      for (let far = step; far < farthest; far += step) {
        const [right, up, distance] = shift(cell, angle, far);
        const offset = up * columns + right;
        const fall = drop * distance;
        const share = 1 / (told.penumbra[0] + told.penumbra[1] * distance);
        eachAhead(columns, rows, right, up, (begin, end) => {
          for (let at = begin; at < end; at += 1) {
            const above = (grid[at + offset] - grid[at] - fall) * share;
            if (above > hidden[at]) hidden[at] = above;
          }
        });
      }
      for (let at = 0; at < grid.length; at += 1) {
        const share = clip(hidden[at] + 0.5, 0, 1);
        sun[at] += (1 - share * share * (3 - 2 * share)) / told.suns;
      }
    }
    return sun;
  }

  // The colours of a ramp ("#rrggbb") in linear light, farther from grey: light and shadow take from
  // them. Shape (n, 3), from 0 to 1.
  function vividRamp(ramp, told) {
    return ramp.map((color) => {
      const linear = linearOf(color);
      const grey = (linear[0] + linear[1] + linear[2]) / 3;
      return linear.map((each) => clip(grey + told.vivid * (each - grey), 0, 1));
    });
  }

  const linearOf = (color) =>
    [1, 3, 5].map((place) => {
      const each = parseInt(color.slice(place, place + 2), 16) / 255;
      return each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4;
    });

  return { clip, linearOf, openSky, radians, resampled, slopes, sunlit, vividRamp };
})();
