// form[data-quiz]: each answer goes to the server as soon as it is given; what could not be sent is sent again.
// [data-response-url] in it: the controls of one question, and where their values are PUT as JSON.
import { behaviour, csrfToken, text } from "./page.js";

const WHILE_TYPING = 800;
const AGAIN_AFTER = 15000;

/** The server said no, with a message. */
class Refusal extends Error {}

const isChoice = (field) => field.type === "checkbox" || field.type === "radio";

/** The values of a question's controls by name; those the page came with when `atFirst`. */
function valuesOf(box, atFirst = false) {
  const values = {};
  for (const field of box.querySelectorAll("input[name], textarea[name], select[name]")) {
    const list = (values[field.name] ??= []);
    if (field.options) for (const option of field.options) (atFirst ? option.defaultSelected : option.selected) && list.push(option.value);
    else if (!isChoice(field)) list.push(atFirst ? field.defaultValue : field.value);
    else if (atFirst ? field.defaultChecked : field.checked) list.push(field.value);
  }
  return JSON.stringify(values);
}

behaviour("form[data-quiz]", (form) => {
  const status = form.querySelector(".draft-status");
  const progress = form.querySelector("[data-progress]");
  const boxes = [...form.querySelectorAll("[data-response-url]")];
  const saved = new Map(boxes.map((box) => [box, valuesOf(box, true)]));
  let waiting;
  let sending = false;
  let isClosed = false;
  let refused;

  const say = (message, state) => {
    status.textContent = message;
    status.dataset.state = state;
  };
  const plan = (pause) => {
    clearTimeout(waiting);
    waiting = setTimeout(send, pause);
  };

  async function put(box, values) {
    const response = await fetch(box.dataset.responseUrl, {
      method: "PUT",
      credentials: "same-origin",
      keepalive: true,
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": csrfToken() },
      body: `{"values": ${values}}`,
    });
    if (response.status === 409) {
      isClosed = true;
      say((await response.json()).error.message, "unsaved");
      setTimeout(() => location.reload(), 4000);
      return;
    }
    const answer = await response.json().catch(() => ({}));
    if (!response.ok && response.status !== 422) throw new Refusal(answer.error?.message);
    saved.set(box, values);
    if (response.ok) progress.textContent = answer.text;
    else refused = answer.error?.message; // to send it again would not help
  }

  async function send() {
    clearTimeout(waiting);
    waiting = undefined;
    if (sending || isClosed || form.getAttribute("aria-busy")) return;
    sending = true;
    let sent = 0;
    refused = undefined;
    try {
      for (const box of boxes) {
        const values = valuesOf(box);
        if (values === saved.get(box) || isClosed) continue;
        await put(box, values);
        sent += 1;
      }
      const time = new Date().toLocaleTimeString(document.documentElement.lang, { timeStyle: "short" });
      if (refused) say(refused, "unsaved");
      else if (sent && !isClosed) say(text("saved", { time }), "saved");
    } catch (error) {
      say((error instanceof Refusal && error.message) || text("kept"), "unsaved");
      plan(AGAIN_AFTER);
    }
    sending = false;
    if (!waiting && boxes.some((box) => valuesOf(box) !== saved.get(box))) plan(WHILE_TYPING);
  }

  form.addEventListener("input", ({ target }) => plan(isChoice(target) ? 0 : WHILE_TYPING));
  form.addEventListener("draft:filled", () => plan(WHILE_TYPING));
  addEventListener("online", () => plan(0));
  document.addEventListener("visibilitychange", () => document.hidden && waiting && send());
  plan(0); // a draft of an earlier visit, or values that the browser brought back
});
