// Messages can be put away, scripts can add some, and the list of errors gets the focus.
import { notify } from "./notify.js";
import { behaviour, text } from "./page.js";

behaviour("[data-dismiss]", (button) => {
  button.hidden = false;
  button.addEventListener("click", () => button.closest(".alert").remove());
});

behaviour("[data-errors]", (summary) => summary.focus());

document.addEventListener("puente:notify", ({ detail }) => notify(detail.message, detail.kind));
document.addEventListener("htmx:error", () => notify(text("offline"), "error"));
