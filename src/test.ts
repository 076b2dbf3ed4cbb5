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
export * from './test-doubles/index.ts';
