/* Service worker: lets the page open, as an app too, while the program is not running, so that it can
 * say so. It keeps the page's own files and nothing else: no request to the program's interfaces passes
 * through its cache, so nothing of what anybody wrote is ever in it. The network comes first; what is
 * kept is used only where there is none. web/embed.py fills in the names and the version. */

const CACHE = "den-VERSION";
const KEPT = ["FILES"];

addEventListener("install", (event) => {
    event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(KEPT)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
    event.waitUntil(caches.keys()
        .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
        .then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
    const { pathname, origin } = new URL(event.request.url);
    if (event.request.method !== "GET" || origin !== location.origin || !KEPT.includes(pathname)) return;
    event.respondWith(fetch(event.request).catch(() => caches.match(pathname)));
});
