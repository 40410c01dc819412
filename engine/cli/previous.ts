import { join } from 'node:path'
import { firstEntry, reportedLines, runIds } from '../host/runs.ts'
import type { PreviousRun } from '../run/event.ts'
import { openFindings } from '../view/findings.ts'
import { reportOf } from '../view/report-of.ts'

interface Place {
  readonly cloud: string | undefined
  readonly rehearsal: string | undefined
  readonly hosts: readonly string[]
}

/** How many runs back the last comparable one is looked for. */
const lookBack = 50

/** The last finished run of the same runbook in the same place, with what it found and since when. */
export function previousRun(runs: string, name: string, place: Place): PreviousRun | undefined {
  for (const id of runIds(runs).slice(-lookBack).toReversed()) {
    // most runs are of something else: their first lines say so
    const began = firstEntry(join(runs, id))
    if (began?.type !== 'run.began' || began.mode !== 'run' || began.runbook.name !== name) continue
    if (began.cloud !== place.cloud || began.rehearsal !== place.rehearsal || began.hosts.join() !== place.hosts.join())
      continue
    const { entries } = reportedLines(join(runs, id))
    if (entries.at(-1)?.type !== 'run.ended') continue
    return { run: began.run, at: began.at, findings: openFindings(reportOf(entries).findings, began.at) }
  }
  return undefined
}
