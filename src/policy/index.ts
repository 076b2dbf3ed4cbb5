/**
 * `fathom-rlm/policy`: rules about the commands that a model may run. A guard rail, and no sandbox.
 *
 * @example
 * ```ts
 * import { createRlm, fromFiles } from 'fathom-rlm';
 * import { policy } from 'fathom-rlm/policy';
 *
 * const rules = policy({
 *   python: { calls: { deny: ['os.system', 'subprocess.*'] } },
 *   bash: { commands: { deny: ['rm'] } },
 * });
 * const rlm = createRlm({ model: 'openai/gpt-5', policy: rules });
 * const { text } = await rlm.completion({ query: 'Which file is the largest?', context: fromFiles('logs') });
 * ```
 *
 * @module
 */
export type { CheckedCommand, CommandPolicy, PolicyDecision, PolicyRefusal } from '../engine/command-policy.ts';
export { askOnTerminal } from './ask-on-terminal.ts';
export { type BashRules, type DynamicRule, type PolicyOptions, type PythonRules, policy } from './policy.ts';
export type { RuleLists } from './rule-lists.ts';
export type { Strictness, Vocabulary, VocabularyTerm } from './vocabulary.ts';
