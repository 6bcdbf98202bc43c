// Locks a screen of the team's that nobody touches. The server locks the session at the same time; this cover only keeps
// what stands on the page, so that work goes on where it stopped. What is covered is taken out of the page meanwhile.
// Every tab of the browser counts as touched together, and is locked with the others.
(() => {
  "use strict";
  const cover = document.querySelector("[data-lock]");
  const form = cover.querySelector("form");
  const proof = form.elements.proof;
  const wrong = cover.querySelector("#lock-wrong");
  const token = () => document.querySelector("meta[name=csrf-token]").content;
  const post = (url, body) => fetch(url, {
    method: "POST", body, credentials: "same-origin", redirect: "manual",
    headers: { "X-CSRFToken": token(), "X-Requested-With": "fetch" },
  });
  const kept = { get: () => Number(localStorage.getItem("touched")) || 0, set: (at) => localStorage.setItem("touched", at) };
  let touched = Date.now();
  let told = touched;
  const note = (at) => { touched = at; try { kept.set(at); } catch { /* private window: this tab counts alone */ } };
  const lastTouch = () => { try { return Math.max(touched, kept.get()); } catch { return touched; } };

  const flag = (on) => { try { on ? localStorage.setItem("locked", "1") : localStorage.removeItem("locked"); } catch { /* this tab alone */ } };
  const flagged = () => { try { return Boolean(localStorage.getItem("locked")); } catch { return false; } };

  let away = null; // what stood on the page, out of reach of whoever looks for it
  const hide = () => {
    if (cover.open) return;
    away = {
      nodes: [...document.body.childNodes].filter((one) => one !== cover), title: document.title, at: [scrollX, scrollY],
      focused: document.activeElement, dialogs: [...document.querySelectorAll("dialog:modal")],
    };
    away.nodes.forEach((one) => one.remove());
    document.title = cover.querySelector("h2").textContent;
    document.body.classList.add("is-locked");
    flag(true);
    cover.showModal();
    proof.focus();
  };
  const lock = () => { hide(); post(cover.dataset.lockUrl).catch(() => {}); };
  const show = () => {
    note(Date.now());
    flag(false);
    proof.value = "";
    wrong.hidden = true;
    document.body.classList.remove("is-locked");
    cover.close();
    if (!away) return;
    document.body.prepend(...away.nodes);
    document.title = away.title;
    away.dialogs.forEach((one) => { one.removeAttribute("open"); one.showModal(); });
    scrollTo(...away.at);
    away.focused.focus?.({ preventScroll: true });
    away = null;
    document.dispatchEvent(new Event("unlocked"));
  };
  const touch = () => {
    if (cover.open) return;
    note(Date.now());
    if (touched - told < 60000) return;
    told = touched;
    post(cover.dataset.awakeUrl).then((answer) => { if (answer.status === 423) hide(); }).catch(() => {});
  };
  const open = async () => {
    try {
      const answer = await post(form.action, new FormData(form));
      if (answer.status === 204) return show();
      if (![422, 429].includes(answer.status)) return location.reload(); // the session is over: sign in anew
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      wrong.textContent = (page.querySelector("#proof-error") || page.querySelector("main [role=alert]"))?.textContent.trim() || "";
    } catch {
      wrong.textContent = cover.dataset.noConnection;
    }
    wrong.hidden = false;
    proof.select();
  };

  form.addEventListener("submit", (event) => { event.preventDefault(); open(); });
  cover.addEventListener("close", () => { if (document.body.classList.contains("is-locked")) cover.showModal(); }); // Escape
  document.querySelector("[data-lock-now]")?.addEventListener("click", lock);
  document.addEventListener("htmx:responseError", (event) => { if (event.detail.xhr.status === 423) hide(); });
  ["pointerdown", "keydown", "scroll"].forEach((name) => addEventListener(name, touch, { passive: true }));
  addEventListener("pageshow", (event) => { if (event.persisted && flagged()) hide(); }); // gone back to by the browser
  addEventListener("storage", (event) => { if (event.key === "locked" && event.newValue) hide(); }); // by another tab
  flag(false); // the server has just let this page be seen
  note(touched);
  setInterval(() => { if (!cover.open && Date.now() - lastTouch() >= cover.dataset.lock * 1000) lock(); }, 1000);
})();
