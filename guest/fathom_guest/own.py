"""The runtime's own references, taken before any cell has run.

Cells share the interpreter with this package and may replace `len`, delete modules or patch `json`. Every module here
therefore starts with::

    from .own import own_builtins as __builtins__

Functions take their builtins from the `__builtins__` of the module that defines them, at definition: whatever a cell
does to the real `builtins` later does not reach them. Modules of the standard library that the runtime cannot do
without are private copies, see `private_copy`.
"""

import builtins
import importlib.util
from types import ModuleType

own_builtins: dict[str, object] = dict(vars(builtins))


def private_copy(name: str) -> ModuleType:
    """A second instance of a standard module with private builtins: patches to the public one do not touch it."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        raise ImportError(f"no module named {name!r}")
    module = importlib.util.module_from_spec(spec)
    module.__dict__["__builtins__"] = own_builtins
    spec.loader.exec_module(module)
    return module
