import { existsSync } from 'node:fs';
import type net from 'node:net';
import { RlmError } from '../../errors.ts';
import { DEFAULT_LIMITS, MAX_REPL_THREADS } from '../../limits.ts';
import {
  AS_BEFORE,
  createGuestLink,
  createGuestRepl,
  type GuestEnd,
  type GuestLink,
  guestEnded,
  type RecoveredGuest,
  type ReplDriver,
} from '../channel/index.ts';
import type { IsolationLevel, OpenReplOptions, Repl } from '../port.ts';
import { numberOf, textOf } from './lines.ts';
import type { Sources, SourceTarget } from './sources.ts';
import { createSupervisorConnection, type SupervisorConnection } from './supervisor-connection.ts';
import { asSources } from './text-sources.ts';
import type { ZygoteProcess } from './zygote-process.ts';

/** Milliseconds to wait for the supervisor to say how a process ended whose connection has closed. */
const LAST_WORDS_MS = 500;
/** Milliseconds a supervisor gets to end everything before its connection is cut, which has the same effect. */
const CLOSE_MS = 3_000;

/** Commands that run code, with a deadline of its own and a snapshot before it. */
const RUNNING: ReadonlySet<string> = new Set(['execute', 'bash']);
/** Other commands after which a snapshot is out of date. */
const CHANGING: ReadonlySet<string> = new Set(['bind', 'set', 'answer']);

const ALL_LOST = 'all variables, files and snapshots are lost; values the caller bound are bound again';

export interface PythonReplOptions {
  readonly zygote: ZygoteProcess;
  readonly sources: Sources;
  readonly isolation: IsolationLevel;
  readonly open: OpenReplOptions;
  readonly nextId: () => number;
}

/** Opens a REPL: a supervisor and a live process forked from the zygote. */
export async function openPythonRepl(options: PythonReplOptions): Promise<Repl> {
  const driver = createDriver(options);
  try {
    const repl = await createGuestRepl({ limits: options.open.limits, driver });
    return { ...repl, bind: (bindings) => repl.bind(asSources(bindings)) };
  } catch (error) {
    await driver.close();
    throw error;
  }
}

function createDriver(options: PythonReplOptions): ReplDriver {
  const { sources } = options;
  /** The commands that ran since the REPL was new, or new again. */
  const history: CommandHistory = { own: 0 };
  let target = createTarget(options.nextId());
  let supervisor = openSupervisor(options, target);
  let link = openChannel({ ...options, target, supervisor, history });

  /** A new connection for a process that is about to live. */
  function reconnect(): GuestLink {
    link.ended('it was replaced');
    link = openChannel({ ...options, target, supervisor, history });
    return link;
  }

  /** The supervisor has gone with everything it kept: a REPL from nothing, for the same caller. */
  function reopen(): RecoveredGuest {
    supervisor.destroy();
    sources.release(target);
    target = createTarget(options.nextId());
    supervisor = openSupervisor(options, target);
    history.own = 0;
    link = openChannel({ ...options, target, supervisor, history });
    return { link, fresh: true, current: false, lost: ALL_LOST };
  }

  return {
    backend: 'python',
    isolation: options.isolation,
    shell: findShellName(),
    link,
    describeFile: (value) => sources.bring(value, target),
    showFiles: (files) => sources.show(files, target),
    async recover(_reason, from) {
      if (supervisor.gone || from === 'scratch') return reopen();
      const fresh = reconnect();
      try {
        const reply = await supervisor.ask({ op: 'rollback' });
        const stale = textOf(reply, 'stale');
        if (reply.fresh === true) {
          // Before its first command a REPL holds what is bound, and that is bound again.
          const lost = history.own <= 1 && stale === '' ? AS_BEFORE : ALL_LOST;
          history.own = 0;
          return { link: fresh, fresh: true, current: false, lost };
        }
        const lost = stale === '' ? AS_BEFORE : `variables and files are as they were at an earlier moment (${stale})`;
        return { link: fresh, fresh: false, current: stale === '', lost };
      } catch {
        return reopen();
      }
    },
    async capture(id) {
      const reply = await supervisor.ask({ op: 'snapshot', name: id });
      return { bytes: numberOf(reply, 'bytes') };
    },
    async restore(id) {
      const fresh = reconnect();
      await supervisor.ask({ op: 'rollback', name: id });
      return fresh;
    },
    async discard(id) {
      await supervisor.ask({ op: 'delete', name: id });
    },
    async close() {
      const late = new Promise<void>((resolve) => setTimeout(resolve, CLOSE_MS).unref());
      await Promise.race([supervisor.ask({ op: 'close' }).catch(() => {}), late]);
      supervisor.destroy();
      sources.release(target);
    },
  };
}

/** The shell that runs bash commands in the box; the box shows the host's own programs. */
function findShellName(): string {
  return ['/bin/bash', '/usr/bin/bash', '/usr/local/bin/bash'].some((path) => existsSync(path)) ? 'bash' : 'sh';
}

interface Target extends SourceTarget {
  /** The supervisor reports an arrival. */
  arrived(source: number, error: string): void;
  /** Nothing will arrive any more. */
  lost(error: RlmError): void;
}

function createTarget(id: number): Target {
  const waiting = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  return {
    id,
    arrival: (source) => new Promise((resolve, reject) => waiting.set(source, { resolve, reject })),
    arrived(source, error) {
      const one = waiting.get(source);
      waiting.delete(source);
      if (error === '') one?.resolve();
      else one?.reject(new RlmError({ code: 'context-invalid', message: `The file could not be loaded: ${error}.` }));
    },
    lost(error) {
      for (const one of waiting.values()) one.reject(error);
      waiting.clear();
    },
  };
}

function openSupervisor(options: PythonReplOptions, target: Target): SupervisorConnection {
  const { limits, mayKeepSpare = true } = options.open;
  const { memoryBytes, diskBytes, maxProcesses, maxSnapshots } = limits;
  const { contextFileBytes = DEFAULT_LIMITS.contextFileBytes } = limits;
  const socket = options.zygote.connect({
    kind: 'repl',
    id: target.id,
    memory: memoryBytes,
    disk: diskBytes,
    contexts: contextFileBytes,
    processes: maxProcesses,
    threads: MAX_REPL_THREADS,
    snapshots: maxSnapshots,
    spare: mayKeepSpare,
  });
  return createSupervisorConnection(socket);
}

interface CommandHistory {
  /** Commands that may have made something, other than by binding: cells, bash, variables, answers. */
  own: number;
}

interface ChannelOptions extends PythonReplOptions {
  readonly target: Target;
  readonly supervisor: SupervisorConnection;
  readonly history: CommandHistory;
}

/** A channel to the process that lives next, and the two ways to stop that process. */
function openChannel({ target, supervisor, history, ...options }: ChannelOptions): GuestLink {
  const socket: net.Socket = options.zygote.connect({ kind: 'channel', id: target.id });
  let ended: GuestEnd | undefined;
  const link = createGuestLink({
    limits: options.open.limits,
    host: options.open.host,
    write: (bytes) => socket.write(bytes),
    unread: () => socket.writableLength,
    interrupt: () => supervisor.send({ op: 'interrupt' }),
    kill(reason) {
      supervisor.send({ op: 'kill' });
      link.ended(reason);
      socket.destroy();
    },
  });
  supervisor.onEvent = (event) => {
    if (event.event === 'ended') {
      ended = { reason: textOf(event, 'reason'), killed: event.killed === true };
      if (socket.destroyed) link.ended(guestEnded(ended));
    }
    if (event.event === 'has') target.arrived(numberOf(event, 'source'), textOf(event, 'error'));
    if (event.event === 'refused') link.ended(`it could not be started: ${textOf(event, 'reason')}`);
  };
  socket.on('data', (chunk: Buffer) => link.receive(chunk));
  let lost = 'it closed its connection';
  socket.on('error', (error) => {
    lost = `the connection to it failed: ${error.message}`;
  });
  socket.on('close', () => {
    const end = (): void => link.ended(guestEnded(ended ?? { reason: lost, killed: supervisor.gone }));
    if (ended !== undefined || supervisor.gone) end();
    else setTimeout(end, LAST_WORDS_MS).unref();
  });
  return announced(link, supervisor, history);
}

/**
 * A link whose commands pid 1 of the REPL knows of: nothing runs without a deadline, and a cell's time begins once the
 * snapshot before it has been made. Before the first one there is nothing to take a snapshot of: a REPL that is lost then
 * starts from nothing, and everything is bound again.
 */
function announced(link: GuestLink, supervisor: SupervisorConnection, history: CommandHistory): GuestLink {
  let changed = false;
  return {
    ...link,
    get failure() {
      return link.failure;
    },
    async command(command) {
      const runs = RUNNING.has(command.op);
      const begin = { op: 'begin', runs, changed, first: history.own === 0 };
      if (runs || (command.op !== 'bind' && CHANGING.has(command.op))) history.own += 1;
      if (runs) await supervisor.ask(begin).catch((error: RlmError) => link.ended(error));
      else supervisor.send(begin);
      changed = !runs && (changed || CHANGING.has(command.op));
      let answered = false;
      try {
        const result = await link.command(command);
        // As the process sees it, which then makes no snapshot before it is asked to.
        answered = result.fields.answer !== undefined;
        return result;
      } finally {
        supervisor.send({ op: 'rest', ran: runs, answered: runs && answered });
      }
    },
  };
}
