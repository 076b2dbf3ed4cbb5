### os.system
import os
os.system("touch " + FACTS["marker"])
### posix.system
import posix
posix.system("touch " + FACTS["marker"])
### ctypes system
unhide()
import ctypes
ctypes.CDLL(None).system(b"touch " + FACTS["marker"].encode())
### ctypes run_script_string
unhide()
import ctypes
f = ctypes.CDLL(None).emscripten_run_script_string
f.restype = ctypes.c_char_p
r = f(b"process.getBuiltinModule('node:fs').readFileSync('" + FACTS["canary"].encode() + b"','utf8')")
### ctypes run_script
unhide()
import ctypes
ctypes.CDLL(None).emscripten_run_script(b"process.getBuiltinModule('node:fs').writeFileSync('" + FACTS["marker"].encode() + b"','')")
### ctypes run_script_int
unhide()
import ctypes
r = ctypes.CDLL(None).emscripten_run_script_int(b"40+2") == 42
### ctypes pythonapi
unhide()
import ctypes
ctypes.pythonapi.Py_GetVersion.restype = ctypes.c_char_p
r = b"3.14" in ctypes.pythonapi.Py_GetVersion()
### ctypes callback
unhide()
import ctypes
callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda x: x + 1)
r = callback(41) == 42
### ctypes libc write to fd 1
unhide()
import ctypes
r = ctypes.CDLL(None).getuid() >= 0
### pyodide_js constructor
import pyodide_js
r = pyodide_js.runPython.constructor("return process.getBuiltinModule('node:fs').readFileSync('" + FACTS["canary"] + "','utf8')")()
### pyodide_js mountNodeFS
import pyodide_js
pyodide_js.mountNodeFS("/hosted", FACTS["folder"])
r = open("/hosted/canary").read()
### builtin core module
unhide()
from importlib.machinery import BuiltinImporter
import importlib.util
spec = BuiltinImporter.find_spec("_pyodide_core")
core = importlib.util.module_from_spec(spec)
spec.loader.exec_module(core)
r = core.to_js([1]).constructor.constructor("return process.getBuiltinModule('node:fs').readFileSync('" + FACTS["canary"] + "','utf8')")()
### import hook put back
from _pyodide._importhook import jsfinder
sys.meta_path.insert(0, jsfinder)
import pyodide_js
r = pyodide_js.runPython.constructor("return process.getBuiltinModule('node:fs').readFileSync('" + FACTS["canary"] + "','utf8')")()
### side module
import importlib.machinery
import importlib.util
import os
os.makedirs("/tmp/side", exist_ok=True)
with open("/tmp/side/evil.so", "wb") as file:
    file.write(b"\0asm\1\0\0\0")
loader = importlib.machinery.ExtensionFileLoader("evil", "/tmp/side/evil.so")
try:
    importlib.util.module_from_spec(importlib.util.spec_from_loader("evil", loader))
except ImportError:
    r = True
### dlopen of a host library
unhide()
import _ctypes
try:
    _ctypes.dlopen(FACTS["folder"] + "/library.so", 0)
except OSError:
    r = True
### name lookup
import socket
r = bool(socket.getaddrinfo("localhost", 80))
### socket made
import socket
r = socket.socket().fileno() >= 0
### uid of the host process
import os
r = str(os.getuid()) == FACTS["uid"]
### proxy in a dict
import gc
gc.unfreeze()
for thing in gc.get_objects():
    values = list(thing.values()) if type(thing) is dict else list(thing) if type(thing) in (list, tuple) else ()
    for value in values:
        if "runPython" in getattr(type(value), "__dict__", {}) or type(type(value)).__name__ == "_JsProxyMetaClass":
            try:
                r = value.constructor.constructor("return process.getBuiltinModule('node:fs').readFileSync('" + FACTS["canary"] + "','utf8')")()
            except (AttributeError, TypeError):
                pass
    if r:
        break
