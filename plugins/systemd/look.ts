import { type ActionContext, StepFailure } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'
import { hostOf, lastWord, shell } from '../ssh/host.ts'

/** A unit as systemd shows it. */
export interface Unit {
  readonly load: string
  readonly active: string
  readonly sub: string
  readonly result: string
  readonly type: string
  /** `enabled`, `disabled`, `static`, …; empty when it has no file. */
  readonly file: string
  readonly restarts: number
  readonly pid: number
  /** Random for each start of it; empty before the first. */
  readonly invocation: string
  readonly needsReload: boolean
  /** The host's clock, seconds since 1970. */
  readonly now: number
}

const script = `export LC_ALL=C; date +%s; systemctl show --no-pager -p Id -p LoadState -p ActiveState -p SubState -p Result -p Type \\
-p UnitFileState -p NRestarts -p MainPID -p InvocationID -p NeedDaemonReload -- "$1"`

export async function lookAt(ctx: ActionContext, params: JsonObject, signal: AbortSignal): Promise<Unit> {
  const unit = params['unit'] as string
  const said = await shell(ctx, params, script, { args: [unit] }, signal)
  const facts = new Map(
    said.stdout.split('\n').flatMap((line) => {
      const [, name, value = ''] = /^(\w+)=(.*)$/.exec(line) ?? []
      return name === undefined ? [] : [[name, value] as const]
    }),
  )
  const word = (name: string) => facts.get(name) ?? ''
  if (said.exitCode !== 0 || word('ActiveState') === '')
    throw new StepFailure(
      'no_answer',
      `systemd on \`${hostOf(params)}\` does not tell of \`${unit}\`: ${lastWord(said)}`,
    )
  return {
    load: word('LoadState'),
    active: word('ActiveState'),
    sub: word('SubState'),
    result: word('Result'),
    type: word('Type'),
    file: word('UnitFileState'),
    restarts: Number(word('NRestarts') || 0),
    pid: Number(word('MainPID') || 0),
    invocation: word('InvocationID'),
    needsReload: word('NeedDaemonReload') === 'yes',
    now: Number(said.stdout.split('\n')[0]),
  }
}

/** What a unit has said since a moment of the host's clock: its own words, then systemd's. */
export async function journalOf(
  ctx: ActionContext,
  params: JsonObject,
  since: number,
  signal: AbortSignal,
): Promise<string[]> {
  const args = [params['unit'] as string, `@${since}`]
  const text = 'journalctl -q --no-pager -o cat -n 20 --since "$2" -u "$1"'
  const said = await shell(ctx, params, text, { args }, signal).catch(() => undefined)
  return said?.exitCode === 0 ? said.stdout.split('\n').filter((line) => line.trim() !== '') : []
}
