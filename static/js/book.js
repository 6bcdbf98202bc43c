// A new visit at the desk: people while their name is typed, times as soon as enough is known. What is asked of the server
// is what the form's own button asks, so that nothing here decides anything.
(() => {
  "use strict";
  const form = document.querySelector("form[data-book]");
  if (!form) return;
  const { say, _, ngettext, isChanged, unsent, sentAgain } = window.clinic;
  const part = (id) => document.getElementById(id);
  const DECIDING = ["client", "what", "addons", "areas", "therapist", "place", "day", "at"];
  let timer = 0, asked = 0, open = 0, renewed = Promise.resolve();
  // Somebody new is called as was searched for, until their name is written in its own fields.
  const fields = () => [...part("newcomer").querySelectorAll("input")], names = () => [part("first_name"), part("last_name")];
  const called = names().map((one) => one.value).join(" ").trim();
  let isTyped = fields().some((one) => one.value);
  let isNamed = called !== "" && called.toLowerCase() !== part("q").defaultValue.replace(/\s+/g, " ").toLowerCase();

  const fetchParts = async (ids) => {
    const mine = ++asked, body = new FormData(form);
    if (ids.includes("people") && !body.get("client")) body.delete("client");
    if (!isNamed) names().forEach((one) => body.delete(one.name));
    try {
      const answer = await fetch(form.action, { method: "POST", body });
      if (mine !== asked) return; // the answer to a later question counts
      if (answer.redirected || answer.status === 400) {
        part("times").inert = false; // what is pressed waits until they are signed in again
        return part("q").dispatchEvent(new Event("signed-out", { bubbles: true }));
      }
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (!page.getElementById("times")) throw new Error("no times");
      const whole = part("what").value ? [...ids] : [...ids, "what-part"];
      if (ids.includes("people") && !isNamed) names().forEach((one) => { one.value = page.getElementById(one.id).value; });
      if (ids.includes("people") && !isTyped) whole.push("newcomer");
      whole.forEach((id) => {
        const fresh = page.getElementById(id), old = part(id);
        // Where the focus is nothing changes under it, but for a service that was not chosen yet: what they had last.
        const isWaiting = document.activeElement === part("what");
        if (!fresh || !old || (old.contains(document.activeElement) && !isWaiting)) return;
        fresh.querySelectorAll("[autofocus]").forEach((one) => one.removeAttribute("autofocus"));
        old.replaceWith(fresh);
        if (isWaiting) part("what").focus();
      });
      part("times").inert = false;
      tell(ids);
      sentAgain();
    } catch { if (mine === asked) unsent((line) => part("times").before(line)); } // the button still asks
  };
  // Until the answer is here, a time of before cannot be pressed; and one that was pressed stays until it is sent.
  const renew = (ids) => {
    part("times").inert = true;
    if (form.querySelector(".is-busy")) return;
    open += 1;
    renewed = fetchParts(ids).finally(() => { open -= 1; });
  };
  const tell = (ids) => {
    const people = Number(part("people").dataset.count), first = part("times").querySelector("button[name=start] .visually-hidden");
    const found = people === 0 ? _("Nobody found.") : ngettext("One person found.", "%(num)d people found.", people);
    const missing = part("times").querySelector("[data-to-field]")?.textContent;
    say([ids.includes("people") && found, missing, first && _("First time: %(time)s.", { time: first.textContent })].filter(Boolean).join(" "));
  };
  // Who was found belongs to what was searched for: once that is another text they are chosen no more, and lend nobody their
  // name, however soon Enter or a time is pressed.
  const forget = () => {
    form.querySelectorAll("#people input[name=client]").forEach((one) => { if (one.type === "radio") one.checked = false; else one.remove(); });
    if (!isNamed) names().forEach((one) => { one.value = ""; });
  };
  const look = () => {
    forget();
    renew(["people", "times"]);
  };
  const isEnough = (text) => text.trim().length > 2;
  form.addEventListener("input", (event) => {
    if (event.target.closest("#newcomer")) isTyped = true;
    if (names().includes(event.target)) isNamed = true;
    if (event.target.name !== "q") return;
    forget();
    clearTimeout(timer);
    if (isEnough(event.target.value)) timer = setTimeout(look, 250);
  });
  const isOpen = (list) => { try { return list.matches(":open"); } catch { return false; } };
  // Enter goes on: from a person to what they come for, from somebody new to their fields, from there to the first time,
  // or to what is still missing. A key held down books nothing.
  form.addEventListener("keydown", (event) => {
    const { key, target } = event;
    if (key !== "Enter") return;
    if (target.name === "client") {
      event.preventDefault();
      if (!target.checked) target.click();
      (fields().find((one) => target.value === "new" && !one.value) || part("what")).focus();
    } else if (target.id === "what" && (target.value || open) && !isOpen(target)) {
      // Pressed before the answer is here, it waits for what they had last, and for its times.
      event.preventDefault();
      // With nobody chosen yet, who it is comes first.
      const next = () => (new FormData(form).get("client") ? null : part("people").querySelector("input[name=client]"))
        || part("times").querySelector("[data-no-time], button[name=start], [data-to-field]");
      renewed.then(() => part("what").value && next()?.focus());
    } else if (target.name === "start" && event.repeat) event.preventDefault();
  });
  form.addEventListener("change", (event) => {
    if (event.target.value === "new" && event.target.name === "client") part("newcomer").open = true;
    if (DECIDING.includes(event.target.name)) renew(["times"]);
  });
  // What was typed or chosen before this script came.
  const early = [...form.elements].filter(isChanged).map((one) => one.name);
  if (early.includes("client") && form.elements.client.value === "new") part("newcomer").open = true;
  if (early.includes("q") && !early.includes("client") && isEnough(part("q").value)) look();
  else if (DECIDING.some((name) => early.includes(name))) renew(["times"]);
})();
