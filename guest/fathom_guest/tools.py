"""The caller's tools as functions in cells."""

from .own import own_builtins as __builtins__

from collections.abc import Callable, Sequence

from .channel import Channel
from .frames import encode_text
from .history import read_host
from .json_values import json_text
from .limits import Limits, check_size


class Tool:
    """A function of the host. Arguments by keyword, or by position in the order of its schema."""

    def __init__(
        self,
        name: str,
        description: str,
        parameters: Sequence[str],
        channel: Channel,
        before: Callable[[], None],
        limits: Limits,
    ) -> None:
        self.__name__ = self.__qualname__ = name
        self.__doc__ = description
        self._parameters = tuple(parameters)
        self._channel = channel
        self._before = before
        self._limits = limits

    def __call__(self, *values, **arguments):
        names = self._parameters
        if values and not names:
            raise TypeError(f"{self.__name__}() takes keyword arguments only: write {self.__name__}(name=value)")
        if len(values) > len(names):
            takes = f"{len(names)} positional argument{'' if len(names) == 1 else 's'}"
            raise TypeError(f"{self.__name__}() takes at most {takes} ({', '.join(names)}), {len(values)} given")
        given = dict(zip(names, values))
        for name in arguments:
            if name in given:
                raise TypeError(f"{self.__name__}() got two values for {name!r}")
        given.update(arguments)
        text = json_text(given)
        if text is None:
            wrong = next((name for name, value in given.items() if json_text(value) is None), "?")
            raise TypeError(
                f"{self.__name__}(): the argument {wrong!r} is not JSON ({type(given.get(wrong)).__name__})"
            )
        data = encode_text(text)
        check_size(f"the arguments of {self.__name__}()", len(data), self._limits.answer_bytes, "answerBytes")
        self._before()
        return read_host(self._channel, {"op": "tool", "name": self.__name__}, (data,))

    def __repr__(self) -> str:
        return f"<tool {self.__name__}({', '.join(self._parameters)})>"
