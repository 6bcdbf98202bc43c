"""Ask a running server for free times over real HTTP, check every answer against the book, and take the time."""

from __future__ import annotations

import http.client
import json
import statistics
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from benchmarks.workload import DURATION, Book

KINDS = ("day_one", "day_any", "month_one", "month_any")


@dataclass(frozen=True)
class Question:
    """One request, and what must come out: start → therapists, by the brute force of workload.py."""

    path: str
    right: dict[str, list[int]]


class WrongAnswer(Exception):
    """The server offers other times than the book has."""


class Questions:
    """Questions about one book, drawn from its seed."""

    def __init__(self, work: dict[str, Any], loaded: dict[str, Any]) -> None:
        self.book, self.service = Book(work), loaded["service"]
        active = [one["id"] for one in work["therapists"] if one["active"]]
        self.people: dict[int, int] = dict(zip(active, loaded["therapists"], strict=True))

    def of(self, kind: str, count: int) -> list[Question]:
        return [self._question(*drawn) for drawn in self.book.questions(kind, count)]

    def _question(self, kind: str, therapist: int | None, day: str) -> Question:
        days = len(self.book.all_days) if kind.startswith("month") else 1
        asked = {"service": self.service, "minutes": DURATION, "from": day, "days": days}
        if therapist is not None:
            asked["therapist"] = self.people[therapist]
        first = self.book.all_days.index(day)
        who = [therapist] if therapist is not None else self.book.active
        right: dict[str, list[int]] = {}
        for date in self.book.all_days[first : first + days]:
            for one in who:
                for minute in self.book.free(one, date):
                    right.setdefault(_moment(date, minute), []).append(self.people[one])
        return Question(f"/api/v1/availability?{urlencode(asked)}", right)


def _moment(day: str, minute: int) -> str:
    return f"{day}T{minute // 60:02}:{minute % 60:02}:00+00:00"


class Asker:
    """One client with a connection that it keeps."""

    def __init__(self, url: str, token: str = "") -> None:
        where = urlsplit(url)
        self.connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=120)
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def get(self, path: str) -> tuple[float, bytes]:
        """Milliseconds from asking to the last byte, and the answer. Raises WrongAnswer unless it is 200."""
        began = time.perf_counter()
        self.connection.request("GET", path, headers=self.headers)
        answer = self.connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise WrongAnswer(f"{path} was answered with {answer.status}: {body[:300]!r}")
        return took, body

    def post(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        headers = {**self.headers, "Content-Type": "application/json"}
        self.connection.request("POST", path, json.dumps(body), headers)
        answer = self.connection.getresponse()
        return answer.status, json.loads(answer.read())

    def ask(self, question: Question) -> float:
        took, body = self.get(question.path)
        found = {one["starts_at"]: sorted(one["therapists"]) for one in json.loads(body)["starts"]}
        if found != {start: sorted(who) for start, who in question.right.items()}:
            raise WrongAnswer(f"{question.path}: {len(found)} starts, {len(question.right)} expected")
        return took


def spread(took: Sequence[float]) -> dict[str, float]:
    """The middle and the slow end, in milliseconds."""
    slow = statistics.quantiles(took, n=20)[18] if len(took) > 1 else took[0]
    return {"p50_ms": round(statistics.median(took), 2), "p95_ms": round(slow, 2)}


def times(asker: Asker, questions: Iterable[Question]) -> dict[str, float]:
    return spread([asker.ask(one) for one in questions])


def after_writes(asker: Asker, questions: Sequence[Question], wish: dict[str, Any]) -> dict[str, float]:
    """The same questions, each right after somebody kept a time and gave it back."""
    took = []
    for one in questions:
        status, held = asker.post("/api/v1/holds", wish)
        if status != 201:
            raise WrongAnswer(f"a hold was answered with {status}: {held}")
        asker.post(f"/api/v1/holds/{held['id']}/release", {})
        took.append(asker.ask(one))
    return spread(took)


def rate(
    urls: Sequence[str], token: str, questions: Sequence[Question], seconds: float, clients: int = 8
) -> float:
    """Requests a second that so many clients together get answered."""
    stop, done = time.monotonic() + seconds, [0] * clients

    def client(number: int) -> None:
        asker = Asker(urls[number % len(urls)], token)
        while time.monotonic() < stop:
            asker.get(questions[done[number] % len(questions)].path)
            done[number] += 1

    began = time.monotonic()
    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return round(sum(done) / (time.monotonic() - began), 1)
