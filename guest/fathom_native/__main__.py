"""`python -I -S guest/fathom_native`: reads its configuration, the first line of its input, and starts the launcher."""

import gc
import os
import sys


#: Set by the host for this process's allocator and linker, which have read them by now; programs that cells start go
#: without.
_OF_THIS_PROCESS = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "LD_BIND_NOW": "1"}


def main() -> None:
    os.closerange(3, 4096)
    for name, value in _OF_THIS_PROCESS.items():
        if os.environ.get(name) == value:
            del os.environ[name]
    guest = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            return
        line += piece
    gc.disable()  # imports leave nothing worth looking for
    sys.path.insert(0, guest)
    from fathom_native.fork_callbacks import callbacks_put_off, import_with_callbacks

    import_with_callbacks()
    from fathom_native.preload import preload

    import json

    config = json.loads(line)
    with callbacks_put_off():
        preload(config["cache"])
    from fathom_native.launcher import Launcher

    gc.freeze()  # what is there by now stays, and its pages stay shared
    gc.enable()
    sys.path.remove(guest)
    sys.argv[:] = [""]
    Launcher(config).run()


main()
