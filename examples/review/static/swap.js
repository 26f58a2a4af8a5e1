// Going to another session, match or decision: the content of the page is exchanged, the page stays.

let underway = null;
let dress = () => {};
let steps = []; // that were asked for while another one was underway
let raw = ""; // the comparison as the server wrote it, to find out whether there is anything new

const main = () => document.getElementById("main");
const say = (text) => { document.getElementById("say").textContent = text; };
const compared = (root) => [...root.querySelectorAll(".notice, .faces, .panel")].map((part) => part.innerHTML).join();

// busy tells whether another page is on its way. Steps that are taken until then are taken afterwards.
export const busy = () => underway !== null;
export const later = (step) => { steps.push(step); };

// onArrival calls f for the content of the page, and for each that takes its place.
export function onArrival(f) {
  dress = f;
  const first = () => { raw = compared(main()); dress(main()); };
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", first, { once: true });
  } else {
    first();
  }
}

// follow takes over links and forms that say so.
export function follow() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-swap]");
    if (link && event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey)) {
      event.preventDefault();
      go(link.href);
    }
  });
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-swap]");
    if (form && !event.defaultPrevented) {
      event.preventDefault();
      go(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, event.submitter)) });
    }
  });
  window.addEventListener("popstate", () => go(location.href, {}, { keepURL: true }));
}

// go fetches a page and shows what is in it.
export async function go(url, request = {}, { keepURL = false, quiet = false } = {}) {
  underway?.abort();
  const mine = underway = new AbortController();
  const root = document.documentElement;
  const slow = quiet ? 0 : setTimeout(() => {
    root.classList.add("busy");
    say("Asking Yoti…");
  }, 200);
  try {
    const response = await fetch(url, { ...request, signal: mine.signal });
    const text = await response.text();
    if (new URL(response.url).pathname === "/enter") {
      location.assign(response.url);
    } else if (response.status === 403) {
      refuse("Nothing was decided: this page does not know you any more. Open it anew, and say who you are.");
    } else {
      // What answers a form without leading on has no URL to come back to.
      show(text, response.url, { keepURL: keepURL || (request.method && !response.redirected), quiet });
    }
  } catch (error) {
    if (error.name === "AbortError") {
      return;
    }
    steps = [];
    if (request.method) {
      refuse("That did not arrive: this page’s program does not answer. Nothing was decided.");
    } else if (!quiet) {
      location.assign(url);
    }
  } finally {
    clearTimeout(slow);
    if (underway === mine) {
      underway = null;
      root.classList.remove("busy");
      steps.shift()?.();
    }
  }
}

function show(text, url, { keepURL, quiet }) {
  const parsed = new DOMParser().parseFromString(text, "text/html");
  const fresh = document.adoptNode(parsed.getElementById("main"));
  const old = main();
  const now = compared(fresh);
  if (quiet && now === raw) {
    dress(old); // nothing new: only the watch for news has to begin again
    return;
  }
  document.getElementById("large")?.close();
  raw = now;
  keepFaces(old, fresh);
  const sameSession = new URL(url).pathname === location.pathname;
  old.replaceWith(fresh);
  document.title = parsed.title;
  if (!keepURL && url !== location.href) {
    history.pushState(null, "", url);
  }
  dress(fresh);
  if (!sameSession) {
    scrollTo(0, 0);
  }
  if (!quiet) {
    focusOn(fresh, sameSession);
  }
}

// keepFaces takes pictures over that are on both pages: a face is fetched once and does not flicker.
function keepFaces(old, fresh) {
  const had = [...old.querySelectorAll(".frame:not(.failed) img")].filter((img) => img.complete && img.naturalWidth > 0);
  for (const img of fresh.querySelectorAll(".frame img")) {
    const same = had.find((other) => other.src === img.src);
    if (same) {
      img.replaceWith(same);
    }
  }
}

// focusOn puts the focus where the reader looks, and says what is there now.
function focusOn(fresh, sameSession) {
  const title = document.title.replace(/ · Face review$/, "");
  const decided = fresh.querySelector("#decided");
  const tab = fresh.querySelector(".tabs [aria-current]");
  if (!sameSession) {
    fresh.focus({ preventScroll: true });
    say(`${title}. ${fresh.querySelector("#outcome, #problem-title")?.textContent.trim() ?? ""}`);
  } else if (decided) {
    fresh.focus({ preventScroll: true });
    say(decided.querySelector("p").textContent.replace(/\s+/g, " ").trim());
  } else {
    (tab ?? fresh).focus({ preventScroll: true });
    say(title);
  }
}

function refuse(text) {
  const form = document.querySelector("form.decide");
  const old = form?.querySelector(".wrong");
  const alert = old ?? document.createElement("p");
  alert.className = "wrong";
  alert.setAttribute("role", "alert");
  alert.textContent = text;
  if (form && !old) {
    form.prepend(alert);
  }
}
