"""Mutation tests of the rules: breaks every line of `clinic/rules/` and sees whether a test of the rules notices.

`python -m scripts.mutation` tries every mutant and prints the score per module; `… clinic.rules.sheet.*` tries
those of one module again, `… --report` only prints. mutmut makes the mutants and keeps the results, so that
`mutmut show <name>` works afterwards. Only the running of tests is done here: mutmut starts pytest anew for each
mutant, a second of work for most of the rules; this collects the tests once and forks.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from _pytest.config import _prepareconfig
from mutmut import __main__ as mutmut
from mutmut.runners.harness import PytestRunner
from mutmut.state import state
from mutmut.stats import status_by_exit_code
from mutmut.utils.file_utils import change_cwd
from mutmut.workers.isolation import ForkRunner, MutantRunner

RESULTS = Path("mutants/clinic/rules")
MADE_AT_IMPORT = ("body_areas", "conditions", "expressions", "rule_table", "table_entries")
"""Modules that have done their work when the tests begin: their mutants have to load the table anew."""
READ_THE_TABLE = (
    "test_clinical_rules_doc", "test_combinations", "test_questionnaire", "test_row_verdicts", "test_rule_table",
)  # fmt: skip
LONGEST_SECONDS = 3600
QUIETLY = ("--rootdir=.", "--assert=plain", "--capture=no", "-p", "no:terminal", "-p", "no:randomly")
LOST = ("survived", "no tests")


class CollectedOnce(PytestRunner):
    """Runs tests of one collection that is made before the first fork."""

    session: pytest.Session

    def collect(self) -> None:
        """Start pytest and stop before the first test."""
        selection = [*self._pytest_add_cli_args_test_selection, *self._pytest_add_cli_args]
        with change_cwd("mutants"):
            # pytest itself takes these steps in `main`, which cannot stop between collecting and running.
            config = _prepareconfig([*QUIETLY, *selection], plugins=[EndAtOnce()])
            config._do_configure()  # noqa: SLF001 there is no other door
            self.session = pytest.Session.from_config(config)
            config.hook.pytest_sessionstart(session=self.session)
            config.hook.pytest_collection(session=self.session)

    def run_tests(self, *, mutant_name: str | None, tests: Iterable[str]) -> int:
        """Run these tests, all when there are none; ends the process with 1 at the first that fails."""
        wanted = list(tests)
        by_name = {item.nodeid: item for item in self.session.items}
        items = [by_name[name] for name in wanted if name in by_name] or self.session.items
        if mutant_name == "" or module_of(mutant_name) in MADE_AT_IMPORT:
            try:
                load_anew()
            except Exception:  # noqa: BLE001 whatever a mutant raises here, the program would not start
                os._exit(1)
            more = (item for item in self.session.items if item.path.stem in READ_THE_TABLE)
            seconds = state().duration_by_test
            items = sorted({*items, *more}, key=lambda item: seconds.get(item.nodeid, 0.0))
        with change_cwd("mutants"):
            for item, after in zip(items, [*items[1:], None], strict=True):
                item.ihook.pytest_runtest_protocol(item=item, nextitem=after)
        return 0


class EndAtOnce:
    """A mutant is noticed as soon as one test fails: nobody reads a report about it."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[None]) -> None:
        """End this child when a test or what it needs has raised."""
        if call.excinfo is not None:
            os._exit(1)


def module_of(mutant_name: str | None) -> str:
    """`sheet` for clinic.rules.sheet.x_strongest__mutmut_1."""
    return "".join((mutant_name or "").split(".")[2:3])


def load_anew() -> None:
    """Put what the rule files say now into the table that every module holds."""
    from clinic.rules.rule_table import TABLE, load_table

    vars(TABLE).update(vars(load_table()))


class Forking(ForkRunner):
    """Runs everything after the collection in a child, so that no mutant sees what another has left."""

    test_runner: CollectedOnce

    def run_clean_tests(self, tests: Iterable[str]) -> int:
        """Collect, and see whether the tests pass without a mutant, on the very way that a mutant's take."""
        self.test_runner.collect()
        return self._try("", tests)

    def run_forced_fail(self) -> int:
        """See whether the tests fail when every function does."""
        return self._try("fail", [])

    def _try(self, mutant_name: str, tests: Iterable[str]) -> int:
        names = list(tests) or [item.nodeid for item in self.test_runner.session.items]
        self.submit(mutant_name, names, LONGEST_SECONDS, LONGEST_SECONDS)
        return self.wait_for_result().exit_code


def forking(max_workers: int = 1) -> MutantRunner:
    """What mutmut asks for a way to run tests."""
    return Forking(max_workers, CollectedOnce())


def results() -> dict[str, str]:
    """What became of each mutant, by its name."""
    codes: dict[str, int | None] = {}
    for file in sorted(RESULTS.glob("*.meta")):
        codes |= json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"]
    return {name: status_by_exit_code[code] for name, code in codes.items()}


def lost() -> list[str]:
    """The mutants that no test has noticed."""
    return [name for name, status in results().items() if status in LOST]


def report() -> Iterator[str]:
    """The score of each module and the total; what ran out of time or crashed counts as noticed."""
    by_module: dict[str, Counter[str]] = {}
    for name, status in results().items():
        if status != "not checked":
            by_module.setdefault(module_of(name), Counter())[status] += 1
    for module, counts in [*by_module.items(), ("total", sum(by_module.values(), Counter()))]:
        missed = sum(counts[status] for status in LOST)
        yield f"{module:18} {counts.total():5} mutants {missed:4} not noticed {1 - missed / counts.total():8.1%}"


def main(arguments: list[str]) -> None:
    """Try all mutants, those named, or (`lost`) those that no test has noticed; then say how it went."""
    mutmut.get_mutant_runner = forking  # type: ignore[attr-defined]
    children = int(os.environ.get("WORKERS", "2"))
    if arguments != ["report"]:
        names = lost() if arguments == ["lost"] else arguments
        mutmut.cli(["run", f"--max-children={children}", *names], standalone_mode=False)
    print(*report(), *lost(), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
