// The questionnaire: "None of these" and the yes, no and not sure of a page never contradict each other.
(() => {
  "use strict";
  const _ = window.clinic?._ || ((text) => window.clinicWords?.[text] || text); // also where app.js could not be fetched
  const forms = document.querySelectorAll("form[data-questions]");
  const changed = (control) => control.dispatchEvent(new Event("change", { bubbles: true }));
  const radios = (form) => [...form.querySelectorAll("input[type=radio][name^='c.']")];

  const start = (form) => {
    const none = form.querySelector("[data-none-of-page]");
    const names = [...new Set(radios(form).map((radio) => radio.name))];
    const answer = (name) => radios(form).find((radio) => radio.name === name && radio.checked);
    const sayNo = (wanted) => {
      let last = null;
      names.filter(wanted).forEach((name) => {
        const no = radios(form).find((radio) => radio.name === name && radio.value === "no");
        if (no && !no.checked) { no.checked = true; last = no; }
      });
      if (last) changed(last);
    };
    const follow = () => { if (none) none.checked = names.every((name) => answer(name)?.value === "no"); };
    const hint = document.createElement("p");
    hint.className = "fine";
    const staysOpen = () => {
      hint.textContent = _("One question here is not answered with “No”, so this stays open. All that was open is now “No”.");
      none.closest(".opt").after(hint);
      window.clinic?.say(hint.textContent);
    };
    form.addEventListener("change", (event) => {
      if (none && event.target === none) {
        // A "yes" is never taken back for somebody: only what is open becomes "no".
        if (!none.checked) return;
        sayNo((name) => !answer(name));
        follow();
        if (!none.checked) staysOpen();
        return;
      }
      if (event.target.name?.startsWith("c.")) follow();
    });
    // What was chosen before this script came, or what the browser filled in again: a tick of then counts like one of
    // now, but not one that a "yes" speaks against.
    if (none?.checked && names.every((name) => (answer(name)?.value ?? "no") === "no")) sayNo((name) => !answer(name));
    follow();
    form.querySelector("[data-rest-no]")?.addEventListener("click", () => {
      sayNo((name) => !answer(name));
      window.clinic?.say(_("All the others are answered with no."));
    });
  };
  forms.forEach(start);
})();
