// data-confirm="Question" on a form or its button: ask first. Without script the form goes to the server's own question.
import { element, text } from "./page.js";

function ask(question, label, isDangerous) {
  const cancel = element("button", { class: "button", value: "" }, text("cancel"));
  const go = element("button", { class: `button ${isDangerous ? "button-danger" : "button-primary"}`, value: "yes" }, label);
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": "dialog-question" },
    element("p", { id: "dialog-question" }, question),
    element("form", { method: "dialog", class: "button-group" }, cancel, go),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

document.addEventListener(
  "submit",
  async (event) => {
    const form = event.target;
    const { submitter } = event;
    const question = submitter?.dataset.confirm ?? form.dataset.confirm;
    if (!question || form.dataset.confirmed) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const label = submitter?.dataset.confirmLabel ?? submitter?.textContent.trim() ?? text("continue");
    const isDangerous = submitter?.classList.contains("button-danger") || "danger" in form.dataset;
    if (!(await ask(question, label, isDangerous))) return;
    form.dataset.confirmed = "yes";
    form.requestSubmit(submitter);
    delete form.dataset.confirmed;
  },
  true,
);
