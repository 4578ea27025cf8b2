// [data-markdown]: a preview button for a Markdown field; the server renders, so that the preview is what will be shown.
import { behaviour, element, post, text } from "./page.js";

behaviour("[data-markdown][data-preview-url]", (box) => {
  const area = box.querySelector("textarea");
  const preview = element("div", { class: "markdown-preview prose", hidden: "", tabindex: "0", role: "region", "aria-label": text("preview") });
  const button = element("button", { type: "button", class: "button button-small", "aria-pressed": "false" }, text("preview"));
  box.querySelector(".markdown-tools").append(button);
  area.after(preview);
  button.addEventListener("click", async () => {
    const show = preview.hidden;
    if (show) {
      const body = new FormData();
      body.set("text", area.value);
      preview.setAttribute("aria-busy", "true");
      try {
        preview.innerHTML = await (await post(box.dataset.previewUrl, body)).text();
      } catch {
        preview.textContent = text("offline");
      }
      preview.removeAttribute("aria-busy");
    }
    preview.hidden = !show;
    box.classList.toggle("is-previewed", show);
    area.hidden = show;
    button.setAttribute("aria-pressed", show);
    button.textContent = text(show ? "write" : "preview");
  });
});
