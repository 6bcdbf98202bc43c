"""What a message says: the standard text of its kind, or the owner's own. And the same as a page for mail programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, meta, select_autoescape

from clinic.rules.messages import KINDS
from clinic.rules.own_text import fill
from clinic.shared.languages import teach

FOOT = "\n\n--\n"
_BUTTON = re.compile(r"(?P<label>[^\n:]+):\s+(?P<href>https?://\S+)\Z")
_ADDRESS = re.compile(r"(https?://\S+)")


class _Texts:
    environment: Environment | None = None
    public_url = ""


class Block(NamedTuple):
    """A paragraph: its lines, each as pieces of words and addresses; or a button where it is nothing but one link."""

    lines: list[list[str]]
    label: str = ""
    href: str = ""


def use_texts(folder: Path, *, public_url: str) -> None:
    """Where the texts lie, and the address of the clinic that links lead to."""
    _Texts.environment = Environment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html.jinja"]),  # the texts themselves are plain: nothing to escape
        trim_blocks=True,
        lstrip_blocks=True,
    )
    _Texts.environment.globals["public_url"] = public_url
    teach(_Texts.environment)
    _Texts.public_url = public_url


def _environment() -> Environment:
    if _Texts.environment is None:
        raise RuntimeError("the texts of messages are not set")
    return _Texts.environment


def address(path: str) -> str:
    """The whole address of a page of the clinic."""
    return f"{_Texts.public_url}{path}"


def part(name: str, **values: object) -> str:
    """A few lines that a message puts in, such as one of several visits."""
    return _environment().get_template(f"_{name}.txt").render(**values).strip()


def places_of(kind: str) -> list[str]:
    """What may stand in the text of this kind: exactly what its standard text is made of. What begins with `is_`
    chooses between two sentences of it, and stands nowhere."""
    environment = _environment()
    source = environment.loader.get_source(environment, f"{kind}.txt")[0] if environment.loader else ""
    found = meta.find_undeclared_variables(environment.parse(source)) - set(environment.globals)
    found = {one for one in found if not one.startswith("is_")}
    return sorted(found | ({"link"} if KINDS[kind].link else set()))


def standard_text(kind: str, values: Mapping[str, object] | None = None) -> str:
    """The text that the program brings; without values with its places in it, as an owner changes it."""
    if values is None:
        values = {name: f"{{{name}}}" for name in places_of(kind)}
    return _environment().get_template(f"{kind}.txt").render(values).strip()


def stop_address(stop_key: str) -> str:
    """Where a kind of message is switched off, by a page or by one press in a mail program."""
    return address(f"/messages/stop/{stop_key}")


def written(
    kind: str, own: str | None, values: Mapping[str, object], *, token: str = "", stop_key: str | None = None
) -> tuple[str, str]:
    """Subject and text of a message, its link made of the key; under it how to get no more of them."""
    known = {**values, "token": token, "link": address(KINDS[kind].link.format(token=token))}
    whole = fill(own, known) if own is not None else standard_text(kind, known)
    subject, _, text = whole.partition("\n")
    foot = FOOT + part("stop", link=stop_address(stop_key)) if stop_key else ""
    return subject, re.sub(r"\n{3,}", "\n\n", text.strip()) + f"{foot}\n"  # what was filled in may be empty


def blocks(text: str) -> list[Block]:
    """The text in paragraphs. The first that is nothing but a link with its words is the one button."""
    found: list[Block] = []
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        button = _BUTTON.match(paragraph)
        if button and not any(one.href for one in found) and _is_ours(button["href"]):
            found.append(Block([], button["label"], button["href"]))
        else:
            found.append(Block([_ADDRESS.split(line) for line in paragraph.split("\n")]))
    return found


def _is_ours(href: str) -> bool:
    return bool(_Texts.public_url) and href.startswith(f"{_Texts.public_url}/")


def as_page(text: str, **head: object) -> str:
    """The same words as HTML: one layout, no picture from anywhere else, light and dark."""
    words, _, foot = text.partition(FOOT)
    parts = {"blocks": blocks(words), "foot": blocks(foot) if foot else [], "is_ours": _is_ours}
    return _environment().get_template("_page.html.jinja").render(parts, **head)
