// Scales of axes and their ticks, as views/scales.py and views/ticks.py choose them.

const MARGIN = 0.05; // share of the height at both ends
const FEW_DECADES = 2.2; // up to which ticks are at 1, 2 and 5, and not at powers of ten alone
const SYMLOG_RATIO = 1e4; // largest value over median above which values get "symlog"
const LARGEST = 1e300;
const SUPERSCRIPTS = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

// An axis on which all finite values of some arrays can be seen and told apart; on a logarithmic one,
// those below a floor are drawn at it.
function scaleFor(name, arrays, linear = false, least = 0) {
  let [low, high, positive] = [Infinity, -Infinity, Infinity];
  for (const values of arrays) {
    for (const value of values) {
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
      if (value > 0 && value < positive) positive = value;
    }
  }
  if (low > high) return axis(name, "linear", [0, 1]);
  if (!linear && low >= 0 && positive < Infinity && high / positive >= 10) {
    const floor = positive < least && least < high ? least : 0;
    const [first, last] = [Math.log10(Math.max(positive, floor)), Math.log10(high)];
    const extra = MARGIN * (last - first);
    const ends = [10 ** (first - extra), 10 ** Math.min(last + extra, 308.25)];
    return axis(name, "log", [Math.max(ends[0], Number.MIN_VALUE), ends[1]], 1, floor);
  }
  const large = Math.max(-low, high);
  if (large > LARGEST || (!linear && low < 0)) {
    const sizes = arrays.flatMap((values) => [...values]).filter((each) => each && Number.isFinite(each));
    const middle = sizes.map(Math.abs).sort((one, other) => one - other)[sizes.length >> 1] ?? 0;
    if (large > LARGEST || large > SYMLOG_RATIO * middle) {
      const most = Math.max(2 * Math.min(large, LARGEST), large);
      const threshold = Math.min(middle, LARGEST / SYMLOG_RATIO);
      return axis(name, "symlog", [low < 0 ? -most : 0, high > 0 ? most : 0], threshold);
    }
  }
  const difference = high - low || Math.abs(high);
  const side = difference > 1e-290 ? difference : 1;
  return axis(name, "linear", [low - MARGIN * side, high + MARGIN * side]);
}

function axis(name, kind, ends, threshold = 1, floor = 0) {
  const found = { name, kind, ends, threshold, floor };
  found.ticks = ticksOf(found);
  return found;
}

function ticksOf({ kind, ends: [low, high], threshold, floor }, many = 6) {
  if (kind === "linear") return linearTicks(low, high, many);
  if (kind === "log") {
    const fine = high < low * 10 ** FEW_DECADES ? fineTicks(low, high) : [];
    if (fine.length > 1 && fine.length <= many) return fine;
    const found = decades(floor || low, high, many);
    if (floor) found[0][1] = `\u2264${found[0][1]}`;
    return found;
  }
  const half = Math.max(many >> 1, 1);
  const above = high > threshold ? decades(threshold, high, half) : [];
  const below = -low > threshold ? decades(threshold, -low, half) : [];
  return [...below.map(([at, said]) => [-at, `\u2212${said}`]), [0, "0"], ...above];
}

function linearTicks(low, high, many = 6) {
  const raw = (high - low) / many;
  const decade = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((each) => each * decade).find((each) => each >= raw * (1 - 1e-12));
  const slack = 1e-9 * (high - low);
  const places = [];
  for (let at = Math.ceil((low - slack) / step); at * step <= high + slack; at += 1) {
    places.push(Math.abs(at) < 1e-6 ? 0 : at * step);
    if (places.length > 4 * many) break; // the axis is too short for float64
  }
  const largest = Math.max(step, ...places.map(Math.abs));
  if (step >= 1e-3 && largest < 1e5) {
    const decimals = [0, 1, 2, 3].find((n) => Math.abs(step - Number(step.toFixed(n))) < 5e-7) ?? 4;
    return places.map((at) => [at, minus(at.toFixed(decimals))]);
  }
  let digits = Math.ceil(Math.log10(largest / step)) + 1;
  const exact = (at) => Math.abs(Number(general(at, digits)) - at) < step / 1000;
  while (digits < 17 && !places.every(exact)) digits += 1;
  return places.map((at) => [at, minus(general(at, Math.min(digits, 17)))]);
}

function fineTicks(low, high) {
  const found = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.floor(Math.log10(high)); power += 1) {
    for (const digit of [1, 2, 5]) {
      const at = Number(`${digit}e${power}`);
      if (low <= at && at <= high) found.push([at, general(at, 6)]);
    }
  }
  return found;
}

function decades(low, high, many) {
  const [first, last] = [Math.ceil(Math.log10(low)), Math.floor(Math.log10(high))];
  const stride = Math.max(1, Math.ceil((last - first + 1) / many));
  const found = [];
  for (let power = first; power <= last; power += stride) found.push([10 ** power, powerOfTen(power)]);
  return found;
}

// The least power of ten not below a number, 0 if that is not positive.
const powerAbove = (value) => (value > 0 ? Number(`1e${Math.ceil(Math.log10(value))}`) : 0);

function powerOfTen(power) {
  if (power >= -3 && power <= 4) return general(10 ** power, 6);
  const raised = [...String(Math.abs(power))].map((digit) => SUPERSCRIPTS[digit]).join("");
  return `10${power < 0 ? "\u207b" : ""}${raised}`;
}

// Where a number lies on an axis, from 0 to 1.

const SYMLOG = 1 / (1 - 1 / 10); // decades that the linear part is worth

function scaled(axis, value) {
  if (axis.kind === "log") return Math.log10(Math.max(value, axis.floor || Number.MIN_VALUE));
  if (axis.kind === "symlog") {
    const share = value / axis.threshold;
    const size = Math.abs(share);
    return size <= 1 ? share * SYMLOG : Math.sign(share) * (SYMLOG + Math.log10(size));
  }
  return value;
}

// A function from numbers on an axis to a length along it, which begins at `from`.
function along(axis, from, length) {
  const [low, high] = axis.ends.map((end) => scaled(axis, end));
  const factor = length / (high - low);
  if (axis.kind === "linear") return (value) => from + (value - low) * factor;
  return (value) => from + (scaled(axis, value) - low) * factor;
}

const onAxis = (axis, value) => (value === null ? NaN : along(axis, 0, 1)(value));
