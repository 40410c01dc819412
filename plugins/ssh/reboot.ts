import {
  type ActionContext,
  type Preview,
  type Settled,
  StepFailure,
  type WorkAction,
} from '../../engine/action/contract.ts'
import { closedObject, duration, number, text } from '../../engine/action/define.ts'
import { parseDuration, shownDuration } from '../../engine/duration.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { type Boot, bootOf, hasBooted } from './boot.ts'
import { hostOf, hostParams, lastWord, shell } from './host.ts'
import { markOf } from './remote-file.ts'

const usualLimit = 1_200_000
const pause = 5_000

export const reboot: WorkAction = {
  name: 'ssh.reboot',
  summary: 'reboot a host, and wait until it has booted',
  description: [
    'The reboot is handed to the service manager of the host (or left behind by `nohup` where there is none), so that it outlives the connection, which is expected to be lost. The step succeeds when the host answers with a boot id other than before, and `systemctl is-system-running` says `running` or `degraded`: answering again is no proof.',
    'A host that is still in the same boot after `within` fails with `not_rebooted`, one that does not answer with `not_back`, one that does not get to the end of its boot with `not_booted`. After a crash of the program the boot ids tell whether it happened; a host that is on its way is waited for until `within` is over.',
  ].join('\n\n'),
  effect: 'change',
  idempotent: false,
  params: closedObject(
    {
      command: {
        description: 'What reboots it: a line, split into words, or a list of words; `systemctl reboot` unless told.',
        'x-runbook': 'command',
        oneOf: [
          { type: 'string', minLength: 1 },
          { type: 'array', minItems: 1, items: { type: 'string' } },
        ],
      },
      within: duration('How long it may take, from the command to the end of the boot; `20m` unless told.'),
      ...hostParams,
    },
    ['command', 'within', ...Object.keys(hostParams)],
  ),
  result: closedObject({
    host: text('The host.'),
    boot_id_before: text('The boot it was in.'),
    boot_id: text('The boot it is in.'),
    took: number('Milliseconds from the command until it had booted.'),
  }),
  examples: [{}, { host: 'c1', become: true, within: '15m' }, { command: 'shutdown -r now' }],

  async plan(ctx, params, signal): Promise<Preview> {
    const { id } = await bootOf(ctx, params, '', signal)
    return {
      summary: `would reboot ${hostOf(params)} by \`${commandOf(params).join(' ')}\``,
      changes: [{ path: 'boot_id', before: id }],
    }
  },

  async run(ctx, params, signal): Promise<Json> {
    const note = noteOf(ctx)
    const before = await bootOf(ctx, params, '', signal)
    const began = ctx.clock.now()
    await ask(ctx, params, before.id, signal)
    return back(ctx, params, { before: before.id, began, note }, signal)
  },

  async settled(ctx, params, signal): Promise<Settled> {
    const host = hostOf(params)
    const note = noteOf(ctx)
    // a reboot that was asked for is on its way: it has the time that it would have had
    const until = ctx.step.began + limitOf(params)
    for (;;) {
      const seen = await bootOf(ctx, params, note, signal).catch(whenGone)
      const answers = !(seen instanceof StepFailure)
      if (answers && seen.noted === undefined) return { happened: 'no' }
      if (answers && seen.noted !== undefined && seen.noted !== seen.id && hasBooted(seen)) {
        await forget(ctx, params, note, signal)
        return { happened: 'yes', result: { host, boot_id_before: seen.noted, boot_id: seen.id, took: 0 } }
      }
      const { text } = stateOf(seen, (answers && seen.noted) || '')
      if (ctx.clock.now() >= until)
        return { happened: 'unknown', why: `the reboot may have been asked for; \`${host}\` ${text}` }
      ctx.progress(text)
      await ctx.clock.sleep(pause, signal)
    }
  },
}

const commandOf = ({ command }: JsonObject): readonly string[] =>
  (command as readonly string[] | undefined) ?? ['systemctl', 'reboot']

/** On the disk of the host, so that it is there after the reboot. */
const noteOf = (ctx: ActionContext): string => `/var/tmp/runbook-reboot-${markOf(ctx)}`

// the note is on the disk before anything else; a second later the answer of this command has long arrived
const askScript = `note=$1 boot=$2 unit=$3; shift 3
echo "$boot" >"$note" && sync "$note" || exit 73
if command -v systemd-run >/dev/null 2>&1 && [ -d /run/systemd/system ]; then
  systemd-run --collect --quiet --on-active=1 --timer-property=AccuracySec=100ms --unit="$unit" -- "$@" || { rm -f "$note"; exit 74; }
else
  nohup sh -c 'sleep 1; exec "$@"' sh "$@" </dev/null >/dev/null 2>&1 &
fi`

async function ask(ctx: ActionContext, params: JsonObject, boot: string, signal: AbortSignal): Promise<void> {
  const unit = `runbook-reboot-${ctx.step.attempt.replaceAll(/[^\w-]/g, '')}`
  const args = [noteOf(ctx), boot, unit, ...commandOf(params)]
  try {
    const said = await shell(ctx, params, askScript, { args }, signal)
    if (said.exitCode === 0) return
    throw new StepFailure('reboot_refused', `\`${hostOf(params)}\` does not take the reboot: ${lastWord(said)}`, {
      hint: 'the user may not do this: `become: true` does it as root',
    })
  } catch (error) {
    // the host may have gone before it could answer: what it does is seen below
    if (!(error instanceof StepFailure) || error.status !== 'unknown' || signal.aborted) throw error
  }
}

interface Awaited {
  readonly before: string
  readonly began: number
  readonly note: string
}

async function back(
  ctx: ActionContext,
  params: JsonObject,
  { before, began, note }: Awaited,
  signal: AbortSignal,
): Promise<Json> {
  const host = hostOf(params)
  const limit = limitOf(params)
  for (;;) {
    await ctx.clock.sleep(pause, signal)
    const seen = await bootOf(ctx, params, '', signal).catch(whenGone)
    const took = ctx.clock.now() - began
    if (!(seen instanceof StepFailure) && seen.id !== before && hasBooted(seen)) {
      await forget(ctx, params, note, signal)
      return { host, boot_id_before: before, boot_id: seen.id, took }
    }
    const how = stateOf(seen, before)
    ctx.progress(how.text)
    if (took >= limit) throw new StepFailure(how.code, `\`${host}\` ${how.text} after ${shownDuration(limit)}`, how)
  }
}

/** Only what a host that is going down or coming up may do; another key is not waited for. */
function whenGone(error: unknown): StepFailure {
  if (!(error instanceof StepFailure)) throw error
  if (/^(host_key|become_refused|no_boot_id$)/.test(error.code)) throw error
  return error
}

function stateOf(
  seen: Boot | StepFailure,
  before: string,
): { code: string; text: string; status: StepFailure['status']; hint: string } {
  if (seen instanceof StepFailure)
    return {
      code: 'not_back',
      text: `does not answer (${seen.message})`,
      status: 'unknown',
      hint: 'look at its console',
    }
  if (seen.id === before)
    return {
      code: 'not_rebooted',
      text: 'is still in the boot that it was in',
      status: 'failed',
      hint: 'something holds the reboot up, or refused it: `journalctl -b`, `systemctl list-jobs`, `systemd-inhibit --list` there',
    }
  return {
    code: 'not_booted',
    text: `is in a new boot, and is \`${seen.state}\``,
    status: 'failed',
    hint: '`systemctl list-jobs` and `systemctl --failed` there tell what it waits for',
  }
}

const limitOf = ({ within }: JsonObject): number =>
  typeof within === 'string' ? (parseDuration(within) ?? usualLimit) : usualLimit

/** The note has done its work; one that stays harms nobody. */
async function forget(ctx: ActionContext, params: JsonObject, note: string, signal: AbortSignal): Promise<void> {
  if (note !== '') await shell(ctx, params, 'rm -f -- "$1"', { args: [note] }, signal).catch(() => undefined)
}
