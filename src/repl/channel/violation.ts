import { RlmError } from '../../errors.ts';

/** A guest has broken the rules of the channel. Its REPL is ended; nothing it said in that frame is believed. */
export class ChannelViolation extends RlmError {
  /** What rule was broken, for people. */
  readonly reason: string;

  constructor(reason: string) {
    super({
      code: 'channel-violation',
      message: `The REPL broke the rules of its channel and was ended: ${reason}.`,
      data: { reason },
    });
    this.reason = reason;
  }
}
