import { element, text } from "./page.js";

/** A passing message, spoken by screen readers. `kind` is success, info, warning or error. */
export function notify(message, kind = "info") {
  let region = document.getElementById("toasts");
  if (!region) {
    region = element("div", { id: "toasts", class: "toasts", role: "status" });
    document.body.append(region);
  }
  const close = element("button", { type: "button", class: "alert-close", "aria-label": text("close") }, "×");
  const toast = element("div", { class: `alert alert-${kind}` }, element("div", { class: "alert-body" }, message), close);
  close.addEventListener("click", () => toast.remove());
  region.append(toast);
  if (kind !== "error") setTimeout(() => toast.remove(), 8000);
}
