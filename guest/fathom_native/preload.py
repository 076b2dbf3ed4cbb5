"""What the zygote imports once for all REPLs: modules cells use all the time, and everything of our own.

Inside of the box our own files are not there, so nothing of ours may be imported later.
"""

import importlib
import pkgutil

MODULES = """
abc argparse array ast asyncio base64 bisect calendar cmath codecs collections concurrent.futures contextlib copy csv
dataclasses datetime decimal difflib enum fnmatch fractions functools glob gzip hashlib heapq html html.parser inspect
io itertools json keyword linecache locale logging math mimetypes operator os pathlib pickle platform pprint queue
random re shlex shutil signal statistics string struct subprocess tempfile textwrap threading time timeit token
tokenize traceback types typing unicodedata urllib.parse uuid warnings weakref zipfile zlib zoneinfo
""".split()


def preload() -> None:
    """Imports all of it. A module that this Python lacks is left out."""
    for name in MODULES:
        try:
            importlib.import_module(name)
        except ImportError:
            continue
    import concurrent.futures

    concurrent.futures.ThreadPoolExecutor  # noqa: B018  (imported on first use)
    import fathom_guest

    import fathom_native

    for package in (fathom_guest, fathom_native):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
