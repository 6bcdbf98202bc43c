"""The clinic's look: its logo and two colours, and the addresses from which every page takes them."""

from __future__ import annotations

from hashlib import sha256

from flask import Response, flash, render_template, request

from clinic.accounts.access import who
from clinic.premises import queries, services
from clinic.premises.forms.look import LookForm
from clinic.premises.views.blueprint import pages
from clinic.rules.colours import LIGHT_ACCENT, LIGHT_BRAND, is_colour, readable_accent, readable_brand
from clinic.rules.errors import InvalidInput
from clinic.rules.language import _
from clinic.rules.permissions import Permission
from clinic.shared import clock
from clinic.shared.fields import saves
from clinic.shared.pictures import MOST_BYTES, Drawn, logo_of
from clinic.shared.seen import mark_of
from clinic.shared.site_sheet import dark_without_scripts
from clinic.shared.uploads import posted_files
from clinic.shared.web import Answer, found, go

KEPT_FOR_SECONDS = 3600


@pages.get("/owner/look", needs=Permission.CLINIC_ANY_WRITE)
def look() -> Answer:
    """The look as it is, with a piece of a page in it."""
    return _page(_as_it_is())


@pages.post("/owner/look", needs=Permission.CLINIC_ANY_WRITE, takes=MOST_BYTES)
def save_look() -> Answer:
    """Change it. A colour in which words cannot be read is refused, and the nearest that can be is offered."""
    form = LookForm(request.form)
    if request.form.get("act") == "house":
        form.brand.data, form.accent.data = LIGHT_BRAND, LIGHT_ACCENT
    form.brand.data = request.form.get("use_brand") or form.brand.data
    form.accent.data = request.form.get("use_accent") or form.accent.data

    def save() -> None:
        services.save_look(
            form.theme,
            _sent_logo(),
            drop_logo=bool(form.drop_logo.data),
            seen=form.seen.data,
            by=who(),
            now=clock.now(),
        )

    if not saves(form, save, seen_now=_seen):
        _name_the_other_too(form)
        is_stale = form.seen.data != request.form.get("seen")
        # without a clash it is the picture that was refused
        if posted_files("logo", most=1) and (is_stale or not form.form_errors):
            form.add_error("", _("Please choose the picture again: a page cannot keep it."))
        return _page(form), 422
    flash(_("The look is saved."), "success")
    return go("premises.look")


@pages.get("/theme.css", needs=Permission.SITE_ANY_READ)
def theme() -> Answer:
    """The clinic's own colours as a style sheet."""
    facts = queries.clinic_facts()
    css = facts.theme.css() if facts is not None else ""
    css = dark_without_scripts(css)
    return _kept(Response(css, mimetype="text/css"), sha256(css.encode()).hexdigest())


@pages.get("/pictures/<int:picture_id>", needs=Permission.SITE_ANY_READ)
def picture(picture_id: int) -> Answer:
    """The logo, or a therapist's picture: our own drawing of what was sent."""
    row = found(queries.picture(picture_id))
    return _kept(Response(row.content, mimetype=row.mime), row.digest)


def _kept(answer: Response, digest: str) -> Response:
    """A browser keeps it for an hour, and asks then whether it has changed."""
    answer.set_etag(digest)
    answer.headers["Cache-Control"] = f"public, max-age={KEPT_FOR_SECONDS}"
    return answer.make_conditional(request)  # type: ignore[return-value]


def _name_the_other_too(form: LookForm) -> None:
    """Saving stops at the first colour that cannot be read; both are said at once."""
    for field, nearest in ((form.brand, readable_brand), (form.accent, readable_accent)):
        colour = field.data or ""
        if is_colour(colour) and nearest(colour) != colour and not field.errors:
            form.add_error(field.name, _(services.UNREADABLE[field.name]))


def _sent_logo() -> Drawn | None:
    sent = posted_files("logo", most=1)
    if len(sent) > 1:
        raise InvalidInput("logo", _("Send one picture."))
    return logo_of(sent[0], "logo") if sent else None


def _as_it_is() -> LookForm:
    facts = found(queries.clinic_facts())
    return LookForm(
        data={
            "brand": facts.theme.brand or LIGHT_BRAND,
            "accent": facts.theme.accent or LIGHT_ACCENT,
            "seen": _seen(),
        }
    )


def _seen() -> str:
    return mark_of(queries.look_of(queries.clinic()))


def _page(form: LookForm) -> str:
    """`nearest`: field → the nearest colour that can be read, where the chosen one cannot."""
    brand, accent = form.brand.data or "", form.accent.data or ""
    nearest = {}
    if form.brand.errors and is_colour(brand):
        nearest["brand"] = readable_brand(brand)
    if form.accent.errors and is_colour(accent):
        nearest["accent"] = readable_accent(accent)
    today = queries.today(clock.now())
    return render_template("premises/look.html", form=form, nearest=nearest, today=today)
