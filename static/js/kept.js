// A long text, or a form with a person waiting at its other end, leaves the page only when somebody is there to take it:
// without a connection, or once signed out, it stays where it was typed, and the page says what to do. Whoever is about
// to leave it behind is asked by the browser.
(() => {
  "use strict";
  const { _ } = window.clinic, { comesBackTo } = document.documentElement.dataset;
  // Where somebody signed out is sent away: an address that only takes forms tells nobody whether they are signed in.
  const here = () => comesBackTo || location.href;
  document.querySelectorAll("form[data-kept]").forEach((form) => {
    const texts = [...form.querySelectorAll("textarea")];
    const isUnsaved = () => texts.some((one) => one.value.trim() && (one.value !== one.defaultValue || comesBackTo));
    const line = document.createElement("p");
    line.className = "closed";
    line.setAttribute("role", "alert");
    let isSending = false, isSent = false, hasLeft = false;
    const again = () => { isSending = isSent = hasLeft = false; form.querySelectorAll(".is-busy").forEach((one) => one.classList.remove("is-busy")); };
    const OUT = [_("You are signed out. Nothing you typed is lost: sign in in a new window, come back here and press again."), _("Sign in in a new window")];
    const stay = (words, link = "") => {
      line.textContent = words;
      if (!link) return;
      const way = document.createElement("a");
      Object.assign(way, { href: here(), target: "_blank", textContent: link });
      line.append(" ", way);
    };
    const send = async (button) => {
      try {
        const answer = await fetch(here(), { cache: "no-store", redirect: "manual" });
        if (answer.status >= 500) throw new Error("not answered");
        if (!answer.ok && ![404, 405].includes(answer.status)) return stay(...OUT); // these: it is not known where the form stood
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const token = page.querySelector("meta[name=csrf-token]")?.content;
        if (token) form.elements.csrf_token.value = token;
        isSent = true;
        setTimeout(again, 15000);
        if (button) return form.requestSubmit(button); // a button may say what is to be done
        hasLeft = true;
        return form.submit();
      } catch { stay(_("No connection. What you typed is still here: press again when you are online.")); }
      finally {
        isSending = false;
        if (!isSent) button?.classList.remove("is-busy");
      }
    };
    form.addEventListener("submit", (event) => {
      if (event.defaultPrevented) return;
      if (isSent && !hasLeft) { hasLeft = true; return; } // the press that was let through, once
      event.preventDefault();
      if (hasLeft) return;
      if (isSending) return;
      isSending = true;
      line.textContent = "";
      (event.submitter?.closest(".actions, .soon, .times") || event.submitter)?.before(line);
      event.submitter?.classList.add("is-busy");
      send(event.submitter);
    });
    form.addEventListener("signed-out", (event) => { event.target.closest(".field, section").append(line); stay(...OUT); });
    addEventListener("beforeunload", (event) => { if (!isSent && isUnsaved()) event.preventDefault(); });
    addEventListener("pageshow", again);
  });
})();
