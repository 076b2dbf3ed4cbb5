"""The modules that the zygote imports once for all REPLs: all of ours at the start, modules that cells use when idle.

Our own files are not in the box, so nothing of ours may be imported later. The standard library is there.
"""

import importlib
import os
import stat
import sys

COMMON = """
abc argparse array ast asyncio base64 bisect calendar cmath codecs collections concurrent.futures contextlib copy csv
dataclasses datetime decimal difflib enum fnmatch fractions functools glob gzip hashlib heapq html html.parser inspect
io itertools json keyword linecache locale logging math mimetypes operator os pathlib pickle platform pprint queue
random re shlex shutil signal statistics string struct subprocess tempfile textwrap threading time timeit token
tokenize traceback types typing unicodedata urllib.parse uuid warnings weakref zipfile zlib zoneinfo
""".split()


def preload_one(names: "list[str]") -> None:
    """Imports the next of these modules and takes it off the list. One that this Python lacks is left out."""
    try:
        importlib.import_module(names.pop(0))
    except ImportError:
        pass


def preload(cache: str) -> None:
    """Imports what is ours. `cache` is for our compiled modules when they cannot lie beside their sources."""
    if not os.access(os.path.dirname(__file__), os.W_OK) and own_folder(cache):
        sys.pycache_prefix = cache
    try:
        preload_own()
    finally:
        sys.pycache_prefix = None


def own_folder(path: str) -> bool:
    """The folder exists, is ours, and no other user can write to it: its files are going to be run."""
    try:
        os.makedirs(path, mode=0o700, exist_ok=True)
        info = os.lstat(path)
    except OSError:
        return False
    return stat.S_ISDIR(info.st_mode) and info.st_uid == os.geteuid() and not info.st_mode & 0o022


def preload_own() -> None:
    """Imports every module of our own packages."""
    import fathom_guest

    import fathom_native

    for package in (fathom_guest, fathom_native):
        import_all(package.__path__[0], package.__name__)


def import_all(folder: str, package: str) -> None:
    """Imports every module of a package in a folder, and those of packages in it."""
    importlib.import_module(package)
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        name, suffix = os.path.splitext(entry.name)
        if suffix == ".py" and not name.startswith("__"):
            importlib.import_module(f"{package}.{name}")
        elif entry.is_dir() and not name.startswith("__"):
            import_all(entry.path, f"{package}.{name}")
