// IDs are there to be looked up elsewhere.

export function offerCopies(main) {
  for (const code of main.querySelectorAll("code[data-copy]")) {
    if (code.nextElementSibling || !navigator.clipboard) {
      continue;
    }
    const button = document.createElement("button");
    button.type = "button";
    button.className = "quiet";
    button.textContent = "Copy";
    button.setAttribute("aria-label", `Copy the ID: ${code.closest("div").querySelector("dt").textContent}`);
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Select it by hand";
      }
    });
    code.after(button);
  }
}
