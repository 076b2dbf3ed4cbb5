"""A SQLite database in the memory of the REPL: tables are loaded into it, statements only read it."""

from .own import own_builtins as __builtins__

import importlib
from _thread import allocate_lock
from collections.abc import Sequence
from itertools import islice
from math import inf
from time import monotonic

from .errors import SqlError
from .sql_catalog import Rows
from .sql_names import column_names, quoted
from .sql_values import Column, stored

#: Steps of SQLite's machine between two looks at the clock: about a millisecond.
_STEPS = 20_000
#: Columns of a table, as SQLite is built by default.
_MOST_COLUMNS = 2_000
#: Codes of actions (sqlite3.h). A statement may SELECT, READ, call a FUNCTION and be RECURSIVE.
_SELECT, _READ, _FUNCTION, _RECURSIVE, _PRAGMA, _TRANSACTION, _ATTACH = 21, 20, 31, 33, 19, 22, 24
_ALLOWED = frozenset((_SELECT, _READ, _FUNCTION, _RECURSIVE))
_DENIED_FUNCTIONS = frozenset(("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"))
#: Pragmas that describe a table.
_TABLE_PRAGMAS = frozenset(("table_info", "table_xinfo"))
_SCHEMA = frozenset(("sqlite_master", "sqlite_schema", "sqlite_temp_master", "sqlite_temp_schema"))
_OK, _DENY = 0, 1
_DENIED = {
    _ATTACH: "ATTACH and DETACH open other databases",
    _TRANSACTION: "transactions are not needed",
    _PRAGMA: "PRAGMA is limited to table_info(name)",
    _FUNCTION: "this function reaches beyond the tables",
}


class Limits:
    """The limits of statements."""

    __slots__ = ("timeout_ms", "memory_bytes", "max_rows")

    def __init__(self, timeout_ms: "int | None", memory_bytes: int, max_rows: int) -> None:
        self.timeout_ms = timeout_ms
        self.memory_bytes = memory_bytes
        self.max_rows = max_rows


class Result:
    """The columns and the rows of a statement."""

    __slots__ = ("columns", "rows")

    def __init__(self, columns: "list[str]", rows: "list[tuple]") -> None:
        self.columns = columns
        self.rows = rows


class SqlStore:
    """The database. `describes` gives the name of a table that a PRAGMA asks for and that has to be loaded first."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        try:
            self._sqlite = importlib.import_module("sqlite3")
        except ImportError as error:
            raise ImportError(
                f"sql needs the module sqlite3, which this Python lacks ({error}): use the rows"
            ) from None
        connect = self._sqlite.connect
        # A statement that is kept would not be authorized again.
        self._database = connect(":memory:", isolation_level=None, check_same_thread=False, cached_statements=0)
        self._database.execute("pragma temp_store = memory")
        limit = self._database.execute(f"pragma hard_heap_limit = {limits.memory_bytes}").fetchone()
        if limit is None:
            version = self._sqlite.sqlite_version
            raise RuntimeError(f"sql needs SQLite 3.31, whose memory is limited, and this Python has {version}")
        self._use_strict_quotes()
        #: Why the statement at hand was refused.
        self.refused: "str | None" = None
        #: The table that a PRAGMA asked for.
        self.described: "str | None" = None
        self.lock = allocate_lock()
        self._loading = False
        self._held: "list[BaseException]" = []
        self._deadline = 0.0
        self._database.set_authorizer(self._authorize)
        self._database.set_progress_handler(self._watch, _STEPS)

    def _use_strict_quotes(self) -> None:
        """A name in double quotes that is not there is an error, not a text. Python can set it from 3.12 on."""
        for option in ("SQLITE_DBCONFIG_DQS_DML", "SQLITE_DBCONFIG_DQS_DDL"):
            code = getattr(self._sqlite, option, None)
            if code is not None:
                self._database.setconfig(code, False)

    @property
    def has_strict_quotes(self) -> bool:
        return hasattr(self._sqlite, "SQLITE_DBCONFIG_DQS_DML")

    @property
    def error(self) -> type:
        """The class of SQLite's errors."""
        return self._sqlite.Error

    def load(self, schema: str, name: str, rows: Rows) -> "list[str]":
        """Makes a table. Gives the names of its columns. A MemoryError where it does not fit.

        `schema`: `main` keeps it, `temp` is that of a variable, which hides a table of the same name in `main`.
        """
        names = column_names(rows.columns)
        if not names:
            raise SqlError(f"{name} has no columns: it is empty")
        if len(names) > _MOST_COLUMNS:
            raise SqlError(f"{name} has {len(names)} columns, and SQLite takes {_MOST_COLUMNS}: use its rows")
        columns = [Column() for _ in names]
        for block in rows.blocks():
            for column, values in zip(columns, zip(*block)):
                column.see(values)
        table = f"{schema}.{quoted(name)}"
        self._loading = True
        try:
            self._fill(table, rows, list(zip(names, columns)))
        except BaseException as error:
            self._drop("table", table)
            if isinstance(error, MemoryError) or "out of memory" in str(error):
                raise MemoryError(f"the table {name} {self._too_large()}") from None
            raise
        finally:
            self._loading = False
        return names

    def _fill(self, table: str, rows: Rows, columns: "list[tuple[str, Column]]") -> None:
        declared = ", ".join(f"{quoted(column)} {facts.affinity}" for column, facts in columns)
        insert = f"insert into {table} values ({', '.join('?' * len(columns))})"
        plain = all(facts.is_plain for _, facts in columns)
        execute = self._database.execute
        execute("begin")
        execute(f"create table {table} ({declared})")
        for block in rows.blocks():
            execute("savepoint block")
            try:
                self._insert(insert, block if plain else [list(map(stored, row)) for row in block])
            except UnicodeEncodeError:  # lone surrogates
                execute("rollback to block")
                self._insert(insert, [list(map(stored, row)) for row in block])
            execute("release block")
        execute("commit")

    def _insert(self, statement: str, rows: "list[Sequence]") -> None:
        self._database.executemany(statement, rows)

    def alias(self, name: str, table: str) -> None:
        """Gives a table a second name, until it is dropped."""
        self._loading = True
        try:
            self._database.execute(f"create temp view {quoted(name)} as select * from main.{quoted(table)}")
        finally:
            self._loading = False

    def drop(self, schema: str, name: str) -> None:
        """Takes a table, or a second name, away."""
        self._loading = True
        try:
            kinds = self._database.execute(
                "select type from sqlite_temp_master where lower(name) = lower(?)", (name,)
            ).fetchall()
            is_view = schema == "temp" and kinds == [("view",)]
            self._drop("view" if is_view else "table", f"{schema}.{quoted(name)}")
        finally:
            self._loading = False

    def _drop(self, kind: str, table: str) -> None:
        if self._database.in_transaction:
            self._database.execute("rollback")
        self._database.execute(f"drop {kind} if exists {table}")

    def select(self, statement: str, values: "Sequence | dict") -> Result:
        """Runs a statement that reads. Raises the error of SQLite, SqlError, TimeoutError or MemoryError."""
        self.refused = self.described = None
        self._held.clear()
        timeout = self._limits.timeout_ms
        self._deadline = inf if timeout is None else monotonic() + timeout / 1000
        try:
            return self._read(self._database.execute(statement, values))
        except MemoryError:
            raise MemoryError(f"the statement {self._too_large()}") from None
        except self._sqlite.OperationalError as error:
            if str(error) == "interrupted":
                raise self._interruption() from None
            raise

    def _read(self, cursor) -> Result:
        most = self._limits.max_rows
        try:
            rows = list(islice(cursor, most + 1))
            if len(rows) > most:
                raise SqlError(
                    f"the result has more than {most} rows (maxSqlRows): add a condition, count in SQL, or read it in "
                    "pages with limit and offset"
                )
            return Result([column[0] for column in cursor.description or ()], rows)
        finally:
            cursor.close()

    def _too_large(self) -> str:
        size = self._limits.memory_bytes / 1024**2
        return f"needs more memory than SQLite has here, {size:g} MiB (sqlMemoryBytes): take fewer rows or columns"

    def _interruption(self) -> BaseException:
        if self._held:
            return self._held.pop()
        if monotonic() >= self._deadline:
            seconds = (self._limits.timeout_ms or 0) / 1000
            return TimeoutError(f"the statement took longer than {seconds:g} s (sqlTimeoutMs): make it do less")
        return KeyboardInterrupt()

    def _watch(self) -> int:
        """Called by SQLite from time to time. Above 0 it gives up; an exception here would be lost."""
        try:
            return int(not self._loading and monotonic() >= self._deadline)
        except BaseException as error:
            self._held.append(error)
            return 1

    def _authorize(self, action: int, first: "str | None", second: "str | None", *_: object) -> int:
        if self._loading:
            return _OK
        if action in _ALLOWED:
            return self._authorize_read(action, first, second)
        if action == _PRAGMA and first in _TABLE_PRAGMAS and second is not None:
            self.described = second
            return _OK
        self.refused = _DENIED.get(action, "the tables cannot be changed: make a list of dicts with Python instead")
        return _DENY

    def _authorize_read(self, action: int, first: "str | None", second: "str | None") -> int:
        if action == _READ and first in _SCHEMA:
            self.refused = "tables are loaded when they are used, so sqlite_master lists few: call sql.tables()"
            return _DENY
        if action == _FUNCTION and (second or "").lower() in _DENIED_FUNCTIONS:
            self.refused = _DENIED[_FUNCTION]
            return _DENY
        return _OK
