"""Mutation tests of the application: breaks the functions of single files and sees whether a test notices.

First let the tests say which of them run which line, then break the files that are named (docs/mutation.md):

    pytest -n 2 --cov=clinic --cov-branch --cov-context=test --cov-report= tests/booking tests/accounts tests/shared
    python -m scripts.mutation_app clinic/booking/services/undoing.py clinic/shared/crypto.py

Everything is collected once, and each mutant is put into a fork of that process. Only the tests that run the broken
line are tried, those first that have noticed another mutant of this file, on SQLite before PostgreSQL, for at most
`--seconds`: a mutant that nobody noticed by then is printed and counts as not noticed. mutmut, which breaks the rules,
leaves decorated functions alone and needs a copy of the whole project; nearly all services are decorated.
"""

from __future__ import annotations

import argparse
import ast
import gc
import os
import random
import select
import signal
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, FunctionType, SimpleNamespace

import pytest
from _pytest.config import _prepareconfig
from _pytest.runner import runtestprotocol
from coverage import CoverageData

from clinic.accounts import passwords
from scripts.mutants import Mutant, mutants_of
from tests.web import ReadyApplications

QUIETLY = (
    "-p", "no:terminal", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "no:pytest_cov",
    "-p", "no:playwright", "--capture=no", "--timeout=60",
)  # fmt: skip
NOTICED, TIME, NOT_NOTICED, NO_TEST, NOT_TRIED = (
    "noticed",
    "out of time",
    "NOT NOTICED",
    "NO TEST",
    "NOT TRIED",
)
GRACE_SECONDS = 90
OTHER_PROCESSES = ("test_killed", "test_power_cuts", "test_server")
"""Files that start the program anew: what is broken here is whole there."""


class Tests:
    """The tests, collected once, with a database of each kind ready."""

    def __init__(self, files: Sequence[str]) -> None:
        config = _prepareconfig([*QUIETLY, *files])
        config._do_configure()  # noqa: SLF001 there is no other door
        self.session = pytest.Session.from_config(config)
        config.hook.pytest_sessionstart(session=self.session)
        config.hook.pytest_collection(session=self.session)
        self.items = {item.nodeid: item for item in self.session.items}
        self.stay = SimpleNamespace(listchain=lambda: [self.session])
        self.sound: dict[str, bool] = {}
        for kind in ("[sqlite", "[postgresql"):
            first = next((name for name in self.items if kind in name), None)
            if first and self.fails(first):
                raise SystemExit(f"{first} fails as it is")

    def fails(self, name: str) -> bool:
        """Whether this test fails here and now."""
        item = self.items[name]
        return any(one.failed for one in runtestprotocol(item, log=False, nextitem=self.stay))  # type: ignore[arg-type]

    def is_sound(self, name: str) -> bool:
        """Whether this test passes in a fork in which nothing is broken."""
        if name not in self.sound:
            self.sound[name] = in_a_fork(self, [name], None, 60)[0] == NOT_NOTICED
        return self.sound[name]


def in_a_fork(
    tests: Tests, names: Sequence[str], broken: tuple[CodeType, Mutant] | None, seconds: float
) -> tuple[str, str]:
    """Run these tests until one fails; which one, or how many there were."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _run(tests, names, broken, seconds, writing)
    os.close(writing)
    said = b""
    if select.select([reading], [], [], seconds + GRACE_SECONDS)[0]:
        said = os.read(reading, 2000)
    os.close(reading)
    if not said:
        os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if not said:
        return TIME, ""
    word, _, rest = said.decode().partition("|")
    return word, rest


def _run(
    tests: Tests,
    names: Sequence[str],
    broken: tuple[CodeType, Mutant] | None,
    seconds: float,
    writing: int,
) -> None:
    passwords._LINE = passwords._Line()  # noqa: SLF001 no thread comes along into a fork
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    said = f"{NOT_TRIED}|"
    try:
        if broken is not None:
            put_in(*broken)
        ends = time.monotonic() + seconds
        said = f"{NOT_NOTICED}|by all of {len(names)}"
        for tried, name in enumerate(names):
            if time.monotonic() > ends:
                said = f"{NOT_NOTICED}|by {tried} of {len(names)}"
                break
            if tests.fails(name):
                said = f"{NOTICED}|{name}"
                break
    finally:
        os.write(writing, said.encode())
        os._exit(0)


def put_in(whole: CodeType, mutant: Mutant) -> None:
    """Let every function of this file that lives do what the broken file says. What an application is made by has to
    make one anew."""
    new = {(one.co_qualname, one.co_firstlineno): one for one in _codes(whole)}
    for one in gc.get_objects():
        if isinstance(one, FunctionType) and one.__code__.co_filename == whole.co_filename:
            code = new.get((one.__code__.co_qualname, one.__code__.co_firstlineno))
            if code is not None and code != one.__code__:
                one.__code__ = code
        elif isinstance(one, ReadyApplications) and "app" in mutant.parameters:
            one._made.clear()  # noqa: SLF001


def _codes(code: CodeType) -> list[CodeType]:
    return [code, *(below for one in code.co_consts if isinstance(one, CodeType) for below in _codes(one))]


def chosen(tree: ast.Module, options: argparse.Namespace) -> list[Mutant]:
    """What is to be broken of this file."""
    every = list(mutants_of(tree))
    if options.at:
        return [one for one in every if one.lines[0] in options.at]
    if options.of and options.of < len(every):
        drawn = set(random.Random(options.seed).sample(range(len(every)), options.of))  # noqa: S311
        return [one for number, one in enumerate(every) if number in drawn]
    return every


def broken_code(tree: ast.Module, mutant: Mutant, name: str) -> CodeType:
    """The file with this mutant in it; the tree is whole again afterwards."""
    mutant.place.put(mutant.new)
    try:
        return compile(tree, name, "exec", dont_inherit=True)
    finally:
        mutant.place.put(mutant.old)


def try_one(
    tests: Tests, names: set[str], broken: tuple[CodeType, Mutant], good: Counter[str], seconds: float
) -> tuple[str, str]:
    """What became of this mutant, and which test noticed it or how many did not."""
    left = sorted(names, key=lambda one: (-good[one], "[postgresql" in one, random.Random(one).random()))  # noqa: S311
    while left:
        verdict, said = in_a_fork(tests, left, broken, seconds)
        if verdict == TIME:  # whoever was stopped half-way may have left rows
            in_a_fork(tests, [one for one in tests.items if "[postgresql" in one][:1], None, seconds)
        if verdict != NOTICED or tests.is_sound(said):
            return verdict, said
        left.remove(said)
    return NO_TEST, f"{len(names)}"


def try_file(tests: Tests, file: Path, data: CoverageData, options: argparse.Namespace) -> Counter[str]:
    """Break one thing of this file after the other, and print what no test noticed."""
    name = str(file.resolve())
    tree = ast.parse(file.read_text(encoding="utf-8"))
    by_line = data.contexts_by_lineno(name)
    whole = compile(tree, name, "exec", dont_inherit=True)
    counts, good = Counter[str](), Counter[str]()
    for mutant in chosen(tree, options):
        contexts = {one for line in mutant.lines for one in by_line.get(line, ())}
        names = {one.partition("|")[0] for one in contexts} & tests.items.keys()
        if options.tests:
            names = set(tests.items)
        code = broken_code(tree, mutant, name)
        if code == whole or (not names and "" in contexts):
            continue  # the same program; or done when the file is loaded, as what stands outside of functions
        verdict, said = try_one(tests, names, (code, mutant), good, options.seconds)
        counts[verdict] += 1
        if verdict == NOTICED:
            good[said] += 1
        else:
            print(f"  {verdict:12} {file}:{mutant}   [{said}]", flush=True)
    return counts


def main() -> None:
    """Try the files that are named."""
    parser = argparse.ArgumentParser(description="Mutation tests of the application (docs/mutation.md).")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument(
        "--seconds", type=float, default=40, help="how long to look for a test that notices one"
    )
    parser.add_argument("--of", type=int, help="draw so many of each file, the same ones each time")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at", type=int, action="append", help="only what begins in this line")
    parser.add_argument("--coverage", default=".coverage")
    parser.add_argument("--tests", nargs="+", help="try all of these, whichever line they run")
    options = parser.parse_args()
    data = CoverageData(options.coverage)
    data.read()
    wanted = {
        one.partition("::")[0]
        for file in options.files
        for contexts in data.contexts_by_lineno(str(file.resolve())).values()
        for one in contexts
        if one and not Path(one.partition("::")[0]).stem.startswith(OTHER_PROCESSES)
    }
    tests = Tests(options.tests or sorted(wanted))
    for file in options.files:
        counts = try_file(tests, file, data, options)
        missed = counts[NOT_NOTICED] + counts[NO_TEST]
        tried = counts.total() - counts[NOT_TRIED]
        score = 1 - missed / max(1, tried)
        print(f"{file!s:45} {tried:5} mutants {missed:4} not noticed {score:8.1%}", flush=True)
    tests.session._setupstate.teardown_exact(None)  # noqa: SLF001 stops the database server


if __name__ == "__main__":
    main()
