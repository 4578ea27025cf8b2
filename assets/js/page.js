// What the server tells every script: the CSRF token and the texts in the reader's language.

export const csrfToken = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

const texts = {};
for (const holder of document.querySelectorAll('#texts, meta[name="editor-texts"]')) Object.assign(texts, holder.dataset);

/** A text of the page's language; `{name}` is replaced by the value of that name. */
export function text(name, values = {}) {
  return (texts[name] ?? name).replace(/\{(\w+)\}/g, (whole, key) => values[key] ?? whole);
}

/** POST as the server's forms do; rejects when the answer is not 2xx. */
export async function post(url, body, options = {}) {
  const response = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    body,
    headers: { "X-CSRFToken": csrfToken(), "X-Requested-With": "fetch" },
    ...options,
  });
  if (!response.ok) throw new Error(`${response.status} ${url}`);
  return response;
}

/** Run `enhance` once for every element that matches, now and in what htmx brings later. */
export function behaviour(selector, enhance) {
  const seen = new WeakSet();
  const scan = (root) => {
    for (const element of [...(root.matches?.(selector) ? [root] : []), ...root.querySelectorAll(selector)]) {
      if (!seen.has(element)) {
        seen.add(element);
        enhance(element);
      }
    }
  };
  scan(document);
  document.addEventListener("htmx:after:swap", () => scan(document));
}

/** An element with attributes and children, without markup in strings. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
