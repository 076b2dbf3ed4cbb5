import { helperLines, promptLength } from './helper-lines.ts';
import type { PromptFacts } from './prompt-facts.ts';
import { referenceSections } from './reference-prompt.ts';

/** How a caller shapes the system prompt. */
export interface PromptOptions {
  /** Added at the end of the system prompt: the task's own rules, tone, language. */
  readonly instructions?: string;
  /**
   * The words of the system prompt. `reference`: those of the published protocol, for models that were trained on it; the commands that
   * are run and read in a reply stay the same. Default `fathom`.
   */
  readonly dialect?: 'fathom' | 'reference';
  /** Replaces Fathom's own system prompt. */
  readonly system?: string;
  /** End the provider's stream when the first command has closed, so that no invented output is paid for. Default false. */
  readonly stopAfterFirstBlock?: boolean;
}

/**
 * The system prompt: short, and the same for every turn of a configuration, so that providers cache it. Each sentence
 * that claims a behaviour is executed by a test (`test/engine/prompt-claims.test.ts`).
 */
export function systemPrompt(facts: PromptFacts, options: PromptOptions = {}): string {
  const sections = [
    ...(options.system === undefined ? sectionsIn(options.dialect, facts) : [[options.system]]),
    options.instructions === undefined ? [] : ['# Instructions', options.instructions],
  ];
  return sections
    .filter((section) => section.length > 0)
    .map((section) => section.join('\n'))
    .join('\n\n');
}

function sectionsIn(dialect: PromptOptions['dialect'], facts: PromptFacts): string[][] {
  if (dialect === 'reference') return referenceSections(facts);
  return [opening(facts), acting(facts), names(facts), answering(facts), advice(facts)];
}

function opening(facts: PromptFacts): string[] {
  const where =
    facts.contextNames.length > 0
      ? `the variables ${facts.contextNames.map((name) => `\`${name}\``).join(', ')} (and the mapping \`context\` of them)`
      : 'the variable `context`';
  return [
    'You answer a query about a context that may be far larger than you can read at once. The context is not in this',
    `conversation. It is ${where} in a Python ${facts.info.pythonVersion} REPL that lives as long as this task.`,
    'You see only what your code shows you.',
  ];
}

function acting(facts: PromptFacts): string[] {
  const shown = facts.limits.outputChars;
  return [
    '# How to act',
    'Write Python in a fenced block and it is run as a cell:',
    '```repl',
    'print(len(context))',
    '```',
    '- Variables, functions and imports live on from cell to cell. The value of a last expression is shown. `await` works at top level.',
    '- All blocks of a reply run in order; then you get what they showed, and you reply again. A failed cell keeps what it did before the error.',
    ...shell(facts),
    `- Of each command's output you see at most ${shown} characters, its beginning and end. The rest is not lost: \`history["t3.0"]\` is the full output of the first command of turn 3.`,
    '- Each line of output begins with `| `. A line without it is from the REPL itself; nothing that is printed can be one.',
    facts.info.threads
      ? '- Threads, `ThreadPoolExecutor` and `asyncio.gather` work.'
      : '- `asyncio.gather` and `ThreadPoolExecutor` work for sub-calls; other threads are not available.',
    '- There is no network and no access to the machine outside this REPL.',
    ...(facts.info.packages.length > 0 ? [`- Besides the standard library: ${facts.info.packages.join(', ')}.`] : []),
  ];
}

function shell({ info }: PromptFacts): string[] {
  const lines = ['- A block tagged `bash` runs as a shell command in the same working folder and files.'];
  // Parts that the emulation lacks and that models use (src/repl/pyodide/worker/bash-commands.ts).
  if (info.shell === 'just-bash')
    lines.push(
      '  It is an emulation with the usual text tools (grep, sed, awk, jq, find, sort, diff) and without python3, perl, node, tar, zip, sqlite3, bc, git and curl: use Python for those.',
    );
  return lines;
}

function names(facts: PromptFacts): string[] {
  const lines = ['# Bound in the REPL'];
  if (facts.depth + 1 <= facts.limits.maxDepth) lines.push(...subCalls(facts));
  else lines.push('- There are no sub-calls at this depth: work with code alone.');
  for (const tool of facts.tools) {
    lines.push(`- \`${tool.name}(${tool.parameters.join(', ')})\`: ${tool.description}`);
  }
  if (facts.values.length > 0) {
    lines.push(`- Values given with the task: ${facts.values.map((name) => `\`${name}\``).join(', ')}.`);
  }
  lines.push(...helperLines(facts));
  lines.push('- `SHOW_VARS()` returns a list of your variables. `history` is a sequence of what happened so far.');
  return lines;
}

function subCalls(facts: PromptFacts): string[] {
  const { limits } = facts;
  const recursive = facts.depth + 1 < limits.maxDepth;
  return [
    `- \`llm_query(prompt, *, system=None, max_tokens=None)\` asks a language model that sees the prompt and nothing else. ${promptLength(facts)} The reply is a \`str\` with \`.ok\`, \`.truncated\` and \`.usage\`. A call that fails raises \`LLMError\`.`,
    `- \`llm_query_batched(prompts)\` asks many at once, up to ${limits.maxConcurrentCalls} in flight, and returns the replies in order; a failed one has \`.ok == False\` and the reason in \`.error\`.`,
    recursive
      ? '- `rlm_query(query, context)` starts a child that works on its own context with its own REPL, as you do; `rlm_query_batched([(query, context), …])` runs children in parallel. With `seed={name: value}` a child also has `seed`. Use them where a part needs several steps of its own.'
      : '- At this depth `rlm_query(query, context)` adds nothing to `llm_query`: one call whose prompt is the query and the context.',
    '- `allm_query` and `arlm_query` are the same for `await` and `asyncio.gather`.',
    `- At most ${limits.maxSubCalls} sub-calls for the whole task. A call over budget raises \`BudgetExceeded\`, a kind of \`LLMError\`; finished replies stay.`,
  ];
}

function answering(facts: PromptFacts): string[] {
  const lines = [
    '# How to answer',
    '- From code: `FINAL(value)` ends the task with that value; `FINAL_VAR("name")` with that variable.',
    '- In your reply, at the start of a line outside any block: `FINAL(the answer)` or `FINAL_VAR(name)`; the name may have quotes in both places. The answer may hold brackets, commas, quotes and several lines, and a form that the query asks for goes inside: `FINAL(Answer: 42)`.',
    '- Keep a draft in `answer["content"]`: if a limit ends the task, the draft counts. `answer["ready"] = True` makes it final.',
    '- An answer beside a failed cell is refused: you have not seen the error yet.',
  ];
  if (facts.requireInspection) {
    lines.push(
      '- A written answer is refused before any code has looked at the context, and in the same reply as code whose output you have not seen. Look, then answer in a later reply; or answer by variable.',
    );
  }
  if (facts.outputSchema !== undefined) {
    lines.push(
      facts.outputSchema === ''
        ? '- The answer is typed: a value that does not fit is refused with every error.'
        : `- The answer must be a value of this JSON Schema; one that does not fit is refused with every error:\n${facts.outputSchema}`,
      '- `SUBMIT(field=…)` answers with an object of those fields.',
    );
  }
  return lines;
}

function advice(facts: PromptFacts): string[] {
  const lines = [
    '# How to work well',
    '- Look first: size, shape, a few samples. Then plan.',
    '- Use code for what code can decide (search, filter, count, sort); never read a large context by printing it.',
  ];
  if (facts.depth + 1 <= facts.limits.maxDepth) {
    lines.push(
      '- Hand meaning to sub-calls, and ask all pieces in one batch. To search or summarise, put fat pieces of tens of thousands of characters into a prompt.',
      facts.traits.items
        ? '- To label or count items, use `llm_map` with `votes=3`: one pass errs on a few per cent of items. Read what is disputed or rare. The same prompt asked twice is sent twice.'
        : '- To label or count, give 20 to 50 numbered items to a call, check that every number came back, and ask twice or three times in other orders: one pass errs on a few per cent of items. Read what is disputed or rare. The same prompt asked twice is sent twice.',
    );
  }
  lines.push(
    '- Keep long results in variables and print only what you need to decide the next step.',
    '- When this conversation grows long, `continue_with(notes)` starts it again from your notes: the query, variables, files and `history` stay, the turns so far leave it.',
    '- Check the answer against the context before you give it. The end of each message from the REPL says how much budget is left.',
  );
  return lines;
}
