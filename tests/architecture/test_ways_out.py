"""What the program never does, read in its source: SQL put together from text, connections to addresses that people
typed, forms copied into rows whole."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from clinic.paths import PACKAGE, ROOT

NETWORK = {
    "aiohttp",
    "ftplib",
    "http.client",
    "httpx",
    "requests",
    "smtplib",
    "socket",
    "urllib.request",
    "urllib3",
}
OPEN_CONNECTIONS = {
    "checkup/everyday.py",  # whether the queue of the settings is there: nobody types it in a page
    "cli/server.py",  # listens
    "cli/serving.py",  # asks whether its own port is free
    "shared/mail/outbox.py",  # names the errors of mail servers
    "shared/mail/sending.py",  # the mail server and the SMS provider of the settings: nobody types them in a page
}
RUNS_SQL = {"DDL", "exec_driver_sql", "execute", "literal_column", "text"}
OWN_NAMES_IN_SQL = {
    "booking/models.py",  # the columns of a constraint
    "booking/services/_claims.py",  # its own columns and conditions
    "checkup/database.py",  # names of settings
    "shared/backups/dumps.py",  # our own tables
    "shared/database.py",  # the kind of a transaction
    "therapists/queries/__init__.py",  # names of the kinds of rows, written beside
}


def sources() -> Iterator[tuple[str, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {one.name for one in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{one.name}" for one in node.names)}
    return names


def is_put_together(node: ast.expr) -> bool:
    """Whether a text is made while the program runs: f"…", a + b, a % b, "…".format(…), "…".join(…)."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.Add | ast.Mod)
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"format", "join", "replace"}
    )


def calls(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            yield name, node


def test_only_the_sender_of_messages_opens_connections_to_others() -> None:
    assert {name for name, tree in sources() if imported(tree) & NETWORK} == OPEN_CONNECTIONS


def test_sql_is_never_put_together_from_what_people_type() -> None:
    found = {
        name
        for name, tree in sources()
        for called, call in calls(tree)
        if called in RUNS_SQL and call.args and is_put_together(call.args[0])
    }
    assert found == OWN_NAMES_IN_SQL


def test_no_form_is_copied_into_a_row_whole() -> None:
    """A field that a page does not know stays unread: `id`, `role`, `price` beside the others change nothing."""
    found = []
    for name, tree in sources():
        for called, call in calls(tree):
            spread = [one.value for one in call.keywords if one.arg is None]
            typed = [
                ast.unparse(one)
                for one in spread
                if ".form" in ast.unparse(one) or "get_json" in ast.unparse(one)
            ]
            if called == "populate_obj" or any("request" in one for one in typed):
                found.append(f"{name}: {called}")
    assert found == []


def test_pages_hold_no_text_that_is_not_escaped() -> None:
    """`|safe` and Markup are for what the program made itself."""
    marked = {
        path.relative_to(ROOT / "templates").as_posix()
        for path in (ROOT / "templates").rglob("*.html")
        if "|safe" in path.read_text(encoding="utf-8").replace(" ", "")
        or "autoescape false" in path.read_text("utf-8")
    }
    assert marked == set()
