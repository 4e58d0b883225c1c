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
  if (frame && height > 0 && height <= TALLEST) frame.style.height = `${height}px`;
});

// A film begins to play when it is seen. Who wants no motion sees its end, and may play it.
const films = new IntersectionObserver((seen) => {
  for (const { isIntersecting, target } of seen) {
    if (!isIntersecting) continue;
    films.unobserve(target);
    target.play().catch(() => {}); // a browser may refuse, and the reader play it
  }
}, { threshold: 0.6 });

for (const film of document.querySelectorAll("video")) {
  if (!calm.matches) films.observe(film);
  else film.addEventListener("loadedmetadata", () => { film.currentTime = film.duration; }, { once: true });
}

showNext();
