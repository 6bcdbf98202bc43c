"""Files of the look: sent small, and kept by browsers for as long as they stay what they are.

An address carries a mark of the file's content, so that a browser may keep it for a year and still see the new one
at once. What is text is sent compressed, and so are pages; but no page of somebody who has signed in or is telling
about their health: by the sizes of compressed answers a stranger could guess at what stands in them.
"""

from __future__ import annotations

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from flask import Flask, Response, request, session
from whitenoise import WhiteNoise

from clinic.shared.site_sheet import NAME, SiteSheet
from clinic.shared.web import security_headers

PREFIX = "/static/"
MARK = "v"
FOR_A_YEAR = "public, max-age=31536000, immutable"
FOR_A_MONTH = 30 * 24 * 3600  # fonts are asked for by the style sheets, without a mark
AN_HOUR = 3600
TEXTS = ("text/html", "text/css", "text/javascript", "image/svg+xml")
SMALLEST = 600
LEVEL = 6
MOST_KEPT = 200
PRIVATE = "clinic.private"

Headers = list[tuple[str, str]]


def serve_static(app: Flask) -> None:
    """Serve the folder of static files in front of the pages, and compress both."""
    folder = Path(app.static_folder or "")
    said = security_headers(app)
    site = SiteSheet(folder, [*said.items(), ("Cache-Control", f"max-age={AN_HOUR}, public")])
    marks: dict[str, tuple[int, str]] = {}

    @app.url_defaults
    def mark_content(endpoint: str, values: dict[str, Any]) -> None:
        if endpoint == "static":
            is_site = values["filename"] == NAME
            values.setdefault(
                MARK, site.mark if is_site else content_mark(folder / values["filename"], marks)
            )

    @app.after_request
    def say_what_is_private(response: Response) -> Response:
        if response.mimetype != "text/html" or set(session) - {"csrf_token"}:
            request.environ[PRIVATE] = True
        return response

    files = WhiteNoise(
        app.wsgi_app, root=str(folder), prefix=PREFIX, max_age=AN_HOUR, allow_all_origins=False,
        add_headers_function=partial(dress, said),
    )  # fmt: skip
    files.files[PREFIX + NAME] = site
    app.wsgi_app = Compressed(files, [*said.items(), ("Cache-Control", "no-store")])  # type: ignore[method-assign]


def content_mark(path: Path, known: dict[str, tuple[int, str]]) -> str | None:
    """A few letters that change with the file; None for a file that is not there."""
    try:
        changed = path.stat().st_mtime_ns
    except OSError:
        return None
    if known.get(str(path), (0, ""))[0] != changed:
        known[str(path)] = (changed, hashlib.sha256(path.read_bytes()).hexdigest()[:12])
    return known[str(path)][1]


def dress(said: Mapping[str, str], headers: Any, _path: str, url: str) -> None:
    """What a file says to the browser as pages do; a font of this name never changes but with the program."""
    for name, value in said.items():
        headers[name] = value
    if url.endswith(".woff2"):
        headers["Cache-Control"] = f"max-age={FOR_A_MONTH}, public"


class Compressed:
    """Answers of the program inside, compressed where they are text and the browser can read that."""

    def __init__(
        self, inside: Callable[..., Iterable[bytes]], refused: Iterable[tuple[str, str]] = ()
    ) -> None:
        self.inside = inside
        # Headers of an answer about a file that cannot be given: WhiteNoise gives it nobody's.
        self.refused = list(refused)
        self._kept: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        started: list[Any] = []

        def start(status: str, headers: Headers, exc_info: Any = None) -> Callable[[bytes], object]:
            if exc_info is not None:
                write: Callable[[bytes], object] = start_response(status, headers, exc_info)
                return write
            started[:] = [status, headers]
            return lambda _data: None

        body = self.inside(environ, start)
        if not started:
            return body
        status, headers = started
        is_static = environ["PATH_INFO"].startswith(PREFIX)
        if (
            is_static
            and environ.get("QUERY_STRING", "").startswith(f"{MARK}=")
            and status.startswith(("200", "304"))
        ):
            headers = [*without("cache-control", headers), ("Cache-Control", FOR_A_YEAR)]
        if is_static and status.startswith("4"):
            there = {name.lower() for name, _value in headers}
            headers = [
                *headers,
                *((name, value) for name, value in self.refused if name.lower() not in there),
            ]
        if may_be_compressed(environ, status, headers):
            body, headers = self._compress(environ, headers, body, is_static=is_static)
        start_response(status, headers)
        return body

    def _compress(
        self, environ: dict[str, Any], headers: Headers, body: Iterable[bytes], *, is_static: bool
    ) -> tuple[Iterable[bytes], Headers]:
        plain = whole(body)
        key = (environ["PATH_INFO"], value_of("etag", headers))
        is_static = is_static and bool(key[1])  # a page that says there is no such file is somebody's own
        with self._lock:
            small = self._kept.get(key) if is_static else None
        if small is None:
            small = gzip.compress(plain, LEVEL, mtime=0)
        if is_static:
            with self._lock:
                self._kept[key] = small
                while len(self._kept) > MOST_KEPT:
                    self._kept.popitem(last=False)
        vary = value_of("vary", headers)
        return [small], [
            *without("vary", without("content-length", headers)),
            ("Content-Encoding", "gzip"),
            ("Content-Length", str(len(small))),
            ("Vary", f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"),
        ]


def may_be_compressed(environ: dict[str, Any], status: str, headers: Headers) -> bool:
    """Only what is text, whole, not small, not compressed, and not private."""
    length = value_of("content-length", headers)
    return (
        environ["REQUEST_METHOD"] == "GET"
        and "gzip" in environ.get("HTTP_ACCEPT_ENCODING", "")
        and not environ.get(PRIVATE)
        and not status.startswith(("204", "206", "304"))
        and length.isdigit()
        and int(length) >= SMALLEST
        and not value_of("content-encoding", headers)
        and value_of("content-type", headers).startswith(TEXTS)
    )


def value_of(name: str, headers: Headers) -> str:
    """The value of a header; empty when it is not there."""
    return next((value for key, value in headers if key.lower() == name), "")


def without(name: str, headers: Headers) -> Headers:
    """All other headers."""
    return [(key, value) for key, value in headers if key.lower() != name]


def whole(body: Iterable[bytes]) -> bytes:
    """The whole answer; what was opened for it is closed."""
    try:
        return b"".join(body)
    finally:
        close = getattr(body, "close", None)
        if close is not None:
            close()
