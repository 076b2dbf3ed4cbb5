import type { RlmOptions, Session, SessionOptions } from '../../src/index.ts';
import { type ScriptedReply, scriptedModel } from '../../src/test.ts';
import { rlmOf } from '../engine/harness.ts';

/** A session whose root model replies as given. */
export function opened(
  root: readonly ScriptedReply[] = [],
  options: SessionOptions = {},
  rlm: Partial<RlmOptions> = {},
): Promise<Session> {
  return rlmOf({
    model: scriptedModel(root, { modelId: 'root' }),
    subModel: scriptedModel(({ prompt }) => prompt.toUpperCase(), { modelId: 'sub' }),
    ...rlm,
  }).createSession(options);
}
