/**
 * The command-line mode of the MCP inspector against `fathom mcp`, over pipes and HTTP. The inspector brings 160 packages with
 * native code and 110 MB, so this repository does not depend on it: npm installs it here from its cache, and with `FATHOM_SOAK=1`
 * from the registry.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, type TestContext } from 'vitest';
import { FATHOM_ARGV } from '../cli/run-fathom.ts';
import { type MockProvider, startMockProvider } from '../mock-provider/index.ts';

const run = promisify(execFile);
const PACKAGE = '@modelcontextprotocol/inspector@2.12.0';
const CLI = 'node_modules/@modelcontextprotocol/inspector/clients/cli/build/index.js';

let folder: string;
let provider: MockProvider;
/** Why the inspector is not here. */
let missing: string | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'fathom-inspector-'));
  writeFileSync(join(folder, 'package.json'), '{"name":"inspecting","private":true}');
  writeFileSync(join(folder, 'data.txt'), 'eleven eggs');
  provider = await startMockProvider({ respond: () => '```repl\nFINAL(str(len(context)))\n```' });
  const source = process.env.FATHOM_SOAK === '1' ? '--prefer-offline' : '--offline';
  const args = ['install', PACKAGE, source, '--ignore-scripts', '--no-audit', '--no-fund', '--fetch-retries=0'];
  await run('npm', args, { cwd: folder, timeout: 150_000 }).catch((error: Error) => {
    missing = `npm has not all of ${PACKAGE} in its cache; FATHOM_SOAK=1 takes it from the registry (${error.message.slice(0, 200)})`;
  });
}, 180_000);
afterAll(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
});

const command = (...args: readonly string[]): readonly string[] => [
  ...[...FATHOM_ARGV, 'mcp', '-m', `${provider.url}/v1#root`, ...args],
];

/** The result of one request of the inspector. */
async function inspect(context: TestContext, target: readonly string[], ...args: readonly string[]): Promise<unknown> {
  if (missing !== undefined) context.skip(missing);
  const { PATH = '' } = process.env;
  const { stdout } = await run(process.execPath, [join(folder, CLI), ...target, ...args], {
    cwd: folder,
    env: { PATH, HOME: folder },
  });
  return JSON.parse(stdout);
}

describe('the MCP inspector', { timeout: 120_000 }, () => {
  it('lists the tools over pipes, and asks about a file', async (context) => {
    const listed = await inspect(context, command(), '--method', 'tools/list');
    expect((listed as { tools: unknown[] }).tools).toHaveLength(10);
    const asked = ['--method', 'tools/call', '--tool-name', 'ask', '--tool-arg', 'question=How long?'];
    const answered = await inspect(context, command(), ...asked, '--tool-arg', 'paths=["data.txt"]');
    expect(answered).toMatchObject({ structuredContent: { answer: '11', status: 'completed' } });
  });

  it('asks over HTTP, and is shown why a call fails', async (context) => {
    if (missing !== undefined) context.skip(missing);
    const [program = '', ...args] = command('--http', '--port', '0', '--store', join(folder, 'http'));
    const { PATH = '' } = process.env;
    const child = spawn(program, args, {
      cwd: folder,
      env: { PATH, HOME: folder },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    onTestFinished(() => void child.kill());
    const [line] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
    const url = /http:\S+\/mcp/.exec(line)?.[0] ?? '';
    const asked = [
      '--transport',
      'http',
      '--method',
      'tools/call',
      '--tool-name',
      'ask',
      '--tool-arg',
      'question=How long?',
    ];
    const answered = await inspect(context, [url], ...asked, '--tool-arg', 'text=four');
    expect(answered).toMatchObject({ structuredContent: { answer: '4' } });
    // The inspector ends with an error where the tool failed, and prints its result all the same.
    await expect(inspect(context, [url], ...asked, '--tool-arg', 'paths=["data.txt"]')).rejects.toMatchObject({
      stdout: expect.stringContaining('"code": "context-invalid"'),
      stderr: expect.stringContaining('tool_is_error'),
    });
  });
});
