"""What is kept nowhere: keys, passwords, and e-mail addresses in the log."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from clinic.shared import clock
from clinic.shared.database import Base, db
from clinic.shared.logs import set_up_logs
from tests.accounts.people import OTHER_PASSWORD, PASSWORD, browser_of, key_in, mails, make_person, sign_in
from tests.mailing import sent_at, words_of

pytestmark = pytest.mark.usefixtures("premises", "now")


def test_no_table_holds_a_key_or_a_password_once_the_mail_is_out(app: Flask, client: FlaskClient) -> None:
    make_person("ann@mail.example")
    mine = browser_of(app, "ann@mail.example")
    with mine.session_transaction() as cookie:
        session_key = cookie["_user_id"]
    client.post("/password/forgot", data={"email": "ann@mail.example"})
    link_key = key_in(mails()[-1])
    sent = [words_of(one) for one in sent_at(clock.now())]
    assert link_key in sent[0]
    kept = " ".join(
        repr(tuple(row)) for table in Base.metadata.sorted_tables for row in db.session.execute(select(table))
    )
    assert "ann@mail.example" in kept
    for secret in (session_key, link_key, PASSWORD):
        assert secret not in kept


def test_log_names_nobody(client: FlaskClient, capsys: pytest.CaptureFixture[str]) -> None:
    set_up_logs()  # onto this test's own standard error
    make_person("ann@mail.example")
    sign_in(client, "ann@mail.example", "wrong wrong wrong")
    client.post("/password/forgot", data={"email": "ann@mail.example"})
    key = key_in(mails()[-1])
    client.post(f"/password/{key}x", data={"password": OTHER_PASSWORD})
    client.post(f"/password/{key}", data={"password": OTHER_PASSWORD})
    said = "".join(capsys.readouterr())
    assert "sign_in_failed" in said
    assert "dead_link_used" in said
    for secret in ("ann@", "mail.example", "wrong wrong", OTHER_PASSWORD, key):
        assert secret not in said
