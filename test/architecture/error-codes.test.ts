/** docs/errors.md is made from the lines of `RlmErrorCode` and from the error table. */
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { type Door, ERROR_TABLE, type ErrorRow, errorRow } from '../../src/error-table.ts';
import type { RlmErrorCode } from '../../src/errors.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const ROWS = Object.entries(ERROR_TABLE);

/** The line of each code in the source. */
function meanings(): ReadonlyMap<string, string> {
  const source = readFileSync(path('src/errors.ts'), 'utf8');
  const union = source.slice(source.indexOf('export type RlmErrorCode'), source.indexOf('/** The parts of an'));
  return new Map(
    [...union.matchAll(/\/\*\* (.+) \*\/\n\s+\| '([a-z-]+)'/g)].map(([, meaning = '', code = '']) => [code, meaning]),
  );
}
const DOORS: Readonly<Record<Door, string>> = { 'ai-sdk': 'AI SDK', server: 'server', mcp: 'MCP' };

const HEAD = `# Error codes

Every error of Fathom is an \`RlmError\` with a stable \`code\`. This table says how the command and the doors report each code.
The doors are [the AI SDK model](ai-sdk.md), [\`fathom serve\`](server.md) and \`fathom mcp\`.

- **Exit code** of the command. \`userAction\` and \`budget\` belong to the single error: where the table has 1, the command ends with 5 if
  \`userAction\` is true and with 4 if \`budget\` is.
- **HTTP** status of \`fathom serve\`, with \`type\`, \`code\` and \`param\` of the error envelope of OpenAI. An error that names a parameter
  has that one as \`param\`. The AI SDK model throws an \`APICallError\` with the same status and envelope.
- **JSON-RPC** code, for requests that are invalid; the error's \`data.code\` has the code of the first column. An MCP tool that fails
  has a result with \`isError\` and the same data.
- **Retry**: whether the same request may succeed unchanged. A door asks its client to try again only while nothing has been spent. It
  says when in \`retry-after\`, \`retry-after-ms\` (HTTP, AI SDK) and \`data.retryAfterMs\` (JSON-RPC).

This page is generated from \`src/errors.ts\` and \`src/error-table.ts\`: \`npm exec -c 'vitest run test/architecture/error-codes.test.ts -u'\`.

| code | meaning | exit code | HTTP | \`type\`, \`code\`, \`param\` | JSON-RPC | retry |
|---|---|---|---|---|---|---|
`;

const NEVER_HEAD = `
## Codes that a door cannot raise

| code | door | because |
|---|---|---|
`;

function line(code: string, meaning: string, row: ErrorRow): string {
  const envelope = [row.type, row.envelopeCode ?? code, ...(row.param === undefined ? [] : [row.param])];
  const words = envelope.map((word) => `\`${word}\``).join(', ');
  return `| \`${code}\` | ${meaning} | ${row.exit} | ${row.status} | ${words} | ${row.rpc} | ${row.retryable} |\n`;
}

function neverLines(code: string, { never = {} }: ErrorRow): readonly string[] {
  const reasons = Object.entries(never) as [Door, string][];
  return [...Map.groupBy(reasons, ([, why]) => why)].map(
    ([why, doors]) => `| \`${code}\` | ${doors.map(([door]) => DOORS[door]).join(', ')} | ${why} |\n`,
  );
}

test('docs/errors.md is the table', async () => {
  const known = meanings();
  expect([...known.keys()].sort()).toEqual(ROWS.map(([code]) => code).sort());
  const page = [
    HEAD,
    ...[...known].map(([code, meaning]) => line(code, meaning, errorRow(code as RlmErrorCode))),
    NEVER_HEAD,
    ...ROWS.flatMap(([code, row]) => neverLines(code, row)),
  ];
  await expect(page.join('')).toMatchFileSnapshot(path('docs/errors.md'));
});

test('every code is named by a test, unless it is reserved', () => {
  const tests = globSync(['test/**/*.ts', 'src/**/*.{test,testing}.ts'], { cwd: path('') })
    .filter((name) => !name.startsWith('test/architecture/'))
    .map((name) => readFileSync(path(name), 'utf8'));
  const unnamed = [...meanings()].filter(
    ([code, meaning]) => !meaning.startsWith('Reserved:') && !tests.some((text) => text.includes(`'${code}'`)),
  );
  expect(tests.length).toBeGreaterThan(200);
  expect(unnamed.map(([code]) => code)).toEqual([]);
});

test('every row can be reported by every door', () => {
  for (const [code, row] of ROWS) {
    expect(row.status, code).toBeGreaterThanOrEqual(400);
    expect(row.status, code).toBeLessThan(600);
    // Its own codes, or those that JSON-RPC leaves to implementations and MCP does not use itself.
    expect(row.rpc === -32_602 || row.rpc === -32_603 || (row.rpc <= -32_010 && row.rpc >= -32_019), code).toBe(true);
    // A client may wait only where the status says so.
    if (row.retryable === 'yes') expect(row.status, code).toBe(429);
    // A wrong request is never the server's fault, and the other way round.
    expect(row.type === 'server_error', code).toBe(row.status >= 500);
  }
});

test('a code of another version is reported as a failure', () => {
  expect(errorRow('of-another-version' as RlmErrorCode)).toMatchObject({ exit: 1, status: 500, rpc: -32_603 });
});
