/**
 * The host's end of the channel: what a backend needs to run a guest.
 *
 * A backend starts a process with the guest package in it, makes a {@link createGuestLink | link} over its stream, and
 * hands a {@link ReplDriver | driver} to {@link createGuestRepl}, which does the rest of the REPL port.
 *
 * @module
 */

export { encodeExact } from './frame.ts';

export { type GuestEnd, guestEnded } from './guest-command.ts';
export { createGuestLink, type GuestLink } from './guest-link.ts';
export { createGuestRepl } from './guest-repl.ts';
export { captureOutput } from './output-capture.ts';
export { type MemoryText, memoryText } from './packed-documents.ts';
export { AS_BEFORE, type RecoveredGuest, type ReplDriver } from './repl-driver.ts';
