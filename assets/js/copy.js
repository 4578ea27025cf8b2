// data-copy="text" or data-copy-from="#field": a button that copies; it stays hidden where the browser cannot.
import { behaviour, text } from "./page.js";
import { notify } from "./notify.js";

if (navigator.clipboard) {
  behaviour("[data-copy], [data-copy-from]", (button) => {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const source = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
      await navigator.clipboard.writeText(button.dataset.copy ?? source.value ?? source.textContent.trim());
      notify(text("copied"), "success");
    });
  });
}
