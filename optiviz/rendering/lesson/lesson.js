// The live pages of a lesson: one after another, the one nearest to the reader first.

const calm = matchMedia("(prefers-reduced-motion: reduce)");
const waiting = [...document.querySelectorAll("[data-page]")];

// How far a place is from what is seen, in pixels.
function distance(place) {
  const { top, bottom } = place.getBoundingClientRect();
  return Math.max(top - innerHeight, -bottom, 0);
}

for (const place of waiting) {
  place.style.height = `${expected(partsOf(place.dataset.page).scene, place.clientWidth)}px`; // so that nothing jumps later
}

function showNext() {
  if (!waiting.length) return;
  const nearest = waiting.reduce((one, other) => (distance(other) < distance(one) ? other : one));
  waiting.splice(waiting.indexOf(nearest), 1);
  addFrame(nearest, nearest.dataset.page, nearest.dataset.title, () => setTimeout(showNext));
}

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
