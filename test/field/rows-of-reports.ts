import type { Row } from './rows.test.ts';

const REPLIES = 'test/field/replies.test.ts';
const WIRE = 'test/field/wire.test.ts';
const ENDPOINTS = 'test/model-endpoints.test.ts';
const SERVERS = 'test/model-servers.test.ts';
const COACHING = 'test/field/coaching.test.ts';
const BINARIES = 'src/context/binaries.test.ts';

/** Kinds of fault from public reports, in their order. */
export const REPORTS: readonly Row[] = [
  [
    'channels of reasoning',
    [REPLIES, 'reasoning in the marks of a family is not a reply', 'control tokens reach no answer'],
    ['src/protocol/reasoning.test.ts', 'describe('],
  ],
  [
    'code inside an answer',
    [REPLIES, 'code inside an answer does not run', 'that is never closed: nothing runs either'],
  ],
  ['invented observations', [REPLIES, 'an invented output ends the reply']],
  [
    'a closing fence on the last line',
    [REPLIES, 'fences and dialects as models write them'],
    ['src/protocol/fenced-block.test.ts', 'describe('],
  ],
  [
    'foreign dialects of code',
    [REPLIES, '%s runs', 'is answered with the block to send', 'when the form changes'],
    ['src/protocol/dialects.test.ts', 'describe('],
    ['src/prompt/unread-code.test.ts', 'code in a form that is not read'],
  ],
  ['a typed answer in a JSON fence', [REPLIES, 'a typed answer in a bare JSON fence', 'at a limit as well']],
  [
    'digits of whole numbers',
    ['test/field/values.test.ts', 'whole numbers keep their digits'],
    ['test/cli/digits.test.ts', 'a typed answer that a resumed run gives has them too'],
    ['src/json-digits.test.ts', 'describe('],
  ],
  ['halves of a character', ['test/field/values.test.ts', 'halves of a character written as escapes are joined']],
  [
    'a reply that broke off',
    [ENDPOINTS, 'an error object beside a good finish reason', "'insufficient_system_resource'"],
    ['test/model-faults-stream.test.ts', 'the reply is flagged as cut off'],
  ],
  [
    'prompt and maximum beyond the window',
    [ENDPOINTS, 'vLLM with a window of 8192', 'a maximum of 4096 output tokens is learned'],
    ['src/model/endpoint/refusal.test.ts', 'input and output together'],
  ],
  [
    'parameters that a gateway refuses',
    [ENDPOINTS, 'GPT-5 behind a gateway', 'a hundred calls at once learn it together'],
    ['src/model/endpoint/refusal.test.ts', 'max_tokens is renamed', 'is left out'],
  ],
  [
    'streaming that is not allowed',
    [ENDPOINTS, 'streaming is not allowed, and neither is stream_options'],
    ['src/model/endpoint/refusal.test.ts', 'stream is switched off'],
  ],
  [
    'a server that does not stream',
    [ENDPOINTS, 'a whole JSON body'],
    ['test/model-faults-wire.test.ts', 'a whole reply in one piece'],
  ],
  [
    'only reasoning',
    [WIRE, 'only reasoning came', 'such turns do not end the run at three'],
    [ENDPOINTS, 'only reasoning: an error that has the text at hand'],
  ],
  ['reasoning in replies of sub-calls', [WIRE, 'reasoning in the reply of a sub-call', 'a mark within data stays']],
  [
    'a prompt that a server cuts in silence',
    [SERVERS, 'a prompt that the server cut in silence is noticed by its count'],
    [WIRE, 'says once that prompts are cut'],
    ['src/cli/doctor/providers.test.ts', 'the window of each model of a local server'],
  ],
  ['the address of Ollama', [SERVERS, 'OLLAMA_HOST=%s']],
  [
    'a slow first token',
    [
      'src/model/first-byte.test.ts',
      'the wait for the first byte',
      'doubles after each silent attempt',
      'its message names the limit',
    ],
    ['test/cli/options.test.ts', '--call-timeout ends a call of a server that hangs'],
  ],
  [
    'the query of a base URL',
    [SERVERS, 'the query of a base URL goes with every request'],
    ['test/demo/profiles.test.ts', 'test'],
  ],
  [
    "the provider's own cost",
    [SERVERS, 'settles a call without a price', 'a limit on money holds'],
    ['src/cli/options/options.test.ts', '--price'],
  ],
  ['the reason behind a generic error', [ENDPOINTS, 'the reason behind']],
  [
    'tool calls without tools',
    [WIRE, 'native tool calls without a request for them'],
    [ENDPOINTS, 'a call of a tool that was not offered'],
  ],
  ['documents and other binaries', [BINARIES, 'refused, with what to do', 'given as bytes, with how to open them']],
  [
    'a named file that is left out',
    ['src/context/folders.test.ts', 'named files', 'are used, or they are an error'],
    ['test/cli/context.test.ts', 'what is left out is one line; -v lists it'],
  ],
  [
    'text that is not UTF-8',
    [
      'src/context/encodings.test.ts',
      'the encoding is found',
      'what was found is said',
      'short tables in another script',
    ],
    ['test/cli/context.test.ts', '--encoding says otherwise'],
  ],
  [
    'parentheses in the name of a folder',
    ['src/context/folders.test.ts', 'the part of a pattern that exists is literal'],
  ],
  ['infinite limits', ['test/field/infinite-limits.test.ts', 'a limit that must be finite says so by name']],
  [
    'shell idioms in the embedded REPL',
    ['src/repl/pyodide/bash-idioms.test.ts', 'as in a real bash', 'the message says what to do instead'],
  ],
  [
    'a tool that acts twice',
    [
      'test/resume/tool-kill.test.ts',
      'is made again with the same key, marked, and the event log shows both',
      'several at once',
    ],
  ],
  ['a process that cannot start within a cell', ['src/repl/python/watch.testing.ts', 'nothing of the runtime']],
  [
    'habit: tool calls and other blocks',
    [COACHING, 'the feedback names the habit and gives the exact text'],
    ['test/field/convergence.test.ts', 'describe('],
  ],
  ['habit: reasoning that never closes', [COACHING, 'never closed']],
  [
    'habit: answers in sentences',
    [COACHING, 'an answer in a sentence'],
    ['src/protocol/prose-answer.test.ts', 'the rejection holds the line to send', '\'final_answer("42")\''],
  ],
  ['habit: a value in FINAL_VAR', [COACHING, 'this is a value']],
  ['habit: a block that is cut', [COACHING, 'no closing ``` and ends in the middle of a line']],
  ['habit: FINAL without quotes', [COACHING, 'needs quotes']],
  ['habit: a command in a comment', [COACHING, 'a comment is not run']],
  ['habit: packages and imports that are missing', [COACHING, 'tiktoken is not installed', 'Add: import re']],
  [
    'habit: code of consoles, notebooks and word processors',
    ['src/prompt/repaired-code.test.ts', 'code that is not Python is given back as it was meant'],
  ],
  ['habit: single calls in a loop', [COACHING, 'many single calls, and one prompt with far too much']],
  ['habit: the reserved draft', [COACHING, 'the reserved draft']],
  ['habit: the same mistake again', [COACHING, 'the turn before a limit']],
  ['habit: a form copied word for word', [COACHING, 'a form copied word for word']],
];
