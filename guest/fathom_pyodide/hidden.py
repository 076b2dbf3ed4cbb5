"""Modules that lead nowhere in here: importing them says so instead of ending the REPL.

A courtesy to honest code. The gate refuses what they would call.
"""

from fathom_guest.own import own_builtins as __builtins__

import sys

#: Bridges to JavaScript, foreign functions, and test modules that crash the interpreter.
NAMES = frozenset(
    {
        "js",
        "pyodide",
        "pyodide_js",
        "_pyodide",
        "_pyodide_core",
        "micropip",
        "ctypes",
        "_ctypes",
        "_testcapi",
        "_testinternalcapi",
        "_testlimitedcapi",
        "_testbuffer",
        "_testclinic",
        "_remote_debugging",
        "_xxtestfuzz",
        "_interpreters",
    }
)


class Finder:
    """First in `sys.meta_path`: refuses the names above."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] in NAMES:
            raise ModuleNotFoundError(f"No module named {name!r} (not available in this sandbox)", name=name)


def shut() -> None:
    """Forgets the bridges that booting needed, and refuses them from now on."""
    for name in [name for name in sys.modules if name.partition(".")[0] in NAMES]:
        del sys.modules[name]
    sys.meta_path[:] = [
        finder
        for finder in sys.meta_path
        if "pyodide" not in type(finder).__module__ and "pyodide" not in getattr(finder, "__module__", "")
    ]
    sys.meta_path.insert(0, Finder)
    for name in ("_emscripten_info", "_git"):
        if hasattr(sys, name):
            delattr(sys, name)
