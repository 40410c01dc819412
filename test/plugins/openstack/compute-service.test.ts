import { expect, test } from 'vitest'
import type { JsonObject } from '../../../engine/json.ts'
import { type Routes, versions } from '../../support/openstack-server.ts'
import { changesIn } from './fake-nova.ts'
import { runAction } from './run-action.ts'

const speaking = { 'GET /compute/v2.1/': versions('v2.1', '2.1', '2.93') }
const stillThere = 'Unable to force up host c1 as `done` evacuation migration records remain associated with the host.'

/** The nova-compute of one host; what is put is shown, from the given look on. */
function serviceOf(first: JsonObject, takes = (_puts: number): boolean => true): Routes {
  let shown: JsonObject = {
    id: 's1',
    host: 'c1',
    binary: 'nova-compute',
    status: 'enabled',
    state: 'up',
    forced_down: false,
    disabled_reason: null,
    ...first,
  }
  let puts = 0
  return {
    ...speaking,
    'GET /compute/v2.1/os-services': () => ({ json: { services: [shown, { ...shown, id: 's2', host: 'c10' }] } }),
    'PUT /compute/v2.1/os-services/s1': ({ body }) => {
      puts += 1
      if (!takes(puts)) return { status: 400, json: { badRequest: { message: stillThere } } }
      shown = { ...shown, ...(body as JsonObject) }
      return { json: { service: shown } }
    },
  }
}

test('a host is disabled with a reason, and enabled only for exactly that reason', async () => {
  const disabled = await runAction('openstack.compute_service.disable', { host: 'c1', reason: 'mine' }, serviceOf({}))
  expect(disabled.result).toMatchObject({
    changed: true,
    service: { host: 'c1', status: 'disabled', disabled_reason: 'mine' },
  })
  expect(changesIn(disabled.asked)).toMatchObject([
    { what: 'PUT /os-services/s1', body: { status: 'disabled', disabled_reason: 'mine' } },
  ])

  const mine = { status: 'disabled', disabled_reason: 'mine' }
  const again = await runAction('openstack.compute_service.disable', { host: 'c1', reason: 'mine' }, serviceOf(mine))
  expect(again.result).toMatchObject({ changed: false })
  const theirs = { status: 'disabled', disabled_reason: 'mine too' }
  for (const [verb, params] of [
    ['enable', { host: 'c1', reason: 'mine' }],
    ['disable', { host: 'c1', reason: 'mine' }],
  ] as const) {
    const { error, asked } = await runAction(`openstack.compute_service.${verb}`, params, serviceOf(theirs))
    expect(error).toMatchObject({ code: 'disabled_by_other', detail: { disabled_reason: 'mine too' } })
    expect(changesIn(asked)).toEqual([])
  }
  const enabled = await runAction('openstack.compute_service.enable', { host: 'c1', reason: 'mine' }, serviceOf(mine))
  expect(enabled.result).toMatchObject({ changed: true, service: { status: 'enabled' } })
  const unknown = await runAction('openstack.compute_service.enable', { host: 'c' }, serviceOf({}))
  expect(unknown.error).toMatchObject({ code: 'not_found' })
  const down = await runAction('openstack.compute_service.enable', { host: 'c1' }, serviceOf({ status: 'UNKNOWN' }))
  expect(down.error).toMatchObject({ code: 'cell_down' })
})

test('a host that was declared down is taken back when it has let go of what was evacuated from it', async () => {
  const params = { host: 'c1', forced_down: false }
  const { result, asked } = await runAction(
    'openstack.compute_service.force_down',
    params,
    serviceOf({ forced_down: true }, (puts) => puts > 2),
  )
  expect(result).toMatchObject({ changed: true, service: { forced_down: false } })
  expect(changesIn(asked)).toHaveLength(3)
  const stuck = await runAction(
    'openstack.compute_service.force_down',
    params,
    serviceOf({ forced_down: true }, () => false),
  )
  expect(stuck.error).toMatchObject({ code: 'not_yet', message: expect.stringContaining('`done` evacuation') })
})
