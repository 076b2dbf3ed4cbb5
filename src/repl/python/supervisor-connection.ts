import type net from 'node:net';
import { RlmError, type RlmErrorCode } from '../../errors.ts';
import { type Message, readLines, textOf } from './lines.ts';

/**
 * Milliseconds for anything a supervisor does. Copies of a gigabyte of files take less than a second, those of 200 000 small
 * files, which is all a REPL may have, half a minute on a busy machine.
 */
const PATIENCE_MS = 300_000;

/** The host's line to one REPL's supervisor. */
export interface SupervisorConnection {
  /**
   * Asks for something and waits for it.
   *
   * @throws RlmError of the code the supervisor gives; `repl-failure` when it has gone
   */
  ask(request: Readonly<Record<string, unknown>>): Promise<Message>;
  /** Asks for something that is not answered. */
  send(request: Readonly<Record<string, unknown>>): void;
  /** Called for each event: a source has arrived, the live process has ended. */
  onEvent: (event: Message) => void;
  /** The supervisor has gone. */
  readonly gone: boolean;
  destroy(): void;
}

interface Waiting {
  readonly resolve: (reply: Message) => void;
  readonly reject: (error: RlmError) => void;
  readonly timer: NodeJS.Timeout;
}

/** Speaks to a supervisor over `socket`. */
export function createSupervisorConnection(socket: net.Socket): SupervisorConnection {
  const waiting = new Map<number, Waiting>();
  let last = 0;
  let gone = false;
  let reason = 'its supervisor has gone';
  let onEvent: (event: Message) => void = () => {};

  function end(): void {
    if (gone) return;
    gone = true;
    for (const { reject, timer } of waiting.values()) {
      clearTimeout(timer);
      reject(lost(reason));
    }
    waiting.clear();
  }
  socket.on('error', (error) => {
    reason = error.message;
  });
  socket.on('close', end);
  socket.on(
    'data',
    readLines((message) => {
      if (message.event === 'refused') reason = textOf(message, 'reason');
      if (typeof message.event === 'string') return onEvent(message);
      const one = typeof message.id === 'number' ? waiting.get(message.id) : undefined;
      if (one === undefined || typeof message.id !== 'number') return;
      waiting.delete(message.id);
      clearTimeout(one.timer);
      const error = message.error as Message | undefined;
      if (error === undefined) one.resolve(message);
      else one.reject(new RlmError({ code: textOf(error, 'code') as RlmErrorCode, message: textOf(error, 'message') }));
    }),
  );

  function ask(request: Readonly<Record<string, unknown>>): Promise<Message> {
    return new Promise((resolve, reject) => {
      if (gone) return reject(lost(reason));
      last += 1;
      const id = last;
      const timer = setTimeout(() => {
        waiting.delete(id);
        reject(lost('its supervisor does not answer'));
        socket.destroy();
      }, PATIENCE_MS);
      timer.unref();
      waiting.set(id, { resolve, reject, timer });
      socket.write(`${JSON.stringify({ ...request, id })}\n`);
    });
  }

  return {
    ask,
    send(request) {
      if (!gone) socket.write(`${JSON.stringify(request)}\n`);
    },
    get onEvent() {
      return onEvent;
    },
    set onEvent(listener) {
      onEvent = listener;
    },
    get gone() {
      return gone;
    },
    destroy() {
      socket.destroy();
      end();
    },
  };
}

function lost(reason: string): RlmError {
  return new RlmError({ code: 'repl-failure', message: `The REPL is lost: ${reason}.` });
}
