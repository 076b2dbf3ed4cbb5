"""Limits that the guest checks itself, so that an honest mistake is an error of the cell and not of the channel."""

from .own import own_builtins as __builtins__


class Limits:
    """Values of the host's `hello`; units as in limits.ts."""

    __slots__ = ("prompt_bytes", "max_batch_items", "answer_bytes", "disk_bytes")

    def __init__(self) -> None:
        self.prompt_bytes = 16 * 1024 * 1024
        self.max_batch_items = 100_000
        self.answer_bytes = 8 * 1024 * 1024
        self.disk_bytes = 1024 * 1024 * 1024


def check_size(what: str, size: int, limit: int, name: str) -> None:
    """Raises ValueError with both sizes."""
    if size > limit:
        raise ValueError(f"{what} has {size} bytes, and the limit is {limit} bytes ({name})")
