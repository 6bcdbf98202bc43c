"""The rulebook is read and tested without a web server or a database: importing it must load neither."""

from __future__ import annotations

import json
import subprocess
import sys

from clinic.paths import PACKAGE, ROOT

HEAVY = {"flask", "flask_sqlalchemy", "jinja2", "sqlalchemy", "werkzeug", "wtforms"}
LOAD_AND_TELL = """
import importlib, json, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_every_module_of_the_rules_loads_neither_flask_nor_sqlalchemy() -> None:
    rules = [f"clinic.rules.{path.stem}" for path in sorted((PACKAGE / "rules").glob("[!_]*.py"))]
    command = [sys.executable, "-c", LOAD_AND_TELL, *rules]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(told.stdout))
    assert "clinic" in loaded
    assert loaded & HEAVY == set()
