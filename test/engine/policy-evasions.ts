/** Forty ways to run `os.system`, `subprocess` or `rm` without writing it plainly. */
export interface Evasion {
  readonly name: string;
  readonly kind: 'python' | 'bash';
  readonly source: string;
  /** Rules over text cannot see it: docs/policy.md lists it as such. */
  readonly invisible?: true;
}

export const EVASIONS: readonly Evasion[] = [
  { name: 'an import alias', kind: 'python', source: 'import os as o\no.system("id")' },
  { name: 'a name imported under another', kind: 'python', source: 'from os import system as s\ns("id")' },
  { name: 'an assigned alias', kind: 'python', source: 'import os\nrun = os.system\nrun("id")' },
  { name: 'an alias of an alias', kind: 'python', source: 'import os\na = os\nb = a.system\nc = b\nc("id")' },
  { name: 'a tuple assignment', kind: 'python', source: 'import os\nx, run = 1, os.system\nrun("id")' },
  { name: 'a walrus', kind: 'python', source: 'import os\n(run := os.system)("id")' },
  { name: 'getattr', kind: 'python', source: 'import os\ngetattr(os, "system")("id")' },
  { name: 'getattr with a sum', kind: 'python', source: 'import os\ngetattr(os, "sys" + "tem")("id")' },
  { name: 'getattr with join', kind: 'python', source: 'import os\ngetattr(os, "".join(["sys", "tem"]))("id")' },
  { name: 'getattr with a reversed text', kind: 'python', source: 'import os\ngetattr(os, "metsys"[::-1])("id")' },
  { name: 'the mapping of a module', kind: 'python', source: 'import os\nos.__dict__["system"]("id")' },
  { name: 'vars of a module', kind: 'python', source: 'import os\nvars(os)["system"]("id")' },
  { name: '__import__', kind: 'python', source: '__import__("os").system("id")' },
  { name: 'importlib', kind: 'python', source: 'import importlib\nimportlib.import_module("o" + "s").system("id")' },
  { name: 'sys.modules', kind: 'python', source: 'import sys\nsys.modules["os"].system("id")' },
  { name: 'eval', kind: 'python', source: "eval(\"__import__('os').system('id')\")" },
  { name: 'exec of base64', kind: 'python', source: 'import base64\nexec(base64.b64decode("aW1wb3J0IG9z"))' },
  { name: 'eval under another name', kind: 'python', source: 'e = eval\ne("1")' },
  { name: 'builtins', kind: 'python', source: '__builtins__["ev" + "al"]("1")' },
  { name: 'subclasses', kind: 'python', source: '().__class__.__base__.__subclasses__()' },
  { name: 'a function passed on', kind: 'python', source: 'import os\nlist(map(os.system, ["id"]))' },
  { name: 'a list of functions', kind: 'python', source: 'import os\nfor run in [os.system]:\n    run("id")' },
  { name: 'partial', kind: 'python', source: 'import os, functools\nfunctools.partial(os.system, "id")()' },
  { name: 'a default argument', kind: 'python', source: 'import os\ndef f(run=os.system):\n    run("id")' },
  { name: 'an f-string', kind: 'python', source: 'import os\nprint(f"{os.system(\'id\')}")' },
  { name: 'a star import', kind: 'python', source: 'from os import *\nsystem("id")' },
  { name: 'attrgetter', kind: 'python', source: 'import os, operator\noperator.attrgetter("system")(os)("id")' },
  {
    name: 'a module that imports os itself',
    kind: 'python',
    source: 'import shutil\nshutil.os.system("id")',
    invisible: true,
  },
  {
    name: 'a function of another module that does the same',
    kind: 'python',
    source: 'import webbrowser\nwebbrowser.get("id %s").open("x")',
    invisible: true,
  },
  {
    name: 'a file that is written and imported',
    kind: 'python',
    source: 'open("m.py", "w").write("import os; os.system(\'id\')")\nimport m',
    invisible: true,
  },
  { name: 'pickle', kind: 'python', source: 'import pickle\npickle.loads(data)' },
  { name: 'a path', kind: 'bash', source: '/bin/rm x' },
  { name: 'quotes in the name', kind: 'bash', source: "r''m x; r\\m x" },
  { name: 'a variable', kind: 'bash', source: 'c=rm; $c x' },
  { name: 'a substitution', kind: 'bash', source: '$(echo rm) x' },
  { name: 'a command in a substitution', kind: 'bash', source: 'echo "$(rm x)"' },
  { name: 'a here-doc into a shell', kind: 'bash', source: 'sh <<END\nrm x\nEND' },
  { name: 'base64 into a shell', kind: 'bash', source: 'echo cm0geAo= | base64 -d | sh' },
  { name: 'eval, xargs and find', kind: 'bash', source: 'find . -name x -exec rm {} +' },
  { name: 'a script file', kind: 'bash', source: 'echo "rm x" > s; chmod +x s; ./s', invisible: true },
];
