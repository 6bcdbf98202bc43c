"""The ways out: SMTP, files in a folder, and SMS through one provider. None of them keeps anything."""

from __future__ import annotations

import base64
import http.client
import re
import smtplib
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from contextlib import closing, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode, urlsplit

from clinic.shared.mail.letters import stamp_of

Send = Callable[[EmailMessage], None]
SendSms = Callable[[str, str], None]
TIMEOUT_SECONDS = 20
MOST_SECONDS = 180  # for one mail with all that is said around it
THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class Refused(Exception):
    """The other side will never take this message: to try again is of no use."""


@dataclass(frozen=True)
class Senders:
    """How messages leave; `sms` is None where the clinic has no provider."""

    mail: Send
    sms: SendSms | None = None


def sender_for(url: str | None, folder: Path) -> Send:
    """`smtp://user:password@host:port` or `smtps://…` sends; without a URL mails become files in `folder`."""
    return _smtp(url) if url else _to_folder(folder)


class _InTime:
    """A conversation that ends: the libraries' timeout is one for each piece, and a server that drips single letters
    would hold up every message for ever."""

    _ends: threading.Timer | None = None
    sock: socket.socket | None

    def connect(self, *where: Any, **more: Any) -> Any:
        self._ends = threading.Timer(MOST_SECONDS, self._hang_up)
        self._ends.daemon = True
        self._ends.start()
        try:
            return super().connect(*where, **more)  # type: ignore[misc]  # of the library's class beside it
        except BaseException:
            self._ends.cancel()
            raise

    def close(self) -> None:
        if self._ends is not None:
            self._ends.cancel()
        super().close()  # type: ignore[misc]

    def _hang_up(self) -> None:
        at_work = self.sock
        with suppress(OSError):  # closed by itself at the same moment
            if at_work is not None:
                at_work.shutdown(socket.SHUT_RDWR)


class _Smtp(_InTime, smtplib.SMTP):
    def __exit__(self, *error: Any) -> None:
        with suppress(smtplib.SMTPException, OSError):  # the mail is taken already, however they part
            super().__exit__(*error)


class _SecureSmtp(_Smtp, smtplib.SMTP_SSL):
    pass


class _Http(_InTime, http.client.HTTPConnection):
    pass


class _SecureHttp(_InTime, http.client.HTTPSConnection):
    pass


def _smtp(url: str) -> Send:
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("CLINIC_MAIL_URL must look like smtp://user:password@host:587")
    host, secure = parts.hostname, parts.scheme == "smtps"
    port = parts.port or (465 if secure else 587)
    trust = _trust(host)

    def connect() -> smtplib.SMTP:
        if secure:
            return _SecureSmtp(host, port, timeout=TIMEOUT_SECONDS, context=trust)
        return _Smtp(host, port, timeout=TIMEOUT_SECONDS)

    def send(message: EmailMessage) -> None:
        with connect() as server:
            server.ehlo_or_helo_if_needed()
            if not secure and server.has_extn("starttls"):
                server.starttls(context=trust)
            elif not secure and parts.username and host not in THIS_MACHINE:
                raise smtplib.SMTPNotSupportedError("The password is not sent where everybody can read it.")
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            _hand_over(server, message)

    return send


def _hand_over(server: smtplib.SMTP, message: EmailMessage) -> None:
    try:
        server.send_message(message)
    except smtplib.SMTPNotSupportedError as error:  # an address that this server has no letters for
        raise Refused from error
    except smtplib.SMTPRecipientsRefused as error:
        if all(code >= 500 for code, _said in error.recipients.values()):
            raise Refused from error
        raise


def _trust(host: str) -> ssl.SSLContext:
    """Mails hold links that are keys, and the password goes along: whoever stands between must not pass as the mail
    server (smtplib by itself takes any certificate). What never leaves this machine needs none."""
    trust = ssl.create_default_context()
    if host in THIS_MACHINE:
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
    return trust


def delete_files(keys: Iterable[str], folder: Path) -> None:
    """Delete the files that these mails became, where no server sends them."""
    stamps = {stamp_of(key) for key in keys}
    found = stamped_files(folder) if stamps else {}
    for path in chain.from_iterable(found.get(stamp, ()) for stamp in stamps):
        path.unlink(missing_ok=True)


def stamped_files(folder: Path) -> dict[str, list[Path]]:
    """Those files, by the stamps of their mails."""
    found: dict[str, list[Path]] = {}
    for path in folder.glob("*.eml"):
        found.setdefault(path.stem.rpartition("-")[2], []).append(path)
    return found


def _to_folder(folder: Path) -> Send:
    def send(message: EmailMessage) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        name = re.sub(r"[^a-z0-9]+", "-", str(message["Subject"]).lower()).strip("-")[:40]
        stamp = str(message["Message-ID"]).strip("<>").split("@")[0]
        (folder / f"{name}-{stamp}.eml").write_bytes(message.as_bytes())

    return send


def sms_sender_for(url: str, *, user: str, key: str, number: str) -> SendSms | None:
    """A provider that takes a form with To, From and Body, as Twilio's `…/Messages.json` does; None without a URL.

    The address is the one that was set (https, or http on this machine only): an answer cannot send the key, or a
    number, anywhere else.
    """
    if not url:
        return None
    parts = urlsplit(url)
    kind = _Http if parts.scheme == "http" else _SecureHttp
    where = parts._replace(scheme="", netloc="", fragment="")
    headers = {
        "Authorization": "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode("ascii"),
        "Content-Type": "application/x-www-form-urlencoded",
    }

    def send(to: str, text: str) -> None:
        body, port = urlencode({"To": to, "From": number, "Body": text}), parts.port or kind.default_port
        with closing(kind(parts.hostname or "", port, timeout=TIMEOUT_SECONDS)) as provider:
            try:
                provider.request("POST", where.geturl() or "/", body, headers)
                status = provider.getresponse().status  # what is said besides is of no use
            except http.client.HTTPException as error:
                raise ConnectionError("the answer is none that can be read") from error
        if status in (400, 404, 422):
            raise Refused
        if not 200 <= status < 300:
            raise ConnectionError(f"answered with {status}")

    return send
