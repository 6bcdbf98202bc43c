// A page that keeps itself up to date: what stands in #live is asked for again every few seconds, and each part of it that
// has changed is put in its place. The focus, what is unfolded and where a grid is scrolled to stay; what changed is said.
(() => {
  "use strict";
  const live = document.getElementById("live");
  if (!live) return;
  const { say, _, ngettext } = window.clinic;
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const parse = (html) => new DOMParser().parseFromString(html, "text/html");
  const linkOf = (visit) => live.querySelector(`[data-visit="${CSS.escape(visit)}"] a`);
  // What the desk adds: the part in which a visit is in somebody's hand, and what follows each renewal.
  const more = { held: () => undefined, renewed: () => {} };

  const EVERY = 4000; // costs the server next to nothing
  let mark = live.dataset.live, timer = 0, missed = 0;
  const late = document.createElement("p");
  late.className = "closed no-print";
  late.textContent = _("No connection: this page may be out of date. It will catch up by itself.");
  const bare = (part) => part.outerHTML.replace(/name="csrf_token" value="[^"]*"/g, "").replace(/ is-fresh/g, "");
  const wordsOf = (box) => box.dataset.words || ["b", ".ev-time", ".ev-state"].map((one) => box.querySelector(one)?.textContent.trim() || "").join(" ").trim();
  const visitsIn = (within) => new Map(all("[data-visit]", within).map((box) => [box.dataset.visit, wordsOf(box) || box.textContent.trim().replace(/\s+/g, " ")]));
  const wayOf = (one) => one.getAttribute("href") || one.closest("form")?.getAttribute("action") || "";
  const nameOf = (one) => one.getAttribute("aria-label") || one.textContent.trim().replace(/\s+/g, " ");
  const twinOf = (one) => {
    const alike = all(one.tagName, live).filter((other) => wayOf(other) === wayOf(one));
    return alike.find((other) => nameOf(other) === nameOf(one)) || (wayOf(one) ? alike[0] : null);
  };
  const keepPlace = (change) => {
    const focused = document.activeElement, isIn = live.contains(focused), visit = isIn && focused.closest("[data-visit]")?.dataset.visit;
    const isStep = focused.matches("button[formaction]"), same = isStep ? "button[formaction]" : "a";
    const open = all("details[open][id]", live).map((one) => one.id);
    const grid = live.querySelector(".dg"), at = grid && [grid.scrollLeft, grid.scrollTop];
    const row = isIn ? focused.closest(".queue > li") : null, part = row?.parentElement.closest("[aria-labelledby]")?.getAttribute("aria-labelledby");
    const place = row ? all(":scope > li", row.parentElement).indexOf(row) : 0;
    change();
    open.forEach((id) => { const one = document.getElementById(id); if (one) one.open = true; });
    const now = live.querySelector(".dg");
    if (now && at) [now.scrollLeft, now.scrollTop] = at;
    if (!isIn || focused.isConnected) return;
    const own = visit && (live.querySelector(`[data-visit="${visit}"] ${same}`) || linkOf(visit));
    const twin = isStep || !wayOf(focused) ? own || twinOf(focused) : twinOf(focused) || own;
    if (twin || !row) return twin?.focus({ preventScroll: true });
    // Whose row is done goes on with the next one, else with the page.
    const rest = all(`[aria-labelledby="${part}"] .queue > li`, live), next = rest[place] || rest.at(-1);
    (next?.querySelector("a, button") || document.getElementById("main")).focus({ preventScroll: !next });
  };
  const partOf = (visit, within) => within.querySelector(`[data-visit="${CSS.escape(visit)}"]`)?.closest("[data-part]")?.id;
  // While a visit is being moved, all but its own column; that follows once it is let go.
  const update = (page) => {
    const fresh = page.getElementById("live"), own = more.held();
    if (own && fresh.dataset.frame !== live.dataset.frame) return [];
    mark = own ? "" : fresh.dataset.live; // a page of which a part was left is neither the old nor the new one
    const before = visitsIn(live), after = visitsIn(fresh);
    const isLeft = (visit) => own && [partOf(visit, live), partOf(visit, fresh)].includes(own);
    keepPlace(() => {
      if (fresh.dataset.frame !== live.dataset.frame) {
        live.dataset.frame = fresh.dataset.frame;
        return live.replaceChildren(...fresh.childNodes);
      }
      all("[data-part]", fresh).forEach((part) => {
        const old = document.getElementById(part.id);
        if (old && old.id !== own && bare(old) !== bare(part)) old.replaceWith(part);
      });
    });
    window.clinic.settle?.();
    const changed = [...after].filter(([visit, words]) => before.get(visit) !== words && !isLeft(visit));
    changed.forEach(([visit]) => live.querySelector(`[data-visit="${visit}"]`)?.classList.add("is-fresh"));
    const gone = [...before].filter(([visit]) => !after.has(visit) && !isLeft(visit));
    more.renewed(before, after);
    return [...changed.map(([, words]) => words), ...gone.map(([, words]) => _("%(visit)s: not here any more", { visit: words }))];
  };
  const tell = (changes) => {
    if (!changes.length) return;
    const first = changes.slice(0, 2).map((words) => words.slice(0, 80)).join("; "), rest = changes.length - 2;
    say(rest > 0
      ? ngettext("Changed: %(visits)s; and %(num)d more.", "Changed: %(visits)s; and %(num)d more.", rest, { visits: first })
      : _("Changed: %(visits)s.", { visits: first }));
  };
  const isBusy = () => Boolean(live.querySelector("form:is([aria-busy], [data-asking])"));
  // What is somebody else's now, or gone, is taken from the screen as well.
  const over = () => {
    const gone = document.createElement("p");
    gone.className = "closed";
    gone.tabIndex = -1;
    gone.textContent = _("This is not yours any more, or it is gone. Go back to see how things stand.");
    live.replaceChildren(gone);
    gone.focus();
    say(gone.textContent);
  };
  const ask = async () => {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { ...(mark && { "If-None-Match": `"${mark}"` }), "X-Poll": "1" }, cache: "no-store", redirect: "manual" });
      if (answer.status >= 500) throw new Error("not answered"); // as without a connection
      if (answer.type === "opaqueredirect") return location.reload(); // signed out
      if (answer.status === 304) mark = answer.headers.get("ETag")?.match(/"(.+)"/)?.[1] || mark; // what was done is not on this page
      if (answer.status === 404) return over();
      if (answer.status === 200) {
        const page = parse(await answer.text());
        // A locked screen has taken the page away: it asks again once it is back.
        if (live.isConnected && !isBusy() && page.getElementById("live")) tell(update(page));
      }
      missed = 0;
      late.remove();
    } catch {
      missed += 1;
      if (missed === 2) { live.before(late); say(late.textContent); }
    }
    timer = setTimeout(ask, Math.min(EVERY * 2 ** missed, 60000));
  };
  document.addEventListener("visibilitychange", () => { if (document.hidden) clearTimeout(timer); else ask(); });
  document.addEventListener("unlocked", ask);
  window.clinic.live = Object.assign(more, { update, ask, parse, linkOf, nameOf });
  timer = setTimeout(ask, EVERY);
})();
