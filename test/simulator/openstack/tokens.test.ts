import { expect, test } from 'vitest'
import { operatorCredential } from '../../../simulator/openstack/keystone/state.ts'
import { at, nobody, rows } from './contract/api.ts'
import { cloudOf } from './support.ts'

const hour = 3_600_000

test('a token works until it expires on the clock of the world', async () => {
  const cloud = await cloudOf()
  expect((await cloud.admin.get('nova', '/v2.1/servers')).status).toBe(200)
  await cloud.clock.advance(hour - 60_000)
  expect((await cloud.admin.get('nova', '/v2.1/servers')).status).toBe(200)
  await cloud.clock.advance(61_000)
  for (const [service, path] of [
    ['nova', '/v2.1/servers'],
    ['placement', '/resource_providers'],
    ['keystone', '/v3/projects'],
  ] as const) {
    expect((await cloud.admin.get(service, path)).status).toBe(401)
  }
  const again = await cloud.enter('admin', 'admin')
  expect((await again.get('nova', '/v2.1/servers')).status).toBe(200)
  await cloud.close()
})

test('an application credential gives a token for its project', async () => {
  const cloud = await cloudOf()
  const identity = (secret: string) => ({
    methods: ['application_credential'],
    application_credential: { id: operatorCredential.id, secret },
  })
  const path = '/v3/auth/tokens'
  const good = await cloud.admin.post(
    'keystone',
    path,
    { auth: { identity: identity(operatorCredential.secret) } },
    nobody,
  )
  const bad = await cloud.admin.post('keystone', path, { auth: { identity: identity('wrong') } }, nobody)
  expect(good.status).toBe(201)
  expect(at(good.body, 'token', 'project', 'id')).toBe(cloud.admin.project)
  expect(bad.status).toBe(401)
  await cloud.close()
})

test('an unscoped token has no catalogue, and one made from a token does not outlive it', async () => {
  const cloud = await cloudOf()
  const user = { name: 'admin', domain: { name: 'Default' }, password: 'rehearsal' }
  const unscoped = await cloud.admin.post(
    'keystone',
    '/v3/auth/tokens',
    { auth: { identity: { methods: ['password'], password: { user } } } },
    nobody,
  )
  expect(at(unscoped.body, 'token', 'catalog')).toBeUndefined()
  expect(at(unscoped.body, 'token', 'project')).toBeUndefined()
  await cloud.clock.advance(hour / 2)
  const auth = {
    identity: { methods: ['token'], token: { id: unscoped.headers['x-subject-token'] } },
    scope: { project: { name: 'shop', domain: { id: 'default' } } },
  }
  // the administrator has no role in that project
  expect((await cloud.admin.post('keystone', '/v3/auth/tokens', { auth }, nobody)).status).toBe(401)
  const own = { ...auth, scope: { project: { id: cloud.admin.project } } }
  const rescoped = await cloud.admin.post('keystone', '/v3/auth/tokens', { auth: own }, nobody)
  expect(rescoped.status).toBe(201)
  expect(at(rescoped.body, 'token', 'expires_at')).toBe(at(unscoped.body, 'token', 'expires_at'))
  await cloud.close()
})

test('of a token, a credential or its owner that is no more Keystone says that it is not there', async () => {
  const cloud = await cloudOf()
  const ask = async (identity: object) => {
    const { status, body } = await cloud.admin.post('keystone', '/v3/auth/tokens', { auth: { identity } }, nobody)
    return [status, at(body, 'error', 'message')]
  }
  const token = (id: string) => ask({ methods: ['token'], token: { id } })
  const credential = (which: object) =>
    ask({ methods: ['application_credential'], application_credential: { secret: 'x', ...which } })
  expect(await token('abc')).toEqual([404, 'Could not recognize Fernet token'])
  expect(await credential({ id: 'nope' })).toEqual([404, 'Could not find Application Credential: nope.'])
  const owned = (user: string) => ({ name: 'nope', user: { name: user, domain: { id: 'default' } } })
  expect(await credential(owned('nobody'))).toEqual([404, 'Could not find user: nobody.'])
  expect((await credential(owned('admin')))[0]).toBe(401)
  const user = { name: 'admin', domain: { name: 'Default' }, password: 'rehearsal' }
  const made = await cloud.admin.post(
    'keystone',
    '/v3/auth/tokens',
    { auth: { identity: { methods: ['password'], password: { user } } } },
    nobody,
  )
  await cloud.clock.advance(2 * hour)
  expect(await token(String(made.headers['x-subject-token']))).toEqual([404, 'Failed to validate token'])
  await cloud.close()
})

test('a body without methods is 400', async () => {
  const cloud = await cloudOf()
  expect((await cloud.admin.post('keystone', '/v3/auth/tokens', { auth: {} }, nobody)).status).toBe(400)
  await cloud.close()
})

test('an owner sees their own servers only and no service list', async () => {
  const cloud = await cloudOf()
  const owner = await cloud.enter('shop-owner', 'shop')
  const mine = await owner.get('nova', '/v2.1/servers/detail')
  expect(rows(mine.body, 'servers').length).toBeGreaterThan(5)
  for (const server of rows(mine.body, 'servers')) {
    expect(server['tenant_id']).toBe(owner.project)
    expect(server['OS-EXT-SRV-ATTR:host']).toBeUndefined()
  }
  expect((await owner.get('nova', '/v2.1/servers?all_tenants=1')).status).toBe(403)
  expect((await owner.get('nova', '/v2.1/os-services')).body).toEqual({
    forbidden: { code: 403, message: "Policy doesn't allow os_compute_api:os-services:list to be performed." },
  })
  expect((await owner.get('keystone', '/v3/services')).status).toBe(403)
  expect((await owner.get('cinder', `/v3/${cloud.admin.project}/volumes`)).status).toBe(400)
  await cloud.close()
})
