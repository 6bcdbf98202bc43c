"""The style sheets that every page has, sent as one.

Before it shows anything a browser waits for each of them, and the farther the phone is from the server, the longer the
asking takes and the less the bytes matter.
"""

from __future__ import annotations

import hashlib
import io
import re
from http import HTTPStatus
from pathlib import Path
from typing import Any

from whitenoise.responders import NOT_ALLOWED_RESPONSE, Response

NAME = "css/site.css"
PARTS = (
    "vendor/bootstrap.min.css", "css/tokens.css", "css/app.css", "css/parts.css", "css/forms.css", "css/big_type.css",
)  # fmt: skip

COMMENT = re.compile(r"/\*(?!!).*?\*/", re.DOTALL)  # a licence begins with an exclamation mark, and stays
BOOTSTRAPS_OWN = re.compile(r"(--bs-[\w-]+):[^;{}]*(?:;|(?=\}))")
SPACE = re.compile(r"\s*([{};]|:(?=\s))\s*")  # no text in quotes has one of these with a space
READ = re.compile(r"var\(\s*(--[\w-]+)")
DARK = re.compile(r"""([^{}]*)\[data-bs-theme="?dark"?\]([^{}]*\{[^{}]*\})""")
LIGHT = r'[data-bs-theme="light"]'  # what a page says before a script has asked the device


class SiteSheet:
    """A file among those of whitenoise that stands in memory: joined once, when the program starts."""

    def __init__(self, folder: Path, said: list[tuple[str, str]]) -> None:
        parts = [
            folder / name for name in PARTS if (folder / name).exists()
        ]  # one is missing before `make setup`
        self.text = thinned([part.read_text(encoding="utf-8") for part in parts], folder).encode()
        self.mark = hashlib.sha256(self.text).hexdigest()[:12]
        self.headers = [
            *said,
            ("Content-Type", "text/css; charset=utf-8"),
            ("Content-Length", str(len(self.text))),
            ("ETag", f'"{self.mark}"'),
        ]

    def get_response(self, method: str, asked: dict[str, Any]) -> Response:
        """The answer to one request, as whitenoise wants it."""
        if method not in ("GET", "HEAD"):
            return NOT_ALLOWED_RESPONSE
        if asked.get("HTTP_IF_NONE_MATCH") == f'"{self.mark}"':
            return Response(HTTPStatus.NOT_MODIFIED, self.headers[-1:], None)
        return Response(HTTPStatus.OK, self.headers, None if method == "HEAD" else io.BytesIO(self.text))


def thinned(parts: list[str], folder: Path) -> str:
    """The parts as one text, without comments, indents and those of Bootstrap's variables that nobody reads: what
    does not fit into the first packets of an answer costs a phone one more way to the server."""
    text = dark_without_scripts(COMMENT.sub("", "\n".join(parts)))
    others = "".join(one.read_text(encoding="utf-8") for one in sorted((folder / "css").glob("*.css")))
    size = 0
    while size != len(text):  # what only an unread one reads is unread too
        size = len(text)
        read = {*READ.findall(text), *READ.findall(others)}
        text = BOOTSTRAPS_OWN.sub(lambda found, read=read: found[0] if found[1] in read else "", text)  # type: ignore[misc]
    return SPACE.sub(r"\1", text).replace(";}", "}")


def dark_without_scripts(css: str) -> str:
    """The sheet, and in it each rule of the dark theme once more, for a device that wants dark pages and runs no
    scripts: a script is what else gives a page its theme."""
    return DARK.sub(
        rf"\g<0>@media (scripting:none) and (prefers-color-scheme:dark){{\1{LIGHT}\2}}", css
    )  # fmt: skip
