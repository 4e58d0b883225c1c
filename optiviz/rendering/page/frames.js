"use strict";

// Live pages in frames: each is assembled from the parts that all share and its own, in a frame that
// can reach nothing outside of it.

const { pieces, shared, own, values } = JSON.parse(document.getElementById("pages").textContent);
const TALLEST = 4000; // pixels of a frame

// What pages have in common, with what one has instead or beside it.
function joined(common, mine) {
  const found = { ...common, ...mine };
  for (const [key, value] of Object.entries(mine)) {
    const both = [common[key], value].every((each) => each && typeof each === "object" && !Array.isArray(each));
    if (both) found[key] = joined(common[key], value);
  }
  return found;
}

const partsOf = (name) => joined(shared, own[name]);

function assembled(name) {
  const parts = partsOf(name);
  for (const key of values) parts[key] = JSON.stringify(parts[key]).replaceAll("<", "\\u003c");
  return pieces.map((piece, at) => (at % 2 ? parts[piece] : piece)).join("");
}

// Append the frame of a page to a place.
function addFrame(place, name, title, loaded = () => {}) {
  const frame = document.createElement("iframe");
  frame.title = title;
  frame.sandbox = "allow-scripts";
  frame.allow = "clipboard-write *";
  frame.srcdoc = assembled(name);
  frame.addEventListener("load", () => {
    frame.contentWindow.postMessage("height", "*");
    loaded();
  }, { once: true });
  place.append(frame);
}

// About as tall as a live page is at a width, by what it shows: all in pixels, as in page.css.
function expected({ picture, chart, surface, entries, live, presets }, width) {
  const wide = width >= 780;
  const ratio = picture === "contour" ? surface.ratio : 1.35;
  const seen = picture ? Math.min(640 * ratio, (wide ? width - 360 : width) - 50) / ratio + 34 + 34 + 40 : 0;
  const noted = entries.filter(({ method }) => live && !method).length; // why they are replayed
  const legend = 54 * entries.length + 36 * noted;
  const charts = { state: [312, 480], none: [0, 0] }[chart ?? "none"] ?? [picture ? 216 : 352, 280];
  const side = 165 + (presets.length ? 38 : 0) + legend + (live ? 104 : 32) + charts[wide ? 0 : 1];
  return wide ? Math.max(seen, side) : seen + side + 56;
}

function frameOf(source) {
  return [...document.querySelectorAll("iframe")].find((each) => each.contentWindow === source);
}

// A page says how tall it is, when it is asked and when that changes.
addEventListener("message", ({ source, data }) => {
  const frame = frameOf(source);
  const height = Number(data?.height);
  if (!frame || !(height > 0 && height <= TALLEST)) return;
  frame.parentElement.style.height = "";
  frame.style.height = `${height}px`;
});
