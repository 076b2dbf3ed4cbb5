import type { Row } from './rows.test.ts';

const HOSTILE_FOLDER = 'src/store/sqlite/hostile-folder.test.ts';
const WALLS = 'src/repl/python/host-walls.testing.ts';
const WATCH = 'src/repl/python/watch.testing.ts';
const SIZES = 'src/repl/channel/sizes.test.ts';
const RULES = 'src/repl/python/rules.testing.ts';
const LISTS = 'src/repl/python/seccomp-lists.test.ts';
const LAZY = 'test/repl-conformance/lazy-values.ts';

/** Losses of work that scenarios found, then breaks and weaknesses that an attacker found. */
export const ATTACKS: readonly Row[] = [
  ['metadata of devices', [WALLS, 'no metadata of a device or a shown file can be changed, and the devices work']],
  [
    'a replay that differs in silence',
    ['test/session/reopening.test.ts', 'shows in the status and in events, with the missing variables'],
  ],
  [
    'a session with a projected context',
    ['test/session/reopening-context.test.ts', 'raise when they are used', 'are matched by name'],
  ],
  [
    'a close that waits',
    [
      'test/session/closing.test.ts',
      'stops a cell whose tool never answers',
      'stops a completion whose model never answers',
    ],
  ],
  [
    'errors that quote the context',
    ['test/tree/feedback-size.test.ts', 'the next request to the root model'],
    ['test/repl-conformance/sizes.ts', 'an error that quotes the context shows outputChars of it'],
  ],
  [
    'calls and output after their cell',
    ['test/tree/callers.test.ts', 'calls after the end of their cell'],
    ['test/repl-conformance/late.ts', 'describe('],
  ],
  [
    'losses that are not reported',
    ['test/session/losses.test.ts', 'a session whose REPL is killed', 'a REPL that dies between two commands'],
  ],
  ['lazy values that are compared', [LAZY, '==']],
  [
    'sabotage of modules, streams and helpers',
    ['test/repl-conformance/sabotage.ts', 'every callable of %s', 'sabotage is done'],
  ],
  [
    'a result that the host never saw',
    ['src/repl/pyodide/lost-results.test.ts', 'a cell whose end the host never saw'],
  ],
  ['projections beyond 31 bits', [LAZY, '20_000_000_000']],
  [
    'processes and threads',
    ['src/repl/python/promises.testing.ts', 'no more than maxProcesses run, and threads have a limit of their own'],
  ],
  ['copies on the clock of a cell', [WATCH, 'the copy of many files for a snapshot is on the clock of no cell']],
  [
    'links in the store',
    [
      HOSTILE_FOLDER,
      'a link in the folder',
      'a folder of that name is swept of the store’s own files, by name',
      'is followed where the caller names it as the store',
    ],
  ],
  [
    'metadata without namespaces',
    [RULES, 'cells change no metadata of a file, signal no process and set no limit of one'],
    ['src/repl/python/levels.test.ts', 'the level process is not claimed for root'],
  ],
  ['processes without their first thread', [WATCH, 'memory of processes whose first thread has ended counts']],
  ['memory between cells', [WATCH, 'processes that a cell leaves behind are stopped between cells']],
  ['memory of sockets and pipes', [WALLS, 'sixty pairs of sockets and pipes hold no more than what is counted']],
  [
    'forged snapshots',
    [WATCH, 'a cell that %s is ended, and the REPL is as it was', 'files and a flood do not hold up the end of a cell'],
  ],
  [
    'levels that a signal or an object belies',
    ['src/repl/python/levels.test.ts', 'whatever reaches the host leaves no level'],
    [WALLS, 'each REPL has a network namespace of its own', 'no object of the host’s'],
  ],
  [
    'files in folders of any name',
    ['src/repl/pyodide/snapshots.test.ts', '__proto__/constructor'],
    ['test/isolation/attacks/limits.py', 'files below a folder named as a prototype'],
  ],
  ['sizes of forged results', [SIZES, 'texts of a forged result', 'an error is cut to outputChars']],
  [
    'a store of another user',
    [HOSTILE_FOLDER, 'another user', 'a hard link in the folder'],
    ['test/cli/runs.test.ts', 'one that does not own the run is never asked'],
  ],
  [
    'keys in other forms',
    ['src/model/redact.test.ts', 'an error that quotes the key', 'a reply that repeats the key'],
    ['test/model-faults-limits.test.ts', 'an error that quotes the key in another form'],
  ],
  ['JSON on a terminal', ['src/cli/screen/terminal-text.test.ts', 'JSON on a terminal holds nothing that acts on it']],
  [
    'disk in extended attributes',
    [WALLS, 'extended attributes are refused, and inodes are in proportion to diskBytes'],
  ],
  ['large headers', [SIZES, 'headers'], ['test/repl-conformance/sizes.ts', 'a flood of the largest headers is served']],
  ['descriptors of values', [SIZES, 'descriptors of values']],
  [
    'schemas that block the host',
    ['src/schema/validation-workers.test.ts', 'checks other values meanwhile, and afterwards'],
  ],
  [
    'kernel resources of the user',
    [WALLS, 'no limit that the host’s user shares'],
    [LISTS, 'the embedded list is the native list'],
  ],
  [
    'rules, locks and watches of the kernel',
    [WALLS, 'no socket that can name another'],
    ['guest/tests_native/test_seccomp.py', 'def test_refuses_what_is_listed'],
  ],
  ['a forged end of a cell', [WATCH, 'a cell that forges its result does not run on without a deadline']],
  ['a crash that is hidden', [WATCH, 'a crash is reported at once, also when a child holds the connection']],
  ['system calls of the embedded REPL', [LISTS, 'the embedded filter does what the list says']],
  ['feedback that is forged', ['src/prompt/feedback.test.ts', '| ']],
  ['quoted commands', ['src/protocol/command-line.test.ts', '> FINAL']],
  ['bytes of snapshots', ['src/repl/pyodide/snapshots.test.ts', 'snapshotBytes']],
  ['what the machine shows', [WALLS, 'neither Fathom’s folder nor how the machine was booted is shown']],
  [
    'a cache folder below another user',
    ['src/repl/cache-folder.test.ts', 'of root is refused below a folder of another user'],
  ],
  [
    'a burst of runs',
    ['test/soak/bursts.test.ts', 'completions at once on', 'runs with children at once all end'],
    ['test/engine/queue.test.ts', 'above the limit of the queue are refused at once'],
    ['src/admission/admission.test.ts', 'runs are served in the order they came'],
  ],
  [
    'walls as another user',
    ['src/repl/python/host-walls-unprivileged.test.ts', 'describeUnprivileged'],
    ['src/repl/python/promises-unprivileged.test.ts', 'describeUnprivileged'],
    ['src/repl/python/watch-unprivileged.test.ts', 'describeUnprivileged'],
    ['src/repl/python/conformance-unprivileged.test.ts', 'describeUnprivileged'],
    ['src/repl/python/rules-unprivileged.test.ts', 'becomeUnprivileged'],
  ],
];
