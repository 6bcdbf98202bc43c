"""Fifty clients ask for one time at once, over and over. What then stands in the database counts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlalchemy import create_engine, text

from benchmarks.asking import Asker
from benchmarks.booking import Order
from benchmarks.databases import OVERLAPS
from benchmarks.workload import DURATION
from clinic.shared import clock

AHEAD = text(f"{OVERLAPS} AND a.ends_at > :since AND b.ends_at > :since")
STANDING = text("SELECT count(*) FROM visit WHERE status = 'confirmed' AND starts_at > :since")


def race(
    urls: Sequence[str], address: str, loaded: dict[str, Any], slots: Sequence[Order], *, clients: int = 50
) -> dict[str, Any]:
    """One round a slot that is free. Returns rounds won exactly once, overlaps in the database, and how often each
    status came. A therapist may be free and no room for the whole visit: such a slot is left out."""
    before = _standing(address)["visits"]
    crowd = [Asker(urls[number % len(urls)], loaded["token"]) for number in range(clients)]
    people = loaded["clients"][-clients:]
    statuses: Counter[int] = Counter()
    once = 0

    def ask(number: int, slot: Order) -> int:
        wish = {
            "service": loaded["service"], "minutes": DURATION, "client": people[number],
            "therapist": slot.therapist, "starts_at": slot.starts_at,
        }  # fmt: skip
        return crowd[number].post("/api/v1/visits", wish)[0]

    free = [slot for slot in slots if _is_free(crowd[0], loaded["service"], slot)]
    with ThreadPoolExecutor(clients) as pool:
        for slot in free:
            found = Counter(pool.map(lambda number, slot=slot: ask(number, slot), range(clients)))  # type: ignore[misc]
            statuses.update(found)
            once += found[201] == 1 and set(found) <= {201, 409}
    after = _standing(address)
    return {
        "rounds": len(free),
        "won_once": once,
        "visits": after["visits"] - before,
        "overlaps": after["overlaps"],
        "statuses": {str(key): value for key, value in statuses.items()},
    }


def _is_free(asker: Asker, service: str, slot: Order) -> bool:
    path = f"/api/v1/availability?service={service}&minutes={DURATION}&from={slot.starts_at[:10]}&days=1"
    found = json.loads(asker.get(f"{path}&therapist={slot.therapist}")[1])
    return slot.starts_at in {one["starts_at"] for one in found["starts"]}


def _standing(address: str) -> dict[str, int]:
    """How many visits ahead are confirmed, and how many claims ahead overlap another one of the same resource."""
    engine, since = create_engine(address), f"{clock.now():%Y-%m-%d %H:%M:%S}"
    with engine.connect() as connection:
        found = {
            name: int(connection.scalar(asked, {"since": since}) or 0)
            for name, asked in (("visits", STANDING), ("overlaps", AHEAD))
        }
    engine.dispose()
    return found
