"""An empty page on the production server: what a request costs before anything is asked.

`python -m benchmarks.empty_page PORT`
"""

from __future__ import annotations

import sys

from flask import Flask
from waitress import serve

app = Flask(__name__)


@app.get("/")
def empty() -> str:
    return ""


if __name__ == "__main__":
    serve(app, host="127.0.0.1", port=int(sys.argv[1]), threads=8, connection_limit=1000, ident=None)
