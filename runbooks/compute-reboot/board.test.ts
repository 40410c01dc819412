import { expect, test } from 'vitest'
import { boardAt, byBoard, count, reboot, rebooted } from '../../test/support/reboot-rehearsal.ts'

const hangs = [{ fault: 'hosts.hangs_in_reboot', with: { host: 'c1' } }]

test('a host that hangs in its reboot is switched off and on by its board when its name is typed, and is in another boot', async () => {
  const ran = await reboot({
    faults: hangs,
    inputs: byBoard,
    answers: ['enter/agree=c1', 'forward/not_back=cycle', 'forward/agree_cycle=c1'],
  })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  const power = ran.did.filter((one) => /^host\.(reboot|power)/.test(one))
  expect(power).toEqual(['host.reboot c1', 'host.power.cycle c1'])
  const { boot } = ran.end.outputs as { boot: { before: string; after: string } }
  expect(boot.after).toMatch(/^[0-9a-f-]{36}$/)
  expect(boot.after).not.toBe(boot.before)
  expect(ran.did.at(-1)).toBe('openstack.compute_service.enable c1')
})

test('who says no instead of the name of the host cuts no power, and the host stays out of service', async () => {
  const ran = await reboot({
    faults: hangs,
    inputs: byBoard,
    answers: ['enter/agree=c1', 'forward/not_back=cycle', 'forward/agree_cycle=no'],
  })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toMatch(/has not rebooted.*stays out of service/s)
  expect(ran.did.filter((one) => /host\.power|\.enable/.test(one))).toEqual([])
})

// an answer that does not fit leaves the question open, with its text and its options; and the host locked
test.each([
  { host: 'c10', inputs: {}, asks: /at its power by the management board\. What now.*one of wait, again, stop\b/s },
  {
    host: 'c2',
    inputs: { board: [...boardAt('10.79.0.23'), 'chassis', 'power'], board_on: 'ctl1' },
    asks: /Its management board says: Chassis Power is on\. .*one of wait, again, cycle, stop\b/s,
  },
])(
  'the power is offered to be cut only where a board is named, with what it says: $host',
  async ({ host, inputs, asks }) => {
    const left = reboot({
      faults: [{ fault: 'hosts.hangs_in_reboot', with: { host } }],
      inputs: { ...inputs, host, reboot_minutes: 5 },
      answers: [`enter/agree=${host}`, 'forward/not_back=nothing'],
    })
    const error = await left.catch((error: Error) => error)
    // the warning comes before the question
    expect(String(error).split('{"type":"run.parked"').toReversed().join(' ')).toMatch(asks)
  },
)

test('a host that comes back while a person thinks is not switched off', async () => {
  // what the board says takes so long that the host is back before the question is answered
  const board = ['sh', '-c', `${boardAt('10.79.0.21').join(' ')} chassis power "$0"; [ "$0" != status ] || sleep 100`]
  const ran = await reboot({
    faults: [{ fault: 'hosts.slow_boot', with: { host: 'c1', minutes: 5.5 } }],
    inputs: { ...byBoard, board },
    answers: ['enter/agree=c1', 'forward/not_back=cycle', 'forward/agree_cycle=c1'],
  })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(count(ran, 'host.power.cycle c1')).toBe(0)
  expect(rebooted(ran)).toBe(1)
})

test('a board that does not answer stops it before anything changes', async () => {
  const board = [...boardAt('10.79.0.99'), 'chassis', 'power']
  const ran = await reboot({ inputs: { ...byBoard, board } })
  expect(ran.exit).toBe(1)
  expect(ran.end.error?.message).toContain('does not answer ctl1: Error: Unable to establish IPMI v2 / RMCP+ session')
  expect(ran.effects).toEqual([])
})

test.each(['', 'c1'])('a board is asked on a host that is named and does not reboot itself: `%s`', async (board_on) => {
  const ran = await reboot({ inputs: { ...byBoard, board_on } })
  expect(ran.exit).not.toBe(0)
  expect(ran.end.error?.message).toContain('`board_on`')
  expect(ran.effects).toEqual([])
})
