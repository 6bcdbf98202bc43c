"""What the look weighs on the way, and how long browsers keep it."""

from __future__ import annotations

import gzip
import itertools
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from clinic.shared.static_files import FOR_A_YEAR, Compressed
from tests import factories
from tests.booking import walk
from tests.booking import world as w

SMALL = {"Accept-Encoding": "gzip"}
MOST_ALL, MOST_SCRIPTS = 200 * 1024, 60 * 1024

on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@on_sqlite
def test_first_page_with_all_that_belongs_to_it_is_small(app: Flask, client: FlaskClient) -> None:
    w.build()
    page = client.get("/", headers=SMALL)
    assert page.headers["Content-Encoding"] == "gzip"
    html = gzip.decompress(page.data).decode()
    fonts = re.findall(
        r"\w+-latin-(?:wght|600)-normal\.woff2", client.get("/static/css/tokens.css", buffered=True).text
    )
    linked = re.findall(r'(?:src|href)="(/static/[^"#]+)', html)
    awaited = [one for one in re.findall(r"<link rel=.stylesheet.[^>]*>", html) if "print" not in one]
    assert len(awaited) == 2, awaited  # the first paint waits for each
    addresses = {
        *(one for one in linked if ".woff2" not in one),
        *(f"/static/vendor/{font}" for font in fonts),
    }
    weights = {one: len(client.get(one, headers=SMALL, buffered=True).data) for one in addresses}
    scripts = {one: weight for one, weight in weights.items() if ".js" in one}
    assert len(scripts) >= 2
    assert len(fonts) == 2
    assert sum(scripts.values()) <= MOST_SCRIPTS, scripts
    assert len(page.data) + sum(weights.values()) <= MOST_ALL, weights


@on_sqlite
def test_a_file_is_kept_for_as_long_as_it_is_the_same(app: Flask, client: FlaskClient) -> None:
    factories.make_clinic()
    factories.make_location(zone="Europe/Berlin")
    address = re.findall(r'href="(/static/css/site.css[^"]*)"', client.get("/").text)[0]
    assert re.search(r"\?v=[0-9a-f]{12}$", address)
    marked, bare = (
        client.get(one, headers=headers, buffered=True)
        for one, headers in ((address, SMALL), ("/static/css/site.css", {}))
    )
    assert marked.headers["Cache-Control"] == FOR_A_YEAR
    assert "immutable" not in bare.headers["Cache-Control"]
    assert gzip.decompress(marked.data) == bare.data
    assert "Content-Encoding" not in bare.headers
    assert marked.headers["Vary"] == "Accept-Encoding"
    assert client.get(address, headers={**SMALL, "If-None-Match": marked.headers["ETag"]}).status_code == 304
    missing = client.get("/static/css/no-such.css?v=1")
    assert (missing.status_code, missing.headers.get("Cache-Control")) == (404, "no-store")
    font = client.get("/static/vendor/figtree-latin-wght-normal.woff2", headers=SMALL, buffered=True)
    assert (font.headers.get("Content-Encoding"), font.headers["Cache-Control"]) == (
        None,
        "max-age=2592000, public",
    )
    assert "Access-Control-Allow-Origin" not in font.headers


@on_sqlite
@pytest.mark.usefixtures("now")
def test_a_page_about_somebody_is_not_compressed(app: Flask, client: FlaskClient) -> None:
    w.build()
    assert client.get("/book", headers=SMALL).headers.get("Content-Encoding") == "gzip"
    walk.location(walk.hold(client, "swedish"))
    for address in ("/book/who", "/book"):
        answer = client.get(address, headers=SMALL)
        assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, None)


def test_nobody_gets_the_page_that_somebody_else_got_for_no_file() -> None:
    """The forms on it are of whoever asked: another's are refused. A file is compressed once."""
    asked = itertools.count()

    @Request.application
    def inside(request: Request) -> Response:
        answer = Response(f"{next(asked)}" * 2000, mimetype="text/html")
        if "file" in request.path:
            answer.set_etag("same")
        return answer

    visitor = Client(Compressed(inside))
    for name, own in (("nothing", True), ("file", False)):
        pages = [visitor.get(f"/static/{name}", headers=SMALL) for _ in range(2)]
        assert {one.headers["Content-Encoding"] for one in pages} == {"gzip"}
        assert (pages[0].data != pages[1].data) is own
