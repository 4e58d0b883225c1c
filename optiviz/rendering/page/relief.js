// The relief: the surface in WebGL 2, and its box, paths and marks in 2-D around it.
//
// const relief = createRelief(canvas, look)     null where there is no WebGL 2: show told.images then
//   canvas: of any CSS size; it becomes a 2-D canvas (WebGL draws into one that nobody sees). It gets
//     drag, pinch, wheel and, with the focus, arrow keys, + and -, Home. Its page gives it a tabindex,
//     a role and a label, and `touch-action: none`.
//   look: {told: the answer of relief.py, onchange(): the camera has moved or the surface is there
//     again, call draw; ticks(low, high, many) => [[value, said], ..]; written(value, digits) => text;
//     shape(pen, name, [x, y], size, fill, edge, width) draws a marker; quantity: name of the height}
// relief.setGround({window: [[x0, x1], [y0, y1]], names, columns, rows, values, levels, ramp, dark,
//   aspect, colors, value})
//   values: Float64Array of rows * columns, row 0 at the bottom, nan where undefined; 161 per side are
//   best. ramp: 256 colours "#rrggbb". aspect: width / height of the ground. colors: those of a theme,
//   {background, ink, edge, muted, casing, rule, minimum, lit: [color, opacity], shaded: the same}.
//   coats: other ramps for parts of it, {ramp, shares: of each point that is covered}; edges: lines,
//   {points: [[x, y], ..]}, and edge: {width, casing} in points; none of these unless given.
//   value: null or a function of [x, y], which tells exactly where the surface ends or has a pole.
// relief.setPaths([{points, color, casing, head, dash, from, to, sketch}], {minima, starts})
//   from, to: rows of points; what is before `from` is faded, what is after `to` is not drawn.
//   sketch: null or a function (pen, put, above) that draws what is beneath and above the path; put
//   returns the pixels of {points: [[x, y], ..], dots: whether these are no line}, null where hidden.
// relief.draw()
// relief.camera = {azimuth, elevation, distance}, also only some of them; distance 1 shows all of it
// relief.dispose()

const createRelief = (() => {
  const { POINT } = reliefBox;
  const MAX_RATIO = 2; // pixels of the canvas per pixel of the page
  const TURN = 0.4; // degrees per pixel that is dragged
  const KEY = 5; // degrees per key
  const NEAREST = 0.3; // the least distance
  const FARTHEST = 3;
  const WHEEL = 0.0015; // by how much a wheel's pixel changes the logarithm of the distance
  const ZOOM = 1.15; // by how much a key changes the distance
  const FEWER = 0.5; // share of the pixels along each side while the camera moves, without a GPU
  const REST = 150; // milliseconds after which it rests
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const ZOOMS = { "+": 1 / ZOOM, "=": 1 / ZOOM, "-": ZOOM };
  const COARSE = 2; // cells per side of those that are drawn where a processor draws them
  const SOFTWARE = /swiftshader|llvmpipe|software|basic render/i;

  const VERTEX = `#version 300 es
    layout(location = 0) in vec4 vertex; // column, row, height, and 0 at the edge of a hole
    layout(location = 1) in float place; // among the levels
    uniform vec2 count, sides, right, away, rise, size, middle; // size and middle in pixels
    uniform float perspective, scale, level;
    uniform bool isFloor;
    out vec2 cell;
    out float height, inside, placed;
    void main() {
      cell = vertex.xy;
      height = vertex.z;
      inside = vertex.w;
      placed = place;
      vec2 ground = (cell / (count - 1.0) - 0.5) * sides;
      float depth = dot(ground, away), w = 1.0 + perspective * depth;
      float up = (isFloor ? level : height) * rise.x + depth * rise.y;
      vec2 pixel = vec2(middle.x * w + dot(ground, right) * scale, middle.y * w - up * scale);
      gl_Position = vec4(2.0 * pixel.x / size.x - w, w - 2.0 * pixel.y / size.y, depth, w);
    }`;

  // Lines are drawn by how many pixels it is to them: how far in levels, by how fast that changes.
  const FRAGMENT = `#version 300 es
    precision highp float;
    precision highp sampler2D;
    in vec2 cell;
    in float height, inside, placed;
    uniform sampler2D above, below, ramp, known; // known: the place among the levels, and within
    uniform vec4 isoline, rim;
    uniform vec3 tint;
    uniform vec2 count, shares, cut; // shares: of the ramp, for lines on the floor
    uniform float tall, first, last, stride, many, isolineWidth, floorWidth, rimWidth;
    uniform bool isFloor;
    out vec4 color;

    float slopeOf(float value) { return max(length(vec2(dFdx(value), dFdy(value))), 1e-9); }
    float lineAt(float place, float width) {
      float nth = (place - first) / stride;
      float near = floor(nth + 0.5);
      float far = abs(nth - near) / slopeOf(nth);
      bool drawn = near >= 0.0 && first + near * stride < last + 0.5;
      return drawn ? min(width, 1.0) * clamp(0.5 + max(width, 1.0) / 2.0 - far, 0.0, 1.0) : 0.0;
    }
    void main() {
      ivec2 corner = ivec2(min(floor(cell), count - 2.0));
      vec2 share = cell - vec2(corner);
      vec2 low = mix(texelFetch(known, corner, 0).xy, texelFetch(known, corner + ivec2(1, 0), 0).xy, share.x);
      vec2 high = mix(texelFetch(known, corner + ivec2(0, 1), 0).xy, texelFetch(known, corner + 1, 0).xy, share.x);
      vec2 here = mix(low, high, share.y);
      if (isFloor) {
        vec3 line = texture(ramp, vec2(clamp(here.x / many, shares.x, shares.y), 0.5)).rgb;
        color = vec4(mix(tint, line, here.y < 0.0 ? 0.0 : lineAt(here.x, floorWidth)), 1.0);
        return;
      }
      float edge = 1e9; // pixels from where the box cuts the surface off
      if (cut.x > 0.0) edge = min(edge, height / slopeOf(height));
      if (cut.y > 0.0) edge = min(edge, (tall - height) / slopeOf(height));
      float opacity = clamp(edge + 0.5, 0.0, 1.0);
      if (opacity == 0.0) discard;
      vec2 ends = min(cell, count - 1.0 - cell) / vec2(slopeOf(cell.x), slopeOf(cell.y));
      float border = min(min(edge, inside / slopeOf(inside)), min(ends.x, ends.y));
      float line = rim.a * clamp(rimWidth + 0.5 - border, 0.0, 1.0);
      vec2 texel = (cell + 0.5) / count;
      vec3 seen = (gl_FrontFacing ? texture(above, texel) : texture(below, texel)).rgb;
      vec3 drawn = mix(mix(seen, isoline.rgb, isoline.a * lineAt(inside < 1.0 ? placed : here.x, isolineWidth)), rim.rgb, line);
      color = vec4(drawn * opacity, opacity);
    }`;

  const TEXTURES = ["above", "below", "ramp", "known"];
  const mixed = (one, other, share) => one.map((each, nth) => each + share * (other[nth] - each));

  function compile(gl) {
    const program = gl.createProgram();
    for (const [kind, source] of Object.entries({ VERTEX_SHADER: VERTEX, FRAGMENT_SHADER: FRAGMENT })) {
      const shader = gl.createShader(gl[kind]);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getAttachedShaders(program).map((each) => gl.getShaderInfoLog(each)).join());
    }
    return program;
  }

  // Whether there is no graphics card, so that each triangle takes time.
  function isSlow(gl) {
    const named = gl.getExtension("WEBGL_debug_renderer_info");
    return SOFTWARE.test(gl.getParameter(named ? named.UNMASKED_RENDERER_WEBGL : gl.RENDERER));
  }

  // The surface on a canvas of its own.
  class Surface {
    constructor(told, onrestored) {
      this.told = told;
      this.canvas = document.createElement("canvas");
      this.gl = this.canvas.getContext("webgl2", { antialias: true, preserveDrawingBuffer: true });
      if (!this.gl) return;
      this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
      this.canvas.addEventListener("webglcontextrestored", () => {
        this.build();
        if (this.field) this.load(this.ground, this.field);
        onrestored();
      });
      this.build();
    }

    build() {
      const { gl } = this;
      this.program = compile(gl);
      gl.useProgram(this.program);
      gl.enable(gl.DEPTH_TEST);
      gl.depthFunc(gl.LEQUAL);
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
      [0, 4].forEach((begin, location) => {
        gl.enableVertexAttribArray(location);
        const size = begin ? 1 : 4;
        gl.vertexAttribPointer(location, size, gl.FLOAT, false, 4 * reliefMesh.SIZE, 4 * begin);
      });
      this.stride = isSlow(gl) ? COARSE : 1;
      TEXTURES.forEach((name, unit) => {
        gl.activeTexture(gl.TEXTURE0 + unit);
        gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
        for (const side of ["S", "T"]) gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_WRAP_${side}`], gl.CLAMP_TO_EDGE);
        for (const filter of ["MIN", "MAG"]) {
          gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${filter}_FILTER`], name === "known" ? gl.NEAREST : gl.LINEAR);
        }
        gl.uniform1i(gl.getUniformLocation(this.program, name), unit);
      });
    }

    setTexture(name, columns, rows, values) {
      const { gl } = this;
      const isFine = values instanceof Float32Array;
      gl.activeTexture(gl.TEXTURE0 + TEXTURES.indexOf(name));
      const [stored, format, type] = isFine ? [gl.RG32F, gl.RG, gl.FLOAT] : [gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE];
      gl.texImage2D(gl.TEXTURE_2D, 0, stored, columns, rows, 0, format, type, values);
    }

    set(name, ...values) {
      const { gl, program } = this;
      gl[`uniform${values.length}f`](gl.getUniformLocation(program, name), ...values);
    }

    load(ground, field) {
      const { gl, told } = this;
      Object.assign(this, { ground, field });
      const { columns, rows, shown, heights } = field;
      const { vertices, indices } = reliefMesh.meshOf(field, this.stride);
      gl.bufferData(gl.ARRAY_BUFFER, vertices, gl.DYNAMIC_DRAW);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.DYNAMIC_DRAW);
      this.many = indices.length - reliefMesh.FLOOR;
      const known = new Float32Array(2 * columns * rows).fill(1);
      field.places.forEach((place, at) => {
        known[2 * at] = place;
        if (field.within) known[2 * at + 1] = field.within[at];
      });
      this.setTexture("known", columns, rows, known);
      this.setTexture("above", columns, rows, field.above);
      this.setTexture("below", columns, rows, field.below);
      const ramp = ground.ramp.map(reliefLight.rgbOf);
      const bytes = ramp.flatMap((color) => [...color, 1].map((each) => Math.round(255 * each)));
      this.setTexture("ramp", ramp.length, 1, Uint8Array.from(bytes));
      const { lit, shaded, edge, background } = ground.colors;
      const [lineColor, lineOpacity] = ground.dark ? lit : shaded;
      this.set("count", columns, rows);
      this.set("sides", ...field.sides);
      this.set("tint", ...mixed(reliefLight.rgbOf(background), ramp[ramp.length >> 1], told.lines.tint));
      this.set("isoline", ...reliefLight.rgbOf(lineColor), lineOpacity);
      this.set("rim", ...reliefLight.rgbOf(ground.dark ? lit[0] : edge), told.lines.rimOpacity);
      this.set("shares", ...told.lines.floorShares[ground.dark ? 1 : 0]);
      this.set("cut", ...heights.cut.map(Number));
      this.set("tall", field.tall);
      this.set("level", -told.box.depth);
      this.set("perspective", told.box.perspective);
      for (const name of ["first", "last", "stride", "many"]) this.set(name, shown[name]);
    }

    // Draw what a camera sees into a picture of so many pixels, of which a pixel of the page has
    // `ratio` along each side.
    draw(camera, width, height, ratio) {
      const { gl, told } = this;
      if (gl.isContextLost()) return;
      Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
      gl.viewport(0, 0, this.canvas.width, this.canvas.height);
      gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
      this.set("size", width, height);
      this.set("middle", camera.x, camera.y);
      for (const name of ["right", "away", "rise"]) this.set(name, ...camera[name]);
      this.set("scale", camera.scale);
      this.set("isolineWidth", told.lines.isoline * POINT * ratio);
      this.set("floorWidth", told.lines.floor * POINT * ratio);
      this.set("rimWidth", told.lines.rim * POINT * ratio);
      const isFloor = gl.getUniformLocation(this.program, "isFloor");
      if (told.floor) {
        gl.uniform1i(isFloor, 1);
        gl.drawElements(gl.TRIANGLES, reliefMesh.FLOOR, gl.UNSIGNED_INT, 0);
      }
      gl.uniform1i(isFloor, 0);
      if (this.field.cuts) gl.enable(gl.SAMPLE_ALPHA_TO_COVERAGE); // for smooth edges
      gl.drawElements(gl.TRIANGLES, this.many, gl.UNSIGNED_INT, 4 * reliefMesh.FLOOR);
      gl.disable(gl.SAMPLE_ALPHA_TO_COVERAGE);
    }
  }

  class Relief {
    constructor(canvas, look, surface) {
      Object.assign(this, { canvas, look, surface });
      this.home = { distance: 1, ...look.told.camera };
      this.seen = { ...this.home };
      this.isMoving = false; // by hand, just now
      this.pointers = new Map();
      this.stop = new AbortController();
      const listen = (name, use) => canvas.addEventListener(name, use, { signal: this.stop.signal, passive: false });
      listen("pointerdown", (event) => this.grasp(event));
      listen("pointermove", (event) => this.drag(event));
      for (const name of ["pointerup", "pointercancel"]) listen(name, (event) => this.pointers.delete(event.pointerId));
      listen("wheel", (event) => {
        event.preventDefault();
        this.move({ distance: this.seen.distance * Math.exp(WHEEL * event.deltaY) });
      });
      listen("keydown", (event) => this.press(event));
    }

    get camera() {
      return { ...this.seen };
    }

    set camera(wanted) {
      const { elevations } = this.look.told.box;
      const { azimuth, elevation, distance } = { ...this.seen, ...wanted };
      if (![azimuth, elevation, distance].every(Number.isFinite)) return;
      this.seen = {
        azimuth: azimuth - 360 * Math.round(azimuth / 360),
        elevation: reliefLight.clip(elevation, ...elevations),
        distance: reliefLight.clip(distance, NEAREST, FARTHEST),
      };
      this.fitted = null;
    }

    move(wanted) {
      this.camera = wanted;
      this.isMoving = true;
      clearTimeout(this.resting);
      this.resting = setTimeout(() => this.rest(), REST);
      this.look.onchange();
    }

    rest() {
      this.isMoving = false;
      this.fitted = null;
      this.look.onchange();
    }

    grasp(event) {
      this.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.clientX, event.clientY]);
    }

    drag(event) {
      const before = this.pointers.get(event.pointerId);
      if (!before) return;
      const now = [event.clientX, event.clientY];
      const other = [...this.pointers].find(([id]) => id !== event.pointerId)?.[1];
      this.pointers.set(event.pointerId, now);
      if (other) {
        const far = (point) => Math.max(Math.hypot(point[0] - other[0], point[1] - other[1]), 1);
        this.move({ distance: (this.seen.distance * far(before)) / far(now) });
        return;
      }
      this.turn(TURN * (before[0] - now[0]), TURN * (now[1] - before[1]));
    }

    turn(around, up) {
      this.move({ azimuth: this.seen.azimuth + around, elevation: this.seen.elevation + up });
    }

    press(event) {
      if (event.ctrlKey || event.altKey || event.metaKey) return;
      if (ARROWS[event.key]) this.turn(...ARROWS[event.key].map((each) => KEY * each));
      else if (ZOOMS[event.key]) this.move({ distance: this.seen.distance * ZOOMS[event.key] });
      else if (event.key === "Home") this.move(this.home);
      else return;
      event.preventDefault();
    }

    setGround(ground) {
      this.ground = ground;
      this.field = reliefField.fieldOf(ground, this.look.told);
      this.surface.load(ground, this.field);
      this.box = new reliefBox.Box(ground, this.field, this.look);
      if (this.given) this.setPaths(...this.given);
      this.fitted = null;
    }

    setPaths(paths, marks) {
      this.given = [paths, marks];
      this.paths = new reliefPaths.Paths(this.ground, this.field, this.look, paths, marks, this.paths);
    }

    draw() {
      const { clientWidth: width, clientHeight: height } = this.canvas;
      if (!this.field || !width || !height) return;
      const ratio = Math.min(devicePixelRatio || 1, MAX_RATIO);
      const pen = this.canvas.getContext("2d");
      const wanted = `${width} ${height} ${ratio}`;
      if (!this.fitted || this.drawn !== wanted) {
        const { azimuth, elevation, distance } = this.seen;
        const region = this.box.region(pen, width, height);
        const camera = new reliefCamera.Camera(azimuth, elevation, this.look.told.box.perspective);
        this.fitted = camera.fitted(this.box.corners, region, distance);
        this.drawn = wanted;
        // Where a processor draws, it draws fewer pixels until the camera rests.
        const share = this.isMoving && this.surface.stride > 1 ? FEWER : 1;
        this.surface.draw(this.fitted, width, height, ratio * share);
        this.box.prepare(this.fitted);
      }
      if (this.paths && this.paths.camera !== this.fitted) this.paths.place(this.fitted);
      // A canvas that is given its size is empty.
      Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.lineCap = pen.lineJoin = "round";
      this.box.drawWalls(pen, this.fitted);
      pen.drawImage(this.surface.canvas, 0, 0, width, height);
      this.box.drawAxes(pen, this.fitted, this.isMoving);
      this.paths?.draw(pen);
    }

    dispose() {
      this.stop.abort();
      clearTimeout(this.resting);
      this.surface.gl.getExtension("WEBGL_lose_context")?.loseContext();
    }
  }

  return (canvas, look) => {
    const surface = new Surface(look.told, () => {
      relief.fitted = null;
      look.onchange();
    });
    const relief = surface.gl && new Relief(canvas, look, surface);
    return relief || null;
  };
})();
