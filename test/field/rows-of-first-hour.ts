import type { Row } from './rows.test.ts';

const FOLDERS = 'src/context/folders.test.ts';
const CONTEXT = 'test/cli/context.test.ts';
const OPTIONS = 'test/cli/options.test.ts';
const NEWCOMERS = 'test/field/newcomers.test.ts';
const LIBRARY = 'test/engine/library.test.ts';
const STATE = 'src/cli/watch/run-state.test.ts';
const TARBALL = 'test/package/tarball.test.ts';
const FILES = 'test/field/files.test.ts';
const INPUTS = 'test/cli/inputs.test.ts';

/** Kinds of fault that a new user meets: blockers, serious ones, small ones, inputs, mistakes. */
export const FIRST_HOUR: readonly Row[] = [
  [
    'encodings',
    ['src/context/encodings.test.ts', 'the encoding is found', 'the encoding that was named holds'],
    [CONTEXT, 'the guess is said, the text is right, and the wire has it'],
  ],
  [
    'binaries',
    ['src/context/binaries.test.ts', 'refused, with what to do'],
    ['test/session/context-files.test.ts', 'the first message says where they are'],
  ],
  [
    'files that are dropped',
    [FOLDERS, 'what a folder leaves out is counted by reason', 'a folder of nothing else says what it found'],
  ],
  [
    'project folders, secrets, many files',
    [FOLDERS, 'what .gitignore names, node_modules, and secrets', 'what the caller excludes'],
    ['src/context/plain-files.test.ts', 'a folder of 3 000 files'],
    [CONTEXT, '--no-ignore and --exclude'],
  ],
  [
    'names, kinds and sizes for the model',
    [FOLDERS, 'a folder is described by its size, kinds and places'],
    ['test/cli/context.test.ts', 'runs show names the file that an answer is about'],
  ],
  [
    'piped input',
    [
      CONTEXT,
      'what is piped in is the context, a socket as Node makes it',
      'a pipe that stays empty',
      '<(…), a fifo and a file of the kernel',
      'a fifo without a writer',
    ],
  ],
  [
    'several processes in one folder',
    ['test/cli/runs.test.ts', 'four questions at once are all kept'],
    ['src/store/sqlite/several-processes.test.ts', 'four processes that open a store at the same moment'],
  ],
  [
    'numbered parameters of SQL',
    ['src/store/sqlite/sqlite-store.test.ts', 'no SQL of a store names its parameters by number'],
  ],
  ['the cache folder', ['src/repl/cache-folder.test.ts', 'is made for this user alone']],
  [
    'the maximum of output tokens',
    ['test/model-endpoints.test.ts', 'a maximum of 4096 output tokens is learned'],
    [OPTIONS, '--max-output-tokens'],
  ],
  [
    'a deadline of the run and one of a call',
    [OPTIONS, '--timeout ends a run of a server that hangs with exit code 4'],
    ['test/engine/live.test.ts', 'a run whose time is up while its model is silent'],
  ],
  ['prices of cache writes', ['src/ledger/usage.test.ts', 'tokens written to the cache of a provider']],
  [
    'sub-calls that are shown',
    ['test/cli/calls.test.ts', 'shows each prompt and reply by its cell', 'shows children with their calls'],
  ],
  [
    'answers that are not answers',
    [
      'test/cli/ask.test.ts',
      'a last reply that is only code is not printed as the answer',
      '--schema types the answer',
    ],
    ['test/field/coaching.test.ts', 'never takes commands for an answer'],
  ],
  [
    'a dead server, and the cause of each retry',
    [NEWCOMERS, 'a server that is not there: two attempts'],
    [STATE, 'names the cause of each retry and the wait'],
  ],
  [
    'prices of servers of one’s own',
    [OPTIONS, 'prices cap a server of one’s own'],
    ['src/cli/options/models.test.ts', 'an unknown price means no limit, and is said'],
    ['test/cli/chat.test.ts', 'gives the notice about unknown prices once'],
  ],
  ['limits in the words of the command', ['test/cli/ask-stopped.test.ts', '$name: exit code $code, no stack']],
  ['which key, which URL', [NEWCOMERS, 'a key, a quota, a model: one call, with the variable and the address']],
  [
    'names of models',
    [
      NEWCOMERS,
      'a model named as others name it',
      'fathom models TEXT',
      'a path that is not one: said before anything is sent',
    ],
    ['src/model/model-list.test.ts', 'words that are near, and words that are not'],
  ],
  [
    'the order of -f and the question',
    [OPTIONS, 'the order of -f and the question'],
    ['src/cli/options/options.test.ts', 'may come before or after -f and --sub-model'],
  ],
  ['the progress of a batch', [STATE, 'counts a batch from its first item', 'keeps the time at 20 columns']],
  [
    'what the model does',
    [
      'src/cli/watch/narrator.test.ts',
      'each turn has the first sentence of its reply',
      'text is shown while it is written',
    ],
  ],
  ['preparation that is named', ['src/engine/workspace.ts', 'preparing the sandbox, once on this machine']],
  ['wrong kinds of context and unknown options', [LIBRARY, 'unknown options', 'contexts of a wrong kind']],
  [
    'streaming to a page',
    ['test/engine/live.test.ts', 'text while the model writes'],
    [LIBRARY, 'the answer in run.completed', 'has then, catch and finally'],
  ],
  [
    'plain functions as tools',
    [LIBRARY, 'a tool without known parameters says that it takes keywords'],
    ['src/tools/toolbox.test.ts', 'takes functions with a description'],
  ],
  ['the installation', [TARBALL, 'a fresh installation is small', 'the licences of bundled code']],
  ['bundlers', [TARBALL, 'esbuild']],
  [
    'beginnings of ids, and the last one',
    ['src/cli/options/options.test.ts', 'may be its unique beginning, in any case, or last'],
  ],
  ['schemas that cannot be used', ['src/schema/check-json-schema.test.ts', 'a JSON Schema that cannot be used']],
  [
    'a temporary folder that cannot be used',
    [CONTEXT, 'a temporary folder that is %s is named'],
    [INPUTS, 'a disk that is full'],
  ],
  ['a key with a typographic quote', ['test/model-servers.test.ts', 'a key with a typographic quote is refused']],
  ['a dead proxy', [NEWCOMERS, 'is named, without its password']],
  [
    'doctor in a container',
    ['src/cli/doctor/backends.test.ts', 'the native REPL in a container'],
    ['src/repl/python/refusals.test.ts', 'refusals in words'],
  ],
  ['commands that do not exist', [OPTIONS, 'did you mean']],
  [
    'examples that run when pasted',
    [TARBALL, 'the README'],
    ['test/package/readme.test.ts', 'every file it links is there'],
  ],
  ['a tool named like a builtin', ['src/tools/toolbox.test.ts', 'print']],
  ['completion in each shell', ['test/cli/completion.test.ts', "('fish'", "('zsh'"]],
  ['inputs: text of every kind', [FILES, 'text of every kind is the whole file, with its name, kind and characters']],
  ['inputs: large ones', [FILES, 'a text of 64 MB is looked at in pieces'], [INPUTS, 'LARGE_BYTES']],
  ['inputs: empty ones and blanks', [FILES, 'what is empty is reported', 'a file of blanks is reported']],
  [
    'inputs: links and loops',
    [FILES, 'loops of links have an end', 'links that lead nowhere, or out, are reported'],
    [INPUTS, 'a folder of symbolic links in a loop ends'],
  ],
  ['inputs: odd names', [FILES, 'is found by its name and in its folder'], [INPUTS, 'odd names']],
  ['inputs: files that cannot be read', [FOLDERS, 'unreadable']],
  [
    'watching: Ctrl-C',
    ['test/cli/ask-stopped.test.ts', 'once: the best answer so far, exit code 3', 'twice: stopped, exit code 130'],
  ],
  ['a chat', ['test/cli/chat.test.ts', 'a chat in a pipe', 'a chat on a terminal']],
  [
    'mistakes: an address where something else answers',
    [NEWCOMERS, 'an address at which something else answers'],
    ['test/model-faults-wire.test.ts', 'a web page %s: one attempt'],
  ],
  ['mistakes: an old Node', ['src/cli/versions.test.ts', 'the oldest Node that will do']],
  [
    'one question over many contexts',
    ['test/engine/map.test.ts', 'asks one question of many contexts, in order', 'the shared account'],
  ],
];
