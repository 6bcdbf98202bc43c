"""The owner's pages: when messages go out, and what they say."""

from __future__ import annotations

from flask import abort, flash, render_template, request
from flask_login import current_user

from clinic.accounts.access import who
from clinic.messages import queries, services
from clinic.messages.forms import SettingsForm, TextForm
from clinic.messages.queries import MessageSettings
from clinic.messages.views.blueprint import pages
from clinic.premises import queries as premises
from clinic.rules.errors import ChangedMeanwhile
from clinic.rules.language import gettext as _
from clinic.rules.messages import KINDS
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import saves
from clinic.shared.seen import mark_of
from clinic.shared.web import Answer, Asks, go

NEED = Permission.CLINIC_ANY_WRITE


@pages.get("/owner/messages", needs=NEED)
def messages() -> Answer:
    """When messages go out, and every kind of them."""
    return _page(SettingsForm(data=vars(queries.settings()) | {"seen": _seen()}))


@pages.post("/owner/messages", needs=NEED)
def save_messages() -> Answer:
    """Change when they go out."""
    form = SettingsForm(request.form)

    def save() -> None:
        services.save_settings(
            form.facts(MessageSettings), seen=form.seen.data or "", by=who(), now=clock.now()
        )

    if not saves(form, save, seen_now=_seen):
        return _page(form), 422
    flash(_("The messages are saved."), "success")
    return go("messages.messages")


def _page(form: SettingsForm) -> str:
    return render_template(
        "messages/messages.html",
        form=form,
        kinds=KINDS,
        own=queries.own_kinds(),
        effects=premises.effects_of_settings(clock.now()),
        all_languages=queries.languages(),
    )


def _seen() -> str:
    return mark_of(vars(queries.settings()))


@pages.get("/owner/messages/<kind>", needs=NEED)
def text(kind: str) -> Answer:
    """One kind's text, and how it looks."""
    _known(kind)
    return _text_as_it_is(kind)


@pages.post("/owner/messages/<kind>", needs=NEED)
def save_text(kind: str) -> Answer:
    """Look at it first, or save it, and mail it to oneself where that is wished."""
    _known(kind)
    form, is_own = TextForm(request.form), queries.text_of(kind, _language())[1]

    def save() -> None:
        said = kind, form.subject.data or "", form.body.data or ""
        if request.form.get("act") == "look":
            services.check_text(*said)
        else:
            seen = form.seen.data or ""
            services.save_text(kind, _language(), *said[1:], seen=seen, by=who(), now=clock.now())

    typed = f"{form.subject.data or ''}\n{form.body.data or ''}"
    if not saves(form, save, seen_now=lambda: mark_of(queries.text_of(kind, _language()))):
        return _text_page(kind, form, typed, is_own=is_own), 422
    if request.form.get("act") == "look":
        return _text_page(kind, form, typed, is_own=is_own)
    flash(_("The text is saved."), "success")
    if request.form.get("act") == "send":
        services.send_test(kind, _language(), current_user.email, now=clock.now())
        flash(_("A test is on its way to %(address)s.", address=current_user.email), "success")
    return go("messages.text", kind=kind, language=_language())


def _asks_for_standard(kind: str) -> Asks:
    _known(kind)
    question, deed = _("Use the standard text again?"), _("Use the standard text again")
    return Asks(question, deed, "messages.text", _("Your own text is gone then."))


@pages.post("/owner/messages/<kind>/standard", needs=NEED, asks=_asks_for_standard)
def use_standard_text(kind: str) -> Answer:
    """The standard text again."""
    _known(kind)
    seen = request.form.get("seen", "")
    try:
        services.use_standard_text(kind, _language(), seen=seen, by=who(), now=clock.now())
    except ChangedMeanwhile as error:
        return _text_as_it_is(kind, error.sentence), 409
    flash(_("The standard text is used again."), "success")
    return go("messages.text", kind=kind, language=_language())


def _known(kind: str) -> None:
    if kind not in KINDS:
        abort(404)


def _language() -> str:
    """The language of the text that is shown, from the page's address."""
    known = queries.languages()
    asked = request.args.get("language", "")
    return asked if asked in known else next(iter(known))


def _text_as_it_is(kind: str, trouble: str = "") -> str:
    said, is_own = queries.text_of(kind, _language())
    subject, _rest, body = said.partition("\n")
    form = TextForm(data={"subject": subject, "body": body, "seen": mark_of((said, is_own))})
    if trouble:
        form.add_error("", trouble)
    return _text_page(kind, form, said, is_own=is_own)


def _text_page(kind: str, form: TextForm, text: str, *, is_own: bool) -> str:
    return render_template(
        "messages/text.html", kind=kind, label=KINDS[kind].label, form=form, is_own=is_own, language=_language(),
        all_languages=queries.languages(), places=queries.samples(kind, _language()),
        shown=queries.preview(kind, text, _language()),
    )  # fmt: skip
