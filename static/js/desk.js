// The desk's pages, which live.js keeps up to date: one tap a step, a visit moved by hand or by keys, and taken back for
// ten seconds. Without this script every link and button here is a page of its own.
(() => {
  "use strict";
  const live = document.getElementById("live");
  if (!live) return;
  const { say, _, unsent, sentAgain, live: keeps } = window.clinic;
  const { update, ask, parse, linkOf, nameOf } = keeps;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const csrf = () => document.querySelector("meta[name=csrf-token]").content;

  // ---- one dialog for a visit at a glance and for the answer to a move
  const dialog = document.createElement("dialog");
  dialog.className = "dialog dialog-desk";
  dialog.setAttribute("aria-label", _("Visit"));
  document.body.append(dialog);
  let shownVisit = "";
  const fill = (...parts) => {
    const close = document.createElement("button");
    close.type = "button";
    close.className = "icon-btn dialog-close";
    close.setAttribute("aria-label", _("Close"));
    close.textContent = "×";
    close.addEventListener("click", () => dialog.close());
    dialog.replaceChildren(close, ...parts, ...all(":scope > [aria-live]", dialog));
    if (!dialog.open) dialog.showModal();
    (dialog.querySelector("[data-main], .tap-row .btn") || dialog.querySelector("[data-focus]") || close).focus();
  };
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => {
    drop();
    linkOf(shownVisit)?.focus({ preventScroll: true });
    ask();
  });
  const wait = (text) => {
    const line = document.createElement("p");
    line.className = "quiet dialog-wait";
    line.textContent = text;
    fill(line);
    say(text);
  };
  const into = (page, url) => {
    const answer = page.getElementById("move-answer");
    const parts = answer ? [answer] : all("[data-quick-part]", page);
    if (!parts.length) return location.assign(url);
    all("form", page).forEach((form) => { form.dataset.step = ""; form.dataset.noBusy = ""; });
    all("input[name=back]", page).forEach((one) => { one.value = live.dataset.view; });
    fill(...parts);
    if (answer) say(answer.querySelector(".notice-title, h2:not(.move-to)")?.textContent || "");
  };
  // Only the last one that was asked for is shown, and only while the dialog stands that waits for it.
  let looks = 0;
  const isLast = (own) => own === looks && dialog.open;
  const look = async (url, words) => {
    const own = looks += 1;
    wait(words);
    try {
      const answer = await fetch(url);
      const page = parse(await answer.text());
      if (isLast(own)) into(page, answer.url);
    } catch { if (isLast(own)) location.assign(url); }
  };
  // The visit that stands in the dialog was changed elsewhere: what is shown there follows, the focus stays where it was.
  const lookAgain = async () => {
    const url = dialog.dataset.visit;
    if (!url || dialog.querySelector("#move-answer")) return;
    const waiting = dialog.querySelector(".dialog-wait");
    if (waiting) return look(url, waiting.textContent);
    const own = looks += 1;
    const focused = document.activeElement, words = focused.textContent, top = dialog.scrollTop, told = all("[data-unsent]", dialog);
    try {
      const answer = await fetch(url);
      const page = parse(await answer.text());
      if (!isLast(own) || !all("[data-quick-part]", page).length) return;
      into(page, answer.url);
      dialog.prepend(...told);
      // a button that is another one now is not pressed by the Enter that was meant for what stood there
      (all("a, button", dialog).find((one) => one.textContent === words) || dialog.querySelector("[data-focus]"))?.focus();
      dialog.scrollTop = top;
      say(_("This visit was changed meanwhile."));
    } catch { /* a step from here is refused, and says so */ }
  };

  // ---- kept up to date by live.js: not the column of a visit that is in somebody's hand, and the open dialog as well
  keeps.held = () => held?.box.closest("[data-part]")?.id;
  keeps.renewed = (before, after) => { if (dialog.open && !held && before.get(shownVisit) !== after.get(shownVisit)) lookAgain(); };

  // ---- one tap a step: sent without leaving the page, one after the other
  // It is for the dialog that stood there when it was pressed: another visit's, opened since, stays what it is.
  const showAnswer = (page, url, dialogOf) => {
    const fresh = page.getElementById("live"), isHere = dialog.open ? dialogOf === shownVisit : dialogOf === null;
    if (!fresh && page.querySelector("#move-answer") && dialog.open && isHere) { into(page, url); return true; }
    if (!fresh || fresh.dataset.day !== live.dataset.day) return leave(url);
    if (isHere) {
      dialog.close();
      drop();
    }
    update(page);
    const notes = page.querySelector(".flashes"), text = notes.textContent.trim().replace(/\s+/g, " ");
    const undo = document.getElementById("undo"), undone = undo.contains(document.activeElement) && undo.querySelector("form")?.getAttribute("action").match(/visits\/(\d+)/)?.[1];
    undo.replaceWith(page.getElementById("undo"));
    // Whoever pressed Undo goes on with the visit that is back.
    if (undone) (linkOf(undone) || document.getElementById("main")).focus({ preventScroll: !linkOf(undone) });
    window.clinic.countDown();
    const canUndo = Boolean(document.querySelector("[data-undo]"));
    // What went well is said in the bar below, where nothing moves; what did not stands above the day until it is read.
    if (notes.querySelector(".k-care")) document.querySelector(".flashes").replaceWith(notes);
    else if (text && !canUndo) passing(text);
    say([text, canUndo && _("Undo with Control and Z.")].filter(Boolean).join(" "));
    return true;
  };
  // A locked screen has taken the page away: what is answered meanwhile is shown once it is back.
  const isUncovered = () => live.isConnected || new Promise((done) => { document.addEventListener("unlocked", () => done(false), { once: true }); });
  const send = async ({ form, url, body, dialogOf }) => {
    // Undo takes back what its bar said when it was pressed, never the step that has come into its place.
    if ("undo" in form.dataset && !form.isConnected) {
      notSent(_("Another step was still on its way, so nothing was taken back. Read what Undo is for now before you press again."));
      return true;
    }
    let answer = null, page = null;
    try {
      answer = await fetch(url, { method: "POST", body, headers: { "X-CSRFToken": csrf() } });
      page = parse(await answer.text());
    } catch { /* not reached, which is said below */ }
    const isLate = !await isUncovered();
    if (!page) { notSent(); return false; }
    if (isLate) page.querySelector("[data-undo]")?.remove(); // its seconds are over
    if (answer.status >= 500) {
      stop(_("Something went wrong, so this step may not have been done. See how things stand now before you press again."));
      ask();
      return false;
    }
    const refused = page.querySelector(".lost"); // a page that says no has no address of its own to go to
    if (refused && !answer.redirected) {
      stop(all("h1, .lede", refused).map((one) => one.textContent.trim()).join(": "));
      ask();
      return false;
    }
    if (!isLate || answer.status !== 423) return showAnswer(page, answer.url, dialogOf);
    if (!answer.redirected) notSent(_("That did not work. Please try again."));
    return true;
  };
  const steps = [];
  // What was pressed after a step that failed, or that leads away from here, is not sent, and the page says so.
  const stop = (words, ...way) => {
    const left = steps.slice(1).map(({ name }) => name).join("; ");
    notSent([words, left && _("Not sent: %(steps)s.", { steps: left })].filter(Boolean).join(" "), ...way);
  };
  const leave = (url) => {
    const way = Object.assign(document.createElement("a"), { href: url, className: "btn btn-undo", textContent: _("Go there") });
    if (steps.length === 1) location.assign(url); else stop(_("This step leads to another page."), way);
    return false;
  };
  const sendAll = async () => {
    while (steps.length) {
      let isReached = false;
      // Without an answer to show here those that wait are not sent either, as the page says.
      try { isReached = await send(steps[0]); }
      finally { steps.splice(0, isReached ? 1 : steps.length).forEach(({ button }) => button?.classList.remove("is-busy")); }
    }
  };
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (!("step" in form.dataset) || form.method !== "post") return;
    event.preventDefault();
    const url = button?.getAttribute("formaction") || form.action;
    if (steps.some((one) => one.url === url && one.button?.value === button?.value)) return; // pressed twice
    sentAgain();
    button?.classList.add("is-busy");
    const name = [dialog.open && dialog.querySelector("h1")?.textContent.trim(), nameOf(button || form)].filter(Boolean).join(": ");
    steps.push({ form, button, name, url, body: new FormData(form, button), dialogOf: dialog.open ? shownVisit : null });
    if (steps.length === 1) sendAll();
  });

  const notSent = (words = _("No connection, so nothing was sent. Press again when you are online."), ...way) => {
    const undo = document.getElementById("undo");
    const put = (line) => {
      line.append(...way);
      if (dialog.open) dialog.prepend(line); else if (undo) undo.append(line); else live.before(line);
    };
    unsent(put, dialog.open ? "wrong" : "undo undo-said", words);
  };

  const passing = (text) => {
    const line = document.createElement("p");
    line.className = "undo undo-said";
    line.textContent = text;
    document.getElementById("undo").replaceChildren(line);
    setTimeout(() => line.remove(), 5000);
  };

  // ---- moved: by mouse, by a long press, or by keys. Nothing is saved before the answer has been read.
  const STEP = 5;
  let held = null, press = null, swallow = false;
  const clock = (minute) => {
    const hour = Math.floor(minute / 60), rest = String(minute % 60).padStart(2, "0");
    return "clock24" in live.dataset ? `${String(hour).padStart(2, "0")}:${rest}` : `${hour % 12 || 12}:${rest} ${hour < 12 ? "am" : "pm"}`;
  };
  const take = (box, keys) => {
    const grid = box.closest(".dg"), body = box.parentElement.closest(".dg-body");
    const from = Number(grid.dataset.from) * 60, to = Number(grid.dataset.to) * 60, pixel = body.clientHeight / (to - from);
    const columns = all("[data-column]", grid).map((one) => ({ key: one.dataset.column, lane: one.dataset.lane, name: one.querySelector("h2").textContent.trim(), left: one.offsetLeft, right: one.offsetLeft + one.offsetWidth }));
    const ghost = box.cloneNode(true), here = box.getBoundingClientRect(), frame = grid.getBoundingClientRect();
    ghost.className = `ev ev-ghost ${[...box.classList].find((one) => one.startsWith("st-"))} ${[...box.classList].filter((one) => one.startsWith("is-") && one !== "is-moving").join(" ")}`;
    Object.assign(ghost.style, {
      left: `${here.left - frame.left - grid.clientLeft + grid.scrollLeft}px`, top: `${here.top - frame.top - grid.clientTop + grid.scrollTop}px`,
      width: `${here.width}px`, height: `${here.height}px`,
    });
    ghost.removeAttribute("data-visit");
    ghost.setAttribute("aria-hidden", "true");
    all("a, button", ghost).forEach((one) => { one.tabIndex = -1; });
    grid.append(ghost);
    box.classList.add("is-moving");
    const minute = from + Math.round(box.offsetTop / pixel / STEP) * STEP;
    const first = columns.findIndex((one) => one.key === box.closest("[data-column]").dataset.column);
    held = { box, ghost, grid, from, to, pixel, columns, first, keys, start: minute, minute, column: first, length: Math.round(box.offsetHeight / pixel / STEP) * STEP };
    draw();
  };
  const draw = () => {
    const { ghost, columns, column, first, minute, start, pixel } = held;
    ghost.style.transform = `translate3d(${columns[column].left - columns[first].left}px, ${(minute - start) * pixel}px, 0)`;
    const time = ghost.querySelector(".ev-time");
    if (time.textContent !== clock(minute)) time.textContent = clock(minute);
  };
  const goTo = (minute, column) => {
    held.minute = Math.max(held.from, Math.min(held.to - held.length, minute));
    // Only among what can be given: another therapist, another room. A device comes along with the time.
    const lane = held.columns[held.first].lane, to = Math.max(0, Math.min(held.columns.length - 1, column));
    if (lane !== "device" && held.columns[to].lane === lane) held.column = to;
    draw();
  };
  const drop = () => {
    if (!held) return;
    held.ghost.remove();
    held.box.classList.remove("is-moving");
    held = null;
  };
  const askAbout = () => {
    const { box, columns, column, minute, start, first } = held;
    if (minute === start && column === first) return drop();
    shownVisit = box.dataset.visit;
    const { lane, key } = columns[column];
    const to = new URLSearchParams({ day: live.dataset.day, at: `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`, ...(lane === "device" ? {} : { [lane]: key }) });
    look(`${box.querySelector("a").pathname}/move?${to}`, _("Checking whether it fits…"));
  };

  const follow = () => {
    if (!held || held.keys || !press) return;
    const { grid, pixel, columns } = held, edge = grid.getBoundingClientRect(), reach = 44;
    const by = (near, far) => (near < reach ? near - reach : far < reach ? reach - far : 0) / 4;
    grid.scrollLeft += by(press.x - edge.left, edge.right - press.x);
    grid.scrollTop += by(press.y - edge.top - 56, edge.bottom - press.y);
    const x = press.x - edge.left + grid.scrollLeft, y = press.y - press.startY + grid.scrollTop - press.scrollTop;
    const under = columns.findIndex((one) => x >= one.left && x < one.right);
    goTo(held.start + Math.round(y / pixel / STEP) * STEP, under < 0 ? held.column : under);
    requestAnimationFrame(follow);
  };
  // Whoever pulls at what stays where it is reads why.
  const tellStill = (box) => {
    const text = box.dataset.together ? _("Booked for two: press M on it to move both.") : _("Only a visit that is still to come can be moved.");
    if (!document.querySelector("[data-undo]")) passing(text);
    say(text);
  };
  const lift = () => {
    take(press.box, false);
    press.box.setPointerCapture?.(press.id);
    requestAnimationFrame(follow);
  };
  live.addEventListener("pointerdown", (event) => {
    const box = event.target.closest(".ev[data-visit]"), still = box && !("moves" in box.dataset);
    if (!box || event.button !== 0 || event.target.closest(".ev-tap") || held || (still && event.pointerType !== "mouse")) return;
    const grid = box.closest(".dg");
    press = { box, still, id: event.pointerId, x: event.clientX, y: event.clientY, startX: event.clientX, startY: event.clientY, scrollTop: grid.scrollTop, touch: event.pointerType !== "mouse" };
    if (press.touch) press.timer = setTimeout(() => { if (press) { navigator.vibrate?.(15); lift(); } }, 350);
  });
  addEventListener("pointermove", (event) => {
    if (!press || event.pointerId !== press.id) return;
    press.x = event.clientX;
    press.y = event.clientY;
    const far = Math.hypot(press.x - press.startX, press.y - press.startY) > 5;
    if (held || !far) return;
    if (press.still) {
      if (!press.told) tellStill(press.box);
      press.told = true;
    } else if (press.touch) { clearTimeout(press.timer); press = null; } else lift();
  });
  addEventListener("touchmove", (event) => { if (held && press) event.preventDefault(); }, { passive: false });
  const release = (event, isDone) => {
    if (!press || event.pointerId !== press.id) return;
    clearTimeout(press.timer);
    const { told } = press;
    press = null;
    if (!told && (!held || held.keys)) return;
    swallow = true;
    setTimeout(() => { swallow = false; }, 0);
    if (held && isDone) askAbout(); else drop();
  };
  addEventListener("pointerup", (event) => release(event, true));
  addEventListener("pointercancel", (event) => release(event, false));
  live.addEventListener("dragstart", (event) => event.preventDefault());
  live.addEventListener("contextmenu", (event) => { if (held) event.preventDefault(); });

  live.addEventListener("keydown", (event) => {
    const box = event.target.closest("[data-moves]");
    const isM = event.key.toLowerCase() === "m" && !event.ctrlKey && !event.metaKey && !event.altKey;
    if (!held && box && isM) {
      event.preventDefault();
      take(box, true);
      return say({
        therapist: _("Moving. Up and down change the time, left and right the therapist. Enter asks whether it fits, Escape leaves it."),
        room: _("Moving. Up and down change the time, left and right the room. Enter asks whether it fits, Escape leaves it."),
        device: _("Moving. Up and down change the time. Enter asks whether it fits, Escape leaves it."),
      }[held.columns[held.first].lane]);
    }
    const still = !held && !box && isM && event.target.closest(".ev[data-visit]");
    if (still) {
      event.preventDefault();
      if (still.dataset.together) return location.assign(still.dataset.together);
      return tellStill(still);
    }
    if (!held) return;
    const by = event.shiftKey ? STEP : 15, ways = { ArrowUp: [-by, 0], ArrowDown: [by, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
    if (event.key in ways) {
      event.preventDefault();
      const [minutes, columns] = ways[event.key];
      goTo(held.minute + minutes, held.column + columns);
      held.ghost.scrollIntoView({ block: "nearest", inline: "nearest" });
      say(`${clock(held.minute)}, ${held.columns[held.column].name}`);
    } else if (event.key === "Enter") { event.preventDefault(); askAbout(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !held || dialog.open) return;
    press = null;
    drop();
    say(_("Not moved."));
  });
  live.addEventListener("focusout", () => { if (held?.keys && !dialog.open) setTimeout(() => { if (held?.keys && !dialog.open && !held.box.contains(document.activeElement)) drop(); }, 0); });

  document.addEventListener("click", (event) => {
    if (swallow) { event.preventDefault(); return event.stopPropagation(); }
    const link = event.target.closest?.("a[data-quick], a[data-move-to]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    if ("quick" in link.dataset) shownVisit = link.closest("[data-visit]").dataset.visit;
    dialog.dataset.visit = "quick" in link.dataset ? link.href : "";
    look(link.href, "quick" in link.dataset ? _("Opening the visit…") : _("Checking whether it fits…"));
  }, true);
})();
