import { join } from 'node:path'
import { firstEntry, reportedLines, runIds } from '../host/runs.ts'
import { canonical } from '../journal/canonical.ts'
import type { JsonObject } from '../json.ts'
import type { PreviousRun, RunBegan } from '../run/event.ts'
import { openFindings } from '../view/findings.ts'
import { reportOf } from '../view/report-of.ts'

interface Place {
  readonly cloud: string | undefined
  readonly rehearsal: string | undefined
  /** After `--limit`. */
  readonly hosts: readonly string[]
  /** As they are recorded. */
  readonly inputs: JsonObject
}

/** How many runs back the last comparable one is looked for. */
const lookBack = 50

/**
 * The last finished run of the same runbook in the same place, with what it found and since when. One that was told to
 * look at other hosts, or by other inputs, is none: what this run does not look at must not seem resolved.
 */
export function previousRun(runs: string, name: string, place: Place): PreviousRun | undefined {
  const here = placeIn(place)
  for (const id of runIds(runs).slice(-lookBack).toReversed()) {
    // most runs are of something else: their first lines say so
    const began = firstEntry(join(runs, id))
    if (began?.type !== 'run.began' || began.mode !== 'run' || began.runbook.name !== name) continue
    if (placeIn(began) !== here) continue
    const { entries } = reportedLines(join(runs, id))
    if (entries.at(-1)?.type !== 'run.ended') continue
    return { run: began.run, at: began.at, findings: openFindings(reportOf(entries).findings, began.at) }
  }
  return undefined
}

function placeIn({ cloud, rehearsal, hosts, inputs }: Place | RunBegan): string {
  return canonical([cloud ?? null, rehearsal ?? null, hosts, inputs])
}
