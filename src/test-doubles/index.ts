/**
 * Test doubles: scripted and recorded models, a clock that tests own.
 *
 * @module
 */
export { type FakeClock, fakeClock } from './fake-clock.ts';
export {
  type ScriptedModel,
  type ScriptedModelOptions,
  type ScriptedReply,
  type ScriptedRequest,
  type ScriptedResponder,
  type ScriptedUsage,
  scriptedModel,
} from './scripted-model.ts';
