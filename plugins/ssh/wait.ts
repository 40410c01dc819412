import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, duration, number, text, whole } from '../../engine/action/define.ts'
import { parseDuration, shownDuration } from '../../engine/duration.ts'
import { bootOf, hasBooted } from './boot.ts'
import { hostOf, hostParams, lastWord, shell } from './host.ts'

/** Whether something listens on a TCP port, from what `ss -Hltn` prints. */
const listensOn = (port: number, listing: string): boolean =>
  listing.split('\n').some((line) => line.trim().split(/\s+/)[3]?.endsWith(`:${port}`) ?? false)

const usualLimit = 600_000
const pause = 5_000

export const wait: WorkAction = {
  name: 'ssh.wait',
  summary: 'wait until a host answers and has booted, or listens on a port',
  description:
    'A host that does not answer is asked again, every five seconds; one whose key is not the known one is not. With `port` it is waited for until something on the host listens there. A host that is not so far after `within` fails with `not_ready`.',
  effect: 'read',
  params: closedObject(
    {
      port: whole('A TCP port on which something must listen on the host.', { minimum: 1, maximum: 65_535 }),
      within: duration('How long to wait; `10m` unless told.'),
      ...hostParams,
    },
    ['port', 'within', ...Object.keys(hostParams)],
  ),
  result: closedObject({
    host: text('The host.'),
    boot_id: text('The boot it is in.'),
    took: number('Milliseconds.'),
  }),
  examples: [{}, { host: 'c1', within: '20m' }, { port: 3306 }],
  async run(ctx, params, signal) {
    const host = hostOf(params)
    const began = ctx.clock.now()
    const limit = parseDuration(String(params['within'] ?? '')) ?? usualLimit
    for (;;) {
      const why = await ready().catch((error: unknown) => {
        if (error instanceof StepFailure && !/^(host_key|become_refused|host_unknown)/.test(error.code)) return error
        throw error
      })
      const took = ctx.clock.now() - began
      if (typeof why === 'object' && 'id' in why) return { host, boot_id: why.id, took }
      const text = why instanceof StepFailure ? `does not answer (${why.message})` : why
      ctx.progress(text)
      if (took >= limit) {
        throw new StepFailure('not_ready', `\`${host}\` ${text} after ${shownDuration(limit)}`, {
          status: why instanceof StepFailure ? 'unreachable' : 'failed',
        })
      }
      await ctx.clock.sleep(pause, signal)
    }

    async function ready() {
      const boot = await bootOf(ctx, params, '', signal)
      if (!hasBooted(boot)) return `is \`${boot.state}\``
      if (params['port'] === undefined) return boot
      const said = await shell(ctx, params, 'ss -Hltn', {}, signal)
      if (said.exitCode !== 0) throw new StepFailure('no_answer', `\`ss\` on \`${host}\` says: ${lastWord(said)}`)
      const port = params['port'] as number
      return listensOn(port, said.stdout) ? boot : `does not listen on port ${port}`
    }
  },
}
