import { DEFAULT_LIMITS } from '../../limits.ts';

/** Options of the command line, by the library's names. */
const OPTIONS: Readonly<Record<string, string>> = {
  maxTurns: '--max-turns',
  maxDepth: '--max-depth',
  maxCostUsd: '--max-cost',
  maxTokens: '--max-tokens',
  maxSubCalls: '--max-sub-calls',
  maxConcurrentCalls: '--max-concurrent-calls',
  maxDurationMs: '--timeout',
  maxOutputTokens: '--max-output-tokens',
  callTimeoutMs: '--call-timeout',
};

const NAMES = Object.keys(DEFAULT_LIMITS).join('|');
/** A limit by the library's name, unless it is already the value of `--limit`, or a name in quotes. */
const FIELD = new RegExp(`(?<!--limit |["'\`\\w])\\b(${NAMES})\\b(?!["'\`\\w])`, 'g');

/** A message of the engine in the words of the command line: options in place of the library's fields. */
export function inOptionWords(message: string): string {
  return message
    .replace(FIELD, (name) => OPTIONS[name] ?? `--limit ${name}`)
    .replace(/\bThe limit (--\w)/g, 'The option $1')
    .replace(/\bisolation: '(\w+)'/g, '--isolation $1')
    .replace(/\brepl: '(\w+)'/g, '--repl $1')
    .replace(/\bin prices: \{ '([^']*)': \{ input, output \} \}/g, "with --price '$1=IN,OUT'")
    .replace(/\bthe option modelSettings\b/gi, 'the option --temperature or --reasoning-effort')
    .replace(/\bthe option headers\b/gi, 'the option --header');
}
