import { expect, test } from 'vitest'
import { count, type Effect, type Ran, reboot, second, small, timeOf } from '../../test/support/reboot-rehearsal.ts'

interface Held {
  readonly what: string
  readonly id: string
  readonly author: string
  readonly comment: string
  readonly from: number
  readonly ends: number
  /** When somebody ended it before its time. */
  readonly expired: number | undefined
}

/** The silences that Alertmanager was given, by what its hosts say. */
function silences({ effects }: Ran): Held[] {
  const idOf = ({ detail }: Effect) => String(detail?.['id'])
  const ended = effects.filter(({ kind }) => kind === 'host.alertmanager.expire')
  return effects
    .filter(({ kind }) => kind === 'host.alertmanager.silence')
    .map((effect) => {
      const end = ended.find((one) => idOf(one) === idOf(effect))
      return {
        what: effect.what,
        id: idOf(effect),
        author: String(effect.detail?.['author']),
        comment: String(effect.detail?.['comment']),
        from: Date.parse(effect.at),
        ends: Date.parse(String(effect.detail?.['ends'])),
        expired: end && Date.parse(end.at),
      }
    })
}

test('asked to, it silences the monitoring from before the host goes until it is in service again', async () => {
  const ran = await reboot({ inputs: { silence_on: 'ctl1', silence_matcher: '' } })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  const outputs = ran.end.outputs as { silence: string; reason: string }
  const held = silences(ran)
  expect(held).toMatchObject([
    {
      what: 'instance=~"c1(:.*)?"',
      id: outputs.silence,
      author: outputs.reason.split(' ')[0],
      comment: outputs.reason,
    },
  ])
  const [one] = held
  expect(one?.author).toMatch(/^rb:./)
  expect(one?.from).toBeLessThanOrEqual(timeOf(ran, 'openstack.compute_service.disable'))
  expect(one?.expired).toBeGreaterThanOrEqual(timeOf(ran, 'openstack.compute_service.enable'))
  // nobody is called in the meantime: 5 minutes to empty it, 25 for the reboot, 5 for the proofs, and an hour
  expect(one?.ends).toBeGreaterThan(one?.expired ?? 0)
  expect(((one?.ends ?? 0) - (one?.from ?? 0)) / 60_000).toBeCloseTo(5 + 25 + 5 + 60, 0)
  const order = ran.did.filter((did) => /alertmanager|able c1|reboot c1/.test(did)).map((did) => did.split(' ')[0])
  expect(order).toEqual([
    'host.alertmanager.silence',
    'openstack.compute_service.disable',
    'host.reboot',
    'openstack.compute_service.enable',
    'host.alertmanager.expire',
  ])
})

test('whoever does not ask for it has nothing silenced', async () => {
  const ran = await reboot({})
  expect(ran.end).toMatchObject({ status: 'succeeded', outputs: { silence: '' } })
  expect(silences(ran)).toEqual([])
})

test('a silence ends with the window, matches no other host by the dots of a name, and goes to the Alertmanager that is named', async () => {
  const ran = await reboot({
    topology: { ...small, computes: ['c1.lan', 'c10', 'c2', 'c3'] },
    inputs: {
      host: 'c1.lan',
      window_end: '2100-01-01T02:00:00+02:00',
      silence_on: 'ctl1',
      amtool: ['amtool', '--alertmanager.url=http://ctl1:9093/'],
    },
    answers: ['enter/agree=c1.lan'],
  })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(silences(ran)).toMatchObject([
    { what: String.raw`instance=~"c1\\.lan(:.*)?"`, ends: Date.parse('2100-01-01T00:00:00Z') },
  ])
})

test('what is silenced can be told', async () => {
  const ran = await reboot({ inputs: { silence_on: 'ctl1', silence_matcher: 'host=c1' } })
  expect(silences(ran)).toMatchObject([{ what: 'host="c1"', expired: expect.any(Number) }])
})

test.each([
  { faults: [{ fault: 'alertmanager.down' }], on: 'ctl1', says: 'connect: connection refused' },
  { faults: [], on: 'c2', says: 'amtool: command not found' },
  { faults: [], on: 'ctl7', says: 'ctl7' },
])('monitoring that cannot be silenced stops it before anything changes: $says', async ({ faults, on, says }) => {
  const ran = await reboot({ faults, inputs: { silence_on: on } })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toContain(says)
  expect(ran.effects).toEqual([])
})

test('who says no at first has silenced nothing', async () => {
  const ran = await reboot({ inputs: { silence_on: 'ctl1' }, answers: ['enter/agree=no'] })
  expect(ran.exit).toBe(3)
  expect(ran.effects).toEqual([])
})

test('when all is given back before the reboot, the silence ends as well, after the host is in service', async () => {
  const ran = await reboot({
    faults: [{ fault: 'nova.migration_precheck_fails', with: { server: second } }],
    inputs: { silence_on: 'ctl1' },
  })
  expect(ran.end).toMatchObject({ status: 'rolled_back' })
  expect(silences(ran)).toHaveLength(1)
  expect(silences(ran)[0]?.expired).toBeGreaterThanOrEqual(timeOf(ran, 'openstack.compute_service.enable'))
})

test.each([
  // it cannot be asked whether it has been rebooted, so it is not put back
  { fault: 'hosts.unreachable', with: { host: 'c1' }, enabled: 0 },
  { fault: 'alertmanager.down', enabled: 1 },
])('a silence that cannot be undone is told by whoever made it: $fault', async ({ enabled, ...fault }) => {
  const ran = await reboot({
    runbook: 'host-maintenance-enter',
    faults: [
      { fault: 'nova.migration_precheck_fails', with: { server: second } },
      { ...fault, once: 'openstack.server.live_migrate' },
    ],
    inputs: { silence_on: 'ctl1' },
    answers: ['agree=c1'],
  })
  expect(ran.exit).toBe(1)
  const [held] = silences(ran)
  expect(held).toMatchObject({ expired: undefined })
  expect(ran.end.error?.message).toContain(`${second} has not moved`)
  expect(ran.end.error?.message).toContain(
    `the monitoring of c1 stays silenced until ${new Date(held?.ends ?? 0).toISOString()}`,
  )
  expect(ran.end.error?.message).toContain(`on ctl1 with \`amtool silence expire ${held?.id}\``)
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(enabled)
})

/** `amtool` as an Alertmanager behind a proxy answers it: the script sees its words, and the number of the call. */
const through = (script: string) => [
  ...['sh', '-c', `n=$(cat /tmp/calls 2> /dev/null || echo 0); n=$((n + 1)); echo $n > /tmp/calls; ${script}`, 'am'],
]

test.each([
  // it took the silence and never said so, and is silent since
  { name: 'is not answered any more', script: 'amtool "$@"; [ $n -lt 3 ] || sleep 300', left: 0 },
  { name: 'took it and then failed', script: '[ $n -lt 4 ] || exit 1; amtool "$@"', left: 0 },
  { name: 'took it, failed once, and answers again', script: '[ $n != 4 ] || exit 1; amtool "$@"', left: 1 },
])('a silence of which nobody knows whether it was made is ended, or told: an Alertmanager that $name', async (how) => {
  const ran = await reboot({
    runbook: 'host-maintenance-enter',
    inputs: { silence_on: 'ctl1', amtool: through(how.script) },
    answers: ['agree=c1'],
  })
  expect(ran.exit).toBe(1)
  const [held] = silences(ran)
  expect(silences(ran)).toHaveLength(1)
  expect(count(ran, 'openstack.compute_service.disable c1')).toBe(0)
  if (how.left === 1) return expect(held?.expired).toBeGreaterThan(0)
  expect(held?.expired).toBeUndefined()
  expect(ran.end.error?.message).toContain('the monitoring of c1 may be silenced')
  expect(ran.end.error?.message).toContain(`silence query --created-by=${held?.author}`)
})

test('a host that stays out of service stays silenced until the silence ends by itself, and the error says so', async () => {
  const ran = await reboot({
    faults: [{ fault: 'hosts.never_back', with: { host: 'c1' } }],
    inputs: { silence_on: 'ctl1', reboot_minutes: 2 },
    answers: ['enter/agree=c1', 'forward/not_back=stop'],
  })
  const held = silences(ran)
  expect(held).toHaveLength(1)
  expect(held[0]?.expired).toBeUndefined()
  expect(ran.end.error?.message).toContain(`stays silenced until ${new Date(held[0]?.ends ?? 0).toISOString()}`)
  expect(ran.end.error?.message).toContain(`--input silence_on=ctl1 --input 'amtool=["amtool"]'`)
})

test('Alertmanager that is gone in the end keeps no host out of service: it is told, with what is left to do', async () => {
  const ran = await reboot({
    faults: [{ fault: 'alertmanager.down', once: 'host.reboot' }],
    inputs: { silence_on: 'ctl1' },
  })
  expect(count(ran, 'openstack.compute_service.enable c1')).toBe(1)
  expect(ran.did.at(-1)).toBe('openstack.compute_service.enable c1')
  const [held] = silences(ran)
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toContain(`amtool silence expire ${held?.id}`)
})
