import { expect, test } from 'vitest'
import type { Routes } from '../../support/openstack-server.ts'
import { changesIn, type Frame, fakeNova, id } from './fake-nova.ts'
import { settled } from './on-server.ts'
import { runAction } from './run-action.ts'

const flavors = { 'GET /compute/v2.1/flavors/detail': { json: { flavors: [{ id: 'f1', name: 'm1.small' }] } } }
const images = { 'GET /image/v2/images': { json: { images: [{ id: 'i1', name: 'debian', status: 'active' }] } } }
const wanted = { name: 'vm1', flavor: 'm1.small', image: 'debian' }

test('a server is made with what finds it again, and is done when it rests on the host that was asked for', async () => {
  const made = { status: 202, json: { server: { id, adminPass: 'hunter2' } } }
  const after: Frame[] = [{ status: 'BUILD', task: 'spawning' }, { status: 'BUILD', task: null }, { host: 'b' }]
  const routes = scripted(after, { ...flavors, ...images, 'POST /compute/v2.1/servers': made })
  const done = await runAction(
    'openstack.server.create',
    { ...wanted, host: 'b', networks: [], metadata: { team: 'x' }, user_data: '#cloud-config\nhostname: größer' },
    routes,
  )
  expect(done.result).toMatchObject({ changed: true, server: { id, status: 'ACTIVE' } })
  expect(changesIn(done.asked)).toEqual([
    {
      what: 'POST /servers',
      version: '2.93',
      body: {
        server: {
          name: 'vm1',
          flavorRef: 'f1',
          imageRef: 'i1',
          networks: 'none',
          host: 'b',
          user_data: 'I2Nsb3VkLWNvbmZpZwpob3N0bmFtZTogZ3LDtsOfZXI=',
          metadata: { team: 'x', runbook_attempt: 'a' },
        },
      },
    },
  ])
  const elsewhere = await runAction(
    'openstack.server.create',
    { ...wanted, host: 'b' },
    scripted([{ host: 'c' }], { ...flavors, ...images, 'POST /compute/v2.1/servers': made }),
  )
  expect(elsewhere.error).toMatchObject({ code: 'wrong_host', detail: { server: id } })
  const fault = { message: 'No valid host was found. There are not enough hosts available.' }
  const full = await runAction(
    'openstack.server.create',
    wanted,
    scripted([{ status: 'ERROR', more: { fault } }], { ...flavors, ...images, 'POST /compute/v2.1/servers': made }),
  )
  expect(full.error).toMatchObject({ code: 'no_valid_host', detail: { server: id } })
})

test('after a crash a server is found by the mark of its attempt, not by its name', async () => {
  const listed = (attempt: string) => ({
    'GET /compute/v2.1/servers/detail': {
      json: { servers: [{ id, name: 'vm1', status: 'ACTIVE', metadata: { runbook_attempt: attempt } }] },
    },
  })
  expect(await settled('server.create', { routes: listed('a') }, wanted)).toMatchObject({
    happened: 'yes',
    result: { server: { id } },
  })
  expect(await settled('server.create', { routes: listed('another') }, wanted)).toEqual({ happened: 'no' })
})

/** A Nova whose server goes its way from the first look on. */
function scripted(after: readonly Frame[], routes: Routes): Routes {
  let look = 0
  const looks = after.map((frame) => fakeNova({ before: frame, routes })[`GET /compute/v2.1/servers/${id}`])
  return {
    ...fakeNova({ routes }),
    [`GET /compute/v2.1/servers/${id}`]: (asked, before) => {
      const reply = looks[Math.min(look++, looks.length - 1)]
      return typeof reply === 'function' ? reply(asked, before) : (reply ?? {})
    },
  }
}
