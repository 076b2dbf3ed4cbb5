"""The one namespace of all cells, and the names that come back when a cell overwrites or deletes them."""

from .own import own_builtins as __builtins__

import _sitebuiltins
import builtins
import sys
from collections.abc import Callable, Iterable
from keyword import iskeyword
from types import ModuleType

from .errors import CommandError
from .remade import Remade

#: Longer names are not listed as variables.
LONGEST_NAME = 200


def add_site_builtins() -> None:
    """`exit`, `quit` and `help`, which an interpreter started without `site` lacks."""
    if not hasattr(builtins, "exit"):
        builtins.exit = _sitebuiltins.Quitter("exit", "Ctrl-D")
        builtins.quit = _sitebuiltins.Quitter("quit", "Ctrl-D")
    if not hasattr(builtins, "help"):
        builtins.help = _sitebuiltins._Helper()


class Namespace:
    """`__main__` as cells see it."""

    def __init__(self) -> None:
        self.module = ModuleType("__main__")
        self.names: dict[str, object] = self.module.__dict__
        self.names["__builtins__"] = builtins
        sys.modules["__main__"] = self.module
        add_site_builtins()
        #: Bound names, restored by reference before each cell.
        self.protected: dict[str, object] = {}
        #: The runtime's functions, by group. A cell can change its own, not those of the next.
        self._made: "dict[str, Remade]" = {}
        #: Protected names that are data (contexts, seeds), not functions of the runtime or tools.
        self.data: set[str] = set()
        #: Helpers that are bound and not reserved: an assignment of a cell, a tool or a context takes the name.
        self._offered: dict[str, object] = {}

    def offer(self, name: str, value: object) -> None:
        """Binds a helper until something else takes its name."""
        name = _beside_others(name)
        self._offered[name] = value
        self.names[name] = value

    def protect(self, name: str, value: object, *, data: bool = False) -> None:
        """Binds a name for good."""
        self._made.pop(name, None)
        self._bind(name, value)
        if data:
            self.data.add(name)
        else:
            self.data.discard(name)

    def _bind(self, name: str, value: object) -> None:
        name = _beside_others(name)
        self.protected[name] = value
        self.names[name] = value

    def protect_made(self, key: str, make: "Callable[[], dict[str, object]]") -> None:
        """Binds names whose values are made again after a cell that changed them. `key` is the name, or a group's."""
        made = self._made[key] = Remade(make)
        for name, value in made.values.items():
            self._bind(name, value)
            self.data.discard(name)

    def restore(self) -> None:
        """Puts protected names back before a cell."""
        names = self.names
        for made in self._made.values():
            if made.restore():
                self.protected.update(made.values)
        for name, value in self.protected.items():
            if names.get(name, self) is not value:
                names[name] = value
        if sys.modules.get("__main__") is not self.module:
            sys.modules["__main__"] = self.module
        if names.get("__builtins__") is not builtins:
            names["__builtins__"] = builtins
        names["__name__"] = "__main__"

    def rebound(self) -> list[str]:
        """Protected names that the cell has overwritten or deleted; another dict is a new draft."""
        names = self.names
        return [
            name
            for name, value in self.protected.items()
            if names.get(name, self) is not value and not (name == "answer" and isinstance(names.get(name), dict))
        ]

    def bound(self, name: str) -> object:
        """The value that the host bound to a name, whatever a cell has made of the name since."""
        return self.protected[name] if name in self.protected else self.names.get(name)

    def get(self, name: str, missing: object = None) -> object:
        """The value of a name, or `missing`."""
        return self.names.get(name, missing)

    def variable(self, name: str) -> object:
        """The value of a context or of a cell's variable; None where the name is of neither."""
        value = self.names.get(name)
        mine = not name.startswith("__") and (name not in self.protected or name in self.data)
        return value if mine and self._offered.get(name, self) is not value else None

    def user_names(self) -> list[str]:
        """Names a cell or the host has given to data, functions and classes: what can be answered with."""
        protected, data, offered = self.protected, self.data, self._offered
        return [
            name
            for name, value in list(self.names.items())
            if type(name) is str
            and (name not in protected or name in data)
            and offered.get(name, self) is not value
            and len(name) <= LONGEST_NAME
            and not name.startswith("_")
            and type(value) is not ModuleType
        ]

    def set(self, name: str, value: object) -> None:
        """Binds a plain variable from outside."""
        check_name(name)
        if name in self.protected:
            raise CommandError("reserved-name", f"The name {name!r} is bound by the runtime and cannot be set.")
        if name.startswith("__") and name.endswith("__"):
            raise CommandError("reserved-name", f"The name {name!r} is Python's own and cannot be set.")
        self.names[name] = value


def _beside_others(name: str) -> str:
    """A copy of a name. Copies lie side by side: each loop over the namespace writes to the pages of its names."""
    return f"{name} "[:-1]


def check_name(name: object) -> None:
    """Raises when the text is not a valid variable name."""
    if not isinstance(name, str) or not name.isidentifier() or iskeyword(name):
        raise CommandError("invalid-name", f"{name!r} is not a valid Python name.")


def listed(names: Iterable[str], limit: int = 40) -> str:
    """Names for a message."""
    names = sorted(names)
    if not names:
        return "no variables yet"
    shown = ", ".join(names[:limit])
    return shown if len(names) <= limit else f"{shown} and {len(names) - limit} more"
