// What every page shares. Each part looks for its own data attributes and leaves the rest alone,
// so a page without JavaScript loses comfort, never function.
(() => {
  "use strict";
  const root = document.documentElement, { comesBackTo } = root.dataset;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const csrf = () => document.querySelector("meta[name=csrf-token]")?.content || "";
  const store = (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } };

  // ---- said aloud: say("Saved"), or the response header HX-Trigger: {"say": "Saved"}
  const say = (text, urgent = false) => {
    const modal = document.querySelector("dialog:modal"), live = urgent ? "assertive" : "polite";
    let region = modal?.querySelector(`:scope > [aria-live=${live}]`) || document.getElementById(urgent ? "say-now" : "say");
    if (!region) return;
    if (modal && !modal.contains(region)) { // what lies behind an open dialog is not read
      region = document.createElement("p");
      region.className = "visually-hidden";
      region.setAttribute("aria-live", live);
      modal.append(region);
    }
    region.textContent = "";
    setTimeout(() => { region.textContent = text; }, 60);
  };
  document.addEventListener("say", (event) => say(event.detail?.value ?? event.detail ?? ""));

  // ---- texts in the language of the page: words.<language>.js holds them by their English, and English pages load none
  const words = window.clinicWords || {};
  const filled = (text, values) => text.replace(/%\((\w+)\)[sd]/g, (_all, name) => values[name]);
  const _ = (text, values = {}) => filled(words[text] || text, values);
  const ngettext = (one, many, num, values = {}) => filled((words[one] || [one, many])[num === 1 ? 0 : 1], { num, ...values });
  window.clinic = { say, _, ngettext };

  // ---- what could not be sent: said where the press was, for everybody, until the next one. Nothing has happened, and
  // nothing typed is gone.
  const sentAgain = () => all("[data-unsent]").forEach((one) => one.remove());
  const unsent = (put, look = "wrong", words = _("That did not work. Please try again.")) => {
    sentAgain();
    const line = document.createElement("p");
    line.dataset.unsent = "";
    line.className = look;
    line.textContent = words;
    put(line);
    say(line.textContent, true);
  };
  Object.assign(window.clinic, { unsent, sentAgain });

  // ---- colours and text size
  const labelTheme = (button) => {
    button.setAttribute("aria-label", root.dataset.bsTheme === "dark" ? button.dataset.labelLight : button.dataset.labelDark);
  };
  const switchTheme = (button) => {
    root.dataset.bsTheme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    store("theme", root.dataset.bsTheme);
    labelTheme(button);
  };
  const switchType = (button) => {
    const large = root.dataset.type !== "large";
    if (large) root.dataset.type = "large"; else delete root.dataset.type;
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `text=large; path=/; samesite=lax; max-age=${large ? 31536000 : 0}${secure}`;
    button.setAttribute("aria-pressed", String(large));
  };

  // ---- another language: a page that a mailed key opened tells its address to nobody, so that only the page itself
  // can open anew. One that a sent form made, and that has no address of its own, leads to the first page.
  const readIn = async (form, button) => {
    const asked = new FormData(form), here = location.pathname + location.search;
    asked.set(button.name, button.value);
    try {
      await fetch(form.action, { method: "POST", body: asked, redirect: "manual" });
      location.replace((await fetch(here)).status === 405 ? "/" : here);
    } catch {
      say(_("That did not work. Please try again."), true);
    }
  };

  const CHANGE_LANGUAGE = _("Change the language? What you typed on this page is not kept.");

  // What was typed on a page and is saved nowhere: since it came, or before, where the page is the answer to a form.
  const isTyped = (control) => (/^(radio|checkbox)$/.test(control.type) ? control.checked !== control.defaultChecked
    : /^(text|tel|email|date|time|number|textarea|search)/.test(control.type) && control.value !== control.defaultValue);
  const isChosen = (list) => list.type === "select-one" && list.selectedIndex !== Math.max(0, [...list.options].findIndex((one) => one.defaultSelected));
  const isChanged = (control) => isTyped(control) || isChosen(control);
  window.clinic.isChanged = isChanged;
  const hasTyped = () => all("main form[method=post]:not([data-autosave-url])")
    .some((form) => [...form.elements].some((one) => isTyped(one) || (comesBackTo && /^(text|tel|email)/.test(one.type) && one.value)));

  // ---- where the eye goes: the first error, else the new heading
  const settle = (within, onLoad) => {
    const summary = within.querySelector("[data-error-summary]");
    if (summary) {
      summary.focus();
      if (onLoad && !document.title.startsWith(_("Error: "))) document.title = _("Error: ") + document.title;
      return;
    }
    if (onLoad) return;
    const heading = within.matches?.("[data-focus]") ? within : within.querySelector("[data-focus]");
    if (heading) {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
      heading.scrollIntoView({ block: "nearest" });
    }
  };
  // A strip that is moved sideways shows the whole of what has the focus: half of it in view is enough for browsers.
  document.addEventListener("focusin", (event) => event.target.closest(".days li, .tabs li")?.scrollIntoView({ block: "nearest", inline: "nearest" }));
  const followErrorLink = (event, link) => {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    if (!target) return;
    event.preventDefault();
    const hidden = target.closest("[data-unfold][hidden]");
    if (hidden) hidden.hidden = false;
    const folded = target.closest("details");
    if (folded) folded.open = true;
    target.focus();
    (target.closest(".field, .q") || target).scrollIntoView({ block: "center" });
  };

  // ---- follow-ups: shown when one of their answers is chosen
  const refreshUnfold = (within) => {
    all("[data-unfold]", within).forEach((box) => {
      const scope = box.closest("form") || document;
      const wanted = box.dataset.unfoldWhen.split(" ");
      const shown = all(`[name="${CSS.escape(box.dataset.unfold)}"]`, scope)
        .some((control) => (control.type === "radio" || control.type === "checkbox" ? control.checked : true) && wanted.includes(control.value));
      box.hidden = !shown;
    });
  };
  const keepNoneAlone = (control) => {
    if (control.type !== "checkbox" || !control.checked) return;
    const others = all(`[name="${CSS.escape(control.name)}"]`, control.form || document).filter((one) => one !== control);
    const isNone = control.hasAttribute("data-none");
    others.forEach((one) => { if (isNone || one.hasAttribute("data-none")) one.checked = false; });
  };

  // ---- one press, one request: busy until the page leaves, and free again on the way back
  const busyForms = new Set();
  const setBusy = (form, button) => {
    busyForms.add(form);
    form.setAttribute("aria-busy", "true");
    if (button) { button.classList.add("is-busy"); button.setAttribute("aria-disabled", "true"); }
    setTimeout(() => { if (busyForms.has(form)) say(_("Working, please wait.")); }, 700);
    setTimeout(() => free(form), 15000);
  };
  const free = (form) => {
    busyForms.delete(form);
    form.removeAttribute("aria-busy");
    all(".is-busy", form).forEach((button) => { button.classList.remove("is-busy"); button.removeAttribute("aria-disabled"); });
  };
  window.clinic.free = free;
  addEventListener("pageshow", () => { all("form[aria-busy]").forEach(free); });

  // ---- "are you sure?" as a dialog of our own; without JavaScript a page asks instead, which a field "sure" says is
  // not needed any more
  const press = (one, button) => { if (one.requestSubmit) one.requestSubmit(button); else one.click(); };
  const askFirst = (one, submitter, words = one.dataset.confirm) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    const title = document.createElement("h2");
    title.textContent = words;
    title.id = "confirm-title";
    dialog.setAttribute("aria-labelledby", title.id);
    const row = document.createElement("div");
    row.className = "actions";
    const back = document.createElement("button");
    back.type = "button";
    back.className = "btn btn-quiet";
    back.textContent = one.dataset.confirmBack || _("Go back");
    const go = document.createElement("button");
    go.type = "button";
    go.className = submitter?.className || "btn btn-primary";
    go.append(...(submitter ? submitter.cloneNode(true).childNodes : [_("Continue")]));
    row.append(back, go);
    dialog.append(title, row);
    document.body.append(dialog);
    back.addEventListener("click", () => dialog.close());
    go.addEventListener("click", () => {
      one.dataset.confirmed = "yes";
      if (one.elements?.sure) one.elements.sure.disabled = false;
      dialog.close();
      press(one, submitter);
    });
    one.dataset.asking = ""; // a page that renews itself leaves it alone until it is answered
    dialog.addEventListener("close", () => { delete one.dataset.asking; dialog.remove(); (submitter || one).focus(); });
    dialog.showModal();
  };

  // ---- autosave: quiet while it works, plain when it does not
  const timers = new WeakMap();
  const cutOff = new WeakSet(); // forms whose last try found no connection
  const stateLine = (form) => document.querySelector(form.dataset.autosaveState || "[data-autosave-state]");
  const saveState = (form, text, late) => {
    const line = stateLine(form);
    if (!line) return;
    line.classList.toggle("is-late", late);
    (line.querySelector("span") || line).textContent = text;
  };
  const saving = new WeakMap(); // the save under way
  const unsaved = new Set(); // forms with something that no save has taken
  const save = async (form) => {
    unsaved.delete(form);
    saveState(form, _("Saving…"), false);
    const body = new FormData(form);
    const isSmall = new URLSearchParams(body).toString().length < 30000; // a browser sends no more once the page is left
    try {
      const answer = await fetch(form.dataset.autosaveUrl, {
        method: "POST", body, credentials: "same-origin", keepalive: isSmall,
        headers: { "X-CSRFToken": csrf(), "X-Autosave": "1", "X-Requested-With": "fetch" },
      });
      cutOff.delete(form);
      const seen = answer.headers.get("X-Seen"); // what this page has saved, it has seen
      if (seen && form.elements.seen) form.elements.seen.value = seen;
      if (answer.ok && !answer.redirected) return saveState(form, _("Saved. You can stop and come back."), false);
      unsaved.add(form);
      saveState(form, _("Not saved just now. Your answers are still on this page."), true);
    } catch {
      unsaved.add(form);
      cutOff.add(form);
      saveState(form, _("No connection. Your answers are still on this page; we will try again."), true);
      timers.set(form, setTimeout(() => autosave(form), 8000));
    }
  };
  // One after the other, and the press of the button last: what was typed earlier must not arrive later.
  const autosave = (form) => {
    const last = (saving.get(form) || Promise.resolve()).then(() => save(form)).then(() => { if (saving.get(form) === last) saving.delete(form); });
    saving.set(form, last);
    return last;
  };
  // Without a connection the page stays: the browser's own page about it would be all that is left of what was typed.
  const sendOnceReached = async (form, button) => {
    clearTimeout(timers.get(form));
    await saving.get(form);
    if (cutOff.has(form) || !navigator.onLine) await autosave(form);
    if (cutOff.has(form)) return say(_("No connection. Your answers are still on this page; we will try again."));
    form.dataset.reached = "";
    form.requestSubmit(button);
  };
  // Whatever else leaves the page saves first: another form, a link, a tablet that locks itself. Not saved in time is not
  // saved: nobody waits for ever.
  const isUnsaved = () => all("form[data-autosave-url]").some((form) => unsaved.has(form) || saving.has(form));
  const saveNow = async (form) => {
    clearTimeout(timers.get(form));
    await saving.get(form);
    if (unsaved.has(form)) await autosave(form);
  };
  const saveAll = () => Promise.race([
    Promise.all(all("form[data-autosave-url]").map(saveNow)).then(() => !isUnsaved()),
    new Promise((done) => { setTimeout(done, 8000, false); }),
  ]);
  const AWAY = "a[href]:not([href^='#'], [href^='tel:'], [href^='mailto:'], [target], [download])";
  const leaves = (one) => one.dataset.confirmed !== "yes" && isUnsaved() && !one.matches("[data-step], [hx-get], [hx-post], [method=dialog]");
  const saveFirst = async (one, button) => {
    if (busyForms.has(one)) return;
    setBusy(one, button);
    const isSaved = await saveAll();
    free(one);
    if (isSaved) press(one, button);
    else askFirst(one, button, one.matches(".tongues") ? CHANGE_LANGUAGE : _("What you answered last could not be saved. If you go on now, it is not kept."));
  };
  // Gone by the browser's own buttons: sent along on the way out.
  addEventListener("pagehide", () => unsaved.forEach(save));
  Object.assign(window.clinic, { isUnsaved, saveAll });
  const saveSoon = (form) => {
    unsaved.add(form);
    clearTimeout(timers.get(form));
    timers.set(form, setTimeout(() => autosave(form), 900));
  };
  // The page says so only once it is true. What was answered before this script came counts like an answer of now, but
  // not what the browser filled in again: that is of before.
  const isFresh = performance.getEntriesByType("navigation")[0]?.type === "navigate";
  const startSaving = (form) => {
    const line = stateLine(form);
    if (line) line.hidden = false;
    if (isFresh && [...form.elements].some(isChanged)) saveSoon(form);
  };

  // ---- the hold clock: counts by the server's time, speaks at two minutes and at thirty seconds
  const startClock = (element) => {
    const skew = Date.parse(element.dataset.deadlineNow || "") - Date.now() || 0;
    const end = Date.parse(element.dataset.deadline);
    const box = element.closest("[data-hold]");
    let last = Infinity;
    const tick = () => {
      if (!element.isConnected) return clearInterval(timer);
      const left = Math.max(0, Math.ceil((end - Date.now() - skew) / 1000));
      element.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      box?.classList.toggle("is-soon", left > 0 && left <= 120);
      if (last > 120 && left <= 120 && left > 30) say(_("Two minutes left to finish. Nothing you typed will be lost."));
      if (last > 30 && left <= 30 && left > 0) say(_("Thirty seconds left."), true);
      if (left === 0) {
        clearInterval(timer);
        box?.classList.add("is-over");
        const text = box?.querySelector("[data-hold-text]");
        if (text) text.textContent = element.dataset.deadlineOver;
        element.textContent = "";
        say(element.dataset.deadlineOver, true);
        document.dispatchEvent(new CustomEvent("hold:over"));
      }
      last = left;
    };
    const timer = setInterval(tick, 1000);
    tick();
  };

  // ---- a password can be shown
  const addReveal = (input) => {
    const box = document.createElement("div");
    box.className = "reveal";
    input.replaceWith(box);
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = _("Show");
    button.setAttribute("aria-label", _("Show what is typed"));
    button.setAttribute("aria-controls", input.id);
    button.addEventListener("click", () => {
      const shown = input.type === "text";
      input.type = shown ? "password" : "text";
      button.textContent = shown ? _("Show") : _("Hide");
      button.setAttribute("aria-label", shown ? _("Show what is typed") : _("Hide what is typed"));
    });
    box.append(input, button);
  };

  // ---- copied for another program; where the browser does not let us, it is marked to be copied by hand
  const copy = async (button) => {
    const field = document.getElementById(button.dataset.copy);
    field.select();
    try {
      await navigator.clipboard.writeText(field.value);
      say(_("Copied."));
      button.lastChild.textContent = _("Copied.");
    } catch { field.focus(); }
  };

  // ---- a strip that scrolls sideways begins at what is chosen
  const showCurrent = (strip) => {
    const list = strip.querySelector("ul") || strip, current = strip.querySelector("[aria-current], .dg-today");
    if (!list || !current) return;
    const hours = list.querySelector(".dg-axis");
    list.scrollLeft = current.offsetLeft - (hours ? hours.offsetWidth : list.clientWidth / 2 - current.clientWidth / 2);
  };

  const start = (within) => {
    refreshUnfold(within);
    all("[data-deadline]", within).forEach(startClock);
    all("input[type=password]", within).filter((one) => !one.closest(".reveal")).forEach(addReveal);
    all("[data-theme-switch]", within).forEach(labelTheme);
    requestAnimationFrame(() => all(".days, .tabs, .dg-week", within).forEach(showCurrent)); // measured where the browser lays out anyway
  };

  // Before minutes go into sending what will not be taken.
  const refuseTooLarge = (input) => {
    const isOver = [...input.files].reduce((sum, file) => sum + file.size, 0) > Number(input.dataset.mostBytes);
    input.form.querySelector("[data-too-large]").hidden = !isOver;
    if (isOver) input.value = "";
  };

  // The browser says that it has no connection: its own page would take this one's place. It says so, too, where the
  // clinic's server is this very machine, so the server is asked (for a file, which changes nothing).
  const sendIfReached = async (form, button) => {
    try {
      await fetch(document.querySelector("link[rel=stylesheet]").href, { method: "HEAD", cache: "no-store" });
      form.dataset.tried = "";
      form.requestSubmit(button);
    } catch {
      const near = button?.closest(".tap-row, .actions, .soon, .times") || button || form;
      unsent((line) => near.before(line), "wrong", _("No connection, so nothing was sent. Press again when you are online."));
    }
  };

  document.addEventListener("click", (event) => {
    const near = (selector) => event.target.closest?.(selector);
    const hit = (selector, act) => { const one = near(selector); if (one) act(one); };
    hit("[data-theme-switch]", switchTheme);
    hit("[data-type-switch]", (one) => { event.preventDefault(); switchType(one); });
    hit("[data-print]", () => print());
    hit("[data-copy]", copy);
    hit("[data-close-dialog]", (one) => one.closest("dialog")?.close());
    hit("[data-error-summary] a[href^='#'], a[data-to-field]", (one) => followErrorLink(event, one));
    const link = near(AWAY), isHere = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
    if (link && isHere && !event.defaultPrevented && leaves(link)) { event.preventDefault(); saveFirst(link); }
    else if (link) delete link.dataset.confirmed;
    all("details[data-menu][open]").filter((menu) => !menu.contains(event.target)).forEach((menu) => { menu.open = false; });
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    all("details[data-menu][open]").forEach((menu) => { menu.open = false; menu.querySelector("summary").focus(); });
  });
  document.addEventListener("change", (event) => {
    const control = event.target;
    if (control.matches("input, select")) keepNoneAlone(control);
    if (control.name) refreshUnfold(control.form || document);
    if (control.matches("[data-most-bytes]")) refuseTooLarge(control);
    if (control.form?.dataset.autosaveUrl) saveSoon(control.form);
  });
  document.addEventListener("input", (event) => {
    if (event.target.form?.dataset.autosaveUrl) saveSoon(event.target.form);
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    // Forms are novalidate, so that pages say what is wrong; but a time or a day typed by half is sent as nothing at all.
    const half = [...form.elements].find((one) => one.validity?.badInput);
    if (half) {
      event.preventDefault();
      event.stopImmediatePropagation();
      half.reportValidity();
      return;
    }
    if (!form.dataset.autosaveUrl && leaves(form)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return saveFirst(form, event.submitter);
    }
    if (form.matches(".tongues")) form.dataset.confirm = hasTyped() ? CHANGE_LANGUAGE : "";
    if (form.dataset.confirm && form.dataset.confirmed !== "yes") {
      event.preventDefault();
      event.stopImmediatePropagation();
      return askFirst(form, event.submitter);
    }
    delete form.dataset.confirmed;
    if (form.matches(".tongues") && event.submitter) { event.preventDefault(); readIn(form, event.submitter); return; }
    if (form.dataset.autosaveUrl && !("reached" in form.dataset) && (saving.has(form) || cutOff.has(form) || !navigator.onLine)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      return sendOnceReached(form, event.submitter);
    }
    delete form.dataset.reached;
    if (form.getAttribute("method") !== "post" || "noBusy" in form.dataset || "kept" in form.dataset) return;
    if (busyForms.has(form)) { event.preventDefault(); event.stopImmediatePropagation(); return; }
    if (!navigator.onLine && !("tried" in form.dataset) && !form.matches("[data-step], [hx-post]")) {
      event.preventDefault();
      event.stopImmediatePropagation();
      sendIfReached(form, event.submitter);
      return;
    }
    delete form.dataset.tried;
    sentAgain();
    clearTimeout(timers.get(form));
    unsaved.delete(form);
    if (!event.defaultPrevented) setBusy(form, event.submitter);
  }, true);

  // ---- a page that answers a form cannot be shown again: going back would lead to the browser's own page about that.
  // So once it is left, a page with an address stands in its place. Not before: reloading it keeps what was typed.
  const standIn = (event) => { if (comesBackTo && !event.defaultPrevented) history.replaceState(history.state, "", comesBackTo); };
  addEventListener("submit", standIn);
  addEventListener("click", (event) => { if (event.target.closest?.(AWAY)) standIn(event); });

  // ---- htmx: comes when the page has been shown (links work without it until then); the token goes along, focus
  // follows, nothing fails in silence
  addEventListener("load", () => {
    const { htmx } = document.body.dataset;
    if (htmx) document.head.append(Object.assign(document.createElement("script"), { src: htmx }));
  });
  // Back and Forward to a day that it brought: it would ask for the page again; until it is there, the page does so itself.
  addEventListener("popstate", (event) => { if (event.state?.htmx && !window.htmx) location.reload(); });
  document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRFToken"] = csrf(); });
  document.addEventListener("htmx:afterSettle", (event) => { start(event.detail.elt); settle(event.detail.elt, false); });
  document.addEventListener("htmx:afterRequest", () => { all("form[aria-busy]").forEach(free); });
  document.addEventListener("htmx:beforeRequest", sentAgain);
  ["htmx:responseError", "htmx:sendError", "htmx:timeout"].forEach((name) => {
    document.addEventListener(name, (event) => {
      // The screen is locked and says so; or nobody pressed anything: a time is kept longer while somebody types.
      if (event.detail.xhr?.status === 423 || event.target.matches("[data-by-itself]")) return;
      unsent((line) => (event.target.closest("nav, form") || event.target).before(line));
    });
  });

  const ready = () => {
    start(document);
    all("form[data-autosave-url]").forEach(startSaving);
    settle(document, true);
    const notes = document.querySelector("[data-flashes]")?.textContent.trim();
    if (notes) say(notes.replace(/\s+/g, " "));
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", ready); else ready();
})();
