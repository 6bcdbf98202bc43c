"""What was promised beside what was measured, as lines: work, limit, measured, ratio, met or not."""

from __future__ import annotations

from typing import Any

from benchmarks.asking import KINDS

MOST_STATEMENTS = 8
MOST_MEMORY_MB = 150
BOOKING_SHARE = 0.3  # of the bare insert transactions
GROWTH = 1.1


def lines(books: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One line for each promise and book."""
    found = []
    for book in books:
        found += _times(book)
        found += _rest(book)
    for database in dict.fromkeys(book["database"] for book in books):
        found += _over_books([book for book in books if book["database"] == database])
    return found


def _line(
    book: dict[str, Any], work: str, most: float, measured: float, *, at_least: bool = False
) -> dict[str, Any]:
    size = f"T={book['therapists']} H={book['history']:,}"
    met = measured >= most if at_least else measured <= most
    return {
        "database": book["database"], "book": size, "work": work, "target": round(most, 2),
        "measured": round(measured, 2), "ratio": round(measured / most, 2) if most else None, "met": met,
        "at_least": at_least,
    }  # fmt: skip


def _times(book: dict[str, Any]) -> list[dict[str, Any]]:
    """Every time is held against an empty page of the same run, warm and right after a write."""
    asked, limits = book["availability"], book["limits"]
    page = asked["empty_page"]["p50_ms"]
    most = {"month_any": page + 4 * limits["month_any"]["ms"], "day_one": page + 3}
    if book["therapists"] <= 20:
        most["day_any"] = page + 6
    found = []
    for kind, allowed in most.items():
        found.append(_line(book, f"{kind}, p50 ms", allowed, asked[kind]["p50_ms"]))
        found.append(
            _line(book, f"{kind} after a write, p50 ms", allowed, asked[kind]["after_a_write"]["p50_ms"])
        )
    return found


def _rest(book: dict[str, Any]) -> list[dict[str, Any]]:
    found = [
        _line(book, "statements a question", MOST_STATEMENTS, max(book["statements"].values())),
        _line(book, "memory of a process, MB", MOST_MEMORY_MB, max(book["availability"]["memory_mb"])),
    ]
    if "booking" in book:
        done, bare = book["booking"], book["limits"]["inserts_per_s"]
        if book["database"] == "postgresql":
            found.append(_line(book, "bookings a second", BOOKING_SHARE * bare, done["per_s"], at_least=True))
        race = done["race"]
        wrong = race["rounds"] - race["won_once"] + race["overlaps"] + abs(race["rounds"] - race["visits"])
        found.append(_line(book, f"race of 50, {race['rounds']} rounds: wrong ones", 0, wrong))
    return found


def _over_books(books: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What must not grow: the time with past visits, the statements with therapists."""
    same_size = sorted(
        (one for one in books if one["therapists"] == books[0]["therapists"]), key=lambda one: one["history"]
    )
    first, last = same_size[0], same_size[-1]
    found = []
    if first is not last:
        before = first["availability"]["month_any"]["p50_ms"]
        found.append(
            _line(
                last,
                "month_any against no history",
                GROWTH,
                last["availability"]["month_any"]["p50_ms"] / before,
            )
        )
    differ = len({tuple(one["statements"].values()) for one in books}) - 1
    found.append(_line(books[-1], "books with other numbers of statements", 0, differ))
    return found


def show(found: dict[str, Any]) -> None:
    """Print one table, and the settings it was measured under."""
    durable = {book["database"]: book["durability"] for book in found["books"]}
    print()
    for database, settings in durable.items():
        print(f"{database}: " + ", ".join(f"{name} {value}" for name, value in settings.items()))
    print(
        f"{found['machine']['cores']} cores, Python {found['machine']['python']}, {found['minutes']} minutes\n"
    )
    print(f"{'database':<11} {'book':<17} {'work':<42} {'target':>9} {'measured':>9} {'ratio':>6}")
    for line in found["lines"]:
        sign = "≥" if line["at_least"] else "≤"
        ratio = "" if line["ratio"] is None else f"{line['ratio']:.2f}"
        print(
            f"{line['database']:<11} {line['book']:<17} {line['work']:<42} {sign}{line['target']:>8,} "
            f"{line['measured']:>9,} {ratio:>6}  {'pass' if line['met'] else 'MISS'}"
        )
    _details(found["books"])


def _details(books: list[dict[str, Any]]) -> None:
    """Every question: the very first, the middle, the slow end, right after a write, and the limit (a) of limits.py."""
    print()
    print(_row("database", "book", "question", "first", "p50", "p95", "written", "a second", "(a)"))
    for book in books:
        where = book["database"], f"T={book['therapists']} H={book['history']:,}"
        asked, limits = book["availability"], book["limits"]
        for kind in KINDS:
            one, limit = asked[kind], limits.get(kind, {}).get("ms", "")
            written = one["after_a_write"]["p50_ms"]
            print(
                _row(
                    *where,
                    kind,
                    one["first_ms"],
                    one["p50_ms"],
                    one["p95_ms"],
                    written,
                    one.get("per_s", ""),
                    limit,
                )
            )
        page = asked["empty_page"]
        print(_row(*where, "empty page", "", page["p50_ms"], page["p95_ms"], "", "", ""))
        if "booking" in book:
            done, bare = book["booking"], limits["inserts_per_s"]
            print(
                _row(*where, "booking", "", done["p50_ms"], done["p95_ms"], "", done["per_s"], f"{bare} bare")
            )


def _row(database: object, book: object, question: object, *figures: object) -> str:
    return f"{database!s:<11} {book!s:<17} {question!s:<10}" + "".join(f"{one!s:>11}" for one in figures)
