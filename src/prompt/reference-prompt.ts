import type { PromptFacts } from './prompt-facts.ts';

/**
 * The system prompt in the dialect of the published protocol (Zhang, Kraska, Khattab, arXiv 2512.24601), in our own words, for
 * models that were trained on it: `repl` blocks, `llm_query`, `FINAL` and `FINAL_VAR`. Everything in it holds in Fathom too.
 */
export function referenceSections(facts: PromptFacts): string[][] {
  return [task(facts), environment(facts), strategy(facts), answer(facts)];
}

function task({ contextNames }: PromptFacts): string[] {
  const names = contextNames.map((name) => `\`${name}\``).join(', ');
  const where = contextNames.length > 0 ? `the variables ${names}, also in the mapping \`context\`` : '`context`';
  return [
    'You answer a query with an associated context. You can inspect, transform and analyse the context in a REPL environment, from which',
    `you can query other language models. You are asked turn by turn until you give a final answer. The context is in ${where}.`,
  ];
}

function environment(facts: PromptFacts): string[] {
  const { info, limits, depth, tools, values } = facts;
  const lines = [
    'The REPL environment has:',
    `1. A \`context\` variable with the data that your query is about, in Python ${info.pythonVersion}. Look at it before you answer.`,
  ];
  if (depth + 1 <= limits.maxDepth) {
    lines.push(
      '2. A function `llm_query(prompt)` that asks a language model once. It sees the prompt alone and returns text. Use it to read, summarise or classify pieces of the context.',
      `3. A function \`llm_query_batched(prompts)\` that asks many prompts at the same time, up to ${limits.maxConcurrentCalls}, and returns the replies in order. It is much faster than one call after the other.`,
    );
    if (depth + 1 < limits.maxDepth)
      lines.push(
        '4. Functions `rlm_query(query, context)` and `rlm_query_batched(pairs)` that start children with a REPL of their own, for parts that need several steps.',
      );
  } else lines.push('2. No sub-calls: work with code alone.');
  for (const { name, parameters, description } of tools)
    lines.push(`- A function \`${name}(${parameters.join(', ')})\`: ${description}`);
  if (values.length > 0) lines.push(`- The values ${values.map((name) => `\`${name}\``).join(', ')}.`);
  lines.push(
    '- `SHOW_VARS()`, which returns your variables, and `print()`, with which you view the output of your code and continue your reasoning.',
  );
  return lines;
}

function strategy({ limits, depth }: PromptFacts): string[] {
  const lines = [
    `You see at most ${limits.outputChars} characters of each output, so query a language model over variables you want to analyse rather than print them.`,
    'To run Python, write it in triple backticks with the language identifier `repl`. Variables persist between blocks:',
    '```repl',
    'print(type(context), len(context))',
    '```',
  ];
  if (depth + 1 <= limits.maxDepth)
    lines.push(
      'A usual strategy: look at the context, divide it into pieces, ask one question about each piece with `llm_query_batched`, keep the replies in a variable, and ask once more about all of them. A sub-model can read pieces of tens of thousands of characters.',
    );
  return lines;
}

function answer({ outputSchema, requireInspection }: PromptFacts): string[] {
  const lines = [
    'When you are done, give the answer in one of two ways, outside of code, at the start of a line:',
    '1. `FINAL(your final answer here)` to give the answer directly',
    '2. `FINAL_VAR(variable_name)` to give a variable of the REPL as the answer',
    'A variable has to exist: create it in a `repl` block first, and answer in a later reply.',
  ];
  if (requireInspection)
    lines.push(
      'An answer is refused before any code has looked at the context, or beside code whose output you have not seen.',
    );
  if (outputSchema !== undefined && outputSchema !== '')
    lines.push(`The answer has to be a value of this JSON Schema:\n${outputSchema}`);
  lines.push('Think step by step, and execute your plan in this reply: do not only say what you will do.');
  return lines;
}
