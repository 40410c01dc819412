import { describe, expect, test } from 'vitest'
import { startWorld } from './world.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\n$/
const add = `amtool silence add -a rb:1 --comment='a "reboot" <x>' --end=2026-11-21T09:30:00Z 'instance=~"c1\\.lan(:.*)?"'`

test('a silence is known on every controller by its author, until its time is over', async () => {
  await using world = await startWorld({ controllers: 2, computes: 1 })
  const { stdout: id, code } = await world.run('ctl1', add)
  expect(code).toBe(0)
  expect(id).toMatch(uuid)
  const ours = (host: string) => world.run(host, 'amtool silence query -q --created-by=rb:1')
  expect(await ours('ctl2')).toMatchObject({ stdout: id, stderr: '', code: 0 })
  expect((await world.run('ctl2', 'amtool silence query -q --created-by=rb')).stdout).toBe('')
  const json = await world.run('ctl1', 'amtool silence query -o json')
  expect(json.stdout.replaceAll(/(2026-11-21T08:00:0)[^Z]*/g, '$10')).toBe(
    `[{"id":"${id.trim()}","status":{"state":"active"},"updatedAt":"2026-11-21T08:00:00Z","comment":"a \\"reboot\\" \\u003cx\\u003e","createdBy":"rb:1","endsAt":"2026-11-21T09:30:00.000Z","matchers":[{"isEqual":true,"isRegex":true,"name":"instance","value":"c1\\\\.lan(:.*)?"}],"startsAt":"2026-11-21T08:00:00Z"}]\n`,
  )
  await world.clock.advance(89 * 60_000)
  expect((await ours('ctl1')).stdout).toBe(id)
  await world.clock.advance(2 * 60_000)
  expect(await ours('ctl1')).toMatchObject({ stdout: '', code: 0 })
  expect((await world.run('ctl1', 'amtool silence query --expired -q')).stdout).toBe(id)
  expect((await world.run('ctl1', 'amtool silence query -o json')).stdout).toBe('[]\n')
})

test('one that is expired is over at once, and expiring it again changes nothing', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1 })
  const id = (await world.run('ctl1', add)).stdout.trim()
  for (let time = 0; time < 2; time += 1)
    expect(await world.run('ctl1', `amtool silence expire ${id}`)).toMatchObject({ stdout: '', stderr: '', code: 0 })
  expect((await world.run('ctl1', 'amtool silence query -q')).stdout).toBe('')
  expect(world.effects.map(({ kind, what }) => `${kind} ${what}`)).toEqual([
    'host.alertmanager.silence instance=~"c1\\\\.lan(:.*)?"',
    'host.alertmanager.expire instance=~"c1\\\\.lan(:.*)?"',
  ])
  expect(world.effects[0]?.detail).toEqual({
    id,
    author: 'rb:1',
    comment: 'a "reboot" <x>',
    ends: '2026-11-21T09:30:00.000Z',
  })
})

test('people get a table, the one that ends first on top', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1 })
  await world.run('ctl1', 'amtool silence add -c late -a ann -d 2h node=b')
  await world.run('ctl1', 'amtool silence add -c early -a bo --end=2026-11-21T08:30:00Z Down node=a')
  // one that has not begun stands last, except in the table
  await world.run('ctl1', 'amtool silence add -c soon -a cy --start=2026-11-21T08:10:00Z -d 10m node=c')
  const { stdout } = await world.run('ctl1', 'amtool silence query')
  expect(stdout.replaceAll(/[0-9a-f-]{36}/g, (id) => 'x'.repeat(id.length))).toBe(
    [
      'ID                                    Matchers                   Ends At                  Created By  Comment  ',
      `${'x'.repeat(36)}  node="c"                   2026-11-21 08:20:00 UTC  cy          soon     `,
      `${'x'.repeat(36)}  alertname="Down" node="a"  2026-11-21 08:30:00 UTC  bo          early    `,
      `${'x'.repeat(36)}  node="b"                   2026-11-21 10:00:00 UTC  ann         late     `,
      '',
    ].join('\n'),
  )
  expect((await world.run('ctl1', 'amtool silence query -q node=a')).stdout).toMatch(uuid)
  const listed = JSON.parse((await world.run('ctl1', 'amtool silence query -o json')).stdout)
  expect(listed).toMatchObject([
    { comment: 'early', status: { state: 'active' } },
    { comment: 'late', status: { state: 'active' } },
    { comment: 'soon', status: { state: 'pending' } },
  ])
})

describe.each([
  { args: 'add', says: 'no matchers specified\n\n' },
  { args: 'add a=b', says: 'comment required by config\n\n' },
  { args: 'add a=b -c x -d 0', says: 'silence duration must be greater than 0\n\n' },
  { args: 'add a=b -c x -d 1.5h', says: 'not a valid duration string: "1.5h"\n\n' },
  { args: 'add a=b -c x --end=2020-01-01T00:00:00Z', says: 'silence cannot start after it ends\n\n' },
  { args: 'add a=b c -c x', says: 'bad matcher format: c\n\n' },
  { args: 'add a=b -c x --until=now', says: "unknown long flag '--until'\n\n" },
  {
    args: 'add a= -c x',
    says: '[POST /silences][400] postSilencesBadRequest  silence invalid: at least one matcher must not match the empty string\n\n',
  },
  {
    args: 'expire abc',
    says: 'response status code does not match any response statuses defined for this endpoint in the swagger spec (status 422): {}\n\n',
  },
  { args: 'expire', says: 'no silence IDs specified\n\n' },
  {
    args: 'expire 00000000-0000-4000-8000-000000000000',
    says: '[DELETE /silence/{silenceID}][500] deleteSilenceInternalServerError  silence not found\n\n',
  },
  {
    args: `query node=a 'x=~"(b)"' --alertmanager.url=http://localhost:9094/`,
    says: 'Get "http://localhost:9094/api/v2/silences?filter=node%3Da&filter=x%3D~%22%28b%29%22": dial tcp 127.0.0.1:9094: connect: connection refused\n\n',
  },
])('amtool silence $args', ({ args, says }) => {
  test('fails, says why and changes nothing', async () => {
    await using world = await startWorld({ controllers: 1, computes: 1 })
    expect(await world.run('ctl1', `amtool silence ${args}`)).toMatchObject({
      stdout: '',
      stderr: `amtool: error: ${says}`,
      code: 1,
    })
    expect(world.effects).toEqual([])
  })
})

test('where Alertmanager is, an option says, else a file, else it is asked on the host itself', async () => {
  await using world = await startWorld({ controllers: 2, computes: 1 })
  expect(await world.run('ctl1', 'amtool silence query -q')).toMatchObject({ stdout: '', stderr: '', code: 0 })
  const file = 'mkdir -p /etc/prometheus; echo "alertmanager.url: http://cmp1:9093" > /etc/prometheus/amtool.yml'
  expect(await world.run('ctl1', `${file}; amtool silence query -q`)).toMatchObject({
    stderr:
      'amtool: error: Get "http://cmp1:9093/api/v2/silences": dial tcp 10.77.0.21:9093: connect: connection refused\n\n',
    code: 1,
  })
  const told = await world.run('ctl1', 'amtool --alertmanager.url=http://ctl2:9093 silence query -q')
  expect(told).toMatchObject({ stdout: '', stderr: '', code: 0 })
})
