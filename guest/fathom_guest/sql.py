"""`sql`: SELECT over the tables of the context, and over lists of dicts and DataFrames in variables."""

from .own import own_builtins as __builtins__

import re
from collections.abc import Callable, Iterator
from difflib import get_close_matches

from .errors import SqlError
from .limits import Limits
from .sql_catalog import Catalog, ContextDocument, ContextTable, Rows, variable_rows
from .sql_files import FileStatement, MissingTable
from .sql_names import column_names, shown_name
from .sql_store import Limits as StatementLimits
from .sql_store import SqlStore
from .tables import Table

_NO_TABLE = re.compile(r"no such table: (?:main\.|temp\.)?(.+)", re.DOTALL)
_NO_COLUMN = re.compile(r"no such column: (.+?)(?: - should this be a string literal.*)?", re.DOTALL)
#: Texts and comments, whose quotes do not count, and names in double quotes.
_QUOTES = re.compile(r"""'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/|"((?:[^"]|"")*)\"""", re.DOTALL)
_WORD = re.compile(r"\w+")
_BY_AS = re.compile(r"""\bas\s+"((?:[^"]|"")*)\"""", re.IGNORECASE)
#: Tables and columns that a message lists.
_LISTED = 20


#: SQLite takes some times the bytes of a file in Parquet or CSV: a file above this part of the limit is not loaded.
_SHARE = 8


class TooLarge(Exception):
    """A statement names a file that is too large for SQLite."""


class Sql:
    """`sql("select … where x > ?", 5)` gives a list of dicts; `sql.tables()` lists the tables."""

    def __init__(self, context: "Callable[[], object]", variable: "Callable[[str], object]", limits: Limits) -> None:
        self._context = context
        self._variable = variable
        self._limits = limits
        self._store: "SqlStore | None" = None
        self._of: object = None
        self._catalog: "Catalog | None" = None
        #: Loaded tables of the context by lower case, with their columns.
        self._loaded: "dict[str, list[str]]" = {}

    def __call__(self, statement: str, *values, **named) -> Table:
        """The rows of a SELECT of SQLite, as a list of dicts with `.columns` and `.df`. It cannot change anything.

        `?` takes the values in order, `:name` those given by name. A table of the context has the name of its file,
        or of file and sheet (`fees`, `report_Fees`): see `tables()`. A list of dicts or a DataFrame in a variable has
        the variable's name.
        """
        if not isinstance(statement, str):
            raise TypeError(f"sql takes a text, not {type(statement).__name__}")
        if values and named:
            raise TypeError("sql takes values in order or by name, not both")
        if len(values) == 1 and isinstance(values[0], (list, tuple, dict)):
            values = values[0]
        store = self._opened()
        with store.lock:
            self._renew()
            made: "dict[str, list[str]]" = {}
            try:
                self._load_hiding(statement, made)
                return self._run(statement, named or values, made)
            except TooLarge:
                return self._select_from_files(statement, named or values)
            finally:
                for name in made:
                    store.drop("temp", name)

    def tables(self) -> "list[dict]":
        """The tables of the context: `{table, columns, rows, source}`. `rows` is None where it takes a read to know."""
        self._renew()
        listed = [self._described(one) for one in self._catalog.known(look=True)]
        unread = [{"table": f"{stem}…", "columns": None, "rows": None} for stem in self._catalog.unread()]
        failed = [{"table": None, "source": path, "error": why} for path, why in self._catalog.failed.items()]
        return [*listed, *unread, *failed]

    def _described(self, table: ContextTable) -> dict:
        facts = {"table": table.name, "columns": table.columns, "rows": table.count, "source": table.source}
        if table.columns is not None or not table.of.is_large:
            return facts
        try:
            table.columns = self._select_from_files(f"select * from {table.name} limit 0", ()).columns
        except ValueError as error:
            return {**facts, "error": str(error)}
        return {**facts, "columns": table.columns}

    def _select_from_files(self, statement: str, values: object) -> "Result":
        """Asks the host, which runs a statement over files that are too large for SQLite."""
        files = {name: found.document._source for name, found in self._files_in(statement)}
        asked = FileStatement(statement, values, files, self._limits)
        while True:
            try:
                columns, rows = asked.run()
            except MissingTable as missing:
                # Small tables come along with the statement.
                found = None if missing.name in asked.small else self._small_rows(missing.name)
                if found is None:
                    names = ", ".join(files)
                    raise SqlError(f"no table {missing.name} beside {names}. {self._listing({})}") from None
                asked.add(missing.name, found)
            else:
                return Result(column_names(columns), rows)

    def _files_in(self, statement: str) -> "Iterator[tuple[str, ContextDocument]]":
        """The files that a statement may name, by their names in it."""
        for name in {word.lower(): word for word in _WORD.findall(statement)}.values():
            value = self._variable(name)
            found = self._catalog.file_named(name, value)
            if found is not None:
                yield (name if found.document is value else found.stem), found

    def _names_large(self, statement: str) -> bool:
        return any(found.is_large for _, found in self._files_in(statement))

    def _small_rows(self, name: str) -> "Rows | None":
        value = self._variable(name)
        rows = None if value is None else variable_rows(value)
        table = self._catalog.find(name) if rows is None else None
        return rows if table is None else table.rows()

    def __repr__(self) -> str:
        return '<sql: sql("select …") gives a list of dicts, sql.tables() lists the tables>'

    def _opened(self) -> SqlStore:
        if self._store is None:
            given = self._limits
            self._store = SqlStore(StatementLimits(given.sql_timeout_ms, given.sql_memory_bytes, given.max_sql_rows))
        return self._store

    def _renew(self) -> None:
        """Another context has other tables."""
        context = self._context()
        if self._catalog is None or context is not self._of:
            for name in self._loaded:
                self._store.drop("main", name)
            self._loaded = {}
            self._of, self._catalog = context, Catalog(context, self._limits.sql_memory_bytes // _SHARE)

    def _run(self, statement: str, values: object, made: "dict[str, list[str]]") -> Table:
        """Runs a statement; each time that a table is missing it is loaded. `made` gets those of variables."""
        store = self._store
        while True:
            try:
                result = store.select(statement, values)
            except store.error as error:
                missing = _NO_TABLE.fullmatch(str(error))
                if missing is None and "syntax error" in str(error) and self._names_large(statement):
                    # It may be of DuckDB's dialect.
                    raise TooLarge from None
                if missing is None or not self._load(missing[1], made):
                    raise self._explained(error, made) from None
                continue
            if store.described is not None and not result.rows and self._load(store.described, made):
                continue
            if not store.has_strict_quotes:
                self._check_quotes(statement, made)
            return Result(column_names(result.columns), result.rows)

    def _load_hiding(self, statement: str, made: "dict[str, list[str]]") -> None:
        """Loads variables that have the name of a table of the context that is loaded already: a variable wins."""
        for name in {word.lower(): word for word in _WORD.findall(statement)}.values():
            if name.lower() in self._loaded:
                self._load_variable(name, made)

    def _load(self, name: str, made: "dict[str, list[str]]") -> bool:
        """Loads a table; False where nothing has that name."""
        if name.lower() in self._loaded or name.lower() in made:
            return False
        if self._load_variable(name, made):
            return True
        table = self._catalog.find(name)
        if table is not None:
            self._load_context(table)
        return table is not None

    def _load_variable(self, name: str, made: "dict[str, list[str]]") -> bool:
        value = self._variable(name)
        same = None if value is None else self._catalog.only_table(value)
        if same is not None:
            # A document does not change: its table is kept.
            self._load_context(same)
            if same.name.lower() != name.lower():
                self._store.alias(name, same.name)
                made[name.lower()] = self._loaded[same.name.lower()]
            return True
        rows = None if value is None else variable_rows(value)
        if rows is None:
            return False
        made[name.lower()] = self._store.load("temp", name, rows)
        return True

    def _load_context(self, table: ContextTable) -> None:
        key = table.name.lower()
        if key in self._loaded:
            return
        if table.of.is_large:
            raise TooLarge
        try:
            self._loaded[key] = self._store.load("main", table.name, table.rows())
        except MemoryError as error:
            if table.of.is_file:
                table.of.is_large = True
                raise TooLarge from None
            raise MemoryError(f"{error}; or read the rows of {table.source} in Python") from None

    def _check_quotes(self, statement: str, made: "dict[str, list[str]]") -> None:
        """Raises for a name in double quotes that is not there: SQLite takes it as a text."""
        known = {name.lower() for columns in (*self._loaded.values(), *made.values()) for name in columns}
        known |= {*self._loaded, *made, *(found.lower() for found in _BY_AS.findall(statement))}
        for found in _QUOTES.finditer(statement):
            name = found[1]
            if name is not None and name.replace('""', '"').lower() not in known:
                raise SqlError(
                    f'no such column: "{name}". Texts are written in single quotes, and new names behind as. '
                    + self._listing(made, name)
                )

    def _explained(self, error: Exception, made: "dict[str, list[str]]") -> Exception:
        """The error with what helps: what may be done, or which tables and columns there are."""
        message = str(error)
        if self._store.refused is not None:
            return SqlError(f"sql reads tables and does nothing else: {self._store.refused}")
        table, column = _NO_TABLE.fullmatch(message), _NO_COLUMN.fullmatch(message)
        if table is not None:
            names = [one.name for one in self._catalog.known()]
            return SqlError(f"no table {table[1]}{_meant(table[1], names) or '.'} {self._listing(made)}")
        if column is not None:
            return SqlError(f"no column {column[1]}. {self._listing(made, column[1])}")
        return SqlError(f"{message}. {self._listing(made)}" if "syntax" in message else message)

    def _listing(self, made: "dict[str, list[str]]", column: "str | None" = None) -> str:
        """The tables and their columns; for a column those of the tables that the statement uses."""
        tables = dict(made) if column is not None else {}
        if column is None or not tables:
            for one in self._catalog.known():
                if column is None or one.name.lower() in self._loaded:
                    tables[one.name] = self._loaded.get(one.name.lower(), one.columns or [])
        if not tables and not self._catalog.unread():
            return "The context has no tables; a list of dicts in a variable is one, under the variable's name"
        meant = (
            "" if column is None else _meant(column.rpartition(".")[2], [one for all in tables.values() for one in all])
        )
        listed = [_with_columns(name, columns) for name, columns in list(tables.items())[:_LISTED]]
        unread = [f"{stem}…" for stem in self._catalog.unread()]
        more = len(tables) - _LISTED
        return f"Tables: {', '.join([*listed, *unread[:_LISTED]])}{f' and {more} more' if more > 0 else ''}{meant}"


def _with_columns(name: str, columns: "list[str]") -> str:
    return f"{name} ({_some(map(shown_name, columns))})" if columns else name


def _some(names) -> str:
    names = list(names)
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")


def _meant(name: str, names: "list[str]") -> str:
    by_lower = {one.lower(): one for one in names}
    near = get_close_matches(name.lower(), list(by_lower), 1)
    return f"; did you mean {shown_name(by_lower[near[0]])}?" if near else ""


class Result(Table):
    """The rows of a statement. It prints as the list of dicts that it is."""

    def __init__(self, columns: "list[str]", rows: "list[tuple]") -> None:
        Table.__init__(self, "result", columns, rows)

    __repr__ = list.__repr__


Sql.__module__ = Result.__module__ = "fathom"
