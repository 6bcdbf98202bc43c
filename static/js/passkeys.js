// Passkeys: asks this site for something to sign (or for what a new passkey needs), lets the browser do it, and sends what
// comes back with the form around it. Where the browser cannot, these parts stay hidden and the other ways remain.
(() => {
  "use strict";
  const able = window.PublicKeyCredential?.parseRequestOptionsFromJSON;
  const csrf = document.querySelector("meta[name=csrf-token]").content;

  const options = async (url) => {
    const answer = await fetch(url, { method: "POST", credentials: "same-origin", headers: { "X-CSRFToken": csrf } });
    if (answer.status === 422) location.reload();  // too long ago: the page itself asks who it is
    if (!answer.ok || answer.redirected) throw new Error("no options");
    return answer.json();
  };
  const sign = async (url) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await options(url));
    return navigator.credentials.get({ publicKey });
  };
  const make = async (url) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await options(url));
    return navigator.credentials.create({ publicKey });
  };

  const run = async (box, form) => {
    const wrong = box.querySelector("[data-passkey-wrong]");
    wrong.hidden = true;
    try {
      const made = await (box.dataset.passkey === "make" ? make : sign)(box.dataset.passkeyFrom);
      box.querySelector("input[name=proof_passkey], input[name=credential]").value = JSON.stringify(made.toJSON());
      form.submit();
    } catch (error) {
      if (error.name === "InvalidStateError" && wrong.dataset.passkeyThere) wrong.textContent = wrong.dataset.passkeyThere;
      wrong.hidden = false;
      window.clinic.free(form);  // to be pressed again at once
    }
  };

  document.querySelectorAll("[data-passkey]").forEach((box) => {
    if (!able) return;
    box.hidden = false;
    if (box.dataset.passkey === "sign") {
      box.querySelector("button").addEventListener("click", () => run(box, box.closest("form")));
      return;
    }
    box.addEventListener("submit", (event) => {
      if (!box.querySelector("input[name=name]").value.trim()) return;  // the page says what is missing
      event.preventDefault();
      event.stopPropagation();
      run(box, box);
    });
  });
})();
