// A button that copies the address of the page as it is seen: its filter and its language. Browsers lend the
// clipboard to pages of HTTPS and of this machine alone: elsewhere the address is copied from a field that shows
// it, and where that is refused too, it stays there, selected.
import { announce, facts, onShown, text } from "./page.js";

const SAID_MS = 2000;

export function start() {
  onShown(() => {
    const button = document.getElementById("copy-link");
    if (button) button.hidden = false;
  });
  document.addEventListener("click", ({ target }) => {
    const button = target.closest("#copy-link");
    if (button) copy(button);
  });
}

// Whoever opens the link reads the page in the same language, whatever their browser prefers.
function addressToShare() {
  const address = new URL(location.href);
  address.hash = "";
  address.searchParams.set("lang", facts().language);
  return address.href;
}

async function copy(button) {
  const label = button.querySelector("span");
  const before = label.textContent;
  const said = text((await isCopied(button, addressToShare())) ? "link_copied" : "link_not_copied");
  announce(said);
  label.textContent = said;
  setTimeout(() => (label.textContent = before), SAID_MS);
}

async function isCopied(button, address) {
  try {
    await navigator.clipboard.writeText(address);
    return true;
  } catch {
    return isCopiedFromField(button, address);
  }
}

function isCopiedFromField(button, address) {
  const field = Object.assign(document.createElement("input"), { className: "shared-link", readOnly: true, value: address });
  field.setAttribute("aria-label", text("link"));
  document.querySelector(".shared-link")?.remove();
  button.after(field);
  field.focus({ preventScroll: true });
  field.select();
  if (!document.execCommand("copy")) return false;
  field.remove();
  button.focus({ preventScroll: true });
  return true;
}
