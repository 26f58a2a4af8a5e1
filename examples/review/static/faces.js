// Nobody should decide on a face that has not arrived. A frame says whether it is waiting, has its face, or never will.

export function watchFaces(root) {
  for (const img of root.querySelectorAll(".frame img")) {
    watch(img);
  }
  judge();
}

function watch(img) {
  const frame = img.closest(".frame");
  const done = (state) => {
    frame.classList.toggle("wait", state === "wait");
    frame.classList.toggle("failed", state === "failed");
    judge();
  };
  if (img.complete && img.naturalWidth > 0) {
    done("shown");
    return;
  }
  done("wait");
  img.addEventListener("load", () => done("shown"), { once: true });
  img.addEventListener("error", () => explain(img, frame, done), { once: true });
  if (img.complete && img.naturalWidth === 0) {
    explain(img, frame, done); // it failed before anybody listened
  }
}

// explain asks for the picture once more, to hear why there is none.
async function explain(img, frame, done) {
  if (frame.dataset.explained === img.src) {
    return;
  }
  frame.dataset.explained = img.src;
  let why = "This page’s program does not answer.";
  try {
    const response = await fetch(img.src);
    why = response.ok ? "It broke off on its way." : (await response.text()).trim();
    await response.body?.cancel();
  } catch { /* the words above will do */ }
  if (!frame.isConnected || !frame.contains(img)) {
    return; // another page is shown by now
  }
  frame.querySelectorAll(".reason").forEach((old) => old.remove());
  const reason = document.createElement("div");
  reason.className = "reason";
  const title = document.createElement("strong");
  title.textContent = "The face cannot be shown";
  const text = document.createElement("p");
  text.textContent = why;
  const retry = document.createElement("button");
  retry.type = "button";
  retry.textContent = "Try again";
  retry.addEventListener("click", () => {
    const fresh = img.cloneNode();
    delete frame.dataset.explained;
    reason.remove();
    img.replaceWith(fresh);
    watch(fresh);
  });
  reason.append(title, text, retry);
  frame.append(reason);
  done("failed");
}

// judge lets the form know what there is to decide on.
function judge() {
  const form = document.querySelector("form.decide");
  if (!form) {
    return;
  }
  const waiting = document.querySelector(".arrived .frame.wait") !== null;
  const failed = document.querySelector(".arrived .frame.failed") !== null;
  for (const button of form.querySelectorAll("button:not([value=reopened])")) {
    button.setAttribute("aria-disabled", String(waiting));
  }
  const note = form.querySelector("textarea");
  note.required = "needsNote" in form.dataset || failed;
  const word = form.querySelector(".field small");
  word.textContent = note.required ? "needed" : "optional";
  form.querySelector(".lost").hidden = !failed;
}

document.addEventListener("submit", (event) => {
  if (event.submitter?.getAttribute("aria-disabled") === "true") {
    event.preventDefault();
    document.getElementById("say").textContent = "The faces are still on their way.";
  }
}, { capture: true });
