import { expect, test } from 'vitest'
import { uuidOf } from '../simulator/random.ts'
import { type Asked, newSerial, replace, worldOfCephadm } from '../test/support/osd-rehearsal.ts'

const spec = 'osd.all-available-devices'
const unit = `ceph-${uuidOf('ceph')}@osd.4.service`
const unmanaged = `ceph: orch apply ${spec} unmanaged`
const managed = `ceph: orch apply ${spec} managed`
const removed = [
  'ceph: osd out 4',
  `unit.disable: ceph2:${unit}`,
  'ceph: orch osd rm 4 --replace',
  'cephadm: osd destroy 4',
]
const created = `cephadm.create: ceph2:/dev/sdc (${newSerial})`

const replaceBy = (scenario: string, asked: Asked = {}) =>
  replace(scenario, { ...asked, inputs: { deployment: 'cephadm', ...asked.inputs } })

test('cephadm removes the OSD when a person has said so, and makes the new one once its preview names that disk alone', async () => {
  const { exit, effects, said, events } = await replaceBy('osd-cephadm')
  expect(exit, said).toBe(0)
  expect(effects).toEqual([unmanaged, ...removed, managed, created])
  const end = events.at(-1)
  expect(end?.type === 'run.ended' && end.outputs).toMatchObject({ osd: 'osd.4', host: 'ceph2', new_serial: newSerial })
  expect(said).not.toContain('is unmanaged still')
})

test('a specification that was unmanaged stays so, and the new OSD is made on its disk by name', async () => {
  const { exit, effects, said } = await replaceBy(worldOfCephadm('unmanaged', { fault: 'ceph.unmanaged' }))
  expect(exit, said).toBe(0)
  expect(effects).toEqual([...removed, created, 'ceph: orch daemon add osd ceph2:/dev/sdc'])
})

test('a specification that is made unmanaged and not told so in time is given back', async () => {
  const late = { fault: 'ceph.answers_late', with: { change: 'orch apply' } }
  const { exit, effects } = await replaceBy(worldOfCephadm('late-apply', late))
  expect({ exit, effects }).toEqual({ exit: 1, effects: [unmanaged, managed] })
})

test('a preview that names another disk too is refused: the specification stays unmanaged, and that is told', async () => {
  const { exit, effects, error, said } = await replaceBy('osd-cephadm-spare')
  expect(error).toMatch(
    /by osd\.all-available-devices cephadm would make OSDs of ceph2:\/dev\/sdc, ceph2:\/dev\/sdx, and only ceph2:\/dev\/sdc is meant/,
  )
  expect({ exit, effects }).toEqual({ exit: 1, effects: [unmanaged, ...removed] })
  expect(said).toMatch(/osd\.all-available-devices is unmanaged still: cephadm makes no OSD by itself/)
})

test('a no to the last question puts the OSD and its specification back as they were', async () => {
  const { exit, effects } = await replaceBy(worldOfCephadm('no'), { answers: { 'leave/last': 'no' } })
  expect({ exit, effects }).toEqual({
    exit: 3,
    effects: [unmanaged, ...removed.slice(0, 2), `unit.enable: ceph2:${unit}`, 'ceph: osd in 4', managed],
  })
})

test('a removal that cephadm does not come to the end of is called off, before anything is put back', async () => {
  const never = worldOfCephadm('never', { fault: 'ceph.destroy_refused', with: { osd: 4, times: 9999 } })
  const { exit, effects, error } = await replaceBy(never)
  expect(error).toMatch(/did not come true within 30m/)
  expect({ exit, effects }).toEqual({
    exit: 1,
    effects: [
      ...[unmanaged, ...removed.slice(0, 3), 'ceph: orch osd rm stop 4'],
      // in again by itself: Ceph had put it out while it was down
      ...[`unit.enable: ceph2:${unit}`, managed],
    ],
  })
})

test('an OSD that somebody purged while cephadm removed it is not done, and what stays unmanaged is told', async () => {
  const lost = worldOfCephadm('lost', { fault: 'ceph.id_lost', with: { osd: 4 } })
  const { exit, effects, error, said } = await replaceBy(lost)
  expect(error).toMatch(/^until_failed: /)
  expect({ exit, effects }).toEqual({ exit: 1, effects: [unmanaged, ...removed] })
  expect(said).toMatch(/osd\.all-available-devices is unmanaged still: cephadm makes no OSD by itself/)
})

test('what cephadm cannot do as it is meant is told before anything is changed', async () => {
  const cases: readonly (readonly [string, RegExp, Asked['inputs']])[] = [
    [worldOfCephadm('fast'), /`fast_swap` is not for clusters of cephadm/, { strategy: 'fast_swap' }],
    [
      worldOfCephadm('removing', { fault: 'ceph.removing', with: { osd: 7 } }),
      /cephadm removes osd\.7 already: wait for it, or call it off/,
      {},
    ],
    [
      worldOfCephadm('destroyed', { fault: 'ceph.removing', with: { osd: 4, done: true } }),
      /cephadm would take its new disk unseen: set osd\.all-available-devices unmanaged first/,
      {},
    ],
    [worldOfCephadm('sealed'), /says not to encrypt, and that is not how/, { encrypt: 'always' }],
    [
      worldOfCephadm('shared', { fault: 'ceph.shared_database', with: { osd: 4 } }),
      /cephadm decides where the new one goes/,
      { block_db: 'ceph-db/db-4' },
    ],
  ]
  for (const [scenario, why, inputs = {}] of cases) {
    const { exit, effects, error } = await replaceBy(scenario, { inputs })
    expect(error).toMatch(why)
    expect({ exit, effects }).toEqual({ exit: 1, effects: [] })
  }
})
