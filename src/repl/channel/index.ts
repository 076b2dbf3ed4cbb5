/**
 * The host's end of the channel: what a backend needs to run a guest.
 *
 * A backend starts a process with the guest package in it, makes a {@link createGuestLink | link} over its stream, and
 * hands a {@link ReplDriver | driver} to {@link createGuestRepl}, which does the rest of the REPL port.
 *
 * @module
 */
export type { BindCommand, DescribeFile } from './bind-command.ts';
export type { Frame } from './frame.ts';
export { encodeExact } from './frame.ts';
export type { CommandRecord, GuestCommand, GuestResult } from './guest-command.ts';
export { type GuestEnd, guestEnded, wasKilled } from './guest-command.ts';
export { createGuestLink, type GuestLink, type GuestLinkOptions } from './guest-link.ts';
export { createGuestRepl, type GuestReplOptions } from './guest-repl.ts';
export { captureOutput, type OutputCapture } from './output-capture.ts';
export { type MemoryText, memoryText } from './packed-documents.ts';
export { AS_BEFORE, type RecoveredGuest, type ReplDriver } from './repl-driver.ts';
