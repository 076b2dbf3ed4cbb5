/**
 * Limits of the guard for tool outputs.
 *
 * @module
 */

/** Share of the window that one output may take: an agent's window holds many. */
export const OUTPUT_SHARE = 0.1;
/** Tokens that an output may always take: a note about it would be as long. */
export const LEAST_OUTPUT_TOKENS = 512;
/** Version of the summaries: part of the key under which they are cached. */
export const SUMMARY_VERSION = 1;
/** Words that a summary is asked for. */
export const SUMMARY_WORDS = 400;
/** Summaries made at once. */
export const MOST_SUMMARIES = 2;

/** Tools whose exact output matters: it is cut, never summarised. Compared without case, `-` and `_`. */
export const EXACT_TOOLS: readonly string[] = [
  ...[
    'read',
    'readfile',
    'view',
    'viewfile',
    'cat',
    'open',
    'grep',
    'search',
    'searchfiles',
    'rg',
    'ripgrep',
    'glob',
    'find',
    'ls',
  ],
  ...[
    'list',
    'listdir',
    'listdirectory',
    'diff',
    'gitdiff',
    'patch',
    'applypatch',
    'edit',
    'editfile',
    'multiedit',
    'strreplace',
  ],
  ...[
    'strreplacebasededittool',
    'strreplaceeditor',
    'write',
    'writefile',
    'bash',
    'shell',
    'exec',
    'execcommand',
    'runcommand',
  ],
  ...['runterminalcmd', 'terminal', 'sql', 'query', 'notebookedit', 'readpart'],
];
