import { type ActionContext, StepFailure } from '../../engine/action/contract.ts'
import type { JsonObject } from '../../engine/json.ts'
import { hostOf, lastWord, shell } from './host.ts'

export interface Boot {
  readonly id: string
  /** What `systemctl is-system-running` says; `unmanaged` where there is no systemd to say it. */
  readonly state: string
  /** What stands in the note of a reboot that was asked for: the boot before it. */
  readonly noted: string | undefined
}

// the state is asked for last: a host that goes down meanwhile answers with neither
const script = `cat /proc/sys/kernel/random/boot_id || exit 1
if [ -n "$1" ] && [ -r "$1" ]; then cat "$1"; else echo -; fi
if command -v systemctl >/dev/null 2>&1 && [ -d /run/systemd/system ]; then systemctl is-system-running; else echo unmanaged; fi
exit 0`

/** Which boot a host is in, and how far it is. Throws `StepFailure`. */
export async function bootOf(ctx: ActionContext, params: JsonObject, note: string, signal: AbortSignal): Promise<Boot> {
  const said = await shell(ctx, params, script, { args: [note] }, signal)
  const [id = '', noted = '-', state = ''] = said.stdout.split('\n').map((line) => line.trim())
  if (said.exitCode !== 0 || !/^[0-9a-f-]{36}$/.test(id))
    throw new StepFailure('no_boot_id', `\`${hostOf(params)}\` does not tell its boot id: ${lastWord(said)}`)
  return { id, state, noted: noted === '-' ? undefined : noted }
}

/** A host that has come up: all its services are there, or some have failed and the rest is. */
export const hasBooted = ({ state }: Boot): boolean => ['running', 'degraded', 'unmanaged'].includes(state)
