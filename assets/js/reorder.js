// [data-reorder-url]: a list whose items (data-id) are moved by dragging the handle, or by the up and down buttons.
// The new order is sent as `order=3,1,2`. Without script the same buttons are forms that move one step.
import { behaviour, post, text } from "./page.js";
import { notify } from "./notify.js";

behaviour("[data-reorder-url]", (list) => {
  const items = () => [...list.children];
  const order = () => items().map((item) => item.dataset.id).join(",");
  let saved = order();

  const refresh = () => {
    const all = items();
    for (const item of all) {
      for (const button of item.querySelectorAll("[data-move]")) {
        button.disabled = item === (button.dataset.move === "up" ? all[0] : all.at(-1));
      }
    }
  };
  const save = async () => {
    refresh();
    const wanted = order();
    if (wanted === saved) return;
    const body = new FormData();
    body.set("order", wanted);
    try {
      await post(list.dataset.reorderUrl, body);
      saved = wanted;
      notify(text("orderSaved"), "success");
    } catch {
      const byId = new Map(items().map((item) => [item.dataset.id, item]));
      list.append(...saved.split(",").map((id) => byId.get(id)));
      refresh();
      notify(text("orderFailed"), "error");
    }
  };

  list.addEventListener("click", (event) => {
    const button = event.target.closest("[data-move]");
    const item = button?.closest("[data-id]");
    if (item?.parentElement !== list) return;
    event.preventDefault();
    if (button.dataset.move === "up") item.previousElementSibling?.before(item);
    else item.nextElementSibling?.after(item);
    save();
    const again = button.disabled ? item.querySelector("[data-move]:not(:disabled)") : button;
    again?.focus();
  });

  list.addEventListener("pointerdown", (event) => {
    const handle = event.target.closest(".reorder-handle");
    const item = handle?.closest("[data-id]");
    if (item?.parentElement !== list) return;
    event.preventDefault();
    handle.setPointerCapture(event.pointerId);
    item.classList.add("is-dragged");
    // The item moves when it is let go: an element that moves under the pointer would lose it.
    let target = null;
    const move = ({ clientY }) => {
      target?.classList.remove("is-before", "is-after");
      const after = items().find((other) => clientY < other.getBoundingClientRect().top + other.offsetHeight / 2);
      target = after ?? list.lastElementChild;
      if (target !== item) target.classList.add(after ? "is-before" : "is-after");
    };
    const end = () => {
      handle.removeEventListener("pointermove", move);
      item.classList.remove("is-dragged");
      if (target && target !== item) target[target.classList.contains("is-after") ? "after" : "before"](item);
      target?.classList.remove("is-before", "is-after");
      save();
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("lostpointercapture", end, { once: true });
  });

  for (const handle of list.querySelectorAll(".reorder-handle")) handle.hidden = false;
  refresh();
});
