"""Runs a cell as a notebook does: one namespace, the value of a last expression, `await` at top level."""

from .own import own_builtins as __builtins__

import _ast
import sys
from _ast import Expr, Expression, PyCF_ALLOW_TOP_LEVEL_AWAIT, PyCF_ONLY_AST
from inspect import CO_COROUTINE

from .answers import Answer, Answers
from .cell_tracker import CellTracker
from .errors import CellEnd
from .guard import Guard
from .interrupts import Interrupts
from .limits import Limits
from .loop import EventLoop
from .namespace import Namespace
from .output import Output
from .tracebacks import CELL, Sources, bounded, describe

_VALUE = 1024 * 1024
_HIDDEN = object()


class Outcome:
    """The result of a cell."""

    __slots__ = ("error", "value", "answer", "continuation", "drafted")

    def __init__(self) -> None:
        self.error: "tuple[str, str, str] | None" = None
        self.value: "str | None" = None
        self.answer: "Answer | None" = None
        self.continuation: "str | None" = None
        #: `answer["content"]` may hold a draft.
        self.drafted = True


class Cells:
    """Runs cells."""

    def __init__(
        self,
        namespace: Namespace,
        answers: Answers,
        output: Output,
        interrupts: Interrupts,
        loop: EventLoop,
        tracker: CellTracker,
        guard: Guard,
        limits: Limits,
    ) -> None:
        self._namespace = namespace
        self._answers = answers
        self._output = output
        self._interrupts = interrupts
        self._loop = loop
        self._tracker = tracker
        self._guard = guard
        self._sources = Sources()
        self._limits = limits

    def run(self, code: str, handle: str) -> Outcome:
        """Runs a cell to its end. Whatever it raises is part of the outcome."""
        self._guard.restore()
        self._guard.restore_public()
        outcome = Outcome()
        self._namespace.restore()
        self._answers.begin()
        left_running = self._tracker.threads_left() or self._loop.open_loops()
        self._output.begin(unbuffered=left_running)
        self._interrupts.install()
        self._tracker.begin(handle)
        try:
            self._interrupts.enter()
            try:
                self._run(code, f"{CELL}{handle}>", outcome)
            finally:
                self._interrupts.leave()
        except BaseException as error:  # an interrupt in the last steps
            outcome.error = describe(error, self._limits.output_chars)
        if outcome.error is not None:
            outcome.answer = None
            self._answers.reset_ready()
        outcome.drafted = self._answers.drafted()
        self._output.end()
        self._tracker.end()
        return outcome

    def _run(self, code: str, filename: str, outcome: Outcome) -> None:
        value = _HIDDEN
        try:
            try:
                value = self._execute(code, filename)
            except CellEnd:
                pass
            if value is not _HIDDEN and value is not None:
                outcome.value = show_value(value)
            outcome.answer = self._answers.collect()
            outcome.continuation = self._answers.continuation
        except CellEnd:
            outcome.answer = self._answers.first
        except BaseException as error:
            outcome.error = describe(error, self._limits.output_chars)
        self._flush_streams()

    def _execute(self, code: str, filename: str) -> object:
        """Runs the code; gives the value of a last expression that is to be shown."""
        self._sources.add(filename, code)
        tree = compile(code, filename, "exec", PyCF_ONLY_AST | PyCF_ALLOW_TOP_LEVEL_AWAIT, True)
        last = None
        if tree.body and isinstance(tree.body[-1], Expr):
            shown = not ends_with_semicolon(code, tree.body[-1])
            if shown:
                last = Expression(tree.body.pop().value)
        if tree.body:
            self._evaluate(compile(tree, filename, "exec", PyCF_ALLOW_TOP_LEVEL_AWAIT, True))
        if last is None:
            return _HIDDEN
        return self._evaluate(compile(last, filename, "eval", PyCF_ALLOW_TOP_LEVEL_AWAIT, True))

    def _evaluate(self, code) -> object:
        try:
            value = eval(code, self._namespace.names)
            return self._loop.run(value) if code.co_flags & CO_COROUTINE else value
        finally:
            self._guard.restore()  # at once: what follows is the runtime's work

    def _flush_streams(self) -> None:
        """A cell may have put its own object in place of `sys.stdout`: what it holds back belongs to the output."""
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except KeyboardInterrupt:
                raise
            except BaseException:
                pass


def ends_with_semicolon(code: str, last: _ast.Expr) -> bool:
    """A semicolon after the last expression hides its value."""
    line = code.split("\n")[last.end_lineno - 1].encode("utf-8", "surrogatepass")
    rest = line[last.end_col_offset :].lstrip(b" \t\\\r\f")
    return rest.startswith(b";")


def show_value(value: object) -> str:
    """`repr`, bounded: a whole context as the last expression must not be doubled in memory."""
    if type(value) is str and len(value) > _VALUE:
        return repr(bounded(value, _VALUE))
    if type(value) in (bytes, bytearray) and len(value) > _VALUE:
        return f"{value[: _VALUE // 8]!r} … [{len(value) - _VALUE // 8} bytes left out]"
    text = repr(value)
    return bounded(str.__str__(text), _VALUE)
