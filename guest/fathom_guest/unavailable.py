"""A value of the session that its caller has not supplied again: every use of it raises, and says what to do."""

from .own import own_builtins as __builtins__

_BINARY = "add sub mul matmul truediv floordiv mod divmod pow lshift rshift and xor or"
_OTHER = (
    "len iter next getitem setitem delitem contains reversed length_hint missing call bool int float complex index "
    "str bytes format hash eq ne lt le gt ge neg pos abs invert round fspath enter exit await aiter anext"
)
_NAMES = [*(f"__{name}__" for name in (_BINARY + " " + _OTHER).split()), *(f"__r{name}__" for name in _BINARY.split())]


class Unavailable:
    """Takes the value's place under its name."""

    __slots__ = ("_message",)

    def __init__(self, message: str) -> None:
        self._message = message

    def __repr__(self) -> str:
        return f"<unavailable: {self._message}>"

    def __getattr__(self, name: str):
        raise LookupError(self._message)


def _refuse(self, *_arguments, **_options):
    raise LookupError(self._message)


for _name in _NAMES:
    setattr(Unavailable, _name, _refuse)
Unavailable.__module__ = "builtins"
