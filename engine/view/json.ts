import type { Entry } from '../run/event.ts'
import { reportOf } from './report-of.ts'

/** The report as JSON, for programs; the fields are those of `Report`. */
export function renderJson(entries: Iterable<Entry>): string {
  return `${JSON.stringify(reportOf(entries), undefined, 2)}\n`
}
