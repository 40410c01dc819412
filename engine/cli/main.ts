import { Command, CommanderError } from 'commander'
import { printable } from '../diagnostic.ts'
import { exitCode, RunbookError } from '../error.ts'
import { packageVersion } from '../host/files.ts'
import { colourWanted } from '../view/colour.ts'
import { drawDiagnostics } from '../view/diagnostics.ts'
import { addCommands } from './commands.ts'
import type { Io } from './io.ts'

/** What the program ends with. */
export const codes: typeof exitCode = exitCode

/**
 * Runs one command; `argv` are its words, without the program. Gives the exit code (`docs/reference/exit-codes.md`); whatever
 * goes wrong is told on stderr and never thrown. The signal cancels as the first Ctrl-C does.
 */
export async function main(argv: readonly string[], io: Io, signal: AbortSignal): Promise<number> {
  let code: number = exitCode.done
  const program = new Command('runbook')
    .description('Runbooks as code: checked before they run, rehearsed on a simulated cloud, resumed after any crash.')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpCommand('help [command]', 'show the help of a command')
    .configureHelp({ showGlobalOptions: false })
    .exitOverride()
    .configureOutput({ writeOut: (text) => void io.stdout.write(text), writeErr: (text) => void io.stderr.write(text) })
    .showHelpAfterError('(add --help for the options of this command)')
    .showSuggestionAfterError()
  addCommands(program, io, signal, (result) => {
    code = result
  })
  try {
    if (argv.length === 0) {
      program.outputHelp()
      return exitCode.usage
    }
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    return report(error, io)
  }
}

async function report(error: unknown, io: Io): Promise<number> {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage
  if (error instanceof RunbookError) {
    const { Problems } = await import('./yaml-file.ts')
    if (error instanceof Problems)
      io.stderr.write(
        drawDiagnostics(error.diagnostics, { colour: colourWanted({ isTTY: io.stderr.isTTY === true, env: io.env }) }),
      )
    else
      io.stderr.write(
        `error: ${printable(error.message)}\n${error.hint === undefined ? '' : `  hint: ${printable(error.hint)}\n`}`,
      )
    return error.exitCode
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  io.stderr.write(`error: this is a bug in runbook, please report it with the lines below\n${printable(text)}\n`)
  return exitCode.bug
}
