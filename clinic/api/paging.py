"""One page of a list: `items`, `page`, `per_page` and the `total` of all pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clinic.api.shapes import Paging


def page_of(items: Sequence[Any], query: Paging) -> dict[str, Any]:
    """The page of a list that is short enough to be read whole."""
    first = (query.page - 1) * query.per_page
    return part_of(items[first : first + query.per_page], len(items), query)


def part_of(items: Sequence[Any], total: int, query: Paging) -> dict[str, Any]:
    """The page when only its own rows were read."""
    return {"items": list(items), "page": query.page, "per_page": query.per_page, "total": total}
