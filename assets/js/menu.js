// The masthead's navigation is a popover on phones only.
const wide = matchMedia("(min-width: 60rem)");
wide.addEventListener("change", () => document.querySelector(".masthead-nav:popover-open")?.hidePopover());

// details.menu: closes on Escape, on a click elsewhere and when another opens.
const close = (except) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
};

document.addEventListener("click", ({ target }) => close(target.closest("details.menu")));
document.addEventListener("focusin", ({ target }) => close(target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});
