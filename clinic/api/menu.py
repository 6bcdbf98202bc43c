"""What can be named in a wish: the document lists it, and a request that names something else is told so.

Whether a combination is on offer is another question, which the booking answers (409).
"""

from __future__ import annotations

from typing import Any

from flask import g, request

from clinic.catalogue.menu import Menu
from clinic.catalogue.menu import menu as read_menu


def unlisted() -> list[dict[str, str]]:
    """The fields of this request that name what is on no list, as a problem document names them."""
    wishes = _wishes(_asked())
    if not wishes:
        return []
    menu = read_menu()
    return [
        {"field": place + name, "message": "is not on offer"}
        for place, wish in wishes
        for name in _wrong_in(wish, menu)
    ]


def _wishes(asked: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What is wished for, and where it stands in the request: of two people each has a wish of their own."""
    if "service" in asked:
        return [("", asked)]
    return [(f"people.{at}.", one) for at, one in enumerate(asked.get("people") or ())]


def _wrong_in(wish: dict[str, Any], menu: Menu) -> list[str]:
    wrong = {
        "service": wish["service"] not in menu.services,
        "minutes": int(wish["minutes"]) not in menu.minutes,
        "mode": wish.get("mode") not in (None, *menu.modes),
        "addons": not set(_words(wish.get("addons"))) <= set(menu.addons),
    }
    return [name for name, is_wrong in wrong.items() if is_wrong]


def _asked() -> dict[str, Any]:
    """The wish as it came; its shape has been checked before. An operation that asks for nothing reads nothing: what
    somebody sends it all the same has been checked by nobody."""
    if not g.get("says_what_it_wishes", False):
        return {}
    if request.method != "POST":
        return request.args.to_dict()
    body = request.get_json(silent=True)
    return body if isinstance(body, dict) else {}


def _words(value: Any) -> list[str]:
    return [one for one in value.split(",") if one] if isinstance(value, str) else list(value or ())


def describe(spec: dict[str, Any], menu: Menu) -> None:
    """Put the lists of the clinic at hand into the document, wherever a wish is asked for."""
    if not menu.services:
        return
    for name, shape in spec["components"]["schemas"].items():
        if name.endswith("In") and "service" in shape.get("properties", ()):
            shape["properties"].update(_lists(menu))
    for operations in spec["paths"].values():
        asked = operations.get("get", {}).get("parameters", [])
        if any(one["name"] == "service" for one in asked):
            asked[:] = _listed(asked, menu)


def _listed(asked: list[dict[str, Any]], menu: Menu) -> list[dict[str, Any]]:
    """The parameters of a wish in the address; without `mode` where there is none to name."""
    lists = {**_lists(menu), "mode": {"type": "string", "enum": list(menu.modes)}}
    return [
        {**one, "schema": lists.get(one["name"], one["schema"])}
        for one in asked
        if one["name"] != "mode" or menu.modes
    ]


def _lists(menu: Menu) -> dict[str, Any]:
    addons = {"items": {"type": "string", "enum": list(menu.addons)}} if menu.addons else {"maxItems": 0}
    return {
        "service": {"type": "string", "enum": list(menu.services)},
        "minutes": {"type": "integer", "enum": list(menu.minutes)},
        "mode": {"enum": [None, *menu.modes], "default": None},
        "addons": {"type": "array", "maxItems": 10, "default": [], **addons},
    }
