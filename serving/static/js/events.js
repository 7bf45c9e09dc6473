// Hears from the server when other figures are live, so that an open page need not ask for them.
import { facts, onShown } from "./page.js";

const ADDRESS = "/manager/events";
const SILENT_MS = 70_000; // three signs of life did not come
const AGAIN_MS = 120_000; // after a server refused: it may have no such address

let source = null;
let heardAt = 0;
let triedAt = -Infinity;
let changed = null;

// Listens while the page is visible. `heard` is called with each message, `connected` whenever the connection
// begins or ends.
export function start({ heard, connected }) {
  changed = connected;
  onShown(({ reason }) => reason === "load" && listen(heard));
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : listen(heard)));
  // An open connection would keep the browser from keeping the page.
  addEventListener("pagehide", close);
  addEventListener("pageshow", ({ persisted }) => persisted && listen(heard));
  document.addEventListener("second", () => {
    if (source && source.readyState !== EventSource.CONNECTING && Date.now() - heardAt > SILENT_MS) close();
    if (!source && Date.now() - triedAt > AGAIN_MS) listen(heard);
  });
}

// Whether other figures would be heard of.
export function isConnected() {
  return source?.readyState === EventSource.OPEN && Date.now() - heardAt <= SILENT_MS;
}

function listen(heard) {
  if (source || document.hidden || !facts()) return;
  triedAt = Date.now();
  const own = (source = new EventSource(ADDRESS, { withCredentials: true }));
  own.onopen = () => {
    heardAt = Date.now();
    changed();
  };
  own.onmessage = ({ data }) => {
    heardAt = Date.now();
    heard(JSON.parse(data));
  };
  own.addEventListener("alive", () => (heardAt = Date.now()));
  own.onerror = () => {
    // It connects again by itself, unless it was refused.
    if (own.readyState === EventSource.CLOSED && own === source) source = null;
    changed();
  };
}

function close() {
  source?.close();
  source = null;
  changed();
}
