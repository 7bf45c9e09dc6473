// A button that copies the address of the page as it is seen: its filter and its language.
import { announce, facts, onShown, text } from "./page.js";

const SAID_MS = 2000;

export function start() {
  onShown(() => {
    const button = document.getElementById("copy-link");
    if (button && navigator.clipboard) button.hidden = false;
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
  let said = text("link_copied");
  try {
    await navigator.clipboard.writeText(addressToShare());
  } catch {
    said = text("link_not_copied");
  }
  announce(said);
  label.textContent = said;
  setTimeout(() => (label.textContent = before), SAID_MS);
}
