"""Fills the small gaps between objects: a snapshot stores whole pages.

Imports leave thousands of gaps all over the memory. Objects of a cell that lie in them change a few words in each of
hundreds of pages, which the snapshot after the cell then writes. Only gaps of at least `_LARGE` bytes stay free:
objects that lie there lie side by side.
"""

from fathom_guest.own import own_builtins as __builtins__

import gc

_LARGE = 4096
_LARGEST = 1024 * 1024
_ALIGNMENT = 8
#: The gaps that the start of a worker leaves are small.
_SMALL = 512
#: Keeps the gaps filled.
_kept: list = []
#: Hold the large gaps while the small ones are filled.
_large: list = []
#: Addresses from here on are behind all objects of the base snapshot.
_end = 0


def close() -> None:
    """Fills the gaps, the large ones too, until `reopen`."""
    global _end
    gc.collect()
    gc.freeze()  # these objects live as long as the process; a collection writes into each object that it looks at
    _end = id(bytes(_LARGEST))
    size = _LARGEST
    while size >= _LARGE:
        while id(block := bytes(size)) < _end:
            _large.append(block)
        size = size * 3 // 4
    _fill(_LARGE)


def reopen() -> None:
    """Fills the gaps that the start has left, and leaves the large ones to cells."""
    gc.collect()  # also frees the objects that Python keeps for reuse
    _fill(_SMALL)
    _large.clear()


def _fill(largest: int) -> None:
    for size in range(largest, 1, -_ALIGNMENT):
        while id(block := bytes(size + 2)) < _end:
            _kept.append(block)
    while id(block := bytes(2)) < _end:
        _kept.append(block)
    while id(block := object()) < _end:
        _kept.append(block)
