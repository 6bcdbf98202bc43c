// The day's grid is one stop for the Tab key, however many visits it holds: the arrow keys go from visit to visit and to the
// free times between them, Home and End to the first and the last of a column. A day that is today opens at the present time.
(() => {
  "use strict";
  const live = document.getElementById("live");
  if (!live?.querySelector(".dg")) return;
  const STOPS = ".dg-who a, .dg-free, .ev:not(.ev-ghost) > a";
  const stopsIn = (within) => [...within.querySelectorAll(STOPS)];
  const topOf = (one) => one.getBoundingClientRect().top;
  const reach = (one, index) => {
    one.tabIndex = index;
    const tap = one.parentElement.querySelector(":scope > .ev-tap");
    if (tap) tap.tabIndex = index;
  };
  let current = null;
  const choose = (one) => {
    if (!one || one === current) return;
    if (current) reach(current, -1);
    current = one;
    reach(one, 0);
  };
  // After each renewal: the same visit or time as before, else the first visit that waits for its next step.
  const settle = () => {
    const stops = stopsIn(live), before = current;
    stops.forEach((one) => reach(one, -1));
    current = null;
    choose(stops.find((one) => one === document.activeElement) || stops.find((one) => one.href === before?.href)
      || live.querySelector(".ev-tap")?.parentElement.querySelector("a") || stops[0]);
  };
  const stopOf = (target) => target.closest(STOPS) || target.closest(".ev-tap")?.parentElement.querySelector("a");

  live.addEventListener("focusin", (event) => choose(stopOf(event.target)));
  live.addEventListener("keydown", (event) => {
    const from = stopOf(event.target);
    if (!from || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || live.querySelector(".is-moving")) return;
    const column = from.closest(".dg-col"), stops = stopsIn(column).sort((a, b) => topOf(a) - topOf(b)), at = stops.indexOf(from);
    const beside = (way) => {
      for (let one = column[way]; one; one = one[way]) {
        const near = stopsIn(one).sort((a, b) => Math.abs(topOf(a) - topOf(from)) - Math.abs(topOf(b) - topOf(from)))[0];
        if (near) return near;
      }
      return from;
    };
    const isRight = getComputedStyle(live).direction === "rtl";
    const ways = {
      ArrowUp: () => stops[at - 1], ArrowDown: () => stops[at + 1], Home: () => stops[0], End: () => stops.at(-1),
      ArrowLeft: () => beside(isRight ? "nextElementSibling" : "previousElementSibling"),
      ArrowRight: () => beside(isRight ? "previousElementSibling" : "nextElementSibling"),
    };
    if (!(event.key in ways)) return;
    event.preventDefault();
    (ways[event.key]() || from).focus();
  });

  window.clinic.settle = settle;
  settle();
  requestAnimationFrame(() => {
    const grid = live.querySelector(".dg"), mark = grid.querySelector(".dg-now-mark");
    if (mark) grid.scrollTop = mark.offsetTop - grid.clientHeight / 4;
  });
})();
