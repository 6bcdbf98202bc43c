"""A small SMTP server for tests: it keeps what it takes, and can be away, drop its answer, or refuse a person."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any


class Sink(socketserver.ThreadingTCPServer):
    """`lose_answers`: so many times the mail is taken and the answer lost on the way back; `die`: so many times it is
    gone in the middle of one. `refuses`: who is answered `refusal`. `trust`: what it offers STARTTLS with."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), _Talk)
        self.mails: list[Message] = []
        self.lose_answers = 0
        self.die = 0
        self.greeting, self.farewell = "220 sink", "221 bye"
        self.refuses, self.refusal = "", "550 no such person"
        self.trust: ssl.SSLContext | None = None
        self.asked: list[str] = []

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.server_address[1]}"

    def ids(self) -> Counter[str]:
        """How often each Message-ID came."""
        return Counter(str(one["Message-ID"]) for one in self.mails)


class _Talk(socketserver.StreamRequestHandler):
    server: Sink

    def handle(self) -> None:
        self._say(self.server.greeting)
        with contextlib.suppress(OSError):
            while line := self.rfile.readline():
                if not self._answer(line.decode("ascii", "replace").strip()):
                    return

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def _answer(self, said: str) -> bool:
        word = said[:4].upper()
        self.server.asked.append(word)
        if word == "QUIT":
            self._say(self.server.farewell)
            return False
        if word == "RCPT" and self.server.refuses and self.server.refuses in said:
            self._say(self.server.refusal)
        elif word == "EHLO" and self.server.trust:
            self._say("250-sink\r\n250 STARTTLS")
        elif word == "STAR" and self.server.trust:
            self._say("220 go on")
            self._go_under_cover(self.server.trust)
        elif word == "DATA":
            self._say("354 go on")
            return self._take()
        else:
            self._say("250 ok")
        return True

    def _go_under_cover(self, trust: ssl.SSLContext) -> None:
        self.connection = trust.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)

    def _take(self) -> bool:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
            if self.server.die:
                self.server.die -= 1
                return False
        self.server.mails.append(message_from_bytes(b"".join(lines)))
        if self.server.lose_answers:
            self.server.lose_answers -= 1
            return False
        self._say("250 taken")
        return True

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode("ascii"))


@contextlib.contextmanager
def sink(port: int = 0, **ways: Any) -> Iterator[Sink]:
    """The server, at work in a thread."""
    server = Sink(port)
    for name, value in ways.items():
        setattr(server, name, value)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
