// details[data-fold]: one line on a phone, open beside the text on a wide screen.
import { behaviour } from "./page.js";

const wide = matchMedia("(min-width: 60rem)");

behaviour("details[data-fold]", (details) => {
  const follow = () => (details.open = wide.matches);
  follow();
  wide.addEventListener("change", follow);
  details.querySelector("[aria-current]")?.scrollIntoView?.({ block: "nearest" });
});
