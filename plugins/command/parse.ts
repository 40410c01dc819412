import { type CommandResult, StepFailure } from '../../engine/action/contract.ts'
import type { Json, JsonObject } from '../../engine/json.ts'

export type Parse = 'none' | 'json' | 'lines'

/** Of whose output a failure speaks, and what a change gave that was made all the same. */
interface Said {
  readonly where: string
  readonly result?: JsonObject
}

/** Throws `StepFailure` when output was cut: no part may pass for the whole. */
export function demandWhole({ dropped }: CommandResult, { where, result }: Said): void {
  if (dropped === 0) return
  const message = `the output of the command on ${where} is ${dropped} bytes longer than was kept`
  throw new StepFailure('output_cut', message, {
    result,
    hint: 'raise `max_output`; without `parse` it may also be told to keep the beginning alone',
  })
}

/** stdout, all of it, as a value; throws `StepFailure` when it is not what it should be. */
export function parseOutput({ stdout }: CommandResult, parse: Parse, { where, result }: Said): Json {
  if (parse === 'none') return null
  if (parse === 'lines') return stdout === '' ? [] : stdout.replace(/\r?\n$/, '').split(/\r?\n/)
  try {
    return JSON.parse(stdout) as Json
  } catch (cause) {
    const beginning = stdout.trim().slice(0, 80)
    throw new StepFailure(
      'not_json',
      `the output of the command on ${where} is not JSON: ${beginning === '' ? 'it is empty' : `it begins with \`${beginning}\``}`,
      {
        result,
        detail: { beginning: stdout.slice(0, 1_000) },
        hint: 'many programs need an option for JSON, such as `--format json`',
        cause,
      },
    )
  }
}
