/** The output of a tool in a message of the AI SDK, by what its prompts and its model messages have in common. */
export type ToolOutput =
  | { readonly type: 'text' | 'error-text'; readonly value: string }
  | { readonly type: 'json' | 'error-json'; readonly value: unknown }
  | { readonly type: 'execution-denied'; readonly reason?: string }
  | { readonly type: 'content'; readonly value: readonly ContentPart[] };

type ContentPart = { readonly type: 'text'; readonly text: string } | { readonly type: string };

/** The output as text. Each part other than text is shown as its type. */
export function outputText(output: ToolOutput): string {
  switch (output.type) {
    case 'text':
    case 'error-text':
      return output.value;
    case 'json':
    case 'error-json':
      return JSON.stringify(output.value);
    case 'execution-denied':
      return `The tool was not run${output.reason === undefined ? '' : `: ${output.reason}`}`;
    case 'content':
      return output.value.map((part) => ('text' in part ? part.text : `[${part.type}]`)).join('\n');
  }
}
