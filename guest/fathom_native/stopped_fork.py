"""The fork of a snapshot process. It makes a dozen calls, and waits until it is woken or ended.

The kernel copies each page that a process writes to after a fork, and Python counts references in whatever it looks
at. So all that the new process uses lies in local variables, and it leaves the rest for when it wakes.
"""

from fathom_guest.own import own_builtins as __builtins__

from _socket import MSG_PEEK

from fathom_guest.frames import dumps

from .descriptors import NULL
from .own_modules import os
from .wire import Link

_FROZEN = dumps({"frozen": True}).encode()


def fork_stopped(spare: Link, channel: int, closing: "tuple[int, ...]") -> int:
    """Forks. The new process lets go of what its parent talks through, reports on `spare`, and returns when woken.

    Signals have to be blocked. Of `closing` only the descriptors are closed in the new process.
    """
    spare.be_patient(None)
    send, look = spare.socket.send, spare.socket.recv
    null, frozen, peek = NULL, _FROZEN, MSG_PEEK
    close, duplicate, new_session = os.close, os.dup2, os.setsid
    pid = os.fork()
    if pid == 0:
        for fd in closing:
            close(fd)
        # Others must see the connection end with its process.
        duplicate(null, channel, False)
        duplicate(null, 1, False)
        duplicate(null, 2, False)
        new_session()  # out of the live process's group, which is what gets killed
        send(frozen)
        look(1, peek)
    return pid
