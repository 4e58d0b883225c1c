// Sharing: the state in the address, and as a command that makes the same picture.

const linkField = one("#link");
const commandField = one("#command");

function writeFragment() {
  const fragment = fragmentOf(state, playing === null ? step : state.steps);
  try {
    history.replaceState(null, "", fragment ? `#${fragment}` : location.pathname + location.search);
  } catch { // a page in a frame may have no history
  }
  const here = location.href.split("#")[0];
  if (linkField) linkField.value = fragment ? `${here}#${fragment}` : here;
  for (const part of all("[data-link]")) part.hidden = here.startsWith("about:"); // a page in a notebook
}

// Take the state of the address, or the page's own if that says none.
function readFragment() {
  const fragment = location.hash.slice(1);
  const found = (fragment && stateOf(fragment)) || { state: ownState(), step: null };
  state = found.state;
  return found.step;
}

// The command.

function writeCommand() {
  if (!told.command) return;
  commandField.value = commandOf(state).map(quoted).join(" ");
  const without = shownEntries(state).filter((entry) => !isInCommand(entry, state)).map(({ name }) => name);
  one("#without").textContent = without.length ? `Without ${without.join(", ")}, replayed as it was.` : "";
}

const shownEntries = (state) => state.entries.filter(({ hidden }) => !hidden);

// Whether a command draws an entry as it is seen: what is replayed is so from the page's own starts.
function isInCommand({ method, base }, state) {
  const own = ownState();
  return method || (base.spec && ["starts", "steps", "noise"].every((key) => same(state[key], own[key])));
}

function commandOf(state) {
  const specs = shownEntries(state).filter((entry) => isInCommand(entry, state)).map(specOf);
  if (!specs.length) return [];
  const words = [...told.command, "--opt", specs.join(",")];
  words.push(...state.starts.map((point) => `--start=${point.join(",")}`), "--steps", String(state.steps));
  if (told.windowed || zoomed(state)) words.push(`--domain=${state.window.map((ends) => ends.join(":")).join(",")}`);
  if (state.sketch !== told.sketch) words.push(state.sketch ? "--sketch" : "--no-sketch");
  if (state.noise) words.push("--noise", String(state.noise), "--seed", String(told.noise.seed));
  return words;
}

// An entry as it is written on the command line: what is not a default, and always the rate.
function specOf({ method, values, base }) {
  if (!method) return base.spec;
  const { spec, schedule, parameters, rate } = told.methods[method];
  const settings = parameters
    .map((each, at) => ({ ...each, value: values[at] }))
    .filter((each) => each.value !== null && (each.name === rate || each.value !== each.default))
    .map((each) => `:${each.name}=${each.value}${each.name === rate && schedule ? `@${schedule}` : ""}`);
  return spec + settings.join("") + (base.look ?? "");
}

// A word as a shell reads it.
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\"'\"'")}'`);

// Copy a field: by the clipboard, else by selecting it for the reader.
async function copyField(field, done) {
  field.select();
  let copied = false;
  try {
    await navigator.clipboard.writeText(field.value);
    copied = true;
  } catch {
    try {
      copied = document.execCommand("copy");
    } catch { // it remains selected
    }
  }
  done.textContent = copied ? "Copied" : "Selected: copy it with the keyboard";
  one("#said").textContent = done.textContent;
  setTimeout(() => {
    done.textContent = "Copy";
  }, 2000);
}

for (const done of all("[data-copies]")) {
  done.addEventListener("click", () => copyField(one(`#${done.dataset.copies}`), done));
}
