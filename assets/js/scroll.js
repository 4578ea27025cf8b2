// Tables and code that scroll sideways can be reached with the keyboard.
import { behaviour } from "./page.js";

const sizes = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else target.removeAttribute("tabindex");
  }
});

behaviour(".prose table, .prose pre", (box) => sizes.observe(box));

// The current tab is in sight where the row of tabs is wider than the screen.
behaviour(".tabs [aria-current]", (tab) => tab.scrollIntoView({ block: "nearest", inline: "center" }));
