import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { asks, type CloudConfig } from '../../../engine/action/contract.ts'
import { cloudConfig } from '../../../engine/inventory/clouds.ts'
import type { Json } from '../../../engine/json.ts'
import { actions } from '../../../plugins/openstack/index.ts'
import { loadScenario, startRehearsal } from '../../../simulator/index.ts'
import { testContext } from '../../support/context.ts'
import { lab, readLab } from '../support/lab.ts'

/** What each version document answers to those without a token. */
const answers = { identity: 200, compute: 200, network: 401, image: 401, volumev3: 401, placement: 200 }

test('every endpoint of a real catalog passes the check, at all interfaces', async () => {
  const clouds: Json = parse(await readLab(lab.clouds))
  const { statuses, bad } = await checked(cloudConfig({ clouds, env: { OS_CLOUD: 'lab-admin' } }))
  expect(bad).toEqual([])
  expect(statuses).toEqual(answers)
})

test('those of the rehearsed cloud answer the same', async () => {
  const rehearsal = await startRehearsal({ scenario: await loadScenario('healthy') })
  try {
    const { statuses, bad } = await checked(cloudConfig({ clouds: rehearsal.clouds as Json, env: {} }))
    expect(bad).toEqual([])
    expect(statuses).toEqual(answers)
  } finally {
    await rehearsal.close()
  }
})

async function checked(cloud: CloudConfig) {
  const check = actions.find(({ name }) => name === 'openstack.endpoint.check')
  if (!check || asks(check)) throw new Error('there is no check of endpoints')
  await using world = testContext([cloud])
  const params = { interfaces: ['public', 'internal', 'admin'] }
  const result = await check.run(world.ctx, params, AbortSignal.timeout(60_000))
  const { endpoints } = result as unknown as { endpoints: { type: string; ok: boolean; status: number }[] }
  return {
    statuses: Object.fromEntries(endpoints.map(({ type, status }) => [type, status])),
    bad: endpoints.filter(({ ok }) => !ok),
  }
}
