import { expect, test } from 'vitest'
import { type Frame, id, migration } from './fake-nova.ts'
import { act } from './on-server.ts'

test('an evacuated server that shows ACTIVE on the old host is not there yet', async () => {
  const row = (status: string) => migration(status, { migration_type: 'evacuation' })
  const after: Frame[] = [
    { status: 'ACTIVE', migrations: [row('accepted')] },
    { status: 'REBUILD', vm: 'active', task: 'rebuilding', migrations: [row('pre-migrating')] },
    { status: 'ACTIVE', migrations: [row('done')] },
    { status: 'ACTIVE', host: 'b', migrations: [row('done')] },
  ]
  const down = {
    'GET /compute/v2.1/os-services': {
      json: { services: [{ id: 's', host: 'a', binary: 'nova-compute', state: 'down', status: 'enabled' }] },
    },
  }
  const { result, asked } = await act('server.evacuate', { after, routes: down })
  expect(result).toMatchObject({ host: 'b', migration: { status: 'done' } })
  expect(asked.filter(({ method, path }) => method === 'GET' && path.endsWith(id))).toHaveLength(5)
  const up = {
    'GET /compute/v2.1/os-services': {
      json: { services: [{ id: 's', host: 'a', binary: 'nova-compute', state: 'up', status: 'enabled' }] },
    },
  }
  const refused = await act('server.evacuate', { routes: up })
  expect(refused.error).toMatchObject({ code: 'host_up' })
  expect(refused.changes).toEqual([])
})
