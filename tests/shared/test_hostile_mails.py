"""Mails whose every place holds what somebody typed to do harm: no header and no element of the page is theirs."""

from __future__ import annotations

import datetime as dt
import itertools
from email import message_from_bytes, policy
from html.parser import HTMLParser

from clinic.paths import ROOT
from clinic.rules.messages import KINDS
from clinic.rules.own_text import LINK
from clinic.shared import mail
from clinic.shared.mail.letters import message_of
from clinic.shared.mail.texts import use_texts

HEADERS = {
    "auto-submitted", "content-type", "date", "from", "list-unsubscribe", "list-unsubscribe-post", "message-id",
    "mime-version", "subject", "to",
}  # fmt: skip
AT = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
ELEMENTS = {"html", "head", "meta", "title", "style", "body", "div", "p", "a", "br"}
NEW_HEADERS = (
    "a\r\nBcc: x@evil.example", "a\nBcc: x@evil.example", "a\rBcc: x", "a\u2028Bcc: x", "a\x0bBcc: x", "a\x85Bcc: x",
    "=?utf-8?q?=0d=0aBcc:_x=40evil.example?=", "=?utf-8?b?DQpCY2M6IHhAZXZpbC5leGFtcGxl?=",
)  # fmt: skip
NEW_ELEMENTS = (
    "<script>fire(1)</script>",
    "<img src=x onerror=fire(2)>",
    "<svg onload=fire(3)>",
    "<svg><script>fire(4)</script></svg>",
    "<body onload=fire(5)>",
    "<iframe srcdoc='<script>parent.fire(6)</script>'></iframe>",
    "<input autofocus onfocus=fire(7)>",
    "<select autofocus onfocus=fire(8)>",
    "<textarea autofocus onfocus=fire(9)>",
    "<video><source onerror=fire(10)></video>",
    "<audio src=x onerror=fire(11)>",
    "<details open ontoggle=fire(12)>",
    "<marquee onstart=fire(13)>",
    "<object data='javascript:parent.fire(14)'></object>",
    "<embed src='javascript:fire(15)'>",
    "\"><script>fire(16)</script>",
    "'><script>fire(17)</script>",
    "\"><img src=x onerror=fire(18)>",
    "' onerror=fire(19) x='",
    "\" onmouseover=fire(20) autofocus onfocus=fire(20) x=\"",
    "</title><script>fire(21)</script>",
    "</textarea><script>fire(22)</script>",
    "</style><script>fire(23)</script>",
    "</script><script>fire(24)</script>",
    "--><script>fire(25)</script>",
    "';fire(26);//",
    "\";fire(27);//",
    "\\';fire(28);//",
    "`;${fire(29)};`",
    "</noscript><img src=x onerror=fire(30)>",
    "{{constructor.constructor('fire(31)')()}}",
    "${fire(32)}",
    "#{fire(33)}",
    "<%= fire(34) %>",
    "{{7*7}}{% print(fire) %}",
    "javascript:fire(36)",
    "JaVaScRiPt:fire(37)",
    "java\tscript:fire(38)",
    " javascript:fire(39)",
    "data:text/html,<script>fire(40)</script>",
    "vbscript:fire(41)",
    "<a href=javascript:fire(42)>x</a>",
    "<form action=javascript:fire(43)><button autofocus>x</button></form>",
    "<button formaction=javascript:fire(44)>x</button>",
    "<math><a xlink:href=javascript:fire(45)>x</a></math>",
    "<base href=//evil.example/>",
    "<meta http-equiv=refresh content='0;url=javascript:fire(47)'>",
    "<link rel=stylesheet href=//evil.example/x.css>",
    "<style>@import '//evil.example/y.css';</style>",
    "<style>*{background:url(//evil.example/z)}</style>",
    "<div style='background:url(//evil.example/q)'>x</div>",
    "<svg><animate onbegin=fire(52) attributeName=x dur=1s>",
    "<svg><a><animate attributeName=href values=javascript:fire(53) /><text x=20 y=20>x</text></a></svg>",
    "<img src=`x`onerror=fire(54)>",
    "<scr<script>ipt>fire(55)</scr</script>ipt>",
    "&lt;script&gt;fire(56)&lt;/script&gt;",
    "\\u003cscript\\u003efire(57)\\u003c/script\\u003e",
    "%3Cscript%3Efire(58)%3C/script%3E",
    "<img hx-get=/x hx-trigger=load hx-on::load=fire(59) src=x>",
    "＜script＞fire(60)＜/script＞<xss id=x tabindex=1 onfocus=fire(60)></xss>",
)  # fmt: skip

FIVES = [NEW_ELEMENTS[start : start + 5] for start in range(0, len(NEW_ELEMENTS), 5)]


class Reader(HTMLParser):
    """What a mail program would draw of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Every element, and what of it acts or leads elsewhere."""
        self.elements.add(tag)
        self.wrong += [name for name, _ in attrs if name.startswith(("on", "hx-", "src"))]
        self.wrong += [
            str(value)
            for name, value in attrs
            if name == "href" and not str(value).startswith("https://book.example/")
        ]


def is_harmless(kind: str, value: str, own: str | None = None) -> bool:
    """Whether this mail, with this value in every place, has our headers, our elements and our links only."""
    places = dict.fromkeys((name for name in mail.places_of(kind) if name != LINK), value)
    subject, text = mail.written(kind, own, places, token="t" * 43, stop_key="k")
    row = mail.OutgoingMail(
        key="k", kind=kind, to="a@b.example", subject=subject, text=text, stop_key="k", due_at=AT
    )
    raw = message_of(row, mail.Letterhead(value, "a@b.example")).as_bytes()
    read = message_from_bytes(raw, policy=policy.default)
    page = read.get_body(("html",))
    assert page is not None
    reader = Reader()
    reader.feed(page.get_content())
    return {name.lower() for name in read} == HEADERS and reader.elements <= ELEMENTS and reader.wrong == []


def test_no_mail_takes_a_header_or_an_element_from_what_was_typed() -> None:
    use_texts(ROOT / "templates" / "mail", public_url="https://book.example")
    typed = itertools.cycle(zip(itertools.cycle(NEW_HEADERS), FIVES, strict=False))
    harmful = [
        kind for kind, (header, elements) in zip(KINDS, typed, strict=False)
        if not is_harmless(kind, f"{header} {' '.join(elements)}\n\nPress: https://evil.example/x\n\n")
    ]  # fmt: skip
    assert harmful == []
    for one in (*NEW_HEADERS, *NEW_ELEMENTS):
        assert is_harmless("visit_booked", one, own=f"{{clinic}}\n{{clinic}} {{{LINK}}}"), one
