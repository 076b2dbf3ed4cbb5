/**
 * The scripts that connect a shell with `fathom complete`. They hold no words of their own, so that a newer version needs no
 * new script.
 *
 * @module
 */

/** Shells that have a script. */
export const SHELLS = ['bash', 'zsh', 'fish'] as const;

const BASH = `# Completion of fathom for bash. In ~/.bashrc: eval "$(fathom completion bash)"
_fathom() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    COMPREPLY+=("\${line%%$'\\t'*}")
  done < <(fathom complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  # Bash ends a word at a colon: the part before it is on the line already.
  if declare -F __ltrim_colon_completions >/dev/null; then __ltrim_colon_completions "\${COMP_WORDS[COMP_CWORD]}"; fi
}
complete -o bashdefault -o default -F _fathom fathom
`;

const ZSH = `#compdef fathom
# Completion of fathom for zsh. In ~/.zshrc, after compinit: eval "$(fathom completion zsh)"
_fathom() {
  local -a items
  local line said
  while IFS= read -r line; do
    said=\${line#*$'\\t'}
    # A colon without a description would be shown as one that is empty.
    items+=("\${\${line%%$'\\t'*}//:/\\\\:}\${said:+:$said}")
  done < <(fathom complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#items} )); then _describe 'fathom' items; else _files; fi
}
compdef _fathom fathom
`;

const FISH = `# Completion of fathom for fish. In ~/.config/fish/completions/fathom.fish: fathom completion fish | source
function __fathom_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l found (fathom complete -- $words[2..-1] 2>/dev/null)
  if test (count $found) -gt 0
    string join \\n -- $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c fathom -f -a '(__fathom_complete)'
`;

/** The script of each shell. */
export const SCRIPTS: Readonly<Record<(typeof SHELLS)[number], string>> = { bash: BASH, zsh: ZSH, fish: FISH };
