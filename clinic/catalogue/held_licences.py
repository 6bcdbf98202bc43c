"""The kinds of licences that therapists have, so that a service can ask for one without its name typed again.

Therapists live in a folder above this one, so the application factory hands the reading in (docs/adr/0005).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable


class _Given:
    read: Callable[[], Iterable[str]] = staticmethod(lambda: ())


def use(read: Callable[[], Iterable[str]]) -> None:
    """Set by the application factory."""
    _Given.read = staticmethod(read)


def held() -> list[str]:
    """Every kind that somebody has, by name."""
    return list(_Given.read())
