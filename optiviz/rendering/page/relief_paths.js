// Paths and marks on the relief, drawn in 2-D over the picture of the surface: what a hill hides of a
// path is a thin dotted line, and its head is pale there. A step is a straight line seen from above.
// It mirrors optiviz/views/relief_path.py, optiviz/views/draped.py and optiviz/views/apart.py.

const reliefPaths = (() => {
  const { POINT } = reliefBox;
  const TINY = 0.7; // pixels
  const TETHER = 1; // points: the line to a head that is set apart
  const FAR = 1e150; // the largest coordinate, so that no length overflows

  // The shares of a line at which it enters and leaves a window, null if it misses it.
  function clipped(begin, end, window) {
    let [first, last] = [0, 1];
    for (const [axis, [low, high]] of window.entries()) {
      const way = end[axis] - begin[axis];
      if (Math.abs(way) <= 1e-15 * (high - low)) {
        if (begin[axis] < low || begin[axis] > high) return null;
        continue;
      }
      const shares = [(low - begin[axis]) / way, (high - begin[axis]) / way];
      first = Math.max(first, Math.min(...shares));
      last = Math.min(last, Math.max(...shares));
    }
    return first < last ? [first, last] : null;
  }

  // Points of a path, as (x, y), dense enough to follow a surface, null where it is outside of the
  // window, and the number of the one at which each step ends.
  function draped(points, window, drape) {
    const inside = ([x, y]) => x >= window[0][0] && x <= window[0][1] && y >= window[1][0] && y <= window[1][1];
    const found = [inside(points[0]) ? points[0] : null];
    const ends = [0];
    for (let row = 1; row < points.length; row += 1) {
      const [begin, end] = [points[row - 1], points[row]].map((point) =>
        point.map((each) => reliefLight.clip(each, -FAR, FAR)),
      );
      const shares = clipped(begin, end, window);
      if (shares) {
        const [first, last] = shares;
        const long = Math.max(
          ...window.map(([low, high], axis) => Math.abs((last - first) * (end[axis] - begin[axis])) / ((high - low) / drape)),
        );
        const many = Math.floor(long) + 1;
        if (first > 0) found.push(null);
        for (let nth = first > 0 ? 0 : 1; nth <= many; nth += 1) {
          const share = first + ((last - first) * nth) / many;
          found.push([begin[0] + share * (end[0] - begin[0]), begin[1] + share * (end[1] - begin[1])]);
        }
        if (last < 1) found.push(null);
      } else found.push(null);
      ends.push(found.length - 1);
    }
    return [found, ends];
  }

  const areSame = (points, others) =>
    points.length === others.length &&
    points.every(([x, y], nth) => x === others[nth][0] && y === others[nth][1]);

  class Paths {
    // before: the paths that were drawn last. Where one has the same points it need not be placed
    // again, as while a page plays.
    constructor(ground, field, look, paths, marks, before) {
      this.told = look.told.paths;
      Object.assign(this, { ground, field, look, marks, floor: look.told.floor ? -look.told.box.depth : null });
      const known = before?.field === field ? before.paths : [];
      this.paths = paths
        .map((path) => ({ ...path, points: path.points.filter((point) => point.every(Number.isFinite)) }))
        .filter((path) => path.points.length)
        .map((path) => {
          const last = path.points.length - 1;
          const to = Math.min(path.to, last);
          const other = known.find(({ points }) => areSame(points, path.points));
          return { ...path, to, from: Math.min(path.from, to), last, route: other?.route ?? this.routed(path) };
        });
    }

    // What of a path depends on its points alone. Where a camera sees it is added by `place`.
    routed({ points }) {
      const [vertices, ends] = draped(points, this.ground.window, this.told.drape);
      return { ends, world: vertices.map((each) => this.inWorld(each)) };
    }

    onGround(point) {
      return point.map((each, axis) => {
        const [low, high] = this.ground.window[axis];
        return ((each - low) / (high - low) - 0.5) * this.field.sides[axis];
      });
    }

    // A point slightly above the surface, null off it.
    inWorld(point) {
      if (!point) return null;
      const ground = this.onGround(point);
      const height = reliefCamera.heightAt(this.field, ...ground);
      return Number.isNaN(height) ? null : [...ground, height + this.told.lift];
    }

    // Where a head stands, and whether it is really elsewhere: off the surface it is at its edge.
    tip(point) {
      const within = point.map((each, axis) => reliefLight.clip(each, ...this.ground.window[axis]));
      const ground = this.onGround(within);
      const height = reliefCamera.heightAt({ ...this.field, cuts: false }, ...ground);
      const away = within.some((each, axis) => each !== point[axis]) || !this.inWorld(point);
      return [[...ground, reliefLight.clip(height, 0, this.field.tall) + this.told.lift], away];
    }

    // Find out where a camera sees everything.
    place(camera) {
      const { slack, markSlack, leastShadow } = this.told;
      const place = (point) => point && camera.place(...point);
      const seen = (point, far) => point && !reliefCamera.isHidden(this.field, camera, point, far);
      this.camera = camera;
      for (const path of this.paths) {
        const { route } = path;
        if (route.camera !== camera) {
          const places = route.world.map(place);
          const shown = route.world.map((point) => seen(point, slack));
          route.camera = camera;
          route.visible = places.map((each, nth) => (shown[nth] ? each : null));
          // Up to the first vertex that is seen again, so that there are no gaps.
          route.behind = places.map((each, nth) =>
            shown[nth] && (!nth || shown[nth - 1]) && (nth + 1 === shown.length || shown[nth + 1]) ? null : each,
          );
          route.shadow = this.placeShadow(route.world, camera);
        }
        path.placed = this.placeHead(path, path.to);
        path.end = path.to === path.last ? path.placed.at : place(this.tip(path.points[path.last])[0]);
      }
      this.shadows = this.worthShadows(leastShadow);
      this.setApart();
      const mark = (point) => {
        const world = this.inWorld(point);
        return world && { at: place(world), opacity: seen(world, markSlack) ? 1 : this.told.pale };
      };
      this.placed = { minima: this.marks.minima.map(mark), starts: this.marks.starts.map(mark) };
    }

    // Where a camera sees the points of what is drawn of a sketch; null where it does not.
    placeSketch(part) {
      if (part.field !== this.field) {
        const points = part.dots ? part.points : draped(part.points, this.ground.window, this.told.drape)[0];
        Object.assign(part, { field: this.field, camera: null, world: points.map((each) => this.inWorld(each)) });
      }
      if (part.camera !== this.camera) {
        part.camera = this.camera;
        part.seen = part.world.map((point) => {
          const hidden = !point || reliefCamera.isHidden(this.field, this.camera, point, this.told.slack);
          return hidden ? null : this.camera.place(...point);
        });
      }
      return part.seen;
    }

    placeHead(path, row) {
      const [tip, away] = this.tip(path.points[row]);
      const at = this.camera.place(...tip);
      const opacity = reliefCamera.isHidden(this.field, this.camera, tip, this.told.slack) ? this.told.pale : 1;
      if (!away) return { at, opacity, marker: path.head };
      const middle = this.camera.place(0, 0, 0);
      const [x, y] = at.map((each, axis) => each - middle[axis]);
      const marker = Math.abs(x) > Math.abs(y) ? (x > 0 ? ">" : "<") : y > 0 ? "v" : "^";
      return { at, opacity, marker, away };
    }

    // The shadow on the floor.
    placeShadow(world, camera) {
      if (this.floor === null) return [];
      return world.map((point) => {
        if (!point) return null;
        const fallen = [point[0], point[1], this.floor];
        return reliefCamera.isHidden(this.field, camera, fallen, 0, true) ? null : camera.place(...fallen);
      });
    }

    // Whether so much of the shadows is seen that they are more than scraps: all are drawn, or none.
    worthShadows(least) {
      const count = (list) => this.paths.reduce((sum, { route }) => sum + route[list].filter(Boolean).length, 0);
      return count("shadow") >= least * count("world");
    }

    // Heads that end at the same place stand around it, in the order of their paths; those that would
    // be in their way belong to them.
    setApart() {
      const { near, room, radius } = this.told;
      const colors = (group) => [...new Set(group.map((path) => path.color))];
      const middle = (group) => [0, 1].map((axis) => group.reduce((sum, path) => sum + path.end[axis], 0) / group.length);
      const reach = (group) => {
        const many = colors(group).length;
        return many > 1 ? Math.max(radius, (many * room) / (2 * Math.PI)) * POINT : 0;
      };
      const apart = (one, other) => {
        const [from, to] = [middle(one), middle(other)];
        return Math.hypot(from[0] - to[0], from[1] - to[1]) - reach(one) - reach(other);
      };
      let groups = this.paths.map((path) => [path]);
      for (let many = 0; many !== groups.length; ) {
        many = groups.length;
        const merged = [];
        for (const group of groups) {
          const linked = merged.filter((other) => apart(group, other) <= near * POINT);
          for (const other of linked) merged.splice(merged.indexOf(other), 1);
          merged.push([...linked.flat(), ...group]);
        }
        groups = merged;
      }
      for (const group of groups) {
        const [centre, far, entries] = [middle(group), reach(group), colors(group)];
        for (const path of group) {
          const angle = Math.PI * (1 - (2 * entries.indexOf(path.color)) / entries.length);
          const place = [centre[0] + far * Math.cos(angle), centre[1] - far * Math.sin(angle)];
          path.aside = far ? place.map((each, axis) => each - path.end[axis]) : [0, 0];
        }
      }
    }

    draw(pen) {
      pen.lineCap = pen.lineJoin = "round";
      const { told } = this;
      for (const path of this.paths) {
        const [begin, end] = [path.route.ends[path.from], path.route.ends[path.to]];
        pen.globalAlpha = told.shadowOpacity;
        if (this.shadows) line(pen, path.route.shadow, begin, end, path.color, told.shadow);
        pen.globalAlpha = 1;
        pen.setLineDash(told.hiddenDash.map((each) => each * told.hidden * POINT));
        line(pen, path.route.behind, begin, end, path.color, told.hidden);
        pen.setLineDash([]);
      }
      const put = (part) => this.placeSketch(part);
      this.drawEdges(pen, put);
      for (const path of this.paths) path.sketch?.(pen, put, false);
      for (const path of this.paths) this.drawPath(pen, path);
      for (const path of this.paths) path.sketch?.(pen, put, true);
      const { background, ink, minimum, edge } = this.ground.colors;
      const many = Math.min(1, (12 / Math.max(this.placed.minima.length, 1)) ** 0.4);
      this.drawMarks(pen, this.placed.starts, "o", told.start, background, ink, 2.2);
      this.drawMarks(pen, this.placed.minima, "*", told.minimum * many, minimum, edge, 1.4);
      for (const path of this.paths) this.drawHead(pen, path);
    }

    // The edges of sets, with a casing.
    drawEdges(pen, put) {
      const { edges = [], edge, colors } = this.ground;
      const places = edges.map(put);
      for (const [ink, width] of edge ? [[colors.casing, edge.width + 2 * edge.casing], [colors.ink, edge.width]] : []) {
        for (const each of places) line(pen, each, 0, each.length - 1, ink, width);
      }
    }

    drawPath(pen, path) {
      const { told } = this;
      const row = (back) => path.route.ends[Math.max(path.to - back, path.from)];
      const tiers = [
        [path.route.ends[path.from], path.route.ends[path.to], told.width, path.dash],
        ...told.comet.map(([far, near, width]) => [row(far), row(near), width, []]),
      ];
      if (path.from && path.faded) {
        pen.globalAlpha = told.faded;
        line(pen, path.route.visible, 0, path.route.ends[path.from], path.color, told.width);
        pen.globalAlpha = 1;
      }
      for (const [begin, end, width] of tiers) {
        line(pen, path.route.visible, begin, end, path.casing, width + 2 * told.casing);
      }
      for (const [begin, end, width, dash] of tiers) {
        pen.setLineDash(dash.map((each) => each * width * POINT));
        line(pen, path.route.visible, begin, end, path.color, width);
        pen.setLineDash([]);
      }
    }

    drawMarks(pen, marks, name, size, fill, edge, width) {
      for (const mark of marks) {
        if (!mark) continue;
        pen.globalAlpha = mark.opacity;
        this.look.shape(pen, name, mark.at, (size * POINT) / 2, fill, edge, width);
      }
      pen.globalAlpha = 1;
    }

    // The head moves aside as it comes near to its end.
    drawHead(pen, path) {
      const { at, opacity, marker, away } = path.placed;
      const { head, outside, headEdge, reach } = this.told;
      const far = Math.hypot(at[0] - path.end[0], at[1] - path.end[1]);
      const share = Math.max(0, 1 - far / (reach * POINT));
      const place = at.map((each, axis) => each + share * path.aside[axis]);
      pen.globalAlpha = opacity;
      if (share && Math.hypot(...path.aside) * share > 2) {
        line(pen, [at, place], 0, 1, path.casing, TETHER + 1.5);
        line(pen, [at, place], 0, 1, path.color, TETHER);
        this.look.shape(pen, "o", at, 2.6, path.color, path.casing, 1);
      }
      const size = ((away ? outside : head) * POINT) / 2;
      this.look.shape(pen, marker, place, size, path.color, path.casing, headEdge * POINT);
      pen.globalAlpha = 1;
    }
  }

  // What is too near to the last place to be told from it is left out: long paths end in a thousand
  // tiny steps.
  function line(pen, places, begin, end, color, width) {
    pen.beginPath();
    let last = null;
    for (let at = begin; at <= end && at < places.length; at += 1) {
      const place = places[at];
      if (place && last) {
        const isFar = Math.abs(place[0] - last[0]) + Math.abs(place[1] - last[1]) > TINY;
        if (!isFar && at < end && places[at + 1]) continue;
        pen.lineTo(place[0], place[1]);
      } else if (place) pen.moveTo(place[0], place[1]);
      last = place;
    }
    pen.strokeStyle = color;
    pen.lineWidth = width * POINT;
    pen.stroke();
  }

  return { Paths };
})();
