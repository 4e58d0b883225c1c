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
//   value: null or a function of [x, y], which tells exactly where the surface ends or has a pole.
// relief.setPaths([{points, color, casing, head, dash, from, to}], {minima, starts})
//   from, to: rows of points; what is before `from` is faded, what is after `to` is not drawn.
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
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  const ZOOMS = { "+": 1 / ZOOM, "=": 1 / ZOOM, "-": ZOOM };
  // Of a vertex; each is an array of the field with so many numbers.
  const ATTRIBUTES = ["grid", "within", "riseU", "riseV", "sky", "sun", "places"];

  const VERTEX = `#version 300 es
    in float grid, within, riseU, riseV, sky, sun, places;
    uniform vec2 count; // columns, rows
    uniform vec2 sides, right, away, rise, size, middle; // size and middle in pixels
    uniform float perspective, scale, level;
    uniform bool isFloor;
    out vec2 cell, slope;
    out float height, inside, sky_, sun_, place;
    void main() {
      cell = vec2(gl_VertexID % int(count.x), gl_VertexID / int(count.x));
      vec2 ground = (cell / (count - 1.0) - 0.5) * sides;
      height = grid; inside = within; slope = vec2(riseU, riseV); sky_ = sky; sun_ = sun; place = places;
      float depth = dot(ground, away), w = 1.0 + perspective * depth;
      float up = (isFloor ? level : grid) * rise.x + depth * rise.y;
      vec2 pixel = vec2(middle.x * w + dot(ground, right) * scale, middle.y * w - up * scale);
      gl_Position = vec4(2.0 * pixel.x / size.x - w, w - 2.0 * pixel.y / size.y, depth, w);
    }`;

  const FRAGMENT = (light, colors) => `#version 300 es
    precision highp float;
    in vec2 cell, slope;
    in float height, inside, sky_, sun_, place;
    uniform sampler2D ramp; // the square roots of linear light
    uniform vec4 isoline, rim;
    uniform vec3 tint, below;
    uniform vec2 count, shares, cut; // shares: of the ramp, for lines on the floor
    uniform float tall, first, last, stride, many, isolineWidth, floorWidth, rimWidth;
    uniform bool isFloor;
    out vec4 color;
    const vec3 sun = vec3(${colors(light.towards)});

    float slopeOf(float value) { return max(length(vec2(dFdx(value), dFdy(value))), 1e-9); }
    float pixels(float value) { return value / slopeOf(value); }
    float stroke(float distance, float width) {
      return min(width, 1.0) * clamp(0.5 + max(width, 1.0) / 2.0 - abs(distance), 0.0, 1.0);
    }
    vec3 baseAt(float share) { vec3 root = texture(ramp, vec2((share * 255.0 + 0.5) / 256.0, 0.5)).rgb; return root * root; }
    vec3 encoded(vec3 linear) {
      linear = clamp(linear, 0.0, 1.0);
      return mix(12.92 * linear, 1.055 * pow(linear, vec3(1.0 / 2.4)) - 0.055, step(0.0031308, linear));
    }
    float isolineAt(float width) {
      float nth = (place - first) / stride;
      float near = floor(nth + 0.5);
      if (near < 0.0 || first + near * stride > last + 0.5) return 0.0;
      return stroke((nth - near) / slopeOf(nth), width);
    }
    vec3 seen(float share) {
      vec3 base = baseAt(share);
      float long = sqrt(1.0 + dot(slope, slope));
      if (!gl_FrontFacing) {
        float tilt = ${light.belowLight[0].toFixed(6)} + ${light.belowLight[1].toFixed(6)} * dot(slope, sun.xy) / long;
        return encoded(mix(base, below, ${light.belowMix.toFixed(6)}) * tilt);
      }
      float facing = (sun.z - dot(slope, sun.xy)) / long;
      float lit = 1.0 - ${light.shadow.toFixed(6)} * (1.0 - clamp(sun_, 0.0, 1.0));
      float wrapped = max((facing + ${light.wrap.toFixed(6)}) / (sun.z + ${light.wrap.toFixed(6)}), 0.0);
      vec3 sunlight = ${light.sunShare.toFixed(6)} * wrapped * lit * vec3(${colors(light.sunColor)});
      vec3 skylight = ${light.skyShare.toFixed(6)} * clamp(sky_, 0.0, 1.0) * vec3(${colors(light.skyColor)});
      float knee = ${light.knee.toFixed(6)};
      return encoded(base * (1.0 - exp(-knee * (sunlight + skylight))) / (1.0 - exp(-knee)));
    }
    void main() {
      float share = clamp(place / many, 0.0, 1.0);
      if (isFloor) {
        float drawn = inside < 0.0 ? 0.0 : isolineAt(floorWidth);
        color = vec4(mix(tint, encoded(baseAt(clamp(share, shares.x, shares.y))), drawn), 1.0);
        return;
      }
      float edge = 1e9; // pixels from where the surface ends within the window
      if (cut.x > 0.0) edge = min(edge, pixels(height));
      if (cut.y > 0.0) edge = min(edge, pixels(tall - height));
      if (inside < 1.0) edge = min(edge, pixels(inside));
      float opacity = clamp(edge + 0.5, 0.0, 1.0);
      if (opacity == 0.0) discard;
      vec2 ends = min(cell, count - 1.0 - cell) / vec2(slopeOf(cell.x), slopeOf(cell.y));
      float border = min(edge, min(ends.x, ends.y));
      vec3 drawn = mix(seen(share), isoline.rgb, isoline.a * isolineAt(isolineWidth));
      float line = rim.a * clamp(rimWidth + 0.5 - border, 0.0, 1.0);
      color = vec4(mix(drawn, rim.rgb, line) * opacity, opacity);
    }`;

  const rgbOf = (color) => [1, 3, 5].map((place) => parseInt(color.slice(place, place + 2), 16) / 255);
  const mixed = (one, other, share) => one.map((each, nth) => each + share * (other[nth] - each));

  function compile(gl, light) {
    const [azimuth, elevation] = light.sun.map(reliefLight.radians);
    const flat = Math.cos(elevation);
    const towards = [flat * Math.cos(azimuth), flat * Math.sin(azimuth), Math.sin(elevation)];
    const colors = (numbers) => numbers.map((each) => each.toFixed(6)).join(", ");
    const program = gl.createProgram();
    const sources = { VERTEX_SHADER: VERTEX, FRAGMENT_SHADER: FRAGMENT({ ...light, towards }, colors) };
    for (const [kind, source] of Object.entries(sources)) {
      const shader = gl.createShader(gl[kind]);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    ATTRIBUTES.forEach((name, at) => gl.bindAttribLocation(program, at, name));
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getProgramInfoLog(program) || gl.getShaderInfoLog(gl.getAttachedShaders(program)[1]));
    }
    return program;
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
      this.program = compile(gl, this.told.light);
      gl.useProgram(this.program);
      gl.enable(gl.DEPTH_TEST);
      gl.depthFunc(gl.LEQUAL);
      this.buffers = ATTRIBUTES.map(() => gl.createBuffer());
      this.indices = gl.createBuffer();
      this.counted = "";
      gl.bindTexture(gl.TEXTURE_2D, gl.createTexture());
      for (const [name, value] of Object.entries({ WRAP_S: "CLAMP_TO_EDGE", WRAP_T: "CLAMP_TO_EDGE", MIN_FILTER: "LINEAR", MAG_FILTER: "LINEAR" })) {
        gl.texParameteri(gl.TEXTURE_2D, gl[`TEXTURE_${name}`], gl[value]);
      }
    }

    set(name, ...values) {
      const { gl, program } = this;
      gl[`uniform${values.length}f`](gl.getUniformLocation(program, name), ...values);
    }

    load(ground, field) {
      const { gl, told } = this;
      Object.assign(this, { ground, field });
      const { columns, rows, shown, heights } = field;
      ATTRIBUTES.forEach((name, at) => {
        gl.disableVertexAttribArray(at);
        gl.vertexAttrib1f(at, 1); // within, where there are no holes
        if (!field[name]) return;
        gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[at]);
        gl.bufferData(gl.ARRAY_BUFFER, field[name], gl.DYNAMIC_DRAW);
        gl.enableVertexAttribArray(at);
        gl.vertexAttribPointer(at, 1, gl.FLOAT, false, 0, 0);
      });
      if (this.counted !== `${columns} ${rows}`) this.loadCells(columns, rows);
      const base = reliefLight.vividRamp(ground.ramp, told.light);
      const roots = Uint8Array.from(base.flatMap((color) => [...color, 1].map((each) => Math.round(255 * Math.sqrt(each)))));
      gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, base.length, 1, 0, gl.RGBA, gl.UNSIGNED_BYTE, roots);
      const mean = base.flat().reduce((sum, each) => sum + each) / (3 * base.length);
      const { lit, shaded, edge, background } = ground.colors;
      const [lineColor, lineOpacity] = ground.dark ? lit : shaded;
      this.set("count", columns, rows);
      this.set("sides", ...field.sides);
      this.set("below", ...told.light.belowTint.map((each) => each * mean));
      this.set("tint", ...mixed(rgbOf(background), rgbOf(ground.ramp[ground.ramp.length >> 1]), told.lines.tint));
      this.set("isoline", ...rgbOf(lineColor), lineOpacity);
      this.set("rim", ...rgbOf(ground.dark ? lit[0] : edge), told.lines.rimOpacity);
      this.set("shares", ...told.lines.floorShares[ground.dark ? 1 : 0]);
      this.set("cut", ...heights.cut.map(Number));
      this.set("tall", field.tall);
      this.set("level", -told.box.depth);
      this.set("perspective", told.box.perspective);
      for (const name of ["first", "last", "stride", "many"]) this.set(name, shown[name]);
    }

    loadCells(columns, rows) {
      const { gl } = this;
      const indices = new Uint32Array(6 * (columns - 1) * (rows - 1));
      let end = 0;
      for (let row = 0; row + 1 < rows; row += 1) {
        for (let column = 0; column + 1 < columns; column += 1) {
          const at = row * columns + column;
          indices.set([at, at + 1, at + columns + 1, at, at + columns + 1, at + columns], end);
          end += 6;
        }
      }
      gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.indices);
      gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, indices, gl.STATIC_DRAW);
      this.counted = `${columns} ${rows}`;
      this.many = end;
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
      for (const floor of told.floor ? [1, 0] : [0]) {
        gl.uniform1i(isFloor, floor);
        if (!floor && this.field.cuts) gl.enable(gl.SAMPLE_ALPHA_TO_COVERAGE);
        gl.drawElements(gl.TRIANGLES, this.many, gl.UNSIGNED_INT, 0);
        gl.disable(gl.SAMPLE_ALPHA_TO_COVERAGE);
      }
    }
  }

  class Relief {
    constructor(canvas, look, surface) {
      Object.assign(this, { canvas, look, surface });
      this.home = { distance: 1, ...look.told.camera };
      this.seen = { ...this.home };
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
      this.paths = new reliefPaths.Paths(this.ground, this.field, this.look, paths, marks);
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
        this.surface.draw(this.fitted, width, height, ratio);
        this.box.prepare(this.fitted);
      }
      if (this.paths && this.paths.camera !== this.fitted) this.paths.place(this.fitted);
      // A canvas that is given its size is empty.
      Object.assign(this.canvas, { width: Math.round(width * ratio), height: Math.round(height * ratio) });
      pen.setTransform(ratio, 0, 0, ratio, 0, 0);
      pen.lineCap = pen.lineJoin = "round";
      this.box.drawWalls(pen, this.fitted);
      pen.drawImage(this.surface.canvas, 0, 0, width, height);
      this.box.drawAxes(pen, this.fitted);
      this.paths?.draw(pen);
    }

    dispose() {
      this.stop.abort();
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
