"use strict";

// The live pages of a lesson: each is assembled from the parts that all share and its own, in a
// frame that can reach nothing outside of it, one after another, the one nearest to the reader first.

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const { pieces, shared, own } = JSON.parse(document.getElementById("pages").textContent);
const waiting = [...document.querySelectorAll("[data-page]")];
const TALLEST = 4000; // pixels of a frame

function assembled(parts) {
  return pieces.map((piece, at) => (at % 2 ? parts[piece] : piece)).join("");
}

// How far a place is from what is seen, in pixels.
function distance(place) {
  const { top, bottom } = place.getBoundingClientRect();
  return Math.max(top - innerHeight, -bottom, 0);
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

for (const place of waiting) {
  const told = JSON.parse(own[place.dataset.page].scene);
  place.style.height = `${expected(told, place.clientWidth)}px`; // so that nothing jumps later
}

function showNext() {
  if (!waiting.length) return;
  const nearest = waiting.reduce((one, other) => (distance(other) < distance(one) ? other : one));
  waiting.splice(waiting.indexOf(nearest), 1);
  const frame = document.createElement("iframe");
  frame.title = nearest.dataset.title;
  frame.sandbox = "allow-scripts";
  frame.allow = "clipboard-write *";
  frame.srcdoc = assembled({ ...shared, ...own[nearest.dataset.page] });
  frame.addEventListener("load", () => {
    frame.contentWindow.postMessage("height", "*");
    setTimeout(showNext);
  }, { once: true });
  nearest.append(frame);
}

// A page says how tall it is, when it is asked and when that changes.
addEventListener("message", ({ source, data }) => {
  const frame = [...document.querySelectorAll("iframe")].find((each) => each.contentWindow === source);
  const height = Number(data?.height);
  if (!frame || !(height > 0 && height <= TALLEST)) return;
  frame.parentElement.style.height = "";
  frame.style.height = `${height}px`;
});

function made(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// A film has its controls beneath it: those of a browser would cover its lower edge.
function control(film) {
  const button = made("button", { type: "button", textContent: "Play" });
  const time = made("input", { type: "range", min: 0, max: 1, step: "any", value: 0, ariaLabel: "Time" });
  const show = () => {
    button.textContent = film.paused ? "Play" : "Pause";
    if (film.duration) time.value = film.currentTime / film.duration;
  };
  const follow = () => {
    show();
    if (!film.paused) requestAnimationFrame(follow);
  };
  button.addEventListener("click", () => (film.paused ? film.play().catch(() => {}) : film.pause()));
  time.addEventListener("input", () => {
    film.pause();
    film.currentTime = time.value * (film.duration || 0);
  });
  film.addEventListener("play", follow);
  for (const name of ["pause", "seeked", "loadedmetadata"]) film.addEventListener(name, show);
  film.controls = false;
  film.after(made("div", { className: `player ${film.className}`, lang: "en" }, button, time));
}

// A film begins to play when it is seen. Who wants no motion sees its end, and may play it.
const films = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    films.unobserve(target);
    target.play().catch(() => {}); // a browser may refuse, and the reader play it
  }
}, { threshold: 0.6 });

for (const film of document.querySelectorAll("video")) {
  control(film);
  const end = () => { film.currentTime = film.duration; };
  if (!calm.matches) films.observe(film);
  else if (film.duration) end();
  else film.addEventListener("loadedmetadata", end, { once: true });
}

showNext();
