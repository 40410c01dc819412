import { type Action, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, text } from '../../engine/action/define.ts'
import { hostOf, hostParams, lastWord, shell } from '../ssh/host.ts'
import { unit } from './unit.ts'

const daemonReload: WorkAction = {
  name: 'systemd.daemon_reload',
  summary: 'let systemd of a host read its unit files again',
  description: 'What runs goes on as it is; a unit takes what has changed when it is next started.',
  effect: 'change',
  idempotent: true,
  params: closedObject(hostParams, Object.keys(hostParams)),
  result: closedObject({ host: text('The host.') }),
  examples: [{}, { host: 'c1', become: true }],
  plan: async (_ctx, params) => ({
    summary: `would let systemd on ${hostOf(params)} read its unit files again`,
    changes: [],
  }),
  async run(ctx, params, signal) {
    const said = await shell(ctx, params, 'systemctl daemon-reload', {}, signal)
    if (said.exitCode === 0) return { host: hostOf(params) }
    throw new StepFailure(
      'unit_refused',
      `systemd on \`${hostOf(params)}\` did not read its unit files: ${lastWord(said)}`,
      {
        ...(/uthentication required|ccess denied/.test(said.stderr) && { hint: '`become: true` does it as root' }),
      },
    )
  },
}

export const actions: readonly Action[] = [unit, daemonReload]
