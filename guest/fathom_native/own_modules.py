"""Standard modules as they were at start. Cells may replace functions in the public ones; these are ours alone."""

import ctypes as _ctypes
import fcntl as _fcntl
import mmap as _mmap
import os as _os
import select as _select
import signal as _signal
from types import SimpleNamespace

os = SimpleNamespace(**vars(_os))
select = SimpleNamespace(**vars(_select))
signal = SimpleNamespace(**vars(_signal))
fcntl = SimpleNamespace(**vars(_fcntl))
mmap = SimpleNamespace(**vars(_mmap))
ctypes = SimpleNamespace(**vars(_ctypes))
