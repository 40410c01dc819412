import type { Command } from 'commander'
import { exitCode, RunbookError } from '../error.ts'
import type { Io } from './io.ts'

/** `runbook completion`: a script for a shell, made from the commands themselves. */
export async function completion(shell: string, program: Command, io: Io): Promise<number> {
  const commands = program.commands.map((command) => ({
    name: command.name(),
    summary: command.description(),
    options: command.options.flatMap(({ long }) => (long ? [long] : [])),
  }))
  const names = commands.map(({ name }) => name).join(' ')
  switch (shell) {
    case 'bash':
      io.stdout.write(`_runbook() {
  local word="\${COMP_WORDS[COMP_CWORD]}" command="\${COMP_WORDS[1]}"
  if [ "$COMP_CWORD" -eq 1 ]; then COMPREPLY=($(compgen -W "${names}" -- "$word")); return; fi
  case "$word" in
    -*) case "$command" in
${commands.map(({ name, options }) => `      ${name}) COMPREPLY=($(compgen -W "${options.join(' ')}" -- "$word")) ;;`).join('\n')}
      esac ;;
    *) case "$command" in
      exec|check|show) COMPREPLY=($(compgen -W "$(runbook list 2>/dev/null | cut -d' ' -f1)" -- "$word") $(compgen -f -- "$word")) ;;
      *) COMPREPLY=($(compgen -f -- "$word")) ;;
      esac ;;
  esac
}
complete -F _runbook runbook
`)
      break
    case 'zsh':
      io.stdout.write(`#compdef runbook
_runbook() {
  local -a commands=(${commands.map(({ name, summary }) => `'${name}:${summary.replaceAll("'", '')}'`).join(' ')})
  if (( CURRENT == 2 )); then _describe command commands; return; fi
  case $words[2] in
${commands.map(({ name, options }) => `    ${name}) _arguments '*:file:_files' ${options.map((option) => `'${option}[]'`).join(' ')} ;;`).join('\n')}
  esac
}
compdef _runbook runbook
`)
      break
    case 'fish':
      io.stdout.write(
        `${commands.flatMap(({ name, summary, options }) => [`complete -c runbook -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", '')}'`, ...options.map((option) => `complete -c runbook -n '__fish_seen_subcommand_from ${name}' -l ${option.slice(2)}`)]).join('\n')}\n`,
      )
      break
    default:
      throw new RunbookError('no_shell', `there is no completion for \`${shell}\``, {
        hint: 'there is one for bash, zsh and fish',
      })
  }
  return exitCode.done
}
