// form[data-draft="key"]: what is typed stays on this device until the server has it.
// data-draft-url as well: it is also sent to the server while typing (same fields, POST).
import { behaviour, element, post, text } from "./page.js";

const PREFIX = "draft:";
const SENT = "draft-sent";
const KEEP_DAYS = 30;
const IGNORED = new Set(["hidden", "password", "file", "submit", "button", "reset", "image"]);

const fieldsOf = (form) => [...form.elements].filter((field) => field.name && !IGNORED.has(field.type) && !("noDraft" in field.dataset));

function valuesOf(form) {
  const values = {};
  for (const field of fieldsOf(form)) {
    if (field.type === "checkbox" || field.type === "radio") {
      values[field.name] ??= [];
      if (field.checked) values[field.name].push(field.value);
    } else if (field.type === "select-multiple") {
      values[field.name] = [...field.selectedOptions].map((option) => option.value);
    } else {
      values[field.name] = field.value;
    }
  }
  return values;
}

function fill(form, values) {
  for (const field of fieldsOf(form)) {
    const value = values[field.name];
    if (value === undefined) continue;
    if (field.type === "checkbox" || field.type === "radio") field.checked = value.includes(field.value);
    else if (field.type === "select-multiple") for (const option of field.options) option.selected = value.includes(option.value);
    else field.value = value;
    field.dispatchEvent(new Event("draft:filled", { bubbles: true }));
  }
}

function stored(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function store(key, value) {
  try {
    if (value) localStorage.setItem(key, JSON.stringify(value));
    else localStorage.removeItem(key);
    return true;
  } catch {
    return false;
  }
}

// A form that was sent and did not come back with errors was accepted: its draft is done.
const sent = sessionStorage.getItem(SENT);
sessionStorage.removeItem(SENT);
if (sent && !document.querySelector("[data-errors], [data-failed]")) store(sent, null);

for (const key of Object.keys(localStorage)) {
  if (key.startsWith(PREFIX) && Date.now() - (stored(key)?.at ?? 0) > KEEP_DAYS * 864e5) store(key, null);
}

behaviour("form[data-draft]", (form) => {
  const key = PREFIX + form.dataset.draft;
  const status = form.querySelector(".draft-status") ?? element("p", { class: "draft-status", role: "status" });
  if (!status.isConnected) form.append(status);

  const untouched = JSON.stringify(valuesOf(form));
  const kept = stored(key);
  if (kept && JSON.stringify(kept.values) !== untouched) {
    const when = new Date(kept.at).toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    const discard = element("button", { type: "button", class: "button button-small" }, text("discard"));
    const note = element(
      "div",
      { class: "alert", role: "status" },
      element("div", { class: "alert-body" }, text("restored", { time: when })),
      discard,
    );
    fill(form, kept.values);
    form.prepend(note);
    discard.addEventListener("click", () => {
      fill(form, JSON.parse(untouched));
      store(key, null);
      note.remove();
    });
  }

  let waiting;
  let newest = 0;
  const say = (message, state) => {
    status.textContent = message;
    status.dataset.state = state;
  };
  const save = async () => {
    clearTimeout(waiting);
    waiting = undefined;
    const isKept = store(key, { at: Date.now(), values: valuesOf(form) });
    if (!form.dataset.draftUrl) return;
    const mine = ++newest;
    const now = new Date().toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
    try {
      await post(form.dataset.draftUrl, new FormData(form), { keepalive: true });
      if (mine === newest) say(text("saved", { time: now }), "saved");
    } catch {
      if (mine === newest) say(text(isKept ? "kept" : "unsaved"), "unsaved");
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(save, 800);
  });
  addEventListener("online", () => status.dataset.state === "unsaved" && save());
  document.addEventListener("visibilitychange", () => document.hidden && waiting && save());
  form.addEventListener("submit", () => {
    clearTimeout(waiting);
    waiting = undefined;
    store(key, { at: Date.now(), values: valuesOf(form) });
    sessionStorage.setItem(SENT, key);
  });
  form.addEventListener("htmx:after:request", ({ detail }) => {
    sessionStorage.removeItem(SENT);
    if (detail.ctx?.response?.raw?.ok) store(key, null);
  });
});
