"""Standard modules as they were at start. Cells may replace functions in the public ones; these are ours alone."""

import _signal as _c_signal
import ctypes as _ctypes
import fcntl as _fcntl
import mmap as _mmap
import os as _os
import select as _select
import signal as _signal
from types import SimpleNamespace

os = SimpleNamespace(**vars(_os))
select = SimpleNamespace(**vars(_select))
# The functions of `signal` look theirs up in `_signal` at each call: ours are those of `_signal` themselves.
signal = SimpleNamespace(
    **{**vars(_signal), **{name: value for name, value in vars(_c_signal).items() if callable(value)}}
)
fcntl = SimpleNamespace(**vars(_fcntl))
mmap = SimpleNamespace(**vars(_mmap))
ctypes = SimpleNamespace(**vars(_ctypes))
