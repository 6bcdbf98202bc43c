"""Of Bootstrap only the classes in scripts/bootstrap.txt are shipped: another that is used does nothing."""

from __future__ import annotations

import re

from clinic.paths import ROOT

SHIPPED = frozenset((ROOT / "scripts" / "bootstrap.txt").read_text(encoding="utf-8").split())
JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
IN_PAGE = re.compile(r'(?<![\w-])class(?:_|Name)?\s*=\s*(?:"([^"]*)"|\'([^\']*)\')')
IN_SCRIPT = re.compile(r"classList\.\w+\(([^)]*)\)")
QUOTED = re.compile(r'["\']([^"\']*)["\']')
# The names that Bootstrap 5 gives its parts and its spacing; our own parts have other names.
BOOTSTRAP = re.compile(
    r"(accordion|alert|badge|breadcrumb|btn|card|carousel|col|collapse|container|dropdown|form|input-group|list|modal|nav"
    r"|navbar|offcanvas|pagination|placeholder|popover|progress|row|spinner|table|toast|tooltip|invalid-feedback|is-(in)?valid"
    r"|[mp][tbsexy]?|gap|[dwh]|flex|align|justify|float|position|text|fw|fs|lh|bg|border|rounded|shadow|visually-hidden)(-[a-z0-9-]+)?"
)


def used() -> dict[str, set[str]]:
    """Every class written out in a template or a script, and where."""
    found: dict[str, set[str]] = {}
    for path in (*ROOT.glob("templates/**/*.html"), *ROOT.glob("static/js/*.js")):
        text = path.read_text(encoding="utf-8")
        written = ["".join(one) for one in IN_PAGE.findall(JINJA.sub(" ", text))]
        written += [name for call in IN_SCRIPT.findall(text) for name in QUOTED.findall(call)]
        for name in " ".join(written).split():
            found.setdefault(name, set()).add(path.name)
    return found


def test_every_class_of_bootstrap_that_is_used_is_shipped() -> None:
    own = set(
        re.findall(r"\.([a-zA-Z][\w-]*)", "".join(p.read_text() for p in ROOT.glob("static/css/*.css")))
    )
    missing = {name: sorted(where) for name, where in used().items() if name not in SHIPPED | own}
    assert {name: where for name, where in missing.items() if BOOTSTRAP.fullmatch(name)} == {}
