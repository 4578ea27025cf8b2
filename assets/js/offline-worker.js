// The service worker of the page that verifies without a network: the network first, else what was kept.
const CACHE = "verify-offline-1";

async function fill() {
  const files = await (await fetch("files.json")).json();
  const cache = await caches.open(CACHE);
  await cache.addAll(files);
}

async function answer(request) {
  const cache = await caches.open(CACHE);
  try {
    const response = await fetch(request);
    const isKept = request.url.includes("/static/build/") || (await cache.match(request, { ignoreSearch: true }));
    if (response.ok && isKept) await cache.put(request, response.clone());
    return response;
  } catch {
    return (await cache.match(request, { ignoreSearch: true })) ?? Response.error();
  }
}

self.addEventListener("install", (event) => event.waitUntil(fill().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", (event) => {
  const isOurs = new URL(event.request.url).origin === self.location.origin;
  if (event.request.method === "GET" && isOurs) event.respondWith(answer(event.request));
});
