// Links and forms within the pages change the page in place; the address and the back button stay true.
import { put } from "./page.js";

let under_way = null;

export function start() {
  document.addEventListener("click", followLink);
  addEventListener("popstate", () => show(location.href, { keep: true }));
}

// Shows an address of ours. `keep`: the address is in the history already. `reason`: see `onShown`.
export async function show(address, { keep = false, reason = "navigation" } = {}) {
  under_way?.abort();
  const own = (under_way = new AbortController());
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: own.signal });
    const next = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!next.getElementById("facts")) throw new TypeError("no page of figures");
    if (!keep) history.pushState(null, "", address);
    put(next, reason);
  } catch (failure) {
    if (own.signal.aborted) return;
    if (reason === "navigation") location.assign(address); // the browser says better what is wrong
    else throw failure;
  }
}

function followLink(event) {
  const link = event.target.closest("a[href]");
  if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const address = new URL(link.href);
  if (link.target || link.hasAttribute("download") || address.origin !== location.origin) return;
  if (address.hash || !address.pathname.startsWith("/manager/") || address.pathname.startsWith("/manager/api/")) return;
  event.preventDefault();
  show(address.href);
}
