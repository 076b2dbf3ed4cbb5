import { stopOfResource } from '../completion/turn-limits.ts';
import type { Engine, RunIdentity } from '../engine/engine.ts';
import type { Workspace } from '../engine/workspace.ts';
import type { ReplHost } from '../repl/port.ts';
import { answerType } from '../schema/answer-type.ts';
import { jsonSchema } from '../schema/json-schema-answer.ts';
import { createHost } from '../subcall/host.ts';
import type { SubCallTally } from '../subcall/tally.ts';
import type { PreparedRun } from './open-run.ts';
import { runChild } from './run-child.ts';

/** What answers the cells of a completion, or of a session between completions. */
export interface HostParts {
  readonly engine: Engine;
  readonly identity: RunIdentity;
  readonly prepared: PreparedRun;
  readonly workspace: Workspace;
  readonly tally: SubCallTally;
}

/** The host of a run's cells. */
export function hostFor({ engine, identity, prepared, workspace, tally }: HostParts): ReplHost {
  const { run, asParent } = prepared;
  let calls = 0;
  return createHost({
    context: {
      runId: run.id,
      depth: run.depth,
      limits: run.limits,
      ledger: run.ledger,
      clock: run.clock,
      models: run.models,
      emit: run.emit,
      callModel: run.callModel,
      journal: run.journal,
      fail: (error) => run.stop.fail(error),
      tally,
      refused(resource, message) {
        tally.refuse(resource);
        run.limitReached({ stop: stopOfResource(resource), reason: message }, tally.turn);
      },
      nextCall: () => ++calls,
      answersOf: (schema) => answerType(jsonSchema(schema)).checkText,
      runChild: (child) => runChild(child, { engine, parent: asParent, identity }),
    },
    toolbox: run.toolbox,
    projections: workspace.projections,
    readHistory: (read) => workspace.history.read(read),
    checkAnswer: async (json, text) => {
      const checked = await run.answerType?.check({ via: 'final', json, text });
      return checked === undefined || checked.ok ? [] : checked.errors;
    },
  });
}
