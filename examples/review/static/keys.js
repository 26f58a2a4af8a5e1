import { busy, later } from "./swap.js";

// Keys for those who do this all day. They can be turned off: whoever dictates would press them by speaking.

const stored = "review-keys";
const on = () => localStorage.getItem(stored) !== "off";

export function listen() {
  document.documentElement.classList.toggle("without-keys", !on());
  const ready = () => {
    const open = document.getElementById("help-open");
    const help = document.getElementById("help");
    const box = document.getElementById("keys-on");
    if (!open || !help) {
      return;
    }
    open.addEventListener("click", () => help.showModal());
    box.checked = on();
    box.addEventListener("change", () => {
      localStorage.setItem(stored, box.checked ? "on" : "off");
      document.documentElement.classList.toggle("without-keys", !box.checked);
    });
    if (location.hash === "#session-id") {
      document.getElementById("session-id")?.focus();
    }
  };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", ready, { once: true });
  } else {
    ready();
  }
  document.addEventListener("keydown", press);
}

function press(event) {
  const writing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (writing) {
    if (event.key === "Escape") {
      writing.blur();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || !on()) {
    return;
  }
  if (document.getElementById("help")?.open) {
    return;
  }
  if (act(event.key.toLowerCase())) {
    event.preventDefault();
  }
}

// act does what a key stands for, and tells whether that was anything.
function act(key) {
  const large = document.getElementById("large");
  switch (key) {
    case "?":
      if (!document.getElementById("help-open") || !document.getElementById("help")) {
        return false; // nobody has entered, or the page is not complete yet
      }
      large?.close();
      document.getElementById("help").showModal();
      return true;
    case "/": {
      const field = document.getElementById("session-id");
      if (field) {
        field.focus();
      } else if (document.querySelector(".path")) {
        location.assign("/#session-id");
      }
      return true;
    }
    case "m":
      return nextMatch();
  }
  if ((key === "j" || key === "k") && document.querySelector(".rows")) {
    return nextRow(key === "j" ? 1 : -1);
  }
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) {
    return false;
  }
  if (busy()) { // what is seen is not what is meant any more: go on after it, and decide on nothing
    if (key === "j" || key === "k") {
      later(() => act(key));
    }
    return true;
  }
  if (large && key !== "z") {
    large.close();
  }
  if (target.matches("textarea")) {
    target.focus();
  } else {
    target.click();
  }
  return true;
}

function nextMatch() {
  const tabs = [...document.querySelectorAll(".tabs a")];
  const at = tabs.findIndex((tab) => tab.hasAttribute("aria-current"));
  tabs[(at + 1) % tabs.length]?.click();
  return tabs.length > 0;
}

function nextRow(step) {
  const rows = [...document.querySelectorAll(".rows .row-who a")];
  const at = rows.indexOf(document.activeElement);
  const to = at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(at + step, 0), rows.length - 1);
  rows[to]?.focus();
  return rows.length > 0;
}
