import { RlmError } from '../../errors.ts';

/**
 * Bounds on everything a guest sends, each with its unit and its reason. A guest can write its frames itself, so the host
 * applies them once, where it reads a frame: nothing above them reaches a model, an event or a log.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Bytes of the longest frame a guest may send. Larger values come in pieces. */
export const MAX_GUEST_FRAME: number = 16 * MIB;
/**
 * Bytes of a guest frame's header. Parsed JSON takes up to fifty times its text; honest guests send more calls than fit
 * in further frames.
 */
export const MAX_GUEST_HEADER: number = 64 * KIB;
/** Bytes of the header of a backend's own process, which lists the places of all files in a snapshot. */
export const MAX_RUNTIME_HEADER: number = 4 * MIB;
/** Characters of the name of a variable, class or package. Python's own are shorter; longer ones are cut. */
export const MAX_NAME_CHARS = 200;
/** Characters of a variable's preview. The guest makes at most 121. */
export const MAX_PREVIEW_CHARS = 200;
/** Names in a list that is only shown: unknown variables, overwritten helpers. */
export const MAX_SHOWN_NAMES = 50;
/** Variables in one list. The guest sends at most 2 000. */
export const MAX_VARIABLES = 10_000;
/** Bytes of the JSON of a list of variables. The guest keeps to a quarter of it. */
export const MAX_VARIABLES_BYTES: number = MIB;
/** Characters of the message of a command that the guest could not do. */
export const MAX_FAILURE_CHARS = 2_000;
/** Bytes of a value's `repr`, an error's message or a traceback, before they are cut. */
export const MAX_TEXT_BYTES: number = 16 * MIB;
/** Characters of a value's `repr` that are kept, as in the guest. */
export const MAX_VALUE_CHARS: number = MIB;
/** Characters of names that a request looks up: models, tools, ids. No honest one comes near. */
export const MAX_LOOKUP_CHARS = 1_000;
/**
 * Large values of one REPL that are on disk at once, one descriptor each. The guest keeps three fewer under way, so that
 * the query and the schema of one more child have room.
 */
export const MAX_SPOOLS = 16;

/** Keys of a projected mapping whose values one request reads. The guest asks for 64. */
export const MAX_READ_KEYS = 1_000;
/** Images of one sub-call: what every provider takes in one request, and few enough that a model looks at each. */
export const MAX_CALL_IMAGES = 16;
/** Bytes of one image: the most that Anthropic takes. */
export const MAX_IMAGE_BYTES: number = 5 * MIB;

/** A guest has broken the rules of the channel. Its REPL is ended; nothing it said in that frame is believed. */
export class ChannelViolation extends RlmError {
  /** The rule that was broken, for people. */
  readonly reason: string;

  constructor(reason: string) {
    super({
      code: 'channel-violation',
      message: `The REPL broke the rules of its channel and was stopped: ${reason}.`,
      data: { reason },
    });
    this.reason = reason;
  }
}
