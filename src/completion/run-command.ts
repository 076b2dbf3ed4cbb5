import { RlmError } from '../errors.ts';
import type { BatchItem } from '../protocol/index.ts';
import type { SubCallReply } from '../repl/port.ts';
import { renderShown } from '../repl/shown.ts';
import type { ActiveCommand, CommandResult } from './executed-command.ts';
import type { TurnContext } from './turn-context.ts';

/** `history` holds the whole output of a command. */
const EVERYTHING = { outputChars: Number.POSITIVE_INFINITY };

/** Executes one command. Rejects only when the REPL is lost for good. */
export async function runCommand(command: ActiveCommand, id: string, turn: TurnContext): Promise<CommandResult> {
  switch (command.type) {
    case 'cell':
      return await runCell(command.code, id, turn);
    case 'bash':
      return await runBash(command.command, id, turn);
    case 'snapshot':
      return await guarded(`snapshot ${command.name}`, async () => {
        const info = await turn.repl.snapshot(command.name);
        turn.run.emit({ type: 'snapshot.created', name: info.name, bytes: info.bytes });
        return `Snapshot ${info.name} made.`;
      });
    case 'rollback':
      return await guarded(`rollback ${command.name}`, async () => {
        await turn.repl.rollback(command.name);
        turn.run.emit({ type: 'snapshot.restored', name: command.name });
        return `Variables and files are as they were at snapshot ${command.name}.`;
      });
    case 'query-llm':
      return await query([command.prompt], id, turn);
    case 'query-llm-batched':
      return await query(command.items, id, turn);
  }
}

async function runCell(code: string, id: string, turn: TurnContext): Promise<CommandResult> {
  const { run, repl } = turn;
  run.emit({ type: 'cell.started', turn: turn.number, id });
  const outcome = await repl.execute({
    code,
    handle: id,
    signal: run.stop.workSignal,
    onOutput: (stream, text) => run.emit({ type: 'cell.output', id, stream, text }),
  });
  return {
    ok: outcome.ok,
    failed: !outcome.ok,
    label: 'cell',
    shown: renderShown(outcome, run.limits, id),
    output: renderShown(outcome, EVERYTHING, id),
    stdout: outcome.stdout.text,
    stderr: outcome.stderr.text,
    ...(outcome.error !== null && { error: outcome.error }),
    timedOut: outcome.timedOut,
    ...(outcome.restarted !== undefined && { restarted: outcome.restarted }),
    ...(outcome.rebound !== undefined && { rebound: outcome.rebound }),
    ...(outcome.variables !== undefined && { variables: outcome.variables }),
    ...(outcome.drafted !== undefined && { drafted: outcome.drafted }),
    ...(outcome.answer !== undefined && { answer: outcome.answer }),
    ...(outcome.continueWith !== undefined && { continueWith: outcome.continueWith }),
  };
}

async function runBash(command: string, id: string, turn: TurnContext): Promise<CommandResult> {
  const { run, repl } = turn;
  run.emit({ type: 'cell.started', turn: turn.number, id });
  const outcome = await repl.bash({ command, handle: id, signal: run.stop.workSignal });
  return {
    ok: outcome.ok,
    // A non-zero exit code is an answer of the command, not a failure to run it.
    failed: false,
    label: `bash (exit code ${outcome.exitCode})`,
    shown: renderShown(outcome, run.limits, id),
    output: renderShown(outcome, EVERYTHING, id),
    stdout: outcome.stdout.text,
    stderr: outcome.stderr.text,
    timedOut: outcome.timedOut,
    ...(outcome.restarted !== undefined && { restarted: outcome.restarted }),
  };
}

/** Runs what may fail with a typed error the model can act on. */
async function guarded(label: string, work: () => Promise<string>): Promise<CommandResult> {
  try {
    const said = await work();
    return { ok: true, failed: false, label, shown: said, output: said, timedOut: false };
  } catch (error) {
    if (!RlmError.isInstance(error) || !MODEL_CAN_ACT.has(error.code)) throw error;
    const said = `${error.code}: ${error.message}`;
    return {
      ok: false,
      failed: true,
      label,
      shown: said,
      output: said,
      timedOut: false,
      error: { type: error.code, message: error.message },
    };
  }
}

const MODEL_CAN_ACT: ReadonlySet<string> = new Set([
  'snapshot-exists',
  'snapshot-limit',
  'snapshot-not-found',
  'invalid-name',
]);

/** A QUERY_LLM or QUERY_LLM_BATCHED command: sub-calls made from the reply's text. */
async function query(items: readonly BatchItem[], id: string, turn: TurnContext): Promise<CommandResult> {
  const batchId = turn.number;
  const replies = await Promise.all(
    items.map((item, index) => {
      const { prompt, model, system, max_tokens } =
        typeof item === 'string' ? ({ prompt: item } as Exclude<BatchItem, string>) : item;
      return turn.host.subCall(
        {
          kind: 'llm',
          prompt,
          ...(model !== undefined && { model }),
          ...(system !== undefined && { system }),
          ...(max_tokens !== undefined && { maxTokens: max_tokens }),
          ...(items.length > 1 && { batch: { id: batchId, index, count: items.length } }),
        },
        turn.run.stop.workSignal,
      );
    }),
  );
  const output = replies.map((reply, index) => replyText(reply, items.length > 1 ? index : undefined)).join('\n\n');
  const ok = replies.every((reply) => reply.ok);
  const none = replies.every((reply) => !reply.ok);
  return {
    ok,
    failed: none,
    label: items.length > 1 ? `${items.length} queries` : 'query',
    shown: renderShown({ stdout: { text: output, dropped: 0 }, stderr: { text: '', dropped: 0 } }, turn.run.limits, id),
    output,
    timedOut: false,
    // Where maxDepth allows no sub-calls, the ledger was not asked: nothing is used up.
    queryRefused: none && turn.tally.refusals.size > 0 && replies.some((reply) => reply.error?.code === 'budget'),
  };
}

function replyText(reply: SubCallReply, index: number | undefined): string {
  const head = index === undefined ? '' : `[${index}] `;
  if (reply.ok) return `${head}${reply.text}`;
  return `${head}failed: ${reply.error?.code ?? 'unknown'}: ${reply.error?.message ?? 'no reason given'}`;
}
