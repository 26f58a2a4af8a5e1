// The two faces, as large as the window allows. The pictures are moved, not fetched again.

export function lens(main) {
  const faces = main.querySelector("#faces");
  const button = main.querySelector("#zoom");
  if (!faces || !button || button.dataset.ready) {
    return;
  }
  button.dataset.ready = "yes";
  const label = button.firstChild;
  const home = faces.parentElement;
  button.addEventListener("click", () => {
    const open = document.getElementById("large");
    if (open) {
      open.close();
      return;
    }
    const dialog = document.createElement("dialog");
    dialog.id = "large";
    dialog.setAttribute("aria-label", "The two faces, enlarged");
    dialog.addEventListener("close", () => {
      home.prepend(faces);
      dialog.remove();
      label.textContent = "Enlarge ";
      if (button.isConnected) {
        button.focus({ preventScroll: true });
      }
    });
    document.body.append(dialog);
    dialog.append(faces);
    label.textContent = "Back ";
    dialog.showModal();
    button.focus();
  });
}
