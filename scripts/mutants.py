"""What the mutation tests of the application break: one thing of a function at a time.

Compared with `<=` instead of `<`, with `is not` instead of `is`; `or` instead of `and`; a condition that always or
never holds; a call, a `raise` or the setting of an attribute left out; another number, word or answer; a query with a
condition less. Left alone: what stands outside of functions, texts that people read, and what is logged.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

OTHER_COMPARISON: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OTHER_OPERATOR: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.FloorDiv: ast.Mult, ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}  # fmt: skip
OTHER_FUNCTION = {"min": "max", "max": "min", "any": "all", "all": "any"}
NOT_HEARD = ("_", "log", "RuntimeError", "LookupError", "ValueError", "TypeError", "NotImplementedError")
NOT_DONE_INSIDE = (
    "annotation", "decorator_list", "returns", "target", "targets", "optional_vars", "pattern",
    "format_spec", "op", "ops", "ctx", "type",
)  # fmt: skip
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LEFT_ALONE = (ast.arguments, ast.Import, ast.ImportFrom, ast.Assert)


@dataclass(frozen=True)
class Place:
    """Where a node hangs: in a field of another one, or in a list."""

    holder: Any
    key: Any

    def node(self) -> ast.AST:
        """What hangs there now."""
        found: ast.AST = (
            self.holder[self.key] if isinstance(self.holder, list) else getattr(self.holder, self.key)
        )
        return found

    def put(self, node: ast.AST) -> None:
        """Hang this there."""
        if isinstance(self.holder, list):
            self.holder[self.key] = node
        else:
            setattr(self.holder, self.key, node)


@dataclass(frozen=True)
class Mutant:
    """One thing broken: in which function, seen by tests that run these lines."""

    place: Place
    old: ast.AST
    new: ast.AST
    lines: range
    function: str
    parameters: frozenset[str]

    def __str__(self) -> str:
        return f"{self.lines[0]} {self.function}: {_short(self.old)}  →  {_short(self.new)}"


def _short(node: ast.AST) -> str:
    return " ".join(ast.unparse(node).split())[:90]


def mutants_of(tree: ast.Module) -> Iterator[Mutant]:
    """All that can be broken in the functions of this module, in the order of its lines."""
    for name, function in _functions(tree.body, ""):
        parameters = frozenset(one.arg for one in ast.walk(function) if isinstance(one, ast.arg))
        for number, statement in enumerate(function.body):
            for place, new, inside in _broken(Place(function.body, number), statement):
                old = place.node()
                ast.fix_missing_locations(ast.copy_location(new, old))
                end = inside.lineno if isinstance(old, ast.stmt) else getattr(old, "end_lineno", None)
                lines = range(inside.lineno, max(inside.lineno, end or 0) + 1)
                yield Mutant(place, old, new, lines, name, parameters)


def _functions(
    body: list[ast.stmt], within: str
) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for node in body:
        if isinstance(node, FUNCTIONS):
            yield within + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body, f"{within}{node.name}.")


def _broken(place: Place, statement: ast.stmt) -> Iterator[tuple[Place, ast.AST, ast.stmt]]:
    """Whatever can be broken at this place and below it: where, what stands there then, and in which statement."""
    node = place.node()
    if isinstance(node, LEFT_ALONE) or _is_not_heard(node):
        return
    if isinstance(node, ast.stmt):
        statement = node
    for new_place, new in _others(place, node):
        yield new_place, new, statement
    for below in _below(node):
        yield from _broken(below, statement)


def _others(place: Place, node: ast.AST) -> Iterator[tuple[Place, ast.AST]]:
    if place.key == "test" and not isinstance(node, ast.Constant):
        yield place, ast.Constant(True)
        yield place, ast.Constant(False)
    if isinstance(node, ast.comprehension):
        for number in range(len(node.ifs)):
            yield Place(node.ifs, number), ast.Constant(True)
    if type(node) in OTHERS:
        for new in OTHERS[type(node)](node):
            yield place, new


def _below(node: ast.AST) -> Iterator[Place]:
    for field, value in ast.iter_fields(node):
        if field in NOT_DONE_INSIDE:
            continue
        if isinstance(value, list):
            yield from (Place(value, number) for number, one in enumerate(value) if isinstance(one, ast.AST))
        elif isinstance(value, ast.AST):
            yield Place(node, field)


def _is_not_heard(node: ast.AST) -> bool:
    """A text for people, a docstring, and what is logged: no test of what is done hears it."""
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant) or _is_not_heard(node.value)
    if not isinstance(node, ast.Call):
        return False
    called = node.func.value if isinstance(node.func, ast.Attribute) else node.func
    return isinstance(called, ast.Name) and called.id in NOT_HEARD


def _left_out(_node: ast.AST) -> Iterator[ast.AST]:
    yield ast.Pass()


def _assignments(node: ast.Assign) -> Iterator[ast.AST]:
    if isinstance(node.targets[0], ast.Attribute):
        yield ast.Pass()


def _additions(node: ast.AugAssign) -> Iterator[ast.AST]:
    if type(node.op) in OTHER_OPERATOR:
        yield ast.AugAssign(node.target, OTHER_OPERATOR[type(node.op)](), node.value)


def _answers(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is not None and not (
        isinstance(node.value, ast.Constant) and node.value.value in (None, True, False)
    ):
        yield ast.Return(ast.Constant(None))


def _comparisons(node: ast.Compare) -> Iterator[ast.AST]:
    for number, op in enumerate(node.ops):
        ops = [*node.ops[:number], OTHER_COMPARISON[type(op)](), *node.ops[number + 1 :]]
        yield ast.Compare(node.left, ops, node.comparators)


def _both_or_one(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.And() if isinstance(node.op, ast.Or) else ast.Or(), node.values)


def _not(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not):
        yield node.operand


def _sums(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in OTHER_OPERATOR:
        yield ast.BinOp(node.left, OTHER_OPERATOR[type(node.op)](), node.right)


def _names(node: ast.Name) -> Iterator[ast.AST]:
    if node.id in OTHER_FUNCTION:
        yield ast.Name(OTHER_FUNCTION[node.id], ast.Load())


def _values(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
    elif isinstance(node.value, str):
        yield ast.Constant(f"{node.value}XX")


def _queries(node: ast.Call) -> Iterator[ast.AST]:
    if isinstance(node.func, ast.Attribute) and node.func.attr == "where":
        for number in range(len(node.args)):
            yield ast.Call(node.func, [*node.args[:number], *node.args[number + 1 :]], node.keywords)


OTHERS: dict[type[ast.AST], Callable[[Any], Iterator[ast.AST]]] = {
    ast.Expr: _left_out,
    ast.Raise: _left_out,
    ast.Assign: _assignments,
    ast.AugAssign: _additions,
    ast.Return: _answers,
    ast.Break: lambda _node: iter([ast.Continue()]),
    ast.Continue: lambda _node: iter([ast.Break()]),
    ast.Compare: _comparisons,
    ast.BoolOp: _both_or_one,
    ast.UnaryOp: _not,
    ast.BinOp: _sums,
    ast.Name: _names,
    ast.Constant: _values,
    ast.Call: _queries,
}
