"""A paper as plain blocks: drawn by a page and by a PDF alike, so that both say the same."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lines:
    """Sentences, each a paragraph of its own."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Pairs:
    """What something is, and what is said about it."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Grid:
    """A table with a head; every row is as long as the head."""

    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Outline:
    """One closed line of a drawing: absolute points, straight (M, L) or curved (C), Y downwards. `mark` is `""`,
    `light` or `strong`."""

    path: str
    mark: str = ""


@dataclass(frozen=True)
class Sheet:
    """One drawing of this size, with its name under it and a word at its left and right edge."""

    name: str
    width: float
    height: float
    left: str
    right: str
    outlines: tuple[Outline, ...]


@dataclass(frozen=True)
class Drawing:
    """Drawings side by side. `words` say all that is marked, for who does not see it."""

    sheets: tuple[Sheet, ...]
    words: str


@dataclass(frozen=True)
class Part:
    """What stands together under a heading of its own inside a section."""

    title: str
    blocks: tuple[Lines | Pairs | Grid | Drawing, ...]


Block = Lines | Pairs | Grid | Drawing | Part


@dataclass(frozen=True)
class Section:
    """One heading of the paper with what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Paper:
    """The whole paper. `foot` stands at the bottom of every page of it."""

    title: str
    author: str
    opening: Pairs
    sections: tuple[Section, ...]
    foot: str
