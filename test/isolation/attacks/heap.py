### code of a heap before the gate is locked
import builtins, os
plain = os.chdir
def hook(path):
    try:
        sys.meta_path[:] = [f for f in sys.meta_path if getattr(f, "__name__", "") != "Finder"]
        import ctypes
        ctypes.pythonapi.Py_GetVersion.restype = ctypes.c_char_p
        builtins.LOOT = ctypes.pythonapi.Py_GetVersion()
    except BaseException as error:
        builtins.LOOT = repr(error)
    return plain(path)
os.chdir = hook
builtins.LOOT = "nothing"
### (its loot)
crash()
### (look)
import builtins
r = b"3.14" in builtins.LOOT if isinstance(builtins.LOOT, bytes) else False
