// [data-deadline][data-now]: counts down to the server's deadline by the server's clock; at the end it hands in `data-form`.
import { behaviour, text } from "./page.js";

const SOON = 60;
const WARNINGS = new Set([300, 60]);

behaviour("[data-deadline]", (timer) => {
  const ahead = Date.parse(timer.dataset.now) - Date.now() || 0;
  const deadline = Date.parse(timer.dataset.deadline);
  const face = timer.querySelector("[data-face]") ?? timer;
  const voice = timer.querySelector("[data-voice]");
  const tick = () => {
    const left = Math.max(0, Math.round((deadline - Date.now() - ahead) / 1000));
    const minutes = Math.floor(left / 60);
    face.textContent = `${minutes}:${String(left % 60).padStart(2, "0")}`;
    timer.dataset.state = left <= SOON ? "soon" : "running";
    if (voice && WARNINGS.has(left)) voice.textContent = text("timeLeft", { minutes });
    if (left > 0) return;
    clearInterval(ticking);
    const form = document.getElementById(timer.dataset.form);
    if (form && !form.getAttribute("aria-busy")) {
      form.noValidate = true;
      form.requestSubmit();
    }
  };
  const ticking = setInterval(tick, 1000);
  tick();
});
