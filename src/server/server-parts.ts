import type { ReadableFolders } from '../door/paths.ts';
import type { BodyReader } from './body.ts';
import type { ServerMetrics } from './metrics.ts';
import type { RunDesk } from './run-desk.ts';
import type { ServerConfig } from './server-options.ts';

/** The parts that all handlers share. */
export interface ServerParts {
  readonly config: ServerConfig;
  readonly runs: RunDesk;
  readonly bodies: BodyReader;
  readonly metrics: ServerMetrics;
  /** Folders that paths of clients may name; undefined where they may name none. */
  readonly folders: ReadableFolders | undefined;
}
