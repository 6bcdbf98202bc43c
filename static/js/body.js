// Marks on a drawing of the body, above the list of areas that it stands for. The list holds what is marked, and is all
// that is sent: a tap on the drawing ticks or unticks there, and the drawing follows the list, whichever was used.
(() => {
  "use strict";
  const figure = document.querySelector("[data-body-figure]");
  if (!figure) return;
  const { _ } = window.clinic;
  const WHOLE = "full_body";

  const start = (field) => {
    const list = field.querySelector("[data-area-list]");
    const boxes = [...list.querySelectorAll("input[type=checkbox]")];
    const said = document.createElement("p");
    said.className = "body-said";
    list.before(figure.content.cloneNode(true), said);
    if (!field.classList.contains("has-error")) list.open = false;
    const shapes = [...field.querySelectorAll("[data-area]")];
    const boxOf = (area) => boxes.find((box) => box.value === area);
    const nameOf = (box) => box.labels[0].textContent.trim().toLowerCase();

    const draw = () => {
      const marked = boxes.filter((box) => box.checked);
      const whole = boxOf(WHOLE)?.checked;
      shapes.forEach((shape) => shape.classList.toggle("is-on", whole || Boolean(boxOf(shape.dataset.area)?.checked)));
      said.textContent = marked.length ? _("Marked: %(places)s.", { places: marked.map(nameOf).join(", ") }) : _("Nothing is marked yet. Tap the places, or choose them from the list.");
    };
    const tap = (area) => {
      const box = boxOf(area);
      if (!box) return;
      const whole = boxOf(WHOLE);
      if (whole?.checked) whole.checked = false;
      box.checked = !box.checked;
      box.dispatchEvent(new Event("change", { bubbles: true }));
      window.clinic?.say(box.checked ? _("%(place)s: marked.", { place: nameOf(box) }) : _("%(place)s: not marked any more.", { place: nameOf(box) }));
    };

    field.addEventListener("click", (event) => {
      const area = event.target.dataset?.area;
      if (area) tap(area);
    });
    field.addEventListener("change", draw);
    const point = (event) => shapes.forEach((shape) => {
      shape.classList.toggle("is-at", event.type === "focusin" && shape.dataset.area === event.target.value);
    });
    field.addEventListener("focusin", point);
    field.addEventListener("focusout", point);
    draw();
  };
  document.querySelectorAll("[data-chart]").forEach(start);
})();
