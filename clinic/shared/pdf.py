"""A paper as a PDF: real text in an embedded typeface, page x of y, the same bytes for the same paper.

Import it where it is used: the library behind it is slow to load.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import cache, partial
from html import escape
from io import BytesIO
from typing import Any, Final

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, Image, Paragraph, SimpleDocTemplate, Spacer, Table

from clinic.paths import ROOT
from clinic.rules.language import _
from clinic.shared.papers import Block, Drawing, Grid, Lines, Outline, Pairs, Paper, Part, Section, Sheet
from clinic.shared.pictures import can_be_drawn
from clinic.shared.type_setting import in_type

PLAIN, BOLD = "DejaVuSans", "DejaVuSans-Bold"
INK, QUIET, RULE = HexColor("#1f2a2a"), HexColor("#5b6767"), HexColor("#c9d2d0")
MARGIN: Final = 18 * mm
PADDING: Final = 6  # what the library keeps free inside the margins
WIDTH: Final = A4[0] - 2 * (MARGIN + PADDING)
TERM: Final = 46 * mm
_MARKS: Final = {"": HexColor("#f3efe7"), "light": HexColor("#e0a84a"), "strong": HexColor("#9c2f22")}

_BODY = ParagraphStyle(
    "body", fontName=PLAIN, fontSize=8.5, leading=12, textColor=INK, splitLongWords=1, spaceAfter=2
)
_STYLES = {
    "body": _BODY,
    "term": ParagraphStyle("term", _BODY, textColor=QUIET),
    "head": ParagraphStyle("head", _BODY, fontName=BOLD),
    "h1": ParagraphStyle("h1", _BODY, fontName=BOLD, fontSize=17, leading=22, spaceAfter=8),
    "h2": ParagraphStyle(
        "h2", _BODY, fontName=BOLD, fontSize=12, leading=16, spaceBefore=14, spaceAfter=4, keepWithNext=1
    ),
    "h3": ParagraphStyle(
        "h3", _BODY, fontName=BOLD, fontSize=9.5, leading=13, spaceBefore=8, spaceAfter=2, keepWithNext=1
    ),
}
_LINES = [
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ("LINEBELOW", (0, 0), (-1, -1), 0.3, RULE),
]


def as_pdf(paper: Paper, made_at: dt.datetime, logo: bytes | None = None) -> bytes:
    """The paper on A4 pages, under the logo where there is one. Nothing but this moment gets into it: the same paper
    gives the same bytes."""
    _fonts()
    file = BytesIO()
    document = SimpleDocTemplate(
        file, pagesize=A4, leftMargin=MARGIN, rightMargin=MARGIN, topMargin=20 * mm, bottomMargin=20 * mm,
        title=paper.title, author=paper.author, subject=paper.title, lang="en", invariant=1,
        displayDocTitle=True,
    )  # fmt: skip
    story: list[Flowable] = [*_logo(logo), _words(paper.title, "h1"), *_block(paper.opening)]
    for section in paper.sections:
        story += _section(section)
    document.build(story, canvasmaker=partial(_Numbered, paper, made_at))
    return file.getvalue()


def _logo(content: bytes | None) -> list[Flowable]:
    """Nothing where it cannot be drawn: whoever needs the paper needs what is written on it."""
    if content is None or not can_be_drawn(content):
        return []
    return [Image(BytesIO(content), 60 * mm, 14 * mm, kind="proportional", hAlign="LEFT"), Spacer(0, 10)]


@cache
def _fonts() -> dict[str, TTFont]:
    """The typeface, embedded: the fonts that every reader has know Western European letters only."""
    folder = ROOT / "static" / "vendor"
    fonts = {name: TTFont(name, folder / f"{name}.ttf") for name in (PLAIN, BOLD)}
    for font in fonts.values():
        pdfmetrics.registerFont(font)
    return fonts


def _in_type(text: str, font: str) -> str:
    """Characters beyond the first 65,536, such as smileys, are drawn well and lost to whoever copies or listens: the
    library writes their numbers wrongly into the file."""
    glyphs = _fonts()[font].face.charToGlyph
    return in_type(text, lambda one: ord(one) in glyphs and one <= "\uffff")


def _words(text: str, style: str) -> Paragraph:
    """One paragraph. Nothing that was typed is read as markup."""
    shown = escape(_in_type(text, _STYLES[style].fontName)).replace("\n", "<br/>")
    return Paragraph(shown, _STYLES[style])


def _section(section: Section) -> list[Flowable]:
    story: list[Flowable] = [_Bookmark(section.title), _words(section.title, "h2")]
    for block in section.blocks:
        story += _block(block)
    return story


def _block(block: Block) -> list[Flowable]:
    match block:
        case Lines(lines):
            return [_words(line, "body") for line in lines]
        case Pairs(rows):
            cells = [[_words(term, "term"), _words(value, "body")] for term, value in rows]
            return _table(cells, (TERM, WIDTH - TERM))
        case Grid(heads, rows):
            cells = [[_words(one, "head") for one in heads]]
            cells += [[_words(one, "body") for one in row] for row in rows]
            first = WIDTH * (0.6 if len(heads) == 2 else 1 / len(heads))
            rest = (WIDTH - first) / max(len(heads) - 1, 1)
            return _table(cells, [first, *[rest] * (len(heads) - 1)], repeatRows=1)
        case Drawing():
            return [_Drawn(block), *([_words(block.words, "body")] if block.words else [])]
        case Part(title, blocks):
            inside = [flowable for one in blocks for flowable in _block(one)]
            return [_words(title, "h3"), *inside]


def _table(cells: list[list[Paragraph]], widths: Iterable[float], **options: int) -> list[Flowable]:
    """Rows may break over pages: a long answer is longer than a page."""
    if not cells:
        return []
    table = Table(cells, colWidths=list(widths), style=_LINES, splitInRow=1, hAlign="LEFT", **options)
    return [table, Spacer(0, 4)]


class _Bookmark(Flowable):  # type: ignore[misc] # the library has no types
    """An entry of the outline that readers show beside the pages."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self.keepWithNext = 1

    def wrap(self, *_room: float) -> tuple[float, float]:
        return 0, 0

    def draw(self) -> None:
        key = f"s{self.canv.getPageNumber()}-{self.title}"
        self.canv.bookmarkPage(key)
        self.canv.addOutlineEntry(self.title, key)


class _Drawn(Flowable):  # type: ignore[misc] # the library has no types
    """Drawings side by side, each as high as `HIGH`."""

    HIGH, GAP = 62 * mm, 8 * mm

    def __init__(self, drawing: Drawing) -> None:
        super().__init__()
        self.drawing = drawing

    def wrap(self, *_room: float) -> tuple[float, float]:
        return WIDTH, self.HIGH + 6 * mm

    def draw(self) -> None:
        left = 0.0
        for sheet in self.drawing.sheets:
            self._sheet(sheet, left)
            left += sheet.width * self.HIGH / sheet.height + self.GAP

    def _sheet(self, sheet: Sheet, left: float) -> None:
        canvas, scale = self.canv, self.HIGH / sheet.height
        canvas.saveState()
        canvas.translate(left, self.HIGH + 5 * mm)
        canvas.scale(scale, -scale)
        canvas.setStrokeColor(RULE)
        for one in sheet.outlines:
            self._outline(one)
        canvas.restoreState()
        canvas.setFont(PLAIN, 6.5)
        canvas.setFillColor(QUIET)
        wide = sheet.width * scale
        canvas.drawCentredString(left + wide / 2, 1 * mm, sheet.name)
        canvas.drawString(left, self.HIGH, sheet.left)
        canvas.drawRightString(left + wide, self.HIGH, sheet.right)

    def _outline(self, outline: Outline) -> None:
        path = self.canv.beginPath()
        for step, points in re.findall(r"([MLC])([^MLCZ]*)", outline.path):
            numbers = [float(one) for one in points.split()]
            {"M": path.moveTo, "L": path.lineTo, "C": path.curveTo}[step](*numbers)
        path.close()
        self.canv.setFillColor(_MARKS[outline.mark])
        self.canv.drawPath(path, stroke=1, fill=1)


class _Numbered(Canvas):  # type: ignore[misc] # the library has no types
    """Pages whose foot says which of how many it is: known only when all are drawn."""

    def __init__(self, paper: Paper, made_at: dt.datetime, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setDateFormatter(lambda *_invented: f"D:{made_at.astimezone(dt.UTC):%Y%m%d%H%M%S}Z")
        self.paper = paper
        self.drawn: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 # the library's name
        self.drawn.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        for number, page in enumerate(self.drawn, start=1):
            self.__dict__.update(page)
            self._frame(number, len(self.drawn))
            super().showPage()
        super().save()

    def _frame(self, number: int, pages: int) -> None:
        self.setFont(PLAIN, 7)
        self.setFillColor(QUIET)
        top, bottom = A4[1] - 12 * mm, 11 * mm
        left, right = MARGIN + PADDING, A4[0] - MARGIN - PADDING
        self.drawString(left, top, _in_type(self.paper.title, PLAIN))
        self.drawRightString(right, top, _in_type(self.paper.author, PLAIN))
        self.drawString(left, bottom, _in_type(self.paper.foot, PLAIN))
        self.drawRightString(right, bottom, _("Page %(number)s of %(pages)s", number=number, pages=pages))
