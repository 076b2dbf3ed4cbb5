/** Phrases that plain English has a better word for, and nouns this project once coined. */

/** A phrase that no comment, message, prompt or document uses. */
export interface Phrase {
  readonly pattern: RegExp;
  /** The words to use. */
  readonly instead: string;
}

export const PHRASES: readonly Phrase[] = [
  {
    // "There is no …" and comparisons are plain English.
    pattern: /(?<![Tt]here )\b(?:is|are|was|were) (?:no|none)\b(?! longer\b| more than\b| less than\b| larger than\b)/,
    instead: '"is not a …", or the subject: "the run has no limit"',
  },
  {
    // A question may begin with "What", and so may the first piece of a template that asks one.
    pattern: /(?:^|[.:;!)] )["'“]?What (?:[^?]*?[.:;!]|[^?]{12,}$)/,
    instead: 'the subject: "the files a cell leaves", "variables that cannot be stored"',
  },
  {
    // After these a clause begins, so "what" is its subject or an object before it.
    pattern: /(?:;|\b(?:because|so that)) what\b/,
    instead: 'the subject: "files that do not fit are named", "its output is sent after the frame"',
  },
  { pattern: /\b(?:[Tt]ells?|[Tt]old|[Tt]elling)\b/, instead: 'emit, report, log, show, say, distinguish' },
  { pattern: /\b[Ss]tands\b/, instead: 'is, contains, says, waits, means' },
  {
    pattern: /\b(?:came|comes?|coming) of\b|\b(?:comes?|came) to (?!an end\b)/i,
    instead: 'result, outcome, amount to, reach',
  },
  { pattern: /\b(?:whoever|nobody|somebody)\b/i, instead: 'the role: the caller, the host, the model, no reader' },
  { pattern: /\b(?:afresh|anew)\b/i, instead: 'again' },
  { pattern: /\b(?:go|goes|going|gone|went) on\b/i, instead: 'continue' },
  { pattern: /\bhand(?:s|ed|ing)? over\b/i, instead: 'give, pass' },
  {
    pattern: /(?:^|[\s(])(?:[DFW]\d{1,3}(?=[\s).,:;]|$)|[AB]\d{1,2}(?=: |, [AB]\d{1,2}: ))/,
    instead: 'the reason: the numbered papers are not in this repository',
  },
];

/** Nouns with a standard term, in names of code (`bornAgain`, `RunKeeper`) and of files (`run-standing`). */
export const COINED: readonly Phrase[] = [
  { pattern: /healing/i, instead: 'RestartPolicy' },
  { pattern: /begin[-_]?again|born[-_]?again/i, instead: 'RestartTree, replay, restarted' },
  { pattern: /(?<!out)(?<!under)standing/i, instead: 'RunOutcome, progress' },
  { pattern: /keeper/i, instead: 'RunStore; supervisor for the first process of a REPL' },
  { pattern: /wakefulness/i, instead: 'busy polling' },
  { pattern: /shel(?:f|ves)/i, instead: 'snapshot index' },
  { pattern: /takeover/i, instead: 'restore' },
  { pattern: /(?:^|[-_])twins?(?:[-_]|$)|Twin/, instead: 'snapshot process' },
  { pattern: /^Operator$/, instead: 'SessionCommands' },
  {
    pattern: /^(?:Kept|Keeping|\w*Terms|Place)$|-terms$/,
    instead: 'StoredSession, StoreHandle, SessionConfig, SubCallSlot',
  },
  { pattern: /^[#_]*(?:told|tell)(?![a-z])/, instead: 'emit, report, send, notify' },
];

/** Passages in which a phrase is right: each a part of the text, with the reason. */
export const ALLOWED: readonly { readonly text: string; readonly reason: string }[] = [
  { text: 'F401', reason: "ruff's own code for an unused import" },
];
