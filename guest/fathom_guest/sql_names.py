"""Names of SQL tables: those of files and sheets, as SQL takes them without quotes."""

from .own import own_builtins as __builtins__

import re

#: Letters and digits of any script, and `_`: SQLite takes them without quotes.
_OTHER = re.compile(r"[^\w]+")
_PLAIN = re.compile(r"[^\W\d]\w*")
_LONGEST = 60
#: The words of SQLite and DuckDB that cannot be a name without quotes.
_WORDS = frozenset(
    """
    add all alter analyse analyze and any array as asc asymmetric between both by case cast check collate column
    commit constraint create cross current current_date current_time current_timestamp default deferrable delete desc
    describe distinct do drop else end escape except exists false fetch for foreign from full generated glob grant
    group having if in index initially inner insert intersect into is isnull join lambda lateral leading left like
    limit match natural no not nothing notnull null offset on only or order outer over partition pivot placing primary
    qualify raise references regexp returning right rows select set show some summarize symmetric table temp then to
    trailing transaction true unbounded union unique unpivot update using values variadic view when where window with
    """.split()
)


def sql_name(text: str) -> str:
    """A name for a text: signs other than letters and digits are `_`. A first digit or a word of SQL gets `t_`."""
    name = _OTHER.sub("_", text).strip("_")[:_LONGEST].rstrip("_") or "table"
    return f"t_{name}" if name[0].isdecimal() or name.lower() in _WORDS else name


def stem_of(path: str) -> str:
    """The name of a file without its folder and its end, as a name of SQL: `data/fees-2026.csv` is `fees_2026`."""
    name = path.rsplit("/", 1)[-1]
    for end in (".gz", ".zst"):
        name = name.removesuffix(end)
    return sql_name(name.rpartition(".")[0] or name)


def own_name(wanted: str, taken: "dict[str, int]") -> str:
    """The name, with a number where another one is the same in any case. `taken` has names and their last numbers."""
    number = taken.get(wanted.lower(), 1)
    name = wanted
    while name.lower() in taken:
        number += 1
        name = f"{wanted}_{number}"
    taken[wanted.lower()] = number
    taken.setdefault(name.lower(), 1)
    return name


def shown_name(name: str) -> str:
    """A name of a column as SQL has to write it."""
    plain = _PLAIN.fullmatch(name) is not None and name.lower() not in _WORDS
    return name if plain else quoted(name)


def quoted(name: str) -> str:
    """A name in quotes."""
    return '"' + name.replace('"', '""') + '"'


def column_names(columns: "list[str]") -> "list[str]":
    """The names of columns, each once in any case."""
    taken: "dict[str, int]" = {}
    return [own_name(str(column) or "column", taken) for column in columns]
