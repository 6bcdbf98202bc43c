// Signature pads: <canvas data-signature="ID"> writes into the hidden input with that id as
// {"width": 600, "height": 170, "strokes": [[[x, y], ...], ...]}, so that the server can draw it again.
// Needs vendor/signature_pad.umd.min.js before it. Typing the name is the way without it.
(() => {
  "use strict";
  const INK = { penColor: "#1c2926", minWidth: .8, maxWidth: 2.6 };
  const pads = new Map();

  const toStrokes = (pad) => pad.toData().map((stroke) => stroke.points.map((p) => [Math.round(p.x * 10) / 10, Math.round(p.y * 10) / 10]));
  const toPad = (strokes, scale) => strokes.map((points) => ({
    ...INK, dotSize: 0, velocityFilterWeight: .7, compositeOperation: "source-over",
    points: points.map(([x, y], n) => ({ x: x * scale, y: y * scale, time: n * 16, pressure: .5 })),
  }));

  const start = (canvas) => {
    const name = canvas.dataset.signature;
    const input = document.getElementById(name);
    if (!input || pads.get(name)?.canvas === canvas) return;
    const pad = new SignaturePad(canvas, INK);
    const write = () => {
      const strokes = toStrokes(pad);
      input.value = strokes.length ? JSON.stringify({ width: canvas.offsetWidth, height: canvas.offsetHeight, strokes }) : "";
      input.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const draw = () => {
      const ratio = Math.max(devicePixelRatio || 1, 1);
      canvas.width = canvas.offsetWidth * ratio;
      canvas.height = canvas.offsetHeight * ratio;
      canvas.getContext("2d").scale(ratio, ratio);
      pad.clear();
      if (!input.value) return;
      try {
        const kept = JSON.parse(input.value);
        pad.fromData(toPad(kept.strokes, canvas.offsetWidth / kept.width));
      } catch { input.value = ""; }
    };
    pads.set(name, { canvas, pad, write });
    pad.addEventListener("endStroke", write);
    draw();
    let width = canvas.offsetWidth;
    addEventListener("resize", () => {
      if (!canvas.offsetWidth || canvas.offsetWidth === width) return;
      width = canvas.offsetWidth;
      draw();
    });
  };

  const edit = (name, change, text) => {
    const known = pads.get(name);
    if (!known) return;
    change(known.pad);
    known.write();
    window.clinic?.say(text);
  };
  const startAll = () => document.querySelectorAll("canvas[data-signature]").forEach(start);

  document.addEventListener("click", (event) => {
    const clear = event.target.closest?.("[data-signature-clear]");
    const undo = event.target.closest?.("[data-signature-undo]");
    if (clear) edit(clear.dataset.signatureClear, (pad) => pad.clear(), window.clinic._("Signature cleared."));
    if (undo) edit(undo.dataset.signatureUndo, (pad) => pad.fromData(pad.toData().slice(0, -1)), window.clinic._("Last line taken away."));
  });
  document.addEventListener("htmx:afterSettle", startAll);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", startAll); else startAll();
})();
