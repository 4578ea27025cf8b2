import "htmx.org";
import { csrfToken } from "./page.js";

document.addEventListener("htmx:config:request", ({ detail }) => {
  const { request } = detail.ctx;
  if (!/^(get|head)$/i.test(request.method)) request.headers["X-CSRFToken"] = csrfToken();
});
