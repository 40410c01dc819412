import { execFile } from 'node:child_process'
import { StepFailure } from '../../action/contract.ts'
import type { ConfigValues } from './config.ts'
import { slots } from './slots.ts'

export interface OpenSshQuestion {
  readonly host: string
  readonly given: ConfigValues
  /** A file of its own instead of the usual ones; `none` for no file. */
  readonly file: string | undefined
}

/** Five hundred hosts at once would be as many processes. */
const asking = slots(8)

/** Keywords that take a list of words on one line of `ssh -G`. */
const lists = new Set(['userknownhostsfile', 'globalknownhostsfile'])

/**
 * What OpenSSH itself makes of its configuration for a host; nothing when it is not installed. Throws `StepFailure`
 * `ssh_config` when it does not like the configuration.
 */
export async function askOpenSsh(
  { host, given, file }: OpenSshQuestion,
  signal: AbortSignal,
): Promise<ConfigValues | undefined> {
  const options = [...given].flatMap(([keyword, values]) =>
    // `-i` would leave out a file that is not there yet; a path may hold blanks
    values.flatMap((value) => ['-o', keyword === 'identityfile' ? `${keyword}="${value}"` : `${keyword}=${value}`]),
  )
  const free = await asking.take(signal)
  const answer = await run(['-G', ...(file === undefined ? [] : ['-F', file]), ...options, '--', host], signal).finally(
    free,
  )
  if (answer === undefined) return undefined
  const values: ConfigValues = new Map()
  for (const line of answer.split('\n')) {
    const [, keyword = '', value = ''] = /^(\S+) (.*)$/.exec(line) ?? []
    const words = lists.has(keyword) ? value.split(' ') : [value]
    if (keyword !== '') values.set(keyword, [...(values.get(keyword) ?? []), ...words])
  }
  return values
}

function run(args: readonly string[], signal: AbortSignal): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const child = execFile('ssh', args, { signal, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (signal.aborted) reject(signal.reason)
      else if (error?.code === 'ENOENT') resolve(undefined)
      else if (error) {
        const why = stderr.trim().split('\n').at(-1) ?? error.message
        reject(new StepFailure('ssh_config', `OpenSSH does not understand its configuration: ${why}`, { cause: error }))
      } else resolve(stdout)
    })
    child.stdin?.on('error', () => {})
    child.stdin?.end()
  })
}
