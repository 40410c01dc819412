import { expect, test } from 'vitest'
import type { CloudConfig } from '../../../engine/action/contract.ts'
import { call } from '../../../plugins/openstack/call.ts'
import { sessionOf } from '../../../plugins/openstack/session.ts'
import { never, testContext } from '../../support/context.ts'
import { type FakeCloud, fakeCloud } from '../../support/openstack-server.ts'

const things = { 'GET /network/v2.0/things': { json: { things: [] } } }
const getThings = { service: 'network', path: '/things' }

test('one token serves all the steps of a run, and neither it nor the password may be shown', async () => {
  await using cloud = await fakeCloud(things)
  await using world = testContext([cloud.cloud])
  for (const params of [{}, {}]) await call(await sessionOf(world.ctx, params), getThings, never)
  expect(cloud.logins).toEqual([
    {
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'ops', domain: { id: 'default' }, password: 'top-secret' } },
        },
        scope: { project: { name: 'admin', domain: { id: 'default' } } },
      },
    },
  ])
  expect(world.secrets).toEqual(['top-secret', 'token-1'])
  expect(cloud.asked.map(({ headers }) => headers['x-auth-token'])).toEqual(['token-1', 'token-1'])
})

test('asking for a token is a read, so that a dry run can look', async () => {
  await using cloud = await fakeCloud(things)
  await using world = testContext([cloud.cloud])
  await call(await sessionOf(world.ctx, {}), getThings, never)
  expect(world.requests.map(({ method, effect }) => `${method} ${effect}`)).toEqual(['POST read', 'GET read'])
})

test('steps that begin at the same time ask for one token', async () => {
  await using cloud = await fakeCloud(things)
  await using world = testContext([cloud.cloud])
  const session = await sessionOf(world.ctx, {})
  await Promise.all([1, 2, 3].map(() => call(session, getThings, never)))
  expect(cloud.logins).toHaveLength(1)
})

test('a step that is cancelled while it asks for a token does not take the others with it', async () => {
  await using cloud = await fakeCloud(things)
  await using world = testContext([cloud.cloud])
  const session = await sessionOf(world.ctx, {})
  const stop = new AbortController()
  const cancelled = call(session, getThings, stop.signal)
  const other = call(session, getThings, never)
  stop.abort(new Error('stopped'))
  await expect(cancelled).rejects.toThrow('stopped')
  await expect(other).resolves.toMatchObject({ status: 200 })
})

test('a wrong password is asked for once, however many steps wait for it', async () => {
  const refuse = {
    status: 401,
    json: { error: { code: 401, message: 'The request you have made requires authentication.' } },
  }
  await using cloud = await fakeCloud(things, { refuse })
  await using world = testContext([cloud.cloud])
  const session = await sessionOf(world.ctx, {})
  const results = await Promise.allSettled([1, 2, 3].map(() => call(session, getThings, never)))
  expect(results).toMatchObject(
    [1, 2, 3].map(() => ({
      reason: {
        code: 'unauthorized',
        status: 'failed',
        message: expect.stringContaining('refused the password of `ops`'),
      },
    })),
  )
  expect(cloud.logins).toHaveLength(1)
})

test.each([
  {
    what: 'a token that is no more',
    change: { authType: 'token', auth: { token: 't', project_id: 'p' } },
    said: 'Failed to validate token',
    message: 'refused the token',
    hint: 'get a new one',
  },
  {
    what: 'an application credential that was deleted',
    change: {
      authType: 'v3applicationcredential',
      auth: { application_credential_id: 'c', application_credential_secret: 's' },
    },
    said: 'Could not find Application Credential: c.',
    message: 'refused the application credential `c`',
    hint: 'it may have expired or been deleted',
  },
] as const)('$what is told as refused, though Keystone says 404', async ({ change, said, message, hint }) => {
  const refuse = { status: 404, json: { error: { code: 404, message: said, title: 'Not Found' } } }
  await using cloud = await fakeCloud(things, { refuse })
  await using world = testContext([withAuth(cloud, change)])
  await expect(call(await sessionOf(world.ctx, {}), getThings, never)).rejects.toMatchObject({
    code: 'unauthorized',
    message: expect.stringContaining(message),
    hint: expect.stringContaining(hint),
  })
})

test('an address that is not that of Keystone is asked about', async () => {
  const refuse = { status: 404, text: '<!doctype html><title>404</title><h1>Not Found</h1>' }
  await using cloud = await fakeCloud(things, { refuse })
  await using world = testContext([cloud.cloud])
  await expect(call(await sessionOf(world.ctx, {}), getThings, never)).rejects.toMatchObject({
    code: 'not_found',
    message: expect.stringContaining('is not there'),
    hint: 'is `auth_url` the address of Keystone?',
  })
})

test('a token is replaced before it expires, by how long it holds and not by the date it bears', async () => {
  await using cloud = await fakeCloud(things, { life: 600 })
  await using world = testContext([cloud.cloud])
  world.clock.advance(365 * 86_400_000) // this machine's clock is a year ahead
  const session = await sessionOf(world.ctx, {})
  await call(session, getThings, never)
  world.clock.advance(539_000)
  await call(session, getThings, never)
  expect(cloud.logins).toHaveLength(1)
  world.clock.advance(2_000)
  await call(session, getThings, never)
  expect(cloud.logins).toHaveLength(2)
})

test('a token that is refused in the middle is replaced once, for a change too', async () => {
  await using cloud = await fakeCloud({ ...things, 'POST /network/v2.0/things': { status: 201, json: {} } })
  await using world = testContext([cloud.cloud])
  const session = await sessionOf(world.ctx, {})
  await call(session, getThings, never)
  cloud.revoke()
  await call(session, { ...getThings, method: 'POST', body: {} }, never)
  expect(cloud.asked.map(({ method, headers }) => `${method} ${headers['x-auth-token']}`)).toEqual([
    'GET token-1',
    'POST token-1',
    'POST token-2',
  ])
})

test('a service that refuses every token is unauthorized, not asked for ever', async () => {
  await using cloud = await fakeCloud({ 'GET /network/v2.0/things': { status: 401, text: 'Authentication required' } })
  await using world = testContext([cloud.cloud])
  await expect(call(await sessionOf(world.ctx, {}), getThings, never)).rejects.toMatchObject({ code: 'unauthorized' })
  expect(cloud.asked).toHaveLength(2)
})

test.each([
  {
    what: 'an application credential',
    change: {
      authType: 'v3applicationcredential',
      auth: { application_credential_id: 'c1', application_credential_secret: 's' },
    },
    login: {
      auth: { identity: { methods: ['application_credential'], application_credential: { id: 'c1', secret: 's' } } },
    },
  },
  {
    what: 'an application credential by name',
    change: {
      authType: 'v3applicationcredential',
      auth: {
        application_credential_name: 'c',
        application_credential_secret: 's',
        username: 'u',
        user_domain_name: 'D',
      },
    },
    login: {
      auth: {
        identity: {
          methods: ['application_credential'],
          application_credential: { name: 'c', user: { name: 'u', domain: { name: 'D' } }, secret: 's' },
        },
      },
    },
  },
  {
    what: 'a token for a project',
    change: { authType: 'token', auth: { token: 't', project_id: 'p' } },
    login: { auth: { identity: { methods: ['token'], token: { id: 't' } }, scope: { project: { id: 'p' } } } },
  },
  {
    what: 'the whole system',
    change: { authType: 'password', auth: { user_id: 'u', password: 'p', system_scope: 'all' } },
    login: {
      auth: {
        identity: { methods: ['password'], password: { user: { id: 'u', password: 'p' } } },
        scope: { system: { all: true } },
      },
    },
  },
  {
    what: 'a domain',
    change: { authType: 'password', auth: { user_id: 'u', password: 'p', domain_name: 'D' } },
    login: {
      auth: {
        identity: { methods: ['password'], password: { user: { id: 'u', password: 'p' } } },
        scope: { domain: { name: 'D' } },
      },
    },
  },
] as const)('Keystone is asked with $what', async ({ change, login }) => {
  await using cloud = await fakeCloud(things)
  await using world = testContext([withAuth(cloud, change)])
  await call(await sessionOf(world.ctx, {}), getThings, never)
  expect(cloud.logins).toEqual([login])
})

test.each(['', '/', '/v3', '/v3/'])('Keystone is found at an address that ends in "%s"', async (end) => {
  await using cloud = await fakeCloud(things)
  const auth = { ...cloud.cloud.auth, auth_url: `${cloud.url}/identity${end}` }
  await using world = testContext([{ ...cloud.cloud, auth }])
  await expect(call(await sessionOf(world.ctx, {}), getThings, never)).resolves.toMatchObject({ status: 200 })
})

test('an address that is not Keystone is told so', async () => {
  await using cloud = await fakeCloud({}, { refuse: { status: 200, text: '<html>Welcome</html>' } })
  await using world = testContext([cloud.cloud])
  await expect(call(await sessionOf(world.ctx, {}), getThings, never)).rejects.toMatchObject({
    code: 'bad_answer',
    hint: 'is `auth_url` the address of Keystone?',
  })
})

function withAuth({ cloud }: FakeCloud, { authType, auth }: Pick<CloudConfig, 'authType' | 'auth'>): CloudConfig {
  return { ...cloud, authType, auth: { auth_url: cloud.auth['auth_url'] ?? '', ...auth } }
}
