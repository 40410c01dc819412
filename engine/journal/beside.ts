import { isObject, type Json } from '../json.ts'
import type { Recorded } from '../run/event.ts'
import type { Outcome } from '../run/outcome.ts'
import { keptName } from './chain.ts'
import type { JournalFile } from './local.ts'

/** A result larger than this (characters of JSON) is kept beside the transcript. */
const largest = 64 * 1024

/** The event for the line: large results go to a file by digest, and the line holds `{"$file": …}`; large outputs are cut. */
export async function keptBeside(event: Recorded, file: Pick<JournalFile, 'keep'>): Promise<Recorded> {
  const keep = async (value: Json): Promise<Json> => {
    if (value === null || typeof value !== 'object' ? typeof value !== 'string' || value.length < largest : false)
      return value
    const text = JSON.stringify(value)
    if (text.length < largest) return value
    const name = keptName(text)
    await file.keep(name, text)
    return { $file: name, size: text.length }
  }
  if (event.type === 'step.ended' && 'result' in event.outcome && event.outcome.result !== undefined) {
    const result = await keep(event.outcome.result)
    return result === event.outcome.result ? event : ({ ...event, outcome: { ...event.outcome, result } } as Recorded)
  }
  if (event.type === 'value') {
    const value = await keep(event.value)
    return value === event.value ? event : { ...event, value }
  }
  if (event.type === 'step.called' && event.call.kind !== 'http') {
    const { stdout = '', stderr = '' } = event.call
    if (stdout.length + stderr.length < largest) return event
    const cut = (text: string) =>
      text.length < largest / 2 ? text : `${text.slice(0, largest / 2)}\n… ${text.length - largest / 2} more characters`
    return { ...event, call: { ...event.call, stdout: cut(stdout), stderr: cut(stderr) } }
  }
  return event
}

/** An outcome with its result, from beside the transcript where it was kept there. */
export function loaded(load: (name: string) => Json, outcome: Outcome): Outcome {
  if (!('result' in outcome) || outcome.result === undefined) return outcome
  return { ...outcome, result: expanded(load, outcome.result) } as Outcome
}

/** A value, from beside the transcript where `{"$file": …}` stands for it. */
export function expanded(load: (name: string) => Json, value: Json): Json {
  const file = isObject(value) ? value['$file'] : undefined
  return typeof file === 'string' ? load(file) : value
}
