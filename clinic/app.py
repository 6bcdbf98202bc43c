"""The application, put together: a table of contents. Nothing is decided here."""

from __future__ import annotations

import os
import runpy
from collections.abc import Callable, Mapping
from typing import Any

from apiflask import APIFlask
from flask import Flask
from flask_wtf.csrf import CSRFProtect
from jinja2 import StrictUndefined
from werkzeug.middleware.proxy_fix import ProxyFix

from clinic.accounts.access import open_the_door, who
from clinic.accounts.views import pages as accounts_pages
from clinic.api.answering import answer_programs
from clinic.api.views import api
from clinic.api.views import pages as api_document
from clinic.booking.queries.look_alikes import is_open_question
from clinic.booking.queries.visits import concerns_reviewer
from clinic.booking.services.judging import judge_after_new_answers
from clinic.booking.services.time_off import block_again
from clinic.booking.views import pages as booking_pages
from clinic.catalogue import held_licences
from clinic.catalogue.views import pages as catalogue_pages
from clinic.checkup.views import pages as checkup_pages
from clinic.clients import same_person
from clinic.clients.views import pages as clients_pages
from clinic.diary.views import pages as diary_pages
from clinic.intake.queries import concern
from clinic.intake.services import after_new_answers
from clinic.intake.views import pages as intake_pages
from clinic.keeping.views import pages as keeping_pages
from clinic.messages.views import pages as messages_pages
from clinic.messages.views import stop as stop_messages
from clinic.paths import ROOT
from clinic.premises import blocked_again
from clinic.premises.views import pages as premises_pages
from clinic.records.views import pages as records_pages
from clinic.reports.views import pages as reports_pages
from clinic.rulebook.views import pages as rulebook_pages
from clinic.shared import crypto, languages, mail, replica
from clinic.shared.database import db, make_ready
from clinic.shared.metrics import watch_requests
from clinic.shared.no_database import answer_without_database
from clinic.shared.reading import record_reads
from clinic.shared.static_files import serve_static
from clinic.shared.uploads import RoomyRequest
from clinic.shared.web import PlainNumber, plain_errors, secure_answers
from clinic.site import clinic_name, dress_pages, language_of_reader, writes_month_first
from clinic.therapists.queries import licences_held
from clinic.therapists.views import pages as therapists_pages

BLUEPRINTS = (
    accounts_pages,
    catalogue_pages,
    premises_pages,
    rulebook_pages,
    clients_pages,
    therapists_pages,
    intake_pages,
    booking_pages,
    diary_pages,
    records_pages,
    keeping_pages,
    reports_pages,
    messages_pages,
    checkup_pages,
    api_document,
    api,
)


class Program(APIFlask):
    """Flask looks at each call whether a page is a coroutine; here none is."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(overrides: Mapping[str, object] | None = None) -> Flask:
    """A ready application. `overrides` win over the environment (config.py lists the settings)."""
    app = Program(
        __name__,
        title="Clinic",
        version="1",
        spec_path=None,
        docs_path=None,
        json_errors=False,
        root_path=str(ROOT),
        template_folder="templates",
        static_folder="static",
        static_url_path="/static",
    )
    settings = runpy.run_path(str(ROOT / "config.py"))["settings"]
    app.config.from_mapping(settings(os.environ, overrides or {}))
    app.request_class = RoomyRequest
    app.url_map.converters["int"] = PlainNumber
    app.jinja_env.undefined = StrictUndefined
    languages.set_up(app, language_of_reader, writes_month_first)
    use_in_this_process(app)
    db.init_app(app)
    replica.set_up(app)
    with app.app_context():
        for engine in db.engines.values():
            make_ready(engine)
    app.config["AUTO_OPERATION_ID"] = True  # of the OpenAPI document
    watch_requests(app)
    secure_answers(app)  # before the check of forms: what that refuses has a name of its own too
    csrf = CSRFProtect(app)
    csrf.exempt(api)
    csrf.exempt(stop_messages)  # a mail program presses it, with a signed key and no cookie
    plain_errors(app)
    answer_without_database(app)
    open_the_door(app, clinic_name)
    record_reads(app, who)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    dress_pages(app)
    answer_programs(app)
    after_new_answers.use(judge_after_new_answers)
    blocked_again.use(block_again)
    same_person.use(is_open_question)
    held_licences.use(licences_held)
    concern.use(concerns_reviewer)
    serve_static(app)
    believe_proxies(app)
    return app


def believe_proxies(app: Flask) -> None:
    """Behind proxies of the clinic's own, who asks stands in what the last so many of them say, and nowhere else."""
    if count := app.config["CLINIC_TRUSTED_PROXIES"]:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count)  # type: ignore[method-assign]


def use_in_this_process(app: Flask) -> None:
    """What a process has one of, whatever asks for it: the keys and the texts of mails."""
    key_file = app.config["CLINIC_KEY_FILE"]
    crypto.use(crypto.KeyRing.load_or_make(key_file), key_file)
    mail.use_texts(ROOT / "templates" / "mail", public_url=app.config["CLINIC_PUBLIC_URL"])
