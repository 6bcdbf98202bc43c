// The bar under the last step at the desk: it counts the seconds down for as long as the server lets it be taken back.
// Without this script the bar stays until the page is left, and the server says when it is too late.
(() => {
  "use strict";
  const countDown = () => {
    const form = document.querySelector("[data-undo]");
    if (!form) return;
    const end = Date.now() + Number(form.dataset.seconds) * 1000, left = form.querySelector(".undo-left");
    const tick = () => {
      if (!form.isConnected) return clearInterval(beat);
      const seconds = Math.ceil((end - Date.now()) / 1000);
      left.textContent = String(seconds);
      if (seconds > 0) return;
      clearInterval(beat);
      if (form.contains(document.activeElement)) document.getElementById("main").focus({ preventScroll: true });
      form.remove();
    };
    const beat = setInterval(tick, 250);
    tick();
  };
  document.addEventListener("keydown", (event) => {
    const undo = document.querySelector("[data-undo]");
    if (!undo || event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || event.target.matches("input, textarea")) return;
    event.preventDefault();
    undo.requestSubmit(undo.querySelector("button"));
  });
  window.clinic.countDown = countDown;
  countDown();
})();
