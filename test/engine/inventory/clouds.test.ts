import { expect, test } from 'vitest'
import { type CloudSources, cloudConfig } from '../../../engine/inventory/clouds.ts'

const auth = { auth_url: 'https://keystone.example/v3', username: 'ops', password: 'pw', project_name: 'admin' }

test('a plain entry becomes a cloud, with the default domain for the names that have none', () => {
  expect(cloudConfig(only({ auth, region_name: 'RegionOne' }))).toEqual({
    name: 'lab',
    authType: 'password',
    auth: { ...auth, user_domain_id: 'default', project_domain_id: 'default' },
    region: 'RegionOne',
    regions: ['RegionOne'],
    interface: 'public',
    tls: { verify: true },
    overrides: {},
  })
})

test('secure.yaml is laid over clouds.yaml field by field, and numbers are meant as text', () => {
  const { password, ...open } = auth
  const cloud = cloudConfig({ ...only({ auth: open }), secure: { clouds: { lab: { auth: { password: 12345 } } } } })
  expect(cloud.auth).toMatchObject({ username: 'ops', password: '12345' })
  expect(password).toBe('pw')
})

test('a profile of clouds-public.yaml gives what the entry leaves out, inside auth too', () => {
  const vendors = {
    'public-clouds': {
      big: {
        auth: { auth_url: 'https://iam.{region_name}.big.example/v3', username: 'from-the-profile' },
        interface: 'internal',
        regions: ['north', { name: 'south', values: { interface: 'admin' } }],
      },
    },
  }
  const { auth_url, ...own } = auth
  const sources = { ...only({ profile: 'big', auth: own }), vendors }
  expect(cloudConfig(sources)).toMatchObject({
    auth: { auth_url: 'https://iam.north.big.example/v3', username: 'ops' },
    interface: 'internal',
    region: 'north',
    regions: ['north', 'south'],
  })
  expect(cloudConfig(sources, { region: 'south' })).toMatchObject({
    interface: 'admin',
    auth: { auth_url: 'https://iam.south.big.example/v3' },
  })
  expect(auth_url).toBeDefined()
})

test.each([
  { what: 'the name that is asked for', wanted: { name: 'b' }, env: { OS_CLOUD: 'a' }, preferred: 'c', name: 'b' },
  { what: 'OS_CLOUD', env: { OS_CLOUD: 'a', OS_AUTH_URL: 'http://e' }, preferred: 'c', name: 'a' },
  { what: 'the preferred one', env: { OS_AUTH_URL: 'http://e' }, preferred: 'c', name: 'c' },
])('of several clouds, $what is taken', ({ wanted, env, preferred, name }) => {
  const clouds = { clouds: { a: { auth }, b: { auth }, c: { auth } } }
  expect(cloudConfig({ clouds, env, preferred }, wanted)).toMatchObject({ name })
})

const openrc = {
  OS_AUTH_URL: 'http://10.0.0.1:5000/v3',
  OS_USERNAME: 'admin',
  OS_PASSWORD: 'secret',
  OS_PROJECT_NAME: 'admin',
  OS_USER_DOMAIN_NAME: 'Users',
  OS_PROJECT_DOMAIN_ID: 'projects',
  OS_REGION_NAME: 'RegionTwo',
  OS_ENDPOINT_TYPE: 'internalURL',
  OS_CACERT: '~/ca.pem',
  OS_IDENTITY_API_VERSION: '2',
  HOME: '/home/ops',
}

test('an openrc file alone is a cloud, and stands before the only one of clouds.yaml', () => {
  expect(cloudConfig({ ...only({ auth }), env: openrc })).toMatchObject({
    name: 'envvars',
    authType: 'password',
    auth: {
      auth_url: 'http://10.0.0.1:5000/v3',
      username: 'admin',
      password: 'secret',
      user_domain_name: 'Users',
      project_domain_id: 'projects',
    },
    region: 'RegionTwo',
    interface: 'internal',
    tls: { verify: true, caFile: '/home/ops/ca.pem' },
  })
})

test('a named cloud takes only the region from the environment', () => {
  const cloud = cloudConfig({
    ...only({ auth, regions: ['RegionOne', 'RegionTwo'] }),
    env: { ...openrc, OS_CLOUD: 'lab' },
  })
  expect(cloud).toMatchObject({ name: 'lab', auth: { username: 'ops' }, region: 'RegionTwo', interface: 'public' })
})

test.each([
  { what: 'OS_TOKEN', env: { OS_AUTH_URL: 'http://k/v3', OS_TOKEN: 't' }, authType: 'token', auth: { token: 't' } },
  {
    what: 'an application credential',
    env: {
      OS_AUTH_URL: 'http://k/v3',
      OS_AUTH_TYPE: 'v3applicationcredential',
      OS_APPLICATION_CREDENTIAL_ID: 'id',
      OS_APPLICATION_CREDENTIAL_SECRET: 's',
    },
    authType: 'v3applicationcredential',
    auth: { application_credential_id: 'id', application_credential_secret: 's' },
  },
  {
    what: 'the whole system',
    env: { OS_AUTH_URL: 'http://k/v3', OS_USERNAME: 'u', OS_PASSWORD: 'p', OS_SYSTEM_SCOPE: 'all' },
    authType: 'password',
    auth: { system_scope: 'all', user_domain_id: 'default' },
  },
])('$what is enough', ({ env, authType, auth }) => {
  expect(cloudConfig({ env })).toMatchObject({ authType, auth })
})

test('a domain beside a project is the domain of both; without a project it is the scope', () => {
  const withProject = cloudConfig(only({ auth: { ...auth, domain_name: 'D' } })).auth
  expect(withProject).toMatchObject({ user_domain_name: 'D', project_domain_name: 'D' })
  expect(withProject).not.toHaveProperty('domain_name')
  const { project_name, ...unscoped } = auth
  expect(cloudConfig(only({ auth: { ...unscoped, domain_name: 'D' } })).auth).toMatchObject({
    domain_name: 'D',
    user_domain_id: 'default',
  })
  expect(project_name).toBe('admin')
})

test.each([
  { settings: { verify: false }, tls: { verify: false } },
  { settings: { verify: 'False' }, tls: { verify: false } },
  { settings: { insecure: true }, tls: { verify: false } },
  {
    settings: { cacert: '~/ca.pem', cert: '/c', key: '/k' },
    tls: { caFile: '/h/ca.pem', certFile: '/c', keyFile: '/k' },
  },
])('$settings is for TLS', ({ settings, tls }) => {
  expect(cloudConfig({ ...only({ auth, ...settings }), env: { HOME: '/h' } }).tls).toMatchObject(tls)
})

test('what is said for one service is kept, the old name for the interface as the new one', () => {
  const entry = {
    auth,
    compute_endpoint_override: 'http://c/v2.1',
    'volume-api-version': 3,
    image_endpoint_type: 'internal',
    region_name: 'R',
  }
  expect(cloudConfig(only(entry)).overrides).toEqual({
    compute_endpoint_override: 'http://c/v2.1',
    volume_api_version: '3',
    image_interface: 'internal',
  })
})

test.each([
  {
    what: 'a name nobody has',
    sources: only({ auth }),
    wanted: { name: 'lap' },
    code: 'unknown_cloud',
    hint: 'did you mean `lab`?',
  },
  {
    what: 'OS_CLOUD that names nothing',
    sources: { env: { OS_CLOUD: 'lab' } },
    code: 'unknown_cloud',
    hint: 'no clouds.yaml was found',
  },
  {
    what: 'several and none chosen',
    sources: { clouds: { clouds: { a: { auth }, b: { auth } } }, env: {} },
    code: 'cloud_not_chosen',
    hint: 'set `OS_CLOUD`, as in `OS_CLOUD=a`',
  },
  { what: 'nothing at all', sources: { env: {} }, code: 'no_cloud', hint: expect.stringContaining('clouds.yaml') },
  {
    what: 'half an openrc',
    sources: { env: { OS_USERNAME: 'u' } },
    code: 'no_cloud',
    hint: expect.stringContaining('openrc'),
  },
  {
    what: 'a region it has not',
    sources: only({ auth, regions: ['north', 'south'] }),
    wanted: { region: 'nort' },
    code: 'unknown_region',
    hint: 'did you mean `north`?',
  },
  {
    what: 'v2 by type',
    sources: only({ auth, auth_type: 'v2password' }),
    code: 'cloud_identity_v2',
    hint: expect.stringContaining('/v3'),
  },
  {
    what: 'v2 by address',
    sources: only({ auth: { ...auth, auth_url: 'http://k:5000/v2.0/' } }),
    code: 'cloud_identity_v2',
    hint: expect.anything(),
  },
  {
    what: 'an unknown type',
    sources: only({ auth, auth_type: 'passwort' }),
    code: 'cloud_auth_type',
    hint: 'did you mean `password`?',
  },
  {
    what: 'an unknown interface',
    sources: only({ auth, interface: 'pubic' }),
    code: 'cloud_setting',
    hint: expect.stringContaining('internal'),
  },
  {
    what: 'a profile nobody knows',
    sources: only({ profile: 'big', auth: { username: 'u', password: 'p' } }),
    code: 'cloud_incomplete',
    hint: expect.stringContaining('`big`'),
  },
])('$what is refused', ({ sources, wanted, code, hint }) => {
  expect(thrownBy(() => cloudConfig(sources, wanted))).toMatchObject({ code, hint, exitCode: 2 })
})

test('everything that is missing is told at once, by the names that were used', () => {
  expect(thrownBy(() => cloudConfig(only({ auth: { username: 'u' } })))).toMatchObject({
    message: 'the cloud `lab` has no `auth_url`, and no `password`',
  })
  expect(thrownBy(() => cloudConfig({ env: { OS_AUTH_URL: 'http://k/v3' } }))).toMatchObject({
    message: 'the cloud of the `OS_*` variables has no `OS_USERNAME` or `OS_USER_ID`, and no `OS_PASSWORD`',
  })
})

test('nothing that a file may hold instead of clouds breaks it', () => {
  for (const clouds of [null, [], 'x', { clouds: null }, { clouds: [] }])
    expect(thrownBy(() => cloudConfig({ clouds, env: {} }))).toMatchObject({ code: 'no_cloud' })
  expect(thrownBy(() => cloudConfig({ clouds: { clouds: { lab: null } }, env: {} }))).toMatchObject({
    code: 'cloud_incomplete',
  })
})

function only(entry: CloudSources['clouds']): CloudSources {
  return { clouds: { clouds: { lab: entry ?? null } }, env: {} }
}

function thrownBy(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}
