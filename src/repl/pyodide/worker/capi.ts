/**
 * Calls into CPython by its C API: no object of one side is ever seen by the other.
 *
 * @module
 */
import { Buffer } from 'node:buffer';
import type { PyodideModule } from './emscripten.ts';

/** A function of a Python module, held for good. */
export type PythonFunction = () => boolean;

/** `module.name` as a function without arguments; it answers false when it raised. */
export function pythonFunction(python: PyodideModule, module: string, name: string): PythonFunction {
  const callable = withCString(python, name, (attribute) =>
    python._PyObject_GetAttrString(moduleOf(python, module), attribute),
  );
  if (callable === 0) throw new Error(`${module}.${name} is missing`);
  return () => {
    const result = python._PyObject_CallNoArgs(callable);
    if (result === 0) {
      python._PyErr_Clear();
      return false;
    }
    python._Py_DecRef(result);
    return true;
  };
}

/** The dict that is the value of `module.name`, held for good. */
export function pythonObject(python: PyodideModule, module: string, name: string): number {
  const object = withCString(python, name, (attribute) =>
    python._PyObject_GetAttrString(moduleOf(python, module), attribute),
  );
  if (object === 0) throw new Error(`${module}.${name} is missing`);
  return object;
}

/** Puts an object into a dict under a text; the caller's reference stays its own. */
export function setItem(python: PyodideModule, dict: number, key: string, value: number): void {
  withCString(python, key, (pointer) => {
    if (python._PyDict_SetItemString(dict, pointer, value) !== 0) throw new Error('a dict refused an item');
  });
}

function moduleOf(python: PyodideModule, name: string): number {
  // AddModule returns a borrowed reference to the module in sys.modules.
  const module = withCString(python, name, (pointer) => python._PyImport_AddModule(pointer));
  if (module === 0) throw new Error(`module ${name} is missing`);
  return module;
}

/** Lends C code a text. */
export function withCString<T>(python: PyodideModule, text: string, use: (pointer: number) => T): T {
  const bytes = Buffer.from(`${text}\0`);
  const pointer = python._malloc(bytes.length);
  if (pointer === 0) throw new Error('out of memory');
  python.HEAPU8.set(bytes, pointer);
  try {
    return use(pointer);
  } finally {
    python._free(pointer);
  }
}
