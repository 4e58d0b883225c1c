// The light on the relief, computed once for a surface and a ramp: from wherever it is seen, the
// colours stay the same. It mirrors optiviz/relief/light.py: a warm sun with soft shadows, a cool sky
// that is hidden by hills, linear light, and a soft shoulder that ends in white.

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

  // The colours of a ramp in linear light, farther from grey: light and shadow take from them.
  // Three numbers from 0 to 1 for each.
  function vividRamp(ramp, told) {
    const found = ramp.flatMap((color) => {
      const linear = rgbOf(color).map((each) => (each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4));
      const grey = (linear[0] + linear[1] + linear[2]) / 3;
      return linear.map((each) => clip(grey + told.vivid * (each - grey), 0, 1));
    });
    return Float32Array.from(found);
  }

  // "#rrggbb" as numbers from 0 to 1.
  const rgbOf = (color) => [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16) / 255);

  const FINE = 4096; // steps of linear light, which are finer than the bytes of any colour
  const BYTES = Uint8Array.from({ length: FINE + 1 }, (_, step) => {
    const linear = step / FINE;
    return Math.round(255 * (linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055));
  });
  const byteOf = (linear) => BYTES[linear >= 1 ? FINE : (FINE * linear + 0.5) | 0];

  // The colours of the upper and of the lower side of a surface, RGBA in bytes. shareOf(at) is the
  // place of a point in the ramp, from 0 to 1. Coats cover it with other ramps: {ramp, shares}, the
  // share of each point that is covered.
  function shade({ riseU, riseV, sky, sun }, shareOf, ramp, told, coats = []) {
    const [above, below] = [new Uint8Array(4 * sky.length).fill(255), new Uint8Array(4 * sky.length).fill(255)];
    const base = vividRamp(ramp, told);
    const over = coats.map(({ ramp: other, shares }) => [vividRamp(other, told), shares]);
    const [azimuth, elevation] = told.sun.map(radians);
    const [u, v] = [Math.cos(azimuth), Math.sin(azimuth)].map((each) => each * Math.cos(elevation));
    const w = Math.sin(elevation);
    const { wrap, shadow, knee, belowMix } = told;
    const [suns, skies] = [told.sunColor.map((each) => -knee * each), told.skyColor.map((each) => -knee * each)];
    const white = 1 - Math.exp(-knee);
    const mean = base.reduce((sum, each) => sum + each) / base.length;
    const tint = told.belowTint.map((each) => belowMix * each * mean);
    for (let at = 0; at < sky.length; at += 1) {
      const uphill = riseU[at] * u + riseV[at] * v; // towards the sun
      const steep = Math.sqrt(1 + riseU[at] * riseU[at] + riseV[at] * riseV[at]);
      const lit = 1 - shadow + shadow * clip(sun[at], 0, 1);
      const sunlight = told.sunShare * Math.max(((w - uphill) / steep + wrap) / (w + wrap), 0) * lit;
      const skylight = told.skyShare * clip(sky[at], 0, 1);
      const tilt = told.belowLight[0] + (told.belowLight[1] * uphill) / steep;
      const place = clip(shareOf(at), 0, 1) * (ramp.length - 1);
      const first = Math.min(place | 0, ramp.length - 2);
      for (let part = 0; part < 3; part += 1) {
        const between = (from) =>
          from[3 * first + part] + (place - first) * (from[3 * first + 3 + part] - from[3 * first + part]);
        let color = between(base);
        for (const [other, shares] of over) color += shares[at] * (between(other) - color);
        const light = 1 - Math.exp(suns[part] * sunlight + skies[part] * skylight);
        above[4 * at + part] = byteOf((color * light) / white);
        below[4 * at + part] = byteOf(((1 - belowMix) * color + tint[part]) * tilt);
      }
    }
    return [above, below];
  }

  return { clip, openSky, radians, resampled, rgbOf, shade, slopes, sunlit };
})();
