"""The sheet of every page is sent thin and says the same."""

from __future__ import annotations

from pathlib import Path

from clinic.shared.site_sheet import SiteSheet, dark_without_scripts

BOOTSTRAP = """/*! the licence */
:root{--bs-read:1px;--bs-read-elsewhere:2px;--bs-by-unread:3px;--bs-by-nobody:var(--bs-by-unread)}
.x::before{content:"a > b, c"}
"""
OWN = """/* why: a word about it; and more */
.a :hover {
  width: var(--bs-read);   /* aside */
  background: url("data:image/svg+xml,%3csvg viewBox='0 0 16 16'/%3e");
}
"""


def test_sheet_has_no_comments_and_nothing_that_nobody_reads(tmp_path: Path) -> None:
    (tmp_path / "vendor").mkdir()
    (tmp_path / "css").mkdir()
    (tmp_path / "vendor" / "bootstrap.min.css").write_text(BOOTSTRAP)
    (tmp_path / "css" / "app.css").write_text(OWN)
    (tmp_path / "css" / "desk.css").write_text(".d { height: var(--bs-read-elsewhere); }")
    assert SiteSheet(tmp_path, []).text.decode() == (
        "/*! the licence */\n"
        ":root{--bs-read:1px;--bs-read-elsewhere:2px}"
        '.x::before{content:"a > b, c"}'
        ".a :hover{width:var(--bs-read);"
        "background:url(\"data:image/svg+xml,%3csvg viewBox='0 0 16 16'/%3e\")}"
    )


def test_dark_rule_holds_too_where_no_script_runs_and_the_device_wants_dark() -> None:
    assert dark_without_scripts('.a{x:1}.c [data-bs-theme="dark"] .b{x:2}.d{x:3}') == (
        '.a{x:1}.c [data-bs-theme="dark"] .b{x:2}'
        '@media (scripting:none) and (prefers-color-scheme:dark){.c [data-bs-theme="light"] .b{x:2}}'
        ".d{x:3}"
    )
