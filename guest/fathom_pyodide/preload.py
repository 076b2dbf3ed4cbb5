"""Modules that cells use all the time: imported once, they are in every REPL at no cost."""

from fathom_guest.own import own_builtins as __builtins__

import importlib

NAMES = """
abc argparse array ast asyncio base64 binascii bisect bz2 calendar cmath codecs collections.abc colorsys
concurrent.futures configparser contextlib copy csv dataclasses datetime decimal difflib dis email.message
email.parser email.policy enum fileinput fnmatch fractions functools gettext glob gzip hashlib heapq hmac html
html.entities html.parser inspect io itertools json keyword linecache locale logging lzma math mimetypes numbers
operator pathlib pickle platform pprint queue random re reprlib sched secrets shlex shutil signal sqlite3 stat
statistics string struct sys tempfile textwrap threading time timeit token tokenize traceback types typing
unicodedata unittest.mock urllib.parse urllib.error uuid warnings weakref xml.dom.minidom xml.etree.ElementTree zipfile
zlib zoneinfo
"""


def modules() -> None:
    """Imports them; one that this build lacks is left out."""
    for name in NAMES.split():
        try:
            importlib.import_module(name)
        except ImportError:
            pass
