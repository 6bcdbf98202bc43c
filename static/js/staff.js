// The search box in the head of every staff page: results while typing, "/" jumps to it, N books a visit, W takes a walk-in (all can be switched off).
(() => {
  "use strict";
  const form = document.querySelector("[data-find]");
  if (!form) return;
  const { say, _, ngettext } = window.clinic;
  const input = form.querySelector("input"), box = document.createElement("div");
  box.className = "find-pop";
  box.hidden = true;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", _("Search results"));
  form.append(box);
  const hits = () => [...box.querySelectorAll("[data-hit]")];
  const close = () => { box.hidden = true; };
  let timer = 0, asked = 0;

  const find = async () => {
    const text = input.value.trim(), mine = ++asked;
    if (text.length < 2) return close();
    try {
      const answer = await fetch(`${form.action}?q=${encodeURIComponent(text)}`);
      if (!answer.ok || answer.redirected || mine !== asked) return;
      const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("found");
      found.removeAttribute("id");
      box.replaceChildren(found);
      box.hidden = false;
      const count = Number(found.dataset.count);
      say(count === 0 ? _("Nothing found.") : ngettext("One result. Arrow down to it.", "%(num)d results. Arrow down to them.", count));
    } catch { close(); }
  };
  if (document.activeElement === input && window.clinic.isChanged(input)) find(); // typed before this script came
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(find, 200); });
  input.addEventListener("focus", () => { if (box.childElementCount && input.value.trim().length > 1) box.hidden = false; });
  form.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !box.hidden) { event.preventDefault(); input.focus(); return close(); }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const all = hits(), at = all.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    if (box.hidden || !all.length) return;
    event.preventDefault();
    (all[at] || (at < 0 ? input : all.at(-1))).focus();
  });
  document.addEventListener("click", (event) => { if (!form.contains(event.target)) close(); });
  form.addEventListener("focusout", (event) => { if (event.relatedTarget && !form.contains(event.relatedTarget)) close(); });

  // ---- "/" from anywhere but a field, N for a new visit, W for a walk-in; whoever speaks to the computer can switch them off in the menu
  const isOn = () => { try { return localStorage.getItem("slash") !== "off"; } catch { return true; } };
  const toggle = document.querySelector("[data-slash]");
  const label = () => toggle?.setAttribute("aria-pressed", String(isOn()));
  toggle?.addEventListener("click", () => {
    try { localStorage.setItem("slash", isOn() ? "off" : "on"); } catch { /* private window */ }
    label();
  });
  label();
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable], dialog");
    const letter = event.key.toLowerCase(), book = "nw".includes(letter) && document.querySelector(`main a[aria-keyshortcuts=${letter}]`);
    if ((event.key !== "/" && !book) || typing || document.querySelector("dialog[open]") || event.repeat || event.ctrlKey || event.metaKey || event.altKey || !isOn()) return;
    event.preventDefault();
    if (book) return book.click();
    if (form.offsetParent === null) return location.assign(form.action);
    input.focus();
    input.select();
  });
})();
