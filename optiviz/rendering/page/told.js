// What Python told the page, and short words for what all scripts need.

const told = JSON.parse(document.getElementById("scene").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const one = (selector) => document.querySelector(selector);
const root = document.documentElement;
const framed = root.classList.contains("framed"); // as tall as what it shows
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

const live = !told.live; // whether the page computes
const descends = live && Object.keys(told.methods).length > 0; // whether it runs any optimizer
const dim = told.surface.dim;
const names = told.surface.names;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

// The theme of the reader's system, or the page's only one.
const look = () => told.theme[dark.matches ? "dark" : "light"] ?? Object.values(told.theme)[0];

// An element with its properties, attributes and children, none of which is ever read as HTML.
function made(tag, { attributes = {}, on = {}, ...properties } = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  element.append(...children);
  return element;
}

// Numbers, as the pictures write them.

const minus = (text) => text.replace(/^-/, "\u2212");

function written(value, digits = 4) {
  if (value === null || !Number.isFinite(value)) return "\u2013";
  const size = Math.abs(value);
  if (size >= 1e4 && size < 1e5) return minus(value.toFixed(0));
  const plain = value.toPrecision(digits);
  if (!plain.includes("e") && (value === 0 || size >= 1e-3)) return minus(plain);
  return minus(value.toExponential(2).replace("+", ""));
}

// A number in at most so many significant digits, as Python's "g" writes it.
function general(value, digits = 4) {
  const [mantissa, power] = value.toExponential(digits - 1).split("e");
  const trimmed = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  if (value !== 0 && (Number(power) < -4 || Number(power) >= digits)) {
    return `${trimmed(mantissa)}e${Number(power)}`;
  }
  return trimmed(value.toFixed(clamp(digits - 1 - Number(power), 0, 100)));
}

const place = (point) => `(${[...point].map((each) => written(each, 3)).join(", ")})`;

// A number in as few digits as show differences of this size.
function shortened(value, size) {
  const digits = Math.ceil(-Math.log10(size));
  if (digits <= 20) return Number(value.toFixed(Math.max(digits, 0)));
  const known = Math.ceil(Math.log10(Math.abs(value) / size)) + 1;
  return known < 1 ? 0 : Number(value.toPrecision(Math.min(known, 17)));
}

// The last of rising numbers that is not above a number.
function rowAt(steps, wanted) {
  let low = 0;
  let high = steps.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (steps[middle] <= wanted) low = middle;
    else high = middle - 1;
  }
  return low;
}
