/**
 * Test doubles: scripted and recorded models, a clock that tests own.
 *
 * @module
 */

export type { RecordedAnswer, RecordedCall } from '../model/recording/recording.ts';
export {
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedReply,
  type ScriptedRequest,
  type ScriptedResponder,
  type ScriptedUsage,
  scriptedModel,
} from '../model/scripted/scripted-model.ts';
export { type FakeClock, fakeClock } from './fake-clock.ts';
export { recordedModel } from './recorded-model.ts';
