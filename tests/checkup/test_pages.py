"""Pages for machines: alive, ready and counted, without a word about anybody."""

from __future__ import annotations

import errno
import io
import json
import logging

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import create_engine, text

from clinic.booking.services import visits
from clinic.rules.errors import SlotTaken
from clinic.shared import heartbeat, mail
from clinic.shared.database import db, transaction
from clinic.shared.logs import set_up_logs
from clinic.shared.web import error_page
from tests.booking import world as w
from tests.conftest import NOW

pytestmark = pytest.mark.usefixtures("now")
TOKEN = "t" * 40
BEARER = {"Authorization": f"Bearer {TOKEN}"}
FAR = {"REMOTE_ADDR": "203.0.113.9"}


@pytest.fixture
def settings() -> dict[str, object]:
    return {"CLINIC_METRICS_TOKEN": TOKEN, "CLINIC_TRUSTED_PROXIES": 1}


def test_alive_whatever_the_database_does_and_ready_only_with_it(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    heartbeat.beat(NOW)
    assert client.get("/readyz").json == {"ready": True, "wrong": []}
    assert client.get("/readyz", environ_base=FAR).data == b"ready\n"

    away = create_engine("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=1")
    with monkeypatch.context() as patched:
        patched.setattr(type(db), "engine", property(lambda _self: away))
        assert client.get("/healthz").data == b"alive\n"
        answer = client.get("/readyz")
        assert answer.status_code == 503
        said = answer.get_json()["wrong"][0]["says"]
        assert said.startswith("The database cannot be reached or used (connection failed: ")
        assert answer.headers["Retry-After"] == "10"
        outside = client.get("/readyz", environ_base=FAR)
        assert (outside.status_code, outside.data) == (503, b"not ready\n")
        assert client.get("/readyz", environ_base=FAR, headers=BEARER).json == answer.json

    with transaction() as session:
        session.execute(text("DELETE FROM worker_beat"))
    said = client.get("/readyz")
    assert (said.status_code, said.get_json()["wrong"][0]["says"]) == (
        503, "The worker is not at work: it was not seen yet.",
    )  # fmt: skip


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_behind_a_proxy_that_is_not_believed_nobody_is_near(client: FlaskClient, app: Flask) -> None:
    app.config.update(CLINIC_PUBLIC_URL="https://clinic.example", CLINIC_TRUSTED_PROXIES=0)
    assert client.get("/readyz").data == b"not ready\n"


def counted(client: FlaskClient) -> dict[str, float]:
    lines = client.get("/metrics", headers=BEARER).text.splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def test_what_happens_is_counted_and_says_nothing_about_anybody(client: FlaskClient, app: Flask) -> None:
    world = w.build(therapists=1)
    people = [w.person() for _ in range(2)]
    for one in people:
        w.sign(one, doctor_said_no={"reason": "told so", "date": "2025-01-01"} if one == people[1] else {})
    before = counted(client)

    def book(client_id: int, key: str) -> None:
        visits.book_visit(
            w.choice("relaxation"),
            client_id,
            w.at(3),
            request_key=key,
            source="desk",
            by=world.desk_id,
            now=NOW,
        )

    book(people[0], "one")
    other = w.person()
    w.sign(other)
    with pytest.raises(SlotTaken):
        book(other, "two")
    with transaction() as session:
        session.add(
            mail.OutgoingMail(key="k", kind="reset", to="a@b.example", subject="s", text="t", due_at=NOW)
        )
    heartbeat.beat(NOW)
    client.get("/no-such-page-as-pat.secret@example.org")
    after = counted(client)
    changed = {
        name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)
    }
    assert changed['clinic_visit_steps_total{step="booked"}'] == 1
    assert changed['clinic_refusals_total{kind="SlotTaken"}'] == 1
    assert changed['clinic_requests_total{endpoint="none",status="404"}'] == 1
    assert changed['clinic_request_seconds_count{endpoint="checkup.numbers"}'] == 1
    assert after["clinic_database_up"] == 1
    assert after["clinic_outbox_depth"] >= 1
    assert after["clinic_worker_last_run_timestamp_seconds"] == NOW.timestamp()
    whole = client.get("/metrics", headers=BEARER).text
    assert [word for word in ("secret", "example.org", "doctor", "told") if word in whole] == []


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_without_a_token_there_is_nothing_to_read(client: FlaskClient, app: Flask) -> None:
    for headers in ({}, {"Authorization": "Bearer nearly"}, {"Authorization": f"Basic {TOKEN}"}):
        assert client.get("/metrics", headers=headers).status_code == 401
    app.config["CLINIC_METRICS_TOKEN"] = ""
    for headers in ({}, BEARER, {"Authorization": "Bearer "}):
        assert client.get("/metrics", headers=headers).status_code == 404


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_request_has_one_name_in_the_answer_the_page_and_the_log(
    client: FlaskClient, app: Flask, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs()
    app.config["CLINIC_LOG_REQUESTS"] = True
    answer = client.get("/nothing", headers={"X-Request-Id": "from-our-proxy_1"})
    assert answer.headers["X-Request-Id"] == "from-our-proxy_1"
    assert "request='from-our-proxy_1'" in capsys.readouterr().err
    with app.test_request_context():
        g.request_id = "one-that-failed"
        assert "one-that-failed" in error_page(500).get_data(as_text=True)  # type: ignore[union-attr]
    problem = client.get("/api/v1/services", headers={"X-Request-Id": "from-our-proxy_2"})
    assert problem.get_json()["request"] == "from-our-proxy_2"
    for bad in ("short", "x" * 65, "with space in", "<script>alert</script>", "übergroß-name"):
        made = client.get("/nothing", headers={"X-Request-Id": bad}).headers["X-Request-Id"]
        assert len(made) == 16
    app.config["WTF_CSRF_ENABLED"] = True
    refused = client.post("/sign-in", headers={"X-Request-Id": "from-our-proxy_3"})
    assert (refused.status_code, refused.headers["X-Request-Id"]) == (400, "from-our-proxy_3")
    assert "from-our-proxy_3" in capsys.readouterr().err.splitlines()[-1]
    app.config["CLINIC_TRUSTED_PROXIES"] = 0
    made = client.get("/nothing", headers={"X-Request-Id": "from-a-stranger"}).headers["X-Request-Id"]
    assert len(made) == 16


def test_what_libraries_log_is_a_line_of_json_without_what_is_private(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    kept = (root.handlers[:], root.level)
    try:
        set_up_logs(as_json=True)
        try:
            raise ValueError("pat@example.org has a bad back")
        except ValueError:
            logging.getLogger("waitress").exception("Exception while serving %s", "/password/abc?x=1")
        line = json.loads(capsys.readouterr().err)
    finally:
        root.handlers[:], root.level = kept
        set_up_logs()
    assert line["event"] == "Exception while serving (left out)"
    assert (line["logger"], line["kind"], line["level"]) == ("waitress", "ValueError", "error")
    assert line["where"].startswith("test_pages.py:")
    assert "pat@" not in str(line)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_a_line_that_cannot_be_written_fails_no_request(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, _line: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    closed = io.StringIO()
    closed.close()
    app.config["CLINIC_LOG_REQUESTS"] = True
    for where in (Full(), closed):
        monkeypatch.setattr("sys.stderr", where)
        set_up_logs()
        assert client.get("/healthz").status_code == 200
    monkeypatch.undo()
    set_up_logs()
