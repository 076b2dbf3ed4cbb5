/**
 * `fathom-rlm/test`: doubles for tests of code that uses Fathom.
 *
 * @example
 * ```ts
 * import { createRlm } from 'fathom-rlm';
 * import { scriptedModel } from 'fathom-rlm/test';
 *
 * const rlm = createRlm({ model: scriptedModel(['FINAL(42)']) });
 * ```
 *
 * @module
 */

export type { RecordedAnswer, RecordedCall } from './model/recording/recording.ts';
export {
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedReply,
  type ScriptedRequest,
  type ScriptedResponder,
  type ScriptedUsage,
  scriptedModel,
} from './model/scripted/scripted-model.ts';
export { type FakeClock, fakeClock } from './test-doubles/fake-clock.ts';
export { recordedModel } from './test-doubles/recorded-model.ts';
