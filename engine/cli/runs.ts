import { join } from 'node:path'
import { printable } from '../diagnostic.ts'
import { shownDuration } from '../duration.ts'
import { exitCode } from '../error.ts'
import { isBeingWritten } from '../host/only-writer.ts'
import { runIds, transcriptOf } from '../host/runs.ts'
import { runsFolder } from './config.ts'
import type { Io } from './io.ts'

interface Row {
  readonly run: string
  readonly runbook: string
  readonly mode: string
  readonly state: string
  /** ISO 8601. */
  readonly began?: string
  /** From its first line to its last. */
  readonly ms?: number
  readonly by: string
}

/** `runbook runs`: what has run, what runs, what waits. */
export async function runs(
  options: { readonly runs?: string; readonly open?: boolean; readonly output: 'text' | 'json' },
  io: Io,
): Promise<number> {
  const folder = runsFolder(options, io)
  const rows = runIds(folder)
    .map((run) => rowOf(folder, run))
    .filter(({ state }) => !options.open || !/^(succeeded|failed|cancelled|refused|rolled_back)/.test(state))
  if (options.output === 'json') io.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
  else if (rows.length === 0) io.stdout.write(`${options.open ? 'no run is open' : 'no runs'} in ${folder}\n`)
  else io.stdout.write(`${columns(rows)}\n`)
  return exitCode.done
}

function rowOf(folder: string, run: string): Row {
  const { entries, broken } = transcriptOf(join(folder, run))
  const [first] = entries
  const last = entries.at(-1)
  const began = first?.type === 'run.began' ? first : undefined
  const state = broken
    ? `broken at line ${broken.line}`
    : last?.type === 'run.ended'
      ? last.status
      : isBeingWritten(join(folder, run))
        ? 'running'
        : last?.type === 'run.parked'
          ? 'waiting for an answer'
          : 'stopped in the middle'
  return {
    run,
    runbook: began?.runbook.name ?? '?',
    mode: began?.rehearsal === undefined ? (began?.mode ?? '') : `rehearsal ${began.rehearsal}`,
    state,
    ...(first && last && { began: first.at, ms: Date.parse(last.at) - Date.parse(first.at) }),
    by: began?.by.user ?? '',
  }
}

function columns(rows: readonly Row[]): string {
  const table = [
    ['run', 'runbook', 'mode', 'state', 'began', 'took', 'by'],
    ...rows.map(({ run, runbook, mode, state, began, ms, by }) =>
      [
        run,
        runbook,
        mode,
        state,
        began === undefined ? '' : `${began.slice(0, 19).replace('T', ' ')} UTC`,
        ms === undefined ? '' : shownDuration(ms),
        by,
      ].map(printable),
    ),
  ]
  const widths = table[0]?.map((_, column) => Math.max(...table.map((cells) => cells[column]?.length ?? 0))) ?? []
  return table
    .map((cells) =>
      cells
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
