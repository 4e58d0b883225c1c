// The triangles of the relief. Where the surface ends between points of the grid, so do they.

const reliefMesh = (() => {
  const FLOOR = 6; // indices of the two triangles of the floor, which are the first ones
  // Numbers of a vertex: column, row, height, 0 at the edge of a hole, else 1, place among the levels.
  const SIZE = 5;
  const BENT = 0.004; // by how much a coarser surface may differ from the one that is seen

  function places(count, stride) {
    const many = Math.ceil((count - 1) / stride);
    return Array.from({ length: many + 1 }, (_, nth) => Math.min(nth * stride, count - 1));
  }

  // Numbers of an array that grows.
  class Numbers {
    constructor(Type, room) {
      this.values = new Type(room);
      this.end = 0;
    }

    push(...added) {
      if (this.end + added.length > this.values.length) {
        const more = new this.values.constructor(2 * this.values.length);
        more.set(this.values);
        this.values = more;
      }
      for (const each of added) this.values[this.end++] = each;
    }

    get all() {
      return this.values.subarray(0, this.end);
    }
  }

  // How far the surface is from straight lines between its neighbours, at most.
  function bend(grid, columns) {
    let most = 0;
    for (let at = columns; at < grid.length - columns; at += 1) {
      if (at % columns === 0 || at % columns === columns - 1) continue;
      const along = grid[at - 1] + grid[at + 1] - 2 * grid[at];
      const up = grid[at - columns] + grid[at + columns] - 2 * grid[at];
      most = Math.max(most, Math.abs(along) / 2, Math.abs(up) / 2);
    }
    return most;
  }

  // stride is how many cells of the grid are the side of one that is drawn, if that does not show.
  function meshOf(field, stride) {
    const { columns, rows, grid, within, edges, places: levels } = field;
    const step = stride > 1 && (within || bend(grid, columns) > BENT) ? 1 : stride;
    const [across, up] = [columns, rows].map((count) => places(count, step));
    const vertices = new Numbers(Float32Array, SIZE * (across.length * up.length + 4));
    const indices = new Numbers(Uint32Array, 6 * across.length * up.length);
    for (const row of [0, rows - 1]) for (const column of [0, columns - 1]) vertices.push(column, row, 0, 1, 0);
    indices.push(0, 1, 2, 2, 1, 3);
    for (const row of up) {
      for (const column of across) {
        const at = row * columns + column;
        vertices.push(column, row, grid[at], 1, levels[at]);
      }
    }
    const added = new Map(); // vertices at edges, by the points of the grid on both sides

    function endBetween(inside, outside) {
      const key = inside * grid.length + outside;
      if (!added.has(key)) {
        const mean = (values) => (values[inside] + values[outside]) / 2;
        const { share, height, place } = edges.get(key) ?? { share: 0.5, height: mean(grid), place: mean(levels) };
        const at = (point) => [point % columns, Math.floor(point / columns)];
        const [here, there] = [at(inside), at(outside)];
        const between = here.map((each, axis) => each + share * (there[axis] - each));
        added.set(key, vertices.end / SIZE);
        vertices.push(...between, height, 0, place);
      }
      return added.get(key);
    }

    // What is known of a cell whose corners are points of the grid, counter-clockwise.
    function cut(points) {
      const polygon = points.flatMap((point, nth) => {
        const next = points[(nth + 1) % 4];
        const own = within[point] > 0 ? [point + 4] : [];
        if (within[point] > 0 === within[next] > 0) return own;
        return [...own, within[point] > 0 ? endBetween(point, next) : endBetween(next, point)];
      });
      for (let nth = 2; nth < polygon.length; nth += 1) indices.push(polygon[0], polygon[nth - 1], polygon[nth]);
    }

    for (let row = 0; row + 1 < up.length; row += 1) {
      for (let column = 0; column + 1 < across.length; column += 1) {
        const at = row * across.length + column;
        const above = at + across.length;
        if (within && !(within[at] > 0 && within[at + 1] > 0 && within[above] > 0 && within[above + 1] > 0)) {
          cut([at, at + 1, above + 1, above]);
        } else indices.push(at + 4, at + 5, above + 5, at + 4, above + 5, above + 4);
      }
    }
    return { vertices: vertices.all, indices: indices.all };
  }

  return { FLOOR, SIZE, meshOf };
})();
