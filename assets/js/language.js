// select[data-autosubmit]: sends its form when chosen; while it is walked with the arrow keys, only on Enter or on leaving it.
import { behaviour } from "./page.js";

const WALKING = /^(Arrow|Home|End|Page|.$)/;

behaviour("select[data-autosubmit]", (select) => {
  let isWalking = false;
  let chosen = select.value;
  const send = () => {
    if (select.value === chosen) return;
    chosen = select.value;
    select.form.requestSubmit();
  };
  select.addEventListener("keydown", (event) => {
    isWalking = WALKING.test(event.key) && event.key !== " ";
    if (event.key === "Enter") send();
  });
  select.addEventListener("pointerdown", () => (isWalking = false));
  select.addEventListener("change", () => isWalking || send());
  select.addEventListener("blur", send);
});
