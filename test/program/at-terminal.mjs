// Runs a command at a pseudo-terminal: stdin is what is typed, stdout what is shown. Ends as the command ends.
import { spawn } from '@lydell/node-pty'

const [program, ...args] = process.argv.slice(2)
const terminal = spawn(program, args, { cols: 80, rows: 24, env: process.env, encoding: null })
process.stdin.on('data', (typed) => terminal.write(typed))
terminal.onData((shown) => process.stdout.write(shown))
terminal.onExit(({ exitCode, signal }) => {
  process.exitCode = signal ? 128 + signal : exitCode
  process.stdin.destroy()
})
