// [data-viewed-url]: tells the server once that the page was really seen: on screen for some seconds and scrolled to its end.
import { behaviour, post } from "./page.js";

behaviour("[data-viewed-url]", (article) => {
  let seconds = Number(article.dataset.viewedSeconds ?? 5);
  let isRead = false;
  const tell = () => {
    if (seconds > 0 || !isRead) return;
    clearInterval(counting);
    watching.disconnect();
    post(article.dataset.viewedUrl, new FormData(), { keepalive: true }).catch(() => {});
  };
  const end = document.createElement("span");
  article.append(end);
  const watching = new IntersectionObserver(([entry]) => {
    isRead ||= entry.isIntersecting;
    tell();
  });
  watching.observe(end);
  const counting = setInterval(() => {
    if (!document.hidden) seconds -= 1;
    tell();
  }, 1000);
});
