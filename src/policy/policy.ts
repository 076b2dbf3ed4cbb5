import type { CheckedCommand, CommandPolicy, PolicyDecision } from '../engine/command-policy.ts';
import { RlmError } from '../errors.ts';
import { checkOptionNames } from '../option-names.ts';
import { askOnTerminal } from './ask-on-terminal.ts';
import { type BashFindings, findInBash } from './bash-findings.ts';
import { findInPython, type PythonFindings } from './python-findings.ts';
import { judgeName, type RuleHit, type RuleLists } from './rule-lists.ts';
import { outsideVocabulary, STRICTNESS, type Vocabulary } from './vocabulary.ts';

/** Code whose names its text does not say, such as `eval`: refused where there are rules, unless this says otherwise. */
export type DynamicRule = 'allow' | 'deny' | 'ask';

/** Rules over Python. */
export interface PythonRules {
  /** Modules, e.g. `socket`, `urllib.*`. */
  readonly imports?: RuleLists;
  /** Dotted names that are called or passed on, e.g. `os.system`, `open`. With `allow`: of the imported modules only these. */
  readonly calls?: RuleLists;
  /** Names of attributes, e.g. `__class__`. */
  readonly attributes?: Pick<RuleLists, 'deny' | 'ask'>;
  /** Default `deny`. */
  readonly dynamic?: DynamicRule;
}

/** Rules over shell scripts. */
export interface BashRules {
  /** Names of commands, e.g. `rm`. */
  readonly commands?: RuleLists;
  /** Default `deny`. */
  readonly dynamic?: DynamicRule;
}

/** Options of {@link policy}. At least one of the first three. */
export interface PolicyOptions extends Pick<CommandPolicy, 'ask' | 'maxRefusals' | 'onRefusals'> {
  readonly python?: PythonRules;
  readonly bash?: BashRules;
  readonly vocabulary?: Vocabulary | { readonly strictness: 'permissive' | 'normal' | 'strict' };
}

/**
 * A policy from rules, for the option `policy` of `createRlm`. It reads the text of a command before it runs, on the host: it is
 * a guard rail for models that mean well, and no sandbox. `ask` defaults to a question on the terminal; without one, the
 * command is refused.
 *
 * @throws RlmError `invalid-option`
 */
export function policy(options: PolicyOptions): CommandPolicy {
  const { python, bash, vocabulary, ask = askOnTerminal(), maxRefusals, onRefusals } = checked(options);
  return {
    check: (command) => decide(command, { python, bash, vocabulary }),
    ...(ask !== undefined && { ask }),
    ...(maxRefusals !== undefined && { maxRefusals }),
    ...(onRefusals !== undefined && { onRefusals }),
  };
}

interface Rules {
  readonly python: PythonRules | undefined;
  readonly bash: BashRules | undefined;
  readonly vocabulary: Vocabulary | undefined;
}

function decide(command: CheckedCommand, rules: Rules): PolicyDecision {
  const hits = command.kind === 'python' ? pythonHits(command.source, rules, 0) : bashHits(command.source, rules, 0);
  const hit = hits.find(({ effect }) => effect === 'deny') ?? hits[0];
  if (hit !== undefined)
    return { decision: hit.effect === 'deny' ? 'refuse' : 'ask', rule: hit.rule, message: hit.message };
  const { vocabulary } = rules;
  const outside = vocabulary === undefined ? undefined : outsideVocabulary(command.source, vocabulary);
  if (vocabulary === undefined || outside === undefined) return { decision: 'allow' };
  const rule = `vocabulary ${vocabulary.strictness ?? 'normal'}`;
  if (vocabulary.strictness === 'permissive') return { decision: 'allow', logged: { rule, message: outside } };
  return { decision: 'refuse', rule, message: outside };
}

/** Python in a shell script in Python is read so deep. */
const MOST_LEVELS = 4;

function pythonHits(source: string, rules: Rules, level: number): readonly RuleHit[] {
  const { python, bash } = rules;
  const found = findInPython(source);
  const own = python === undefined ? [] : nameHits(found, python, source);
  if (bash === undefined || level >= MOST_LEVELS) return own;
  const shell = found.shell.flatMap((text) =>
    text === undefined
      ? dynamicHits(['a computed shell command'], bash.dynamic, 'bash.dynamic')
      : bashHits(text, rules, level + 1),
  );
  return [...own, ...shell];
}

function nameHits(found: PythonFindings, rules: PythonRules, source: string): readonly RuleHit[] {
  const { imports = {}, calls = {}, attributes = {}, dynamic } = rules;
  const modules = [...found.imports];
  // A list of allowed calls is about modules: functions of the cell itself have no module.
  const ofModules = (name: string): boolean => modules.some((module) => name.startsWith(`${module}.`));
  const hits = [
    // `from os import path` imports a module or a name: either may be what a rule allows.
    ...modules
      .filter((name) => !isAllowedPart(name, imports, modules))
      .map((name) => judgeName(name, imports, { label: 'python.imports', noun: 'importing' })),
    ...[...found.references]
      .sort((a, b) => a.length - b.length)
      .map((name) =>
        judgeName(name, ofModules(name) && !modules.includes(name) ? calls : withoutAllow(calls), {
          label: 'python.calls',
          noun: 'using',
        }),
      ),
    ...[...found.attributes].map((name) =>
      judgeName(name, attributes, { label: 'python.attributes', noun: 'the attribute' }),
    ),
  ].filter((hit) => hit !== undefined);
  const broken = found.broken ? brokenHits(rules, source) : [];
  return [...hits, ...dynamicHits([...found.dynamic], dynamic, 'python.dynamic'), ...broken];
}

/** The part of an import that is a name of an allowed module. */
function isAllowedPart(name: string, { allow }: RuleLists, modules: readonly string[]): boolean {
  return (
    allow !== undefined &&
    modules.some((module) => name.startsWith(`${module}.`) && allow.some((one) => one === module))
  );
}

function withoutAllow({ deny, ask }: RuleLists): RuleLists {
  return { ...(deny !== undefined && { deny }), ...(ask !== undefined && { ask }) };
}

/** Text that could not be read as Python must not contain a name that a rule denies. */
function brokenHits({ imports = {}, calls = {}, attributes = {} }: PythonRules, source: string): readonly RuleHit[] {
  const names = [imports, calls, attributes]
    .flatMap(({ deny = [] }) => deny)
    .map((name) => name.replace(/\.\*$/, '').split('.').at(-1) ?? name);
  const name = names.find(
    (one) => one !== '*' && new RegExp(`(?<!\\w)${one.replaceAll(/\W/g, '\\$&')}(?!\\w)`).test(source),
  );
  if (name === undefined) return [];
  return [
    {
      effect: 'deny',
      rule: 'python.syntax',
      name,
      message: `the code cannot be read as Python and contains ${name}; send valid Python without it`,
    },
  ];
}

function bashHits(source: string, rules: Rules, level: number): readonly RuleHit[] {
  const { bash, python } = rules;
  const found: BashFindings = findInBash(source);
  const commands = bash?.commands ?? {};
  const hits = [...found.commands].map((name) =>
    judgeName(name, commands, { label: 'bash.commands', noun: 'the command' }),
  );
  const dynamic = bash === undefined ? [] : dynamicHits([...found.dynamic], bash.dynamic, 'bash.dynamic');
  const broken: RuleHit[] =
    bash !== undefined && found.broken
      ? [
          {
            effect: 'deny',
            rule: 'bash.syntax',
            name: '',
            message: 'the script cannot be read as a shell script; send a simpler one',
          },
        ]
      : [];
  const inner =
    python === undefined || level >= MOST_LEVELS
      ? []
      : found.python.flatMap((text) => pythonHits(text, rules, level + 1));
  return [...hits.filter((hit) => hit !== undefined), ...dynamic, ...broken, ...inner];
}

function dynamicHits(found: readonly string[], rule: DynamicRule = 'deny', label: string): readonly RuleHit[] {
  if (rule === 'allow') return [];
  return found.map((name) => ({
    effect: rule,
    rule: `${label} ${rule} ${name}`,
    name,
    message: `${name} hides what the code does${rule === 'deny' ? ' and is not allowed' : ', so the caller is asked'}; write the call with its plain name`,
  }));
}

const OPTION_NAMES = {
  python: true,
  bash: true,
  vocabulary: true,
  ask: true,
  maxRefusals: true,
  onRefusals: true,
} as const;

function checked(options: PolicyOptions): Omit<PolicyOptions, 'python' | 'bash' | 'vocabulary'> & Rules {
  checkOptionNames('policy', options, OPTION_NAMES);
  const { python, bash, vocabulary, maxRefusals } = options;
  if (python === undefined && bash === undefined && vocabulary === undefined)
    throw invalid('A policy needs python, bash or vocabulary');
  if (maxRefusals !== undefined && !(Number.isInteger(maxRefusals) && maxRefusals > 0))
    throw invalid('maxRefusals of a policy has to be a whole number from 1');
  for (const [label, lists] of [
    ['python.imports', python?.imports],
    ['python.calls', python?.calls],
    ['python.attributes', python?.attributes],
    ['bash.commands', bash?.commands],
  ] as const) {
    if (lists === undefined) continue;
    const names = Object.values(lists).flat();
    if (!names.every((name: unknown) => typeof name === 'string' && /^[\w.*+/:-]+$/.test(name)))
      throw invalid(`The lists of ${label} have to hold names such as os.system or os.*`);
  }
  if (vocabulary === undefined) return { ...options, python, bash, vocabulary };
  const { strictness = 'normal' } = vocabulary;
  if (!STRICTNESS.includes(strictness))
    throw invalid(`The strictness of a vocabulary has to be ${STRICTNESS.join(', ')}`);
  const terms = 'terms' in vocabulary ? vocabulary.terms : [];
  if (terms.length === 0) {
    if (strictness !== 'permissive')
      throw invalid(`A ${strictness} vocabulary needs terms: without them every command would be refused`);
    return { ...options, python, bash, vocabulary: undefined };
  }
  return { ...options, python, bash, vocabulary: { terms, strictness } };
}

function invalid(message: string): RlmError {
  return new RlmError({ code: 'invalid-option', message: `${message}.`, userAction: true });
}
