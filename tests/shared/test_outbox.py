"""The outbox: nothing lost, nothing doubled but what a mail server's lost answer doubles, and no words too many."""

from __future__ import annotations

import datetime as dt
import smtplib
import socket
import ssl
import threading
import time
from contextlib import suppress
from dataclasses import replace
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from flask import Flask
from sqlalchemy import delete, select, update

from clinic.rules.messages import KINDS
from clinic.rules.own_text import PLACES
from clinic.shared import mail
from clinic.shared.database import db, transaction
from clinic.shared.languages import speaking
from clinic.shared.mail import sending, texts
from clinic.shared.mail.letters import message_of
from clinic.shared.mail.outbox import BACK_OFF_MINUTES, LEASE
from clinic.shared.mail.sending import sms_sender_for
from tests.conftest import NOW
from tests.mailing import HEAD, words_of
from tests.smtp_sink import sink

pytestmark = pytest.mark.usefixtures("app")
MINUTE = dt.timedelta(minutes=1)


def queue(count: int, *, to: str = "pat@people.example", **values: Any) -> None:
    with transaction() as session:
        for number in range(count):
            mail.queue_mail(
                session, "visit_cannot_go_ahead", to, key=f"k:{to}:{number}", now=NOW, name="Pat", when="Monday",
                phone="1", clinic="Still Waters", **values,
            )  # fmt: skip


def drain(url: str, now: dt.datetime, folder: Path = Path()) -> int:
    return mail.drain(mail.Senders(mail.sender_for(url, folder)), lambda: HEAD, now)


def rows() -> list[mail.OutgoingMail]:
    db.session.rollback()
    return list(db.session.scalars(select(mail.OutgoingMail).order_by(mail.OutgoingMail.id)))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_an_hour_without_a_mail_server_loses_and_doubles_nothing() -> None:
    """A round a minute; whatever was queued before and meanwhile is out a quarter of an hour after it is back."""
    queue(20)
    port = free_port()
    for minute in range(60):
        assert drain(f"smtp://127.0.0.1:{port}", NOW + minute * MINUTE) == 0
    queue(5, to="late@people.example")
    with sink(port) as server:
        for minute in range(60, 76):
            drain(server.url, NOW + minute * MINUTE)
        assert sorted(server.ids().values()) == [1] * 25
    assert all(row.sent_at and row.text == "" for row in rows())


def test_nobody_waits_longer_than_a_day_and_then_staff_are_told() -> None:
    queue(1)
    url, at, waits = f"smtp://127.0.0.1:{free_port()}", NOW, [0, *BACK_OFF_MINUTES]
    for wait in waits:
        at += wait * MINUTE
        assert drain(url, at - dt.timedelta(seconds=1)) == 0
        drain(url, at)
    [row] = rows()
    assert (len(waits), at - NOW >= dt.timedelta(hours=24)) == (12, True)
    assert (row.attempts, row.ended_as, row.trouble, row.text) == (12, "failed", "ConnectionRefusedError", "")


def test_a_person_who_does_not_exist_is_not_tried_again_and_holds_nobody_up() -> None:
    queue(1, to="gone@people.example")
    queue(2)
    with sink(refuses="gone@") as server:
        assert drain(server.url, NOW) == 2
        assert drain(server.url, NOW + dt.timedelta(days=1)) == 0
    assert [(row.ended_as, row.trouble) for row in rows()] == [("failed", "refused"), (None, ""), (None, "")]


def test_a_person_whose_server_asks_for_patience_holds_nobody_up() -> None:
    queue(3, to="grey@people.example")
    queue(2)
    with sink(refuses="grey@", refusal="451 try again later") as server:
        assert drain(server.url, NOW) == 2
        server.refuses = ""
        assert drain(server.url, NOW + MINUTE) == 3


def test_what_was_held_up_leaves_before_what_was_written_later_to_the_same_person() -> None:
    """A person's server asks for patience twice. Before its time the elder one loses no try, and holds up nothing."""
    queue(1)
    with sink(refuses="pat@", refusal="451 try again later") as server:
        assert (drain(server.url, NOW), drain(server.url, NOW + MINUTE)) == (0, 0)
        with transaction() as session:
            mail.queue_mail(
                session, "visit_cancelled", "pat@people.example", key="later", now=NOW + 2 * MINUTE, name="Pat",
                when="Monday", phone="1", clinic="Still Waters",
            )  # fmt: skip
        queue(1, to="other@people.example")
        assert drain(server.url, NOW + 2 * MINUTE) == 1
        assert [row.attempts for row in rows()] == [2, 1, 1]
        assert rows()[0].due_at == NOW + 6 * MINUTE
        server.refuses = ""
        assert drain(server.url, NOW + 3 * MINUTE) == 2
    assert [row.sent_at for row in rows()] == [NOW + minute * MINUTE for minute in (3, 3, 2)]
    told = [one["Subject"] for one in server.mails if one["To"] == "pat@people.example"]
    assert told == [rows()[0].subject, rows()[1].subject]


def test_while_nobody_answers_what_is_tried_early_loses_no_try() -> None:
    queue(1)
    away = f"smtp://127.0.0.1:{free_port()}"
    for minute in (0, 1):
        drain(away, NOW + minute * MINUTE)
    with transaction() as session:
        mail.queue_mail(
            session, "visit_cancelled", "pat@people.example", key="later", now=NOW + 2 * MINUTE, name="Pat",
            when="Monday", phone="1", clinic="Still Waters",
        )  # fmt: skip
    drain(away, NOW + 2 * MINUTE)
    assert [(row.attempts, row.due_at) for row in rows()] == [(2, NOW + 6 * MINUTE), (1, NOW + 3 * MINUTE)]


def test_of_two_that_are_due_the_elder_leaves_first_whenever_it_was_due() -> None:
    queue(2)
    with transaction() as session:
        session.execute(
            update(mail.OutgoingMail).where(mail.OutgoingMail.key.endswith(":0")).values(due_at=NOW + MINUTE)
        )
    with sink() as server:
        assert drain(server.url, NOW + MINUTE) == 2
    numbers = {str(one["Message-ID"]): at for at, one in enumerate(server.mails)}
    assert [numbers[str(message_of(row, HEAD)["Message-ID"])] for row in rows()] == [0, 1]


def test_a_mail_server_that_lets_nobody_in_costs_nobody_else_a_try() -> None:
    queue(3)
    with sink(greeting="421 come back later") as server:
        assert drain(server.url, NOW) == 0
        assert [(row.attempts, row.trouble) for row in rows()] == [(1, "SMTPConnectError"), (0, ""), (0, "")]
        server.greeting = "220 sink"
        assert drain(server.url, NOW + MINUTE) == 3


def test_a_mail_server_that_dies_in_the_middle_of_a_mail_gets_it_again_once() -> None:
    queue(3)
    with sink(die=1) as server:
        assert drain(server.url, NOW) == 0
        assert drain(server.url, NOW + MINUTE) == 3
        assert sorted(server.ids().values()) == [1] * 3


def test_an_answer_that_is_lost_doubles_one_mail_with_the_same_identity() -> None:
    for number in range(10):
        queue(1, to=f"pat{number}@people.example")
    with sink(lose_answers=3) as server:
        for minute in range(8):
            drain(server.url, NOW + minute * MINUTE)
        assert sorted(server.ids().values()) == [1] * 7 + [2] * 3


def test_a_mail_whose_person_is_erased_while_it_is_on_its_way_holds_no_other_up() -> None:
    queue(1, to="gone@people.example")
    queue(1, to="refused@people.example")
    queue(2)
    sent = []

    def send(message: EmailMessage) -> None:
        to = str(message["To"])
        with transaction() as session:
            session.execute(delete(mail.OutgoingMail).where(mail.OutgoingMail.to == to))
        if to.startswith("refused"):
            raise mail.Refused
        sent.append(to)

    assert mail.drain(mail.Senders(send), lambda: HEAD, NOW) == 2
    assert sorted(sent) == ["gone@people.example", "pat@people.example"]
    assert rows() == []


def test_two_workers_at_once_send_each_mail_once(app: Flask) -> None:
    queue(12)
    wrong: list[BaseException] = []

    def work(url: str) -> None:
        try:
            with app.app_context():
                drain(url, NOW)
                db.session.remove()
        except BaseException as error:  # noqa: BLE001 - of a thread: shown below
            wrong.append(error)

    with sink() as server:
        workers = [threading.Thread(target=work, args=(server.url,)) for _ in range(2)]
        for one in workers:
            one.start()
        for one in workers:
            one.join()
        assert wrong == []
        assert sorted(server.ids().values()) == [1] * 12


def test_what_is_kept_back_leaves_at_its_time_and_is_taken_back_until_it_is_on_its_way() -> None:
    queue(3, not_before=NOW + MINUTE)
    keys = [row.key for row in rows()]
    with transaction() as session:
        session.execute(
            update(mail.OutgoingMail).where(mail.OutgoingMail.key == keys[1]).values(lease_until=NOW)
        )
    with transaction() as session:
        assert [mail.drop_mail(session, key) for key in (*keys[:2], "unknown")] == [True, False, False]
    with sink() as server:
        assert [drain(server.url, NOW), drain(server.url, NOW + MINUTE)] == [0, 2]
        with transaction() as session:
            assert not mail.drop_mail(session, keys[2])
    assert [row.key for row in rows()] == keys[1:]


def test_the_same_message_is_written_once_and_what_is_not_wanted_any_more_does_not_leave() -> None:
    queue(2)
    queue(2, language="de")
    unwanted, _other = (one.id for one in rows())
    with sink() as server:
        senders = mail.Senders(mail.sender_for(server.url, Path()))
        sent = mail.drain(senders, lambda: HEAD, NOW, is_wanted=lambda _session, row: row.id != unwanted)
        assert (sent, len(server.ids())) == (1, 1)
        assert drain(server.url, NOW + LEASE + MINUTE) == 0
    assert [(one.ended_as, one.text, one.attempts) for one in rows()] == [("dropped", "", 0), (None, "", 1)]


class Killed(BaseException):
    """The worker is gone: nothing after it runs."""


def test_what_a_killed_worker_had_in_hand_goes_out_when_its_lease_has_run_out() -> None:
    queue(2)

    def die(_message: EmailMessage) -> None:
        raise Killed

    with pytest.raises(Killed):
        mail.drain(mail.Senders(die), lambda: HEAD, NOW)
    with sink() as server:
        assert drain(server.url, NOW + LEASE) == 1
        assert drain(server.url, NOW + LEASE + dt.timedelta(seconds=1)) == 1
        assert sorted(server.ids().values()) == [1, 1]


def test_the_page_of_a_mail_says_the_same_with_one_button_and_loads_nothing() -> None:
    with transaction() as session:
        mail.queue_mail(
            session, "visit_cancelled", "pat@people.example", key="k", now=NOW, name="<b>Pat</b>",
            when="Monday", phone="1", clinic="Still Waters",
        )  # fmt: skip
    [row] = rows()
    letter = message_of(row, mail.Letterhead("Still & Waters", "a@b.example", "#123456", b"png", "image/png"))
    page = words_of(letter, "html")
    assert "&lt;b&gt;Pat&lt;/b&gt;" in page
    assert page.count("display:inline-block") == 1
    assert ">Book another visit</a>" in page
    assert "#123456" in page
    assert "color-scheme" in page
    assert [part.get_content_type() for part in letter.walk()] == [
        "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
    ]  # fmt: skip
    sources = [piece.split('"')[0] for piece in page.split('src="')[1:]]
    assert [one.partition(":")[0] for one in sources] == ["cid"]
    assert "url(" not in page


def test_every_kind_has_a_text_whose_places_are_known_and_the_other_way_round() -> None:
    folder = Path(__file__).parents[2] / "templates" / "mail"
    assert sorted(KINDS) == sorted(path.stem for path in folder.glob("[!_]*.txt"))
    for kind in KINDS:
        places = mail.places_of(kind)
        assert set(places) <= PLACES.keys(), kind
        subject, text = mail.written(kind, mail.standard_text(kind), {name: PLACES[name] for name in places})
        assert (subject, text) == mail.written(kind, None, {name: PLACES[name] for name in places}), kind
        assert "{" not in subject + text, kind
        assert ("link" in places) == bool(KINDS[kind].link), kind
        assert not any(one.startswith("is_") for one in places), kind


def test_an_own_text_is_used_and_what_is_filled_in_is_not_read_again() -> None:
    with transaction() as session:
        text = "Sorry, {name}\nNo visit on {when}. {{ 7 * 7 }} {phone.__class__}"
        session.add(mail.OwnText(kind="visit_cannot_go_ahead", language="en", text=text, changed_at=NOW))
    queue(1, to="a@people.example")
    with transaction() as session:
        mail.queue_mail(
            session, "visit_cannot_go_ahead", "b@people.example", key="b", now=NOW, name="{when}", when="Monday",
            phone="1", clinic="",
        )  # fmt: skip
    first, second = rows()
    assert (first.subject, first.text) == (
        "Sorry, Pat",
        "No visit on Monday. {{ 7 * 7 }} {phone.__class__}\n",
    )
    assert second.subject == "Sorry, {when}"


def own_certificate(folder: Path) -> ssl.SSLContext:
    """A certificate that nobody vouches for, as somebody between us and the mail server would show."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.1")])
    begin = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + dt.timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("127.1")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    kept = folder / "own.pem"
    kept.write_bytes(
        made.public_bytes(Encoding.PEM)
        + key.private_bytes(Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(kept)
    return trust


def test_mails_and_the_password_go_to_the_mail_server_alone(tmp_path: Path) -> None:
    """The name 127.1 is this machine too, but is taken for another one."""
    queue(1)
    with sink(trust=own_certificate(tmp_path)) as false_server:
        assert drain(false_server.url.replace("127.0.0.1", "ann:secret@127.1"), NOW) == 0
        assert ([row.attempts for row in rows()], false_server.mails) == ([1], [])
        assert false_server.asked == ["EHLO", "STAR"]
    with sink() as open_to_all:
        assert drain(open_to_all.url.replace("127.0.0.1", "ann:secret@127.1"), NOW + MINUTE) == 0
        assert "AUTH" not in open_to_all.asked
    with sink(trust=own_certificate(tmp_path)) as on_this_machine:
        assert drain(on_this_machine.url, NOW + 6 * MINUTE) == 1
        assert on_this_machine.asked[1] == "STAR"


class _Provider(BaseHTTPRequestHandler):
    answers: list[int]
    taken: list[tuple[str, str, str]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("ascii")
        self.taken.append((self.path, str(self.headers["Authorization"]), body))
        self.send_response(self.answers.pop(0))
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: Any) -> None:
        pass


def test_an_sms_goes_to_the_one_address_that_was_set_and_is_tried_again() -> None:
    _Provider.answers, _Provider.taken = [302, 503, 201, 400], []
    server = HTTPServer(("127.0.0.1", 0), _Provider)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    url = f"http://127.0.0.1:{server.server_port}/Messages.json"
    send = sms_sender_for(url, user="AC1", key="secret", number="+15005550006")
    senders = mail.Senders(lambda _message: None, send)
    queue(1, to="+12125550147", channel="sms")
    for minute in (0, 1, 6):
        mail.drain(senders, lambda: HEAD, NOW + minute * MINUTE)
    queue(1, to="+12125550148", channel="sms")
    mail.drain(senders, lambda: HEAD, NOW + 6 * MINUTE)
    server.shutdown()
    server.server_close()
    thread.join()
    assert [(row.attempts, bool(row.sent_at), row.ended_as) for row in rows()] == [
        (3, True, None), (1, False, "failed"),
    ]  # fmt: skip
    assert {path for path, _key, _body in _Provider.taken} == {"/Messages.json"}
    assert all(key == "Basic QUMxOnNlY3JldA==" for _path, key, _body in _Provider.taken)
    assert "To=%2B12125550147&From=%2B15005550006&Body=" in _Provider.taken[0][2]


@pytest.mark.parametrize("language", ["en", "de"])
@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_sentence_is_broken_into_lines(kind: str, language: str) -> None:
    """A mail program breaks lines where its window ends, and the page of a mail keeps the breaks of its text."""
    with speaking(language):
        lines = texts.standard_text(kind).splitlines()
    broken = [one for one, after in pairwise(lines) if len(one) > 60 and after and one[-1] not in ".:?!}"]
    assert broken == []


@pytest.mark.parametrize(
    "subject",
    [
        "Ihr Termin am Samstag, 5. Dezember 2026 um 14:15 kann so nicht für beide gebucht werden",
        "Your visit on Friday, November 27, 2026 at 11:45 am: has anything changed?",
        "Größere Änderung: Jürgen Öztürk übernimmt für Zoë Müller am Dienstag, 8. Dezember, um 10:00 – für Sie geprüft",
    ],
)
def test_a_long_subject_arrives_as_it_was_written(subject: str) -> None:
    row = mail.OutgoingMail(
        key="k", kind="reset", to="pat@people.example", subject=subject, text="x", due_at=NOW
    )
    raw = message_of(row, HEAD).as_bytes()
    line = next(one for one in raw.split(b"\n") if one.startswith(b"Subject: ")).decode("ascii")
    assert str(make_header(decode_header(line.removeprefix("Subject: ")))) == subject
    assert b"\r" not in raw
    assert b"\n" not in message_of(row, HEAD).as_bytes(policy=SMTP).replace(b"\r\n", b"")


def test_an_address_that_no_mail_server_takes_holds_up_nobody() -> None:
    """Typed before it was refused, or written by another program; a domain with an umlaut is spelt out."""
    queue(2, to="jürgen@people.example")
    queue(1, to="ann@bücher.example")
    queue(2, to="pat@people.example")
    with sink() as server:
        assert drain(server.url, NOW) == 3
        assert sorted(str(one["To"]) for one in server.mails) == [
            "ann@xn--bcher-kva.example", "pat@people.example", "pat@people.example"
        ]  # fmt: skip
    assert [(one.to, one.ended_as, one.trouble) for one in rows() if not one.sent_at] == [
        ("jürgen@people.example", "failed", "refused")
    ] * 2


@pytest.mark.parametrize("odd", ['"', "a@", "<", "a@["])
def test_an_address_that_cannot_be_taken_apart_holds_up_nobody(odd: str) -> None:
    queue(1, to="before@people.example")
    queue(1, to="pat@people.example")
    with transaction() as session:
        before = mail.OutgoingMail.to == "before@people.example"
        session.execute(update(mail.OutgoingMail).where(before).values(to=odd))
    with sink() as server:
        assert drain(server.url, NOW) == 1
    assert [one.ended_as for one in rows()] == ["failed", None]


@pytest.mark.parametrize(
    ("answer", "sent"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 1),  # taken; the rest is of no use
        (b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nshort", 1),
        (b"garbage\r\n\r\n", 0),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 300 + b"\r\n", 0),
        (b"", 0),
    ],
)
def test_an_odd_answer_of_the_provider_of_sms_holds_up_nobody(answer: bytes, sent: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as provider, sink() as server:
        thread = threading.Thread(target=answer_with, args=(provider, answer), daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{provider.getsockname()[1]}/x"
        send = sms_sender_for(url, user="u", key="k", number="+1")
        queue(1, to="+12125550111", channel="sms")
        queue(2)
        ways = mail.Senders(mail.sender_for(server.url, Path()), send)
        assert mail.drain(ways, lambda: HEAD, NOW) == 2 + sent
    sms = next(one for one in rows() if one.channel == "sms")
    assert (sms.sent_at is not None, sms.lease_until, sms.attempts) == (bool(sent), None, 1)
    assert sms.sent_at or sms.due_at == NOW + MINUTE


def test_a_provider_of_sms_that_drips_letters_is_left_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MOST_SECONDS", 1)
    listening, is_left = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def drip() -> None:
        conversation, _where = listening.accept()
        with conversation, suppress(OSError):
            while True:
                conversation.send(b"H")
                time.sleep(0.05)
        is_left.set()

    threading.Thread(target=drip, daemon=True).start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/x"
    send = sms_sender_for(url, user="u", key="k", number="+1")
    assert send is not None
    # cut off by us at an end of the answer, or by the other side's word that it is cut off
    with listening, pytest.raises(OSError, match=r"read|reset"):
        send("+12125550111", "x")
    assert is_left.wait(10)


@pytest.mark.parametrize("farewell", ["250 ok", "421 going down", "500 what?", "nonsense"])
def test_what_a_mail_server_says_at_parting_sends_nothing_twice(farewell: str) -> None:
    queue(1)
    with sink(farewell=farewell) as server:
        assert drain(server.url, NOW) == 1
        assert drain(server.url, NOW + MINUTE) == 0
        assert list(server.ids().values()) == [1]
    assert [(one.attempts, bool(one.sent_at)) for one in rows()] == [(1, True)]


def answer_with(provider: socket.socket, answer: bytes) -> None:
    client, _address = provider.accept()
    with client:
        client.settimeout(5)
        client.recv(65536)
        client.sendall(answer)


def test_a_clinic_whose_own_domain_has_an_umlaut_writes_to_everybody() -> None:
    queue(1)
    head = replace(HEAD, sender="praxis@müller.example")
    with sink() as server:
        assert mail.drain(mail.Senders(mail.sender_for(server.url, Path())), lambda: head, NOW) == 1
        assert "praxis@xn--mller-kva.example" in str(server.mails[0]["From"])


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mail_server_that_drips_letters_is_left_in_the_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, scheme: str
) -> None:
    """Each letter comes in time, and there is no end of them."""
    queue(1)
    monkeypatch.setattr(sending, "MOST_SECONDS", 1)
    listening, is_left = socket.create_server(("127.0.0.1", 0)), threading.Event()
    trust = own_certificate(tmp_path) if scheme == "smtps" else None

    def drip() -> None:
        conversation, _where = listening.accept()
        with suppress(OSError):
            if trust is not None:
                conversation = trust.wrap_socket(conversation, server_side=True)
            while True:
                conversation.send(b"2")
                time.sleep(0.05)
        conversation.close()
        is_left.set()

    threading.Thread(target=drip, daemon=True).start()
    send = mail.sender_for(f"{scheme}://127.0.0.1:{listening.getsockname()[1]}", tmp_path)
    with pytest.raises((smtplib.SMTPException, OSError)):
        send(message_of(rows()[0], HEAD))
    assert is_left.wait(10)
    listening.close()
