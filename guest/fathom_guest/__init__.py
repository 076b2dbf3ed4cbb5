"""The Python that runs inside a REPL: the same on every backend, standard library only, Python 3.10 or later.

A backend gives it a way to the host and calls it::

    guest = create_guest(FdTransport(fd), threads=True)
    guest.serve_forever()          # or guest.serve_one() whenever a command frame is there
"""

from .guest import Guest, create_guest
from .transport import FdTransport, Transport

__all__ = ["FdTransport", "Guest", "Transport", "create_guest"]
