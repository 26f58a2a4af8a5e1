// What happens elsewhere: new sessions for a list, a result for a session that has none. Nothing moves under the
// reader's hands: a list says that there is more, and leaves it to them.

import { go } from "./swap.js";

const every = 10_000;
let timer = 0;

export function lookOut(main) {
  clearTimeout(timer);
  const list = main.querySelector("#list");
  const waiting = main.querySelector("[data-again]");
  if (list) {
    timer = setTimeout(ask, every, list);
  } else if (waiting) {
    timer = setTimeout(again, Number(waiting.dataset.again) * 1000, main);
  }
}

async function ask(list) {
  if (!document.hidden) {
    try {
      const response = await fetch(`/news?since=${list.dataset.came}`);
      if (response.status === 200) {
        tell(Number(await response.text()));
      }
    } catch { /* it is asked again */ }
  }
  timer = setTimeout(ask, every, list);
}

function tell(count) {
  const news = document.getElementById("news");
  const text = count === 1 ? "1 new session has come. " : `${count} new sessions have come. `;
  if (news.dataset.count === String(count)) {
    return;
  }
  news.dataset.count = count;
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = "Show the list anew";
  news.replaceChildren(text, link);
  news.hidden = false;
}

function again(main) {
  if (document.hidden) {
    timer = setTimeout(again, every, main);
  } else if (main.isConnected) {
    go(location.href, {}, { keepURL: true, quiet: true });
  }
}
