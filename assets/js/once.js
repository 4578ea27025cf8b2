// form[data-once]: a second click while the first is on its way does nothing.
addEventListener("submit", (event) => {
  const form = event.target;
  if (!("once" in form.dataset) || event.defaultPrevented) return;
  if (form.getAttribute("aria-busy")) {
    event.preventDefault();
    return;
  }
  form.setAttribute("aria-busy", "true");
  // Disabled only after the browser has read the form, or the pressed button's own value would be missing.
  setTimeout(() => {
    for (const button of form.querySelectorAll("button:not([type=button])")) button.disabled = true;
  });
});

function release() {
  for (const form of document.querySelectorAll("form[data-once][aria-busy]")) {
    form.removeAttribute("aria-busy");
    for (const button of form.querySelectorAll("button:disabled")) button.disabled = false;
  }
}

addEventListener("pageshow", release);
document.addEventListener("htmx:after:request", release);
