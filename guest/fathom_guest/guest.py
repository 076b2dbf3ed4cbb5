"""A REPL's guest: takes the host's commands one at a time and answers each with a result."""

from .own import own_builtins as __builtins__

import sys
from collections.abc import Callable
from functools import partial
from types import ModuleType

from . import executor
from .answers import Answer, Answers
from .bindings import Bindings, LoadFile
from .calls import Calls
from .cell import Cells
from .channel import Channel
from .context_index import ContextIndex
from .errors import CommandError, LLMError, SqlError
from .guard import Guard
from .frames import decode_text, dumps, encode_text, fitting, split_parts
from .history import History
from .interrupts import Interrupts
from .loop import EventLoop
from .limits import Limits
from .lookups import Lookups
from .mapping import make_map
from .namespace import Namespace
from .output import Output
from .panel import Panel, show_vars
from .pictures import make_show
from .pieces import make_pieces
from .queried import let_json_write_views
from .queries import Queries, make_queries
from .sql import Sql
from .tracebacks import FAILURE, bounded, describe
from .transport import Transport
from .word_search import make_search

_PANEL_ROWS = 200
_ALL_ROWS = 2000
#: Bytes of JSON: a header holds 64 KiB in all, a part of its own more.
_PANEL_BYTES = 40 * 1024
_NAMES_BYTES = 8 * 1024
_ALL_BYTES = 256 * 1024

#: Commands that change variables or files: the host counts them too, and so knows which of them a snapshot holds.
_CHANGING = frozenset(("execute", "bash", "set"))

#: A command: takes header and parts, gives the result's header and parts.
Operation = Callable[[dict, list[memoryview]], tuple[dict, tuple]]


class Guest:
    """One REPL. Backends make one by `create_guest` and call `serve_one` or `serve_forever`."""

    def __init__(self, transport: Transport, *, threads: bool, load_file: "LoadFile | None" = None) -> None:
        self.threads = threads
        self.interrupts = Interrupts()
        self.channel = Channel(transport, self.interrupts)
        self.namespace = Namespace()
        self.output = Output(self.channel)
        self.output.descriptors = threads
        self.calls = Calls(self.channel)
        self.limits = Limits()
        self.answers = Answers(self.channel, self.namespace, self.limits)
        self.panel = Panel(self.namespace)
        self.loop = EventLoop(self.channel, self.calls, threads=threads)
        self.bindings = Bindings(self.namespace, self.channel, self.answers, self.output.flush, load_file, self.limits)
        self.cells = Cells(
            self.namespace,
            self.answers,
            self.output,
            self.interrupts,
            self.loop,
            self.channel.tracker,
            Guard(),
            self.limits,
        )
        self.lookups = Lookups(self.namespace, self.limits)
        #: Names of packages that the prompt mentions; a backend may fill it.
        self.packages: list[str] = []
        #: Called after a cell, before its result is sent (a backend may drain pipes of its own here).
        self.after_cell: "Callable[[], None] | None" = None
        self.operations: dict[str, Operation] = {
            "hello": self._hello,
            "bind": self._bind,
            "execute": self._execute,
            "answer": self._answer,
            "draft": self._draft,
            "variables": self._variables,
            "get": self._get,
            "set": self._set,
            "reseed": self._reseed,
        }
        #: The last command was a cell that gave an answer.
        self.answered = False
        #: How many commands of this state's past have changed it.
        self.changes = 0
        self._bind_names()

    def _bind_names(self) -> None:
        queries = Queries(self.calls, self.limits, self.bindings.bound_values)

        def make_functions() -> dict:
            return make_queries(self.calls, queries, self._before_call, self.loop.awaited)

        functions = make_functions()
        self.bindings.query = functions["llm_query"]
        self.bindings.query_batched = functions["llm_query_batched"]
        self.namespace.protect_made("(queries)", make_functions)
        self.answers.bind()
        self.bindings.bind_errors()
        self.namespace.protect_made("SHOW_VARS", lambda: {"SHOW_VARS": show_vars(self.panel)})
        self.namespace.protect_made("history", lambda: {"history": History(self.channel)})
        self.namespace.protect("context", None, data=True)
        self._offer_helpers(functions["llm_query"], functions["llm_query_batched"])
        self.loop.install()
        let_json_write_views()
        if self.threads:
            self.channel.tracker.install()
        else:
            executor.install(self.channel, self.calls)

    def _offer_helpers(self, query: Callable, ask: Callable) -> None:
        """Binds the helpers. `import fathom` has them whatever becomes of their names."""
        bound = partial(self.namespace.bound, "context")
        index = ContextIndex(_bound=bound)
        sql = Sql(bound, self.namespace.variable, self.limits)
        helpers = {
            "show": make_show(self.channel, self._before_call),
            **make_map(ask, self.limits, lambda: self.bindings.prices),
            **make_pieces(query, ask),
            **make_search(bound, index),
        }
        module = ModuleType("fathom", "The helpers of the REPL.")
        for name, function in helpers.items():
            function.__module__, function.__qualname__ = "fathom", name
            setattr(module, name, function)
            self.namespace.offer(name, function)
        module.context_index, module.ContextIndex = index, ContextIndex
        self.namespace.offer("context_index", index)
        module.sql, module.SqlError = sql, SqlError
        self.namespace.offer("sql", sql)
        sys.modules["fathom"] = module

    def _before_call(self) -> None:
        """Before each sub-call: none of a cell that has ended, none after the answer; output goes out first."""
        self.channel.tracker.check()
        if self.answers.first is not None:
            raise LLMError("the answer has been given: no more calls in this cell", "cancelled")
        self.calls.check_free()
        self.output.flush()

    def serve_forever(self) -> None:
        """Serves commands until the host goes."""
        self.interrupts.install()  # one that comes before the first cell has begun must not end the process
        while self.serve_one():
            pass

    def serve_one(self) -> bool:
        """Waits for one command and serves it. False when the host has gone."""
        command = self.channel.next_command()
        if command is None:
            return False
        ident, header, body = command
        self.changes += header.get("op") in _CHANGING
        self.answered = False
        self.channel.begin(ident, header.get("first_id", 0))
        try:
            result, parts = self._serve(header, body)
        finally:
            self.calls.drop()
            self.channel.finish()
        if self.channel.forked:
            self.channel.exit_fork()
        self.channel.result(ident, result, parts)
        return True

    def _serve(self, header: dict, body: memoryview) -> tuple[dict, tuple]:
        try:
            operation = self.operations.get(header["op"])
            if operation is None:
                raise CommandError("repl-failure", f"this guest has no command {header['op']!r}")
            return operation(header, split_parts(header, body))
        except CommandError as error:
            message = bounded(error.message, FAILURE)
            return {"error": {"code": error.code, "message": message, **error.fields}}, ()
        except BaseException as error:
            name, message, _ = describe(error, FAILURE)
            return {"error": {"code": "repl-failure", "message": f"{name}: {message}"}}, ()

    # -- commands --------------------------------------------------------------------------------------------------

    def _hello(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        limits = header["limits"]
        self.limits.take(limits)
        self.output.limit = limits["outputBytes"]
        self.calls.room = limits["diskBytes"]
        self.calls.window = max(1, limits["callWindow"])
        facts = {"python": sys.version.split()[0], "packages": self.packages, "threads": self.threads}
        return {**facts, "changes": self.changes}, ()

    def _bind(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        self.bindings.bind(header, parts)
        return {}, ()

    def _execute(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        outcome = self.cells.run(decode_text(parts[0]), header["handle"])
        if self.channel.forked:
            return {}, ()
        if self.after_cell is not None:
            self.after_cell()
        rows = fitting(self.panel.rows(_PANEL_ROWS, mark=True), _PANEL_BYTES)
        result: dict = {"ok": outcome.error is None, "variables": rows}
        texts: list[bytes] = []
        if outcome.value is not None:
            result["value"] = True
            texts.append(encode_text(outcome.value))
        if outcome.error is not None:
            name, message, trace = outcome.error
            result["error"] = {"type": name}
            texts += (encode_text(message), encode_text(trace))
        if outcome.answer is not None:
            self.answered = True
            answer_header(result, outcome.answer, texts)
        if outcome.continuation is not None:
            result["continue"] = True
            texts.append(encode_text(outcome.continuation))
        rebound = self.namespace.rebound()
        if rebound:
            result["rebound"] = fitting(rebound, _NAMES_BYTES)
        result["draft"] = outcome.drafted
        return result, tuple(texts)

    def _answer(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        self.interrupts.install()
        self.interrupts.enter()
        try:
            return self.lookups.answer(header, parts)
        finally:
            self.interrupts.leave()

    def _draft(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        result: dict = {}
        texts: list[bytes] = []
        draft = self.answers.draft()
        if draft is not None:
            answer_header(result, draft, texts)
        return result, tuple(texts)

    def _variables(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        rows = fitting(self.panel.rows(_ALL_ROWS, mark=False), _ALL_BYTES)
        return {}, (dumps(rows).encode(),)

    def _get(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        return {}, (self.lookups.get(header["name"]),)

    def _set(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        self.lookups.set(header["name"], decode_text(parts[0]))
        return {}, ()

    def _reseed(self, header: dict, parts: list[memoryview]) -> tuple[dict, tuple]:
        """Clones of one heap must not draw the same random numbers."""
        self.bindings.reseed()
        return {}, ()


def answer_header(result: dict, answer: Answer, texts: list[bytes]) -> None:
    """Puts an answer into a result."""
    result["answer"] = {"via": answer.via, "form": answer.form}
    texts.append(answer.data)


def create_guest(transport: Transport, *, threads: bool = True, load_file: "LoadFile | None" = None) -> Guest:
    """Makes the guest of this process, once. `threads=False` puts stand-ins for threads in place.

    `load_file` gets the description of a file value (as the backend's host side made it) and gives its text, or its
    bytes, which are decoded here.
    """
    guest = Guest(transport, threads=threads, load_file=load_file)
    return guest
