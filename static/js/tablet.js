// A tablet in a client's hands locks itself when nobody touches it: the server decides, this page only goes to look.
(() => {
  "use strict";
  const dialog = document.querySelector("[data-idle]");
  const LAST = Math.min(60, Number(dialog.dataset.idle) / 2);
  const left = dialog.querySelector("[data-idle-left]");
  const kept = dialog.querySelector("[data-idle-kept]");
  const lost = dialog.querySelector("[data-idle-lost]");
  let touched = Date.now();
  let told = touched;

  const touch = () => {
    touched = Date.now();
    if (dialog.open) dialog.close();
    if (touched - told < 30000) return;
    told = touched;
    fetch(dialog.dataset.awakeUrl, {
      method: "POST", credentials: "same-origin",
      headers: { "X-CSRFToken": document.querySelector("meta[name=csrf-token]").content },
    }).catch(() => {});
  };
  const look = async () => {
    const seconds = Math.ceil(Number(dialog.dataset.idle) - (Date.now() - touched) / 1000);
    left.textContent = Math.max(seconds, 0);
    lost.hidden = !window.clinic?.isUnsaved();
    kept.hidden = !lost.hidden;
    if (seconds <= LAST && !dialog.open) dialog.showModal();
    if (seconds > -1) return;
    clearInterval(looking); // once: on a slow line each further try would break off the one before it
    await window.clinic?.saveAll();
    location.replace(dialog.dataset.lockedUrl);
  };
  ["pointerdown", "keydown", "scroll"].forEach((name) => addEventListener(name, touch, { passive: true }));
  const looking = setInterval(look, 1000);
})();
