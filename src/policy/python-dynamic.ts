/**
 * Names of Python that hide what code does, and those that start a shell.
 *
 * @module
 */

/** Names whose use hides what code does. */
export const DYNAMIC_NAMES: ReadonlySet<string> = new Set([
  ...['eval', 'exec', 'compile', 'globals', 'locals', '__builtins__', '__import__', 'breakpoint', 'input'],
  ...[
    'sys.modules',
    'sys._getframe',
    'sys.meta_path',
    'inspect.currentframe',
    'gc.get_objects',
    'types.FunctionType',
    'types.CodeType',
  ],
  ...[
    'operator.attrgetter',
    'operator.methodcaller',
    'pydoc.locate',
    'pkgutil.resolve_name',
    'pickle.loads',
    'pickle.load',
    'marshal.loads',
  ],
]);
export const DYNAMIC_MODULES: readonly string[] = [
  ...[
    'importlib',
    'builtins',
    'runpy',
    'code',
    'codeop',
    'ctypes',
    '_ctypes',
    'cffi',
    'imp',
    'zipimport',
    'js',
    'pyodide',
    'pyodide_js',
  ],
];
export const DYNAMIC_ATTRIBUTES: ReadonlySet<string> = new Set([
  ...[
    '__dict__',
    '__class__',
    '__bases__',
    '__base__',
    '__mro__',
    'mro',
    '__subclasses__',
    '__globals__',
    '__builtins__',
    '__code__',
  ],
  ...[
    '__closure__',
    '__getattribute__',
    '__reduce__',
    '__reduce_ex__',
    '__loader__',
    '__spec__',
    '__import__',
    '__self__',
    'f_globals',
  ],
  ...[
    'f_locals',
    'f_back',
    'tb_frame',
    'gi_frame',
    'cr_frame',
    '__func__',
    '__wrapped__',
    'load_module',
    'exec_module',
  ],
]);
/** Functions that run a text, or the first item of a list, as a command. */
export const SHELLS: ReadonlySet<string> = new Set([
  ...['os.system', 'os.popen', 'subprocess.run', 'subprocess.call', 'subprocess.check_call', 'subprocess.check_output'],
  ...[
    'subprocess.Popen',
    'subprocess.getoutput',
    'subprocess.getstatusoutput',
    'asyncio.create_subprocess_shell',
    'pty.spawn',
  ],
]);
