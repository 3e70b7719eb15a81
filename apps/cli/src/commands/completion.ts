import { type Command, EXIT_OK, UsageError } from '../command/command.js';
import { flagsOf } from '../command/parse.js';

const SHELLS = ['bash', 'zsh'] as const;

/** Prints a script that completes commands, options and choices. */
export const completionCommand = (commands: () => readonly Command[]): Command => ({
  path: ['completion'],
  summary: 'Print the completion script of a shell.',
  positionals: [{ name: 'shell', summary: SHELLS.join(' or ') }],
  flags: [],
  notes: [
    'bash: source <(athena completion bash)\nzsh:  source <(athena completion zsh), after compinit',
  ],
  async run(given, world) {
    const shell = given.positional('shell');
    if (shell !== 'bash' && shell !== 'zsh') {
      throw new UsageError(`there are scripts for ${SHELLS.join(' and ')}`);
    }
    world.out(shell === 'bash' ? bashScript(commands()) : zshScript(commands()));
    return EXIT_OK;
  },
});

interface Case {
  /** What the words before the one being completed must be. */
  readonly pattern: string;
  readonly words: readonly string[];
}

/** By the words so far: the next words of commands, and the options of whole ones. */
function wordCases(commands: readonly Command[]): Case[] {
  const next = new Map<string, Set<string>>();
  for (const { path } of commands) {
    for (const [index, word] of path.entries()) {
      const before = path.slice(0, index).join(' ');
      next.set(before, (next.get(before) ?? new Set()).add(word));
    }
  }
  return [...next].map(([before, words]) => ({ pattern: before, words: [...words] }));
}

const optionCases = (commands: readonly Command[]): Case[] =>
  commands.map((command) => ({
    pattern: command.path.join(' '),
    words: flagsOf(command).map(({ name }) => `--${name}`),
  }));

const choiceCases = (commands: readonly Command[]): Case[] =>
  commands.flatMap((command) =>
    flagsOf(command).flatMap(({ name, choices }) =>
      choices ? [{ pattern: `${command.path.join(' ')} --${name}`, words: choices }] : [],
    ),
  );

const shellCases = (cases: readonly Case[]): string =>
  cases.map(({ pattern, words }) => `    '${pattern}') words='${words.join(' ')}' ;;`).join('\n');

/** Both shells keep to the words that POSIX `case` offers; only reading and replying differ. */
const lookup = (commands: readonly Command[]): string => `_athena_words() {
  # $1: noun, $2: verb, $3: the word before, $4: the word being completed
  local words=''
  case "$1\${2:+ $2} $3" in
${shellCases(choiceCases(commands))}
  esac
  if [ -z "$words" ]; then
    case "$4" in
      -*) case "$1\${2:+ $2}" in
${shellCases(optionCases(commands))}
      esac ;;
    esac
  fi
  if [ -z "$words" ] && [ -z "$2" ]; then
    case "$1" in
${shellCases(wordCases(commands))}
    esac
  fi
  printf '%s' "$words"
}`;

const bashScript = (commands: readonly Command[]): string => `# bash completion of athena
${lookup(commands)}
_athena() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before='' noun='' verb=''
  [ "$COMP_CWORD" -gt 1 ] && before="\${COMP_WORDS[COMP_CWORD-1]}" noun="\${COMP_WORDS[1]}"
  [ "$COMP_CWORD" -gt 2 ] && verb="\${COMP_WORDS[2]}"
  case "$verb" in -*) verb='' ;; esac
  COMPREPLY=($(compgen -W "$(_athena_words "$noun" "$verb" "$before" "$word")" -- "$word"))
}
complete -o default -F _athena athena`;

const zshScript = (commands: readonly Command[]): string => `#compdef athena
${lookup(commands)}
_athena() {
  local word="\${words[CURRENT]}" before='' noun='' verb='' found=''
  (( CURRENT > 2 )) && before="\${words[CURRENT-1]}" && noun="\${words[2]}"
  (( CURRENT > 3 )) && verb="\${words[3]}"
  case "$verb" in -*) verb='' ;; esac
  found="$(_athena_words "$noun" "$verb" "$before" "$word")"
  if [ -n "$found" ]; then compadd -- \${(s: :)found}; else _files; fi
}
compdef _athena athena`;
