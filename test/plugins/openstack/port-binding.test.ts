import { expect, onTestFinished, test } from 'vitest'
import { cloudConfig } from '../../../engine/inventory/clouds.ts'
import type { Json, JsonObject } from '../../../engine/json.ts'
import { startRehearsal } from '../../../simulator/index.ts'
import { never, testContext } from '../../support/context.ts'
import { actionCalled } from './run-action.ts'

// biome-ignore lint/suspicious/noExplicitAny: what the API gives, looked at field by field
type Found = { [field: string]: any }

test('a port is bound once more where Neutron could not, and one that still cannot be is a failure', async () => {
  const topology = { controllers: 1, computes: 2, ceph: 0, databases: 1, osds_per_host: 0, servers: 4 }
  const faults = [{ fault: 'network.port_not_bound' }, { fault: 'network.layer2_agent_down' }]
  const done: { kind: string; detail?: unknown }[] = []
  const scenario = { apiVersion: 'runbook/v1', name: 'unbound', topology, faults }
  const other = await startRehearsal({ scenario, onEffect: (effect) => done.push(effect) })
  onTestFinished(() => other.close())
  const there = cloudConfig({ clouds: other.clouds as Json, env: {} })
  const on = async (what: 'run' | 'plan' | 'settled', name: string, params: JsonObject): Promise<Found> => {
    await using world = testContext([there], { clock: other.clock })
    const free = other.clock.busy()
    return (await actionCalled(name)[what]?.(world.ctx, params, never).finally(free)) as object
  }
  const { ports } = await on('run', 'openstack.port.list', { owner: 'compute:nova' })
  const [broken] = ports.filter((port: Found) => port['binding:vif_type'] === 'binding_failed')
  const params = { port: broken.id, host: broken['binding:host_id'] }
  expect(await on('settled', 'openstack.port.bind', params)).toEqual({ happened: 'no' })
  // the agent of its own host is dead, that of another one is not, and of a third one nobody has heard
  const untouched = done.length
  for (const what of ['plan', 'run'] as const) {
    await expect(on(what, 'openstack.port.bind', params)).rejects.toMatchObject({ code: 'agent_down' })
    const nowhere = on(what, 'openstack.port.bind', { ...params, host: 'cmp77' })
    await expect(nowhere).rejects.toMatchObject({ code: 'no_such_host' })
  }
  expect(done.length).toBe(untouched)
  const host = ports.map((port: Found) => port['binding:host_id']).find((name: string) => name !== params.host)
  const elsewhere = { port: broken.id, host }
  expect(await on('plan', 'openstack.port.bind', elsewhere)).toMatchObject({
    changes: [{ path: 'binding:host_id' }, { path: 'binding:vif_type', before: 'binding_failed' }],
  })
  expect(await on('run', 'openstack.port.bind', elsewhere)).toMatchObject({
    changed: true,
    port: { 'binding:host_id': host, 'binding:vif_type': 'ovs' },
  })
  expect(await on('settled', 'openstack.port.bind', elsewhere)).toMatchObject({ happened: 'yes' })
  const before = done.length
  expect(await on('run', 'openstack.port.bind', elsewhere)).toMatchObject({ changed: false })
  expect(done.length).toBe(before)
})
