import type { Clock } from '../clock.ts';
import type { Engine } from '../engine/run.ts';
import type { Workspace } from '../engine/workspace.ts';
import type { EventBus } from '../event/bus.ts';
import type { RecordedModels } from '../resume/recorded-models.ts';
import type { SessionStatus } from './session.ts';
import type { SessionCommands } from './session-commands.ts';
import type { SessionConfig } from './session-config.ts';
import type { SessionLog } from './session-log.ts';

/** The parts of a live session. */
export interface SessionParts {
  readonly id: string;
  readonly engine: Engine;
  readonly clock: Clock;
  readonly events: EventBus;
  readonly log: SessionLog;
  readonly workspace: Workspace;
  /** Runs cells and bash between completions. */
  readonly commands: SessionCommands;
  /** The models its own cells ask, for the log. */
  readonly models: RecordedModels;
  readonly config: SessionConfig;
  /** Keeps the session's record; `operations` of its log were done when the status was as it says. */
  readonly save: (status: SessionStatus, operations: number) => Promise<void>;
  /** Lets go of what the session held besides its REPL. */
  readonly onEnd: () => void;
}
