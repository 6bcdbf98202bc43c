"""The small language in which the tables say when a rule holds.

``days < 84 and (status == 'past' or not minor)``: comparisons, ``in``, ``and``, ``or``, ``not``, parentheses
and ``count(a; b; c) >= 2``. An expression is compiled once, when the tables are loaded; nothing is ever
evaluated as Python.

Logic has three values, because a detail may be missing: ``True``, ``False`` and ``None`` (not known). ``None``
spreads only where it matters: ``days < 84 and minor`` is False at day 100 whatever ``minor`` is. What a
``None`` means is decided by the caller: a row then takes its strict default columns, a combination holds.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeAlias

Truth: TypeAlias = bool | None
Read: TypeAlias = Callable[[str], object]
"""Gives the value of a name; ``None`` when the detail is missing, ``ABSENT`` when nobody declared it."""
Test: TypeAlias = Callable[[Read], Truth]

ABSENT: Final = object()
"""The value of a detail whose condition is not declared at all: every comparison with it is False."""

_ORDERED: dict[type[ast.cmpop], Callable[[float, float], bool]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


class ExpressionError(ValueError):
    """An expression that the language does not know; says which part."""


@dataclass(frozen=True)
class Name:
    """What an expression may do with a name: its kind (``yes_no``, ``number`` or ``choice``), its choices."""

    kind: str
    choices: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Expression:
    """A compiled expression.

    ``names`` are the details it reads; ``turns`` says at which values of a number its truth can change
    (``days < 84`` and ``days >= 84`` both turn at 84).
    """

    text: str
    test: Test
    names: frozenset[str]
    turns: frozenset[tuple[str, int]]


def compile_expression(text: str, names: Callable[[str], Name | None]) -> Expression:
    """Compile ``text``; ``names`` tells what a (dotted) name is, or ``None`` when there is none.

    Raises ``ExpressionError`` for anything outside the language: an unknown name, a value that the name
    cannot take, a comparison that makes no sense for its kind.
    """
    try:
        tree = ast.parse(text.replace(";", ","), mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(f"cannot be read: {text!r}") from error
    compiler = _Compiler(names)
    test = compiler.condition(tree)
    return Expression(text, test, frozenset(compiler.seen), frozenset(compiler.turns))


def all_of(tests: Iterable[Test]) -> Test:
    """``and``: False as soon as one is False, else not known as soon as one is not known."""
    parts = tuple(tests)

    def test(read: Read) -> Truth:
        result: Truth = True
        for part in parts:
            truth = part(read)
            if truth is False:
                return False
            if truth is None:
                result = None
        return result

    return test


def any_of(tests: Iterable[Test]) -> Test:
    """``or``: True as soon as one is True, else not known as soon as one is not known."""
    parts = tuple(tests)

    def test(read: Read) -> Truth:
        result: Truth = False
        for part in parts:
            truth = part(read)
            if truth is True:
                return True
            if truth is None:
                result = None
        return result

    return test


def negated(inner: Test) -> Test:
    """``not``: what is not known stays not known."""

    def test(read: Read) -> Truth:
        truth = inner(read)
        return None if truth is None else not truth

    return test


def at_least(least: int, tests: Iterable[Test]) -> Test:
    """``count(…) >= least``: what is not known counts, because counting is only used for risks."""
    parts = tuple(tests)

    def test(read: Read) -> Truth:
        return sum(part(read) is not False for part in parts) >= least

    return test


def compared(name: str, matches: Callable[[object], bool]) -> Test:
    """A comparison of one detail: not known when it is missing, False when its condition is not declared."""

    def test(read: Read) -> Truth:
        value = read(name)
        if value is None:
            return None
        return value is not ABSENT and matches(value)

    return test


class _Compiler:
    def __init__(self, names: Callable[[str], Name | None]) -> None:
        self.names = names
        self.seen: set[str] = set()
        self.turns: set[tuple[str, int]] = set()

    def condition(self, node: ast.expr) -> Test:
        if isinstance(node, ast.BoolOp):
            parts = [self.condition(value) for value in node.values]
            return all_of(parts) if isinstance(node.op, ast.And) else any_of(parts)
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return negated(self.condition(node.operand))
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            return self._compare(node.left, node.ops[0], node.comparators[0])
        if isinstance(node, ast.Name | ast.Attribute):
            name, known = self._name(node)
            if known.kind != "yes_no":
                raise ExpressionError(f"{name} is not a yes or no")
            return compared(name, lambda value: value is True)
        raise ExpressionError(f"not part of the language: {ast.unparse(node)}")

    def _name(self, node: ast.expr) -> tuple[str, Name]:
        name = ast.unparse(node)
        known = self.names(name) if isinstance(node, ast.Name | ast.Attribute) else None
        if known is None:
            raise ExpressionError(f"unknown name: {name}")
        self.seen.add(name)
        return name, known

    def _compare(self, left: ast.expr, op: ast.cmpop, right: ast.expr) -> Test:
        if isinstance(left, ast.Call):
            return self._count(left, op, right)
        name, known = self._name(left)
        if known.kind == "number":
            return self._compare_number(name, op, right)
        wanted = self._values(name, known, right, many=isinstance(op, ast.In))
        if isinstance(op, ast.Eq | ast.In):
            return compared(name, lambda value: value in wanted)
        if isinstance(op, ast.NotEq):
            return compared(name, lambda value: value not in wanted)
        raise ExpressionError(f"{name} cannot be ordered")

    def _count(self, call: ast.Call, op: ast.cmpop, right: ast.expr) -> Test:
        if ast.unparse(call.func) != "count" or call.keywords or not isinstance(op, ast.GtE):
            raise ExpressionError(f"not part of the language: {ast.unparse(call)}")
        return at_least(self._number(right), [self.condition(part) for part in call.args])

    def _compare_number(self, name: str, op: ast.cmpop, right: ast.expr) -> Test:
        ordered = _ORDERED.get(type(op))
        if ordered is None:
            raise ExpressionError(f"{name} needs <, <=, > or >=")
        bound = self._number(right)
        turns_at = bound if isinstance(op, ast.Lt | ast.GtE) else bound + 1
        self.turns.add((name, turns_at))
        return compared(name, lambda value: isinstance(value, int | float) and ordered(value, bound))

    @staticmethod
    def _number(node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        raise ExpressionError(f"not a whole number: {ast.unparse(node)}")

    @staticmethod
    def _values(name: str, known: Name, node: ast.expr, *, many: bool) -> tuple[object, ...]:
        parts = [node]
        if many:
            parts = node.elts if isinstance(node, ast.Tuple) else []
        values = tuple(part.value if isinstance(part, ast.Constant) else None for part in parts)
        for value in values or (None,):
            fits = value in known.choices if known.kind == "choice" else type(value) is bool
            if not fits:
                raise ExpressionError(f"{name} is never {ast.unparse(node)}")
        return values
