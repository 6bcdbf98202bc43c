"""The style sheets that every page has, sent as one.

Before it shows anything a browser waits for each of them, and the farther the phone is from the server, the longer the
asking takes and the less the bytes matter.
"""

from __future__ import annotations

import hashlib
import io
from http import HTTPStatus
from pathlib import Path
from typing import Any

from whitenoise.responders import NOT_ALLOWED_RESPONSE, Response

NAME = "css/site.css"
PARTS = ("vendor/bootstrap.min.css", "css/tokens.css", "css/app.css", "css/parts.css", "css/forms.css")


class SiteSheet:
    """A file among those of whitenoise that stands in memory: joined once, when the program starts."""

    def __init__(self, folder: Path, said: list[tuple[str, str]]) -> None:
        parts = [
            folder / name for name in PARTS if (folder / name).exists()
        ]  # one is missing before `make setup`
        self.text = b"\n".join(part.read_bytes() for part in parts)
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
