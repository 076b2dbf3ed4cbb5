"""Contexts as files in memory that all REPLs map: a real `str` whose characters lie in pages that are never copied.

CPython keeps a `str` as a header followed by its characters, one, two or four bytes each, and a zero. A loader writes
the characters into a sealed memory file; a REPL maps that file right behind a page of its own and puts the header at
the end of that page. The layout is CPython's own business: `usable()` tries it out first, in a process that may die.
Forks do not even copy the page tables of such a mapping, so a context of a gigabyte costs a snapshot nothing.
"""

from fathom_guest.own import own_builtins as __builtins__

import sys
import sysconfig

from .own_modules import ctypes, fcntl, mmap, os

_PAGE = 4096
_CHUNK = 256 * 1024  # stays in the processor's cache between the look and the copy
_LENGTH_AT, _HASH_AT = 16, 24
#: Two characters of each kind, and bytes per character. One character would be a cached object.
_KINDS = {"ascii": ("a", 1), "latin1": ("\xe9", 1), "ucs2": ("\u0101", 2), "ucs4": ("\U0001f600", 4)}
_SEALS = 1 | 2 | 4 | 8  # F_SEAL_SEAL, SHRINK, GROW, WRITE
_ADD_SEALS = 1033
#: Shorter texts may be objects that CPython keeps, with more to them.
_SHORT = 64
_READ, _WRITE = 1, 2
_PRIVATE, _FIXED, _ANONYMOUS = 0x02, 0x10, 0x20

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long]


def _pattern(kind: str) -> str:
    character = _KINDS[kind][0]
    return "".join([character, character])


def _header_size(kind: str) -> int:
    return sys.getsizeof(_pattern(kind)) - 3 * _KINDS[kind][1]


def kind_of(text: str) -> str:
    """How CPython stores the text, derived from its size in memory: looking at every character would take seconds."""
    if text.isascii():
        return "ascii"
    if len(text) < _SHORT:
        largest = max(text)
        return "latin1" if largest < "\u0100" else "ucs2" if largest < "\U00010000" else "ucs4"
    width = (sys.getsizeof(text) - _header_size("ucs4")) // (len(text) + 1)
    return {1: "latin1", 2: "ucs2", 4: "ucs4"}[width]


def new_image() -> int:
    """An empty memory file that can be sealed."""
    return os.memfd_create("context", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)


def seal(image: int) -> None:
    """From now on no process can change the file, not even a REPL that is given it."""
    fcntl.fcntl(image, _ADD_SEALS, _SEALS)


def is_ascii(source: int, size: int) -> bool:
    """Whether the file's bytes stand for themselves."""
    for at in range(0, size, _CHUNK):
        if not os.pread(source, min(_CHUNK, size - at), at).isascii():
            return False
    return True


def write_image(image: int, source: int, size: int, decode, plain: bool) -> "tuple[str, int]":
    """Writes the characters of the file `source` into `image` and seals it. Returns their kind and number.

    `decode` makes the text of a buffer. With `plain`, ASCII is copied as it is.
    """
    if not (plain and _copy_ascii(source, image, size)):
        os.ftruncate(image, 0)
        os.lseek(image, 0, os.SEEK_SET)
        kind, length = _write_text(source, image, size, decode)
    else:
        kind, length = "ascii", size
    seal(image)
    return kind, length


def _copy_ascii(source: int, image: int, size: int) -> bool:
    at = 0
    while at < size:
        piece = os.pread(source, min(_CHUNK, size - at), at)
        if not piece or not piece.isascii():
            return False
        os.write(image, piece)
        at += len(piece)
    return True


def _write_text(source: int, image: int, size: int, decode) -> "tuple[str, int]":
    with mmap.mmap(source, size, prot=mmap.PROT_READ) as buffer:
        text = decode(buffer)
    kind = kind_of(text)
    width = _KINDS[kind][1]
    left = memoryview((ctypes.c_char * (len(text) * width)).from_address(id(text) + _header_size(kind))).cast("B")
    while left:
        left = left[os.write(image, left[: 1 << 30]) :]
    return kind, len(text)


def open_image(image: int, kind: str, length: int) -> str:
    """The `str` whose characters are in that memory file. It is never freed: it belongs to the process."""
    size = length * _KINDS[kind][1]
    pages = (size // _PAGE + 1) * _PAGE  # one character more than `length`: the zero at the end
    # Reserved without rights first: what is writable counts against the memory limit.
    base = _map(None, _PAGE + pages, 0, _PRIVATE | _ANONYMOUS, -1)
    _map(base, _PAGE, _READ | _WRITE, _PRIVATE | _ANONYMOUS | _FIXED, -1)
    if size:
        _map(base + _PAGE, size, _READ, _PRIVATE | _FIXED, image)
    if size % _PAGE == 0:
        _map(base + _PAGE + size, _PAGE, _READ, _PRIVATE | _ANONYMOUS | _FIXED, -1)
    header = _header_size(kind)
    start = base + _PAGE - header
    pattern = _pattern(kind)
    ctypes.memmove(start, id(pattern), header)
    references = ctypes.c_ssize_t.from_address(start)
    references.value = ctypes.c_ssize_t.from_address(id(None)).value if sys.version_info >= (3, 12) else 1 << 40
    ctypes.c_ssize_t.from_address(start + _LENGTH_AT).value = length
    ctypes.c_ssize_t.from_address(start + _HASH_AT).value = -1
    return ctypes.cast(start, ctypes.py_object).value


def _map(address: "int | None", size: int, protection: int, flags: int, fd: int) -> int:
    result = _libc.mmap(address, size, protection, flags, fd, 0)
    if result is None or result == ctypes.c_void_p(-1).value:
        raise MemoryError(f"a context of {size} bytes cannot be mapped: {os.strerror(ctypes.get_errno())}")
    return result


def usable() -> bool:
    """Tries every kind out in a child process. False where this Python lays its strings out in another way."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED") or mmap.PAGESIZE != _PAGE:
        return False
    if not (3, 10) <= sys.version_info[:2] <= (3, 14):
        return False
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(0 if all(_works(kind) for kind in _KINDS) else 1)
        except BaseException:
            os._exit(1)
    return os.waitpid(pid, 0)[1] == 0


def _works(kind: str) -> bool:
    character = _KINDS[kind][0]
    for length in (1500, _PAGE, 2 * _PAGE + 5):
        text = (f"x{character}yz needle " * length)[: length - 1] + character
        data = text.encode("utf-8", "surrogatepass")
        source = os.memfd_create("probe")
        os.write(source, data)
        image = new_image()
        found = open_image(image, *write_image(image, source, len(data), lambda buffer: str(buffer, "utf-8"), True))
        grown = found + character
        same = (
            found == text
            and hash(found) == hash(text)
            and len(found) == len(text)
            and found[5:900] == text[5:900]
            and found.find("needle", 700) == text.find("needle", 700)
            and found.encode() == data
            and grown == text + character
            and found.upper() == text.upper()
            and f"{found}" is not None
            and {found: 1}[text] == 1
        )
        if not same:
            return False
    return True
