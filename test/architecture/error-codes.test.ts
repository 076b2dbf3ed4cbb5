/** docs/errors.md is made of the lines of `RlmErrorCode` and of the exit codes of the command. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { exitCodeOfError } from '../../src/cli/exit-codes.ts';
import { RlmError, type RlmErrorCode } from '../../src/errors.ts';

const path = (name: string): string => fileURLToPath(new URL(`../../${name}`, import.meta.url));

const HEAD = `# Error codes

Every error of Fathom is an \`RlmError\` with a stable \`code\`. \`retryable\`, \`budget\` and \`userAction\` belong to the single error: the
command ends with 5 where \`userAction\` is true and with 4 where \`budget\` is, unless the table has another code than 1.

This page is generated from \`src/errors.ts\`: \`npm exec -c 'vitest run test/architecture/error-codes.test.ts -u'\`.

| code | meaning | exit code |
|---|---|---|
`;

test('docs/errors.md has one row for each code', async () => {
  const source = readFileSync(path('src/errors.ts'), 'utf8');
  const union = source.slice(source.indexOf('export type RlmErrorCode'), source.indexOf("| 'store-failure'") + 20);
  const documented = [...union.matchAll(/\/\*\* (.+) \*\/\n\s+\| '([a-z-]+)'/g)];
  expect(documented).toHaveLength([...union.matchAll(/\| '[a-z-]+'/g)].length);
  const rows = documented.map(([, meaning, code]) => {
    const error = new RlmError({ code: code as RlmErrorCode, message: 'x', budget: code === 'budget' });
    return `| \`${code}\` | ${meaning} | ${exitCodeOfError(error)} |\n`;
  });
  await expect(HEAD + rows.join('')).toMatchFileSnapshot(path('docs/errors.md'));
});
