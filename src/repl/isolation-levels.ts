import type { IsolationLevel } from './port.ts';

/** Every level of isolation, weakest first. */
export const ISOLATION_LEVELS: readonly IsolationLevel[] = ['none', 'process', 'namespace', 'vm'];
