import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Running, Workspace } from './program.ts'

/** A program at a real terminal (a pseudo-terminal of its own): what is typed comes from the function, what is shown is `said`. */
export interface AtTerminal extends Running {
  type(text: string): void
}

const helper = join(fileURLToPath(import.meta.url), '..', 'at-terminal.mjs')

/** `runbook …` at a terminal. */
export function atTerminal(
  space: Workspace,
  args: readonly string[],
  env: { readonly [name: string]: string } = {},
): AtTerminal {
  const line = `exec '${process.execPath}' '${helper}' runbook ${args.map((arg) => `'${arg}'`).join(' ')}`
  const running = space.shell(line, { TERM: 'xterm-256color', ...env }, 'pipe')
  return { ...running, type: (text) => void running.child.stdin?.write(text) }
}
