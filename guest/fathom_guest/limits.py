"""Limits that the guest checks itself, so that an honest mistake is an error of the cell and not of the channel."""

from .own import own_builtins as __builtins__


#: Bytes of output kept for one cell after its end, from threads and tasks it left running: enough for a last message.
LATE_OUTPUT_BYTES = 64 * 1024
#: The newest cells whose late output is kept: with the bound above at most 16 MiB of a REPL's memory.
LATE_CELLS = 256


class Limits:
    """Values of the host's `hello`; units as in limits.ts."""

    __slots__ = (
        "prompt_bytes",
        "max_batch_items",
        "answer_bytes",
        "disk_bytes",
        "output_chars",
        "sql_timeout_ms",
        "sql_memory_bytes",
        "max_sql_rows",
    )

    def __init__(self) -> None:
        self.prompt_bytes = 16 * 1024 * 1024
        self.max_batch_items = 100_000
        self.answer_bytes = 8 * 1024 * 1024
        self.disk_bytes = 1024 * 1024 * 1024
        self.output_chars: "int | None" = 20_000
        self.sql_timeout_ms: "int | None" = 30_000
        self.sql_memory_bytes = 256 * 1024 * 1024
        self.max_sql_rows = 100_000

    def take(self, given: dict) -> None:
        """Takes the values of a `hello`. JSON has no infinity: a limit without end is None there."""
        self.prompt_bytes = given["promptBytes"]
        self.max_batch_items = given["maxBatchItems"]
        self.answer_bytes = given["answerBytes"]
        self.disk_bytes = given["diskBytes"]
        self.output_chars = given.get("outputChars")
        self.sql_timeout_ms = given.get("sqlTimeoutMs", self.sql_timeout_ms)
        self.sql_memory_bytes = given.get("sqlMemoryBytes", self.sql_memory_bytes)
        self.max_sql_rows = given.get("maxSqlRows", self.max_sql_rows)


def check_size(what: str, size: int, limit: int, name: str) -> None:
    """Raises ValueError with both sizes."""
    if size > limit:
        raise ValueError(f"{what} has {size} bytes, and the limit is {limit} bytes ({name})")
