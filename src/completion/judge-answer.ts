import { isEmptyContext } from '../context/index.ts';
import type { PolicyRefusal } from '../engine/command-policy.ts';
import type { Run } from '../engine/run.ts';
import { RlmError } from '../errors.ts';
import type { Evidence } from '../event/event.ts';
import { type Note, notes } from '../prompt/index.ts';
import { type Command, isPlaceholder } from '../protocol/index.ts';
import type { Answer, AnswerFound, AnswerLookup, Repl } from '../repl/port.ts';

/** An answer that ends the completion. */
export interface Accepted {
  /** Once it is settled. */
  readonly evidence?: Evidence;
  readonly stop: 'final' | 'final-var';
  readonly value: unknown;
  readonly text: string;
}

/** Whether a final answer is accepted. `errors`: it did not fit the schema. */
export type Verdict =
  | { readonly accepted: Accepted }
  | { readonly refused: string | Note; readonly code: 'refused'; readonly errors?: readonly string[] };

/** The facts that the rules about answers keep from turn to turn. */
export interface AnswerMemory {
  /** A cell or bash command was executed, also one that failed. */
  inspected: boolean;
  /** Unbound names that were refused: `FINAL(name)` is taken as text the second time. */
  readonly refusedNames: Set<string>;
  /** An answer was refused for its citations: the next one is taken. */
  citationsRefused?: boolean;
  /** Commands that the policy refused since it last allowed one. */
  refusedCommands?: readonly PolicyRefusal[];
}

/** The circumstances of an answer. */
export interface Situation {
  readonly run: Run;
  readonly repl: Repl;
  readonly answers: AnswerMemory;
  /** A command before it in the same reply failed. */
  readonly afterFailure: boolean;
  /** A cell or bash command comes before it in the same reply. */
  readonly afterCode: boolean;
  /** The one last call at a limit: an answer is accepted although its grounds were not looked at. */
  readonly lastCall: boolean;
}

type FinalCommand = Extract<Command, { type: 'final' | 'final-var' }>;

/** Judges a final answer in the text of a reply. */
export async function judgeCommand(command: FinalCommand, situation: Situation): Promise<Verdict> {
  if (situation.afterFailure && !situation.lastCall) return refuse(notes.REFUSED_AFTER_FAILURE);
  return await reviewed(await judgeForm(command, situation), situation);
}

async function judgeForm(command: FinalCommand, situation: Situation): Promise<Verdict> {
  if (command.type === 'final-var') return await judgeVariable(command.name, situation);
  switch (command.form) {
    case 'literal':
    case 'text':
      return await judgeWritten(command.value, situation);
    case 'identifier':
      return await judgeIdentifier(command.value, situation);
    case 'f-string':
      return await judgeFString(command.value, situation);
  }
}

/** Judges an answer given by code. The guest has had a typed one checked before it ended the cell. */
export async function judgeAnswer(answer: Answer, situation: Situation): Promise<Verdict> {
  if (situation.afterFailure && !situation.lastCall) return refuse(notes.REFUSED_AFTER_FAILURE);
  return await reviewed(await judgeValue(answer, situation), situation);
}

/** Refuses an answer once whose citations are not in the context. */
async function reviewed(verdict: Verdict, { run, answers, lastCall }: Situation): Promise<Verdict> {
  if (run.review === undefined || lastCall || answers.citationsRefused === true || !('accepted' in verdict))
    return verdict;
  const repair = await run.review.repair(verdict.accepted.value);
  if (repair === undefined) return verdict;
  answers.citationsRefused = true;
  return refuse(repair);
}

async function judgeVariable(name: string, situation: Situation): Promise<Verdict> {
  const found = await lookUp({ kind: 'identifier', name }, situation);
  switch (found.kind) {
    case 'answer':
      return await judgeValue({ ...found.answer, via: 'final-var' }, situation);
    case 'not-data':
      return refuse(`FINAL_VAR(${name}): ${name} is a ${found.type}, not data. Put the answer into a variable first.`);
    case 'unbound':
      return refuse(notes.unknownVariable(name, found.names));
    case 'error':
      return refuse(`FINAL_VAR(${name}) failed: ${found.error.type}: ${found.error.message}`);
  }
}

async function judgeIdentifier(name: string, situation: Situation): Promise<Verdict> {
  const found = await lookUp({ kind: 'identifier', name }, situation);
  if (found.kind === 'answer') return await judgeValue({ ...found.answer, via: 'final' }, situation);
  if (found.kind === 'error') return refuse(`FINAL(${name}) failed: ${found.error.type}: ${found.error.message}`);
  const looksLikeVariable = /[_\d]/.test(name) && !situation.lastCall;
  const { refusedNames } = situation.answers;
  if (found.kind === 'unbound' && looksLikeVariable && !refusedNames.has(name)) {
    refusedNames.add(name);
    return refuse(notes.refusedUnbound(name, found.names));
  }
  return await judgeWritten(name, situation);
}

async function judgeFString(source: string, situation: Situation): Promise<Verdict> {
  const { policy } = situation.run.engine.defaults;
  if (policy !== undefined) {
    const { refusedExpression } = await import('./policy-decision.ts');
    const refused = await refusedExpression(policy, source);
    if (refused !== undefined) return refuse(`FINAL(${source}) was not evaluated: ${refused}`);
  }
  const found = await lookUp({ kind: 'f-string', source }, situation);
  if (found.kind === 'answer') return await judgeValue({ ...found.answer, via: 'final' }, situation);
  const why = found.kind === 'error' ? `${found.error.type}: ${found.error.message}` : 'it has no value';
  return refuse(`FINAL(${source}) failed: ${why}`);
}

/** Looks an answer up in the REPL. One that is too large to cross is the model's to shorten, like every other error. */
async function lookUp(lookup: AnswerLookup, { repl, run }: Situation): Promise<AnswerFound> {
  try {
    return await repl.answer(lookup, run.stop.hardSignal);
  } catch (error) {
    if (!RlmError.isInstance(error) || error.code !== 'answer-too-large') throw error;
    return { kind: 'error', error: { type: 'AnswerTooLarge', message: error.message, traceback: '' } };
  }
}

/** An answer the model wrote: it has to have looked at the context first. */
async function judgeWritten(written: string, situation: Situation): Promise<Verdict> {
  const { run, answers } = situation;
  // An escape can make half a character, as it can in code.
  const text = written.toWellFormed();
  if (run.requireInspection && !situation.lastCall && !isEmptyContext(run.contexts)) {
    if (situation.afterCode) return refuse(notes.refusedUnseenOutput(text));
    if (!answers.inspected) return refuse(notes.REFUSED_UNSEEN_CONTEXT);
  }
  const problem = textProblem(text, run);
  if (problem !== undefined) return refuse(problem);
  if (run.answerType === undefined) {
    return text.trim() === '' ? refuse(notes.REFUSED_EMPTY) : { accepted: { stop: 'final', value: text, text } };
  }
  const checked = await run.answerType.checkText(text);
  if (!checked.ok) return refuse(notes.refusedType(checked.errors), checked.errors);
  return { accepted: { stop: 'final', value: checked.value, text } };
}

/** An answer that was computed: taken at once. */
async function judgeValue(answer: Answer, { run }: Situation): Promise<Verdict> {
  const stop = answer.via === 'final-var' ? 'final-var' : 'final';
  const problem = textProblem(answer.text, run);
  if (problem !== undefined) return refuse(problem);
  if (run.answerType !== undefined) {
    const checked = await run.answerType.check(answer);
    if (!checked.ok) return refuse(notes.refusedType(checked.errors), checked.errors);
    return { accepted: { stop, value: checked.value, text: answer.text } };
  }
  if (answer.json === 'null' || answer.text.trim() === '') return refuse(notes.REFUSED_EMPTY);
  return { accepted: { stop, value: answer.text, text: answer.text } };
}

function textProblem(text: string, run: Run): string | undefined {
  if (isPlaceholder(text)) return notes.refusedPlaceholder(text);
  const bytes = Buffer.byteLength(text);
  return bytes > run.limits.answerBytes ? notes.refusedSize(bytes, run.limits.answerBytes) : undefined;
}

function refuse(note: string | Note, errors?: readonly string[]): Verdict {
  return { refused: note, code: 'refused', ...(errors !== undefined && { errors }) };
}
