import type { Move } from './careless-root.ts';

/** A question whose right moves are known. */
export interface Task {
  readonly name: string;
  readonly context: string | readonly string[];
  readonly moves: readonly Move[];
  readonly expected: string;
  /** JSON Schema of a typed answer. */
  readonly output?: Readonly<Record<string, unknown>>;
}

const look: Move = { kind: 'code', code: 'print(type(context).__name__)\nprint(len(context))' };

function task(
  name: string,
  facts: Omit<Task, 'name' | 'moves'> & { readonly code: string; readonly variable: string },
): Task {
  const { code, variable, ...rest } = facts;
  return { name, ...rest, moves: [look, { kind: 'code', code }, { kind: 'answer', text: rest.expected, variable }] };
}

const ROWS = ['name,amount', 'ada,17', 'bob,25', 'cid,20'].join('\n');
const WORDS = 'tree house tree river tree house stone '.repeat(30);
const LOG = Array.from({ length: 60 }, (_, index) => `line ${index}: ${index % 7 === 0 ? 'ERROR' : 'ok'}`).join('\n');

export const TASKS: readonly Task[] = [
  task('count lines', {
    context: LOG,
    code: 'line_count = len(context.splitlines())\nprint(line_count)',
    variable: 'line_count',
    expected: '60',
  }),
  task('count errors', {
    context: LOG,
    code: 'error_count = sum(1 for line in context.splitlines() if "ERROR" in line)\nprint(error_count)',
    variable: 'error_count',
    expected: '9',
  }),
  task('sum a table', {
    context: ROWS,
    code: 'import csv\ntotal_amount = sum(int(row[1]) for row in list(csv.reader(context.splitlines()))[1:])\nprint(total_amount)',
    variable: 'total_amount',
    expected: '62',
  }),
  task('find a key', {
    context: `${LOG}\nkey=45654bfb-10c2-4e7a\n${LOG}`,
    code: 'import re\nfound_key = re.search(r"key=(\\S+)", context).group(1)\nprint(found_key)',
    variable: 'found_key',
    expected: '45654bfb-10c2-4e7a',
  }),
  task('the commonest word', {
    context: WORDS,
    code: 'from collections import Counter\ncommon_word = Counter(context.split()).most_common(1)[0][0]\nprint(common_word)',
    variable: 'common_word',
    expected: 'tree',
  }),
  task('days between', {
    context: 'from 2026-01-01\nto 2026-03-01',
    code: 'from datetime import datetime\ndates_found = [datetime.fromisoformat(line.split()[-1]) for line in context.splitlines()]\nday_count = (dates_found[1] - dates_found[0]).days\nprint(day_count)',
    variable: 'day_count',
    expected: '59',
  }),
  task('read JSON', {
    context: JSON.stringify({
      users: [
        { name: 'Ada Byron', age: 36 },
        { name: 'Bob', age: 7 },
      ],
    }),
    code: 'import json\noldest_user = max(json.loads(context)["users"], key=lambda user: user["age"])["name"]\nprint(oldest_user)',
    variable: 'oldest_user',
    expected: 'Ada Byron',
  }),
  task('a list', {
    context: ['alpha', 'be', 'gamma ray'],
    code: 'longest_item = max(context, key=len)\nprint(longest_item)',
    variable: 'longest_item',
    expected: 'gamma ray',
  }),
  task('a typed answer', {
    context: LOG,
    code: 'result_object = {"n": len(context.splitlines())}\nprint(result_object)',
    variable: 'result_object',
    expected: '{"n": 60}',
    output: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
  }),
  task('sub-calls', {
    context: ['one', 'two', 'three'],
    code: 'replies_joined = "/".join(str(reply) for reply in llm_query_batched([f"say {item}" for item in context]))\nprint(replies_joined)',
    variable: 'replies_joined',
    expected: 'SAY ONE/SAY TWO/SAY THREE',
  }),
];
