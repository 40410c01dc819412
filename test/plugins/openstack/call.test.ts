import { expect, test } from 'vitest'
import { call, objectIn } from '../../../plugins/openstack/call.ts'
import { sessionOf } from '../../../plugins/openstack/session.ts'
import { never, testContext } from '../../support/context.ts'
import { fakeCloud, type Reply, type Routes, versions } from '../../support/openstack-server.ts'

const path = '/network/v2.0/things'
const getThings = { service: 'network', path: '/things' }

test.each([
  { catalog: '/compute', base: '/compute/v2.1' },
  { catalog: '/compute/', base: '/compute/v2.1' },
  { catalog: '/compute/v2.1', base: '/compute/v2.1' },
  { catalog: '/compute/v2.1/p1', base: '/compute/v2.1/p1' },
  { catalog: '/compute/v2/p1', base: '/compute/v2.1/p1' },
  { catalog: '/v2.1', base: '/v2.1' },
])('a catalog that says $catalog leads to $base', async ({ catalog, base }) => {
  await using cloud = await fakeCloud({ [`GET ${base}/servers`]: { json: {} } }, { catalog: { compute: catalog } })
  await using world = testContext([cloud.cloud])
  expect(await call(await sessionOf(world.ctx, {}), { service: 'compute', path: '/servers' }, never)).toMatchObject({
    status: 200,
  })
})

test.each([
  { catalog: { volumev3: '/volume/v3/p1' }, base: '/volume/v3/p1' },
  { catalog: { 'block-storage': '/volume/v3' }, base: '/volume/v3/p1' },
  { catalog: { volume: '/volume' }, base: '/volume/v3/p1' },
  { catalog: { volumev2: '/volume/v2/p1' }, base: '/volume/v3/p1' },
])('volumes are found in $catalog', async ({ catalog, base }) => {
  await using cloud = await fakeCloud({ [`GET ${base}/volumes`]: { json: {} } }, { catalog })
  await using world = testContext([cloud.cloud])
  expect(
    await call(await sessionOf(world.ctx, {}), { service: 'block-storage', path: '/volumes' }, never),
  ).toMatchObject({ status: 200 })
})

test('an override stands before the catalog, whatever alias it names', async () => {
  await using cloud = await fakeCloud({ 'GET /elsewhere/v3/p1/volumes': { json: {} } })
  const overrides = { volumev3_endpoint_override: `${cloud.url}/elsewhere/v3/%(project_id)s` }
  await using world = testContext([{ ...cloud.cloud, overrides }])
  expect(
    await call(await sessionOf(world.ctx, {}), { service: 'block-storage', path: '/volumes' }, never),
  ).toMatchObject({ status: 200 })
})

test('a service that is not in the catalog is missing, and those that are are named', async () => {
  await using cloud = await fakeCloud({}, { catalog: { compute: '/c', image: '/i' } })
  await using world = testContext([cloud.cloud])
  await expect(call(await sessionOf(world.ctx, {}), getThings, never)).rejects.toMatchObject({
    code: 'service_missing',
    hint: 'there are `compute`, `image`',
  })
})

test('a service in another region or behind another interface is missing with a word of where it is', async () => {
  await using cloud = await fakeCloud({}, { catalog: { 'network@North': '/n' } })
  await using world = testContext([cloud.cloud])
  await expect(call(await sessionOf(world.ctx, { region: 'South' }), getThings, never)).rejects.toMatchObject({
    code: 'service_missing',
    message: expect.stringContaining('`South`'),
    hint: expect.stringContaining('public in North'),
  })
})

test('of several regions one must be chosen', async () => {
  await using cloud = await fakeCloud(
    { 'GET /south/v2.0/things': { json: {} } },
    { catalog: { 'network@North': '/north', 'network@South': '/south' } },
  )
  await using world = testContext([cloud.cloud])
  await expect(call(await sessionOf(world.ctx, {}), getThings, never)).rejects.toMatchObject({ code: 'region_needed' })
  expect(await call(await sessionOf(world.ctx, { region: 'South' }), getThings, never)).toMatchObject({ status: 200 })
})

test.each([
  { served: ['2.1', '2.93'], wanted: { min: '2.53', max: '2.100' }, sent: '2.93' },
  { served: ['2.1', '2.100'], wanted: { min: '2.53', max: '2.96' }, sent: '2.96' },
  { served: ['2.1', '2.53'], wanted: { min: '2.9', max: '2.60' }, sent: '2.53' },
] as const)('of what both know the highest microversion is asked for: $sent', async ({ served, wanted, sent }) => {
  await using cloud = await fakeCloud({
    'GET /compute/v2.1/': { json: { version: { id: 'v2.1', min_version: served[0], version: served[1] } } },
    'GET /compute/v2.1/servers': { json: {} },
  })
  await using world = testContext([cloud.cloud])
  const session = await sessionOf(world.ctx, {})
  for (const _ of [1, 2]) await call(session, { service: 'compute', path: '/servers', microversion: wanted }, never)
  expect(cloud.asked.map((asked) => asked.path)).toEqual([
    '/compute/v2.1/',
    '/compute/v2.1/servers',
    '/compute/v2.1/servers',
  ])
  expect(cloud.asked[1]?.headers).toMatchObject({
    'openstack-api-version': `compute ${sent}`,
    'x-openstack-nova-api-version': sent,
  })
})

test.each([
  { reply: versions('v3.0', '3.0', '3.70'), sent: 'volume 3.70' },
  { reply: { ...versions('v3.0', '3.0', '3.50'), status: 300 }, sent: 'volume 3.50' },
])('the list of versions of Cinder is read, whatever its status: $sent', async ({ reply, sent }) => {
  await using cloud = await fakeCloud({ 'GET /volume/v3/': reply, 'GET /volume/v3/p1/volumes': { json: {} } })
  await using world = testContext([cloud.cloud])
  await call(
    await sessionOf(world.ctx, {}),
    { service: 'block-storage', path: '/volumes', microversion: { min: '3.0', max: '3.71' } },
    never,
  )
  expect(cloud.asked.at(-1)?.headers).toMatchObject({ 'openstack-api-version': sent })
})

test('a version document that has moved is followed by its path alone, for its host may be a name from inside', async () => {
  await using cloud = await fakeCloud({
    'GET /compute/v2.1/': { status: 302, headers: { location: 'http://nova.internal.invalid:8774/moved/v2.1/' } },
    'GET /moved/v2.1/': versions('v2.1', '2.1', '2.93'),
    'GET /compute/v2.1/servers': { json: {} },
  })
  await using world = testContext([cloud.cloud])
  const answer = await call(
    await sessionOf(world.ctx, {}),
    { service: 'compute', path: '/servers', microversion: { min: '2.53', max: '2.96' } },
    never,
  )
  expect(answer.microversion).toBe('2.93')
})

test.each<{ what: string; routes: Routes; message: string }>([
  {
    what: 'too old',
    routes: { 'GET /compute/v2.1/': versions('v2.1', '2.1', '2.38') },
    message: 'up to 2.38; 2.53 is needed',
  },
  { what: 'silent about its versions', routes: {}, message: 'does not say which versions it speaks' },
  { what: 'hidden behind a page', routes: { 'GET /compute/v2.1/': { text: '<html/>' } }, message: 'does not say' },
])('a cloud that is $what is told so before anything is asked of it', async ({ routes, message }) => {
  await using cloud = await fakeCloud({ ...routes, 'GET /compute/v2.1/servers': { json: {} } })
  await using world = testContext([cloud.cloud])
  await expect(
    call(
      await sessionOf(world.ctx, {}),
      { service: 'compute', path: '/servers', microversion: { min: '2.53', max: '2.96' } },
      never,
    ),
  ).rejects.toMatchObject({ code: 'cloud_too_old', message: expect.stringContaining(message) })
  expect(cloud.asked.map((asked) => asked.path)).not.toContain('/compute/v2.1/servers')
})

test.each([
  { status: 503, headers: {}, slept: [1_000, 2_000] },
  { status: 429, headers: { 'retry-after': '7' }, slept: [7_000, 7_000] },
  { status: 503, headers: { 'retry-after': '3600' }, slept: [30_000, 30_000] },
  {
    status: 502,
    headers: { date: 'Sun, 01 Mar 2026 10:00:00 GMT', 'retry-after': 'Sun, 01 Mar 2026 10:00:05 GMT' },
    slept: [5_000, 5_000],
  },
])(
  'a read that is answered $status with $headers is tried three times, waiting $slept',
  async ({ status, headers, slept }) => {
    await using cloud = await fakeCloud({
      [`GET ${path}`]: (_, before) => (before < 2 ? { status, headers } : { json: { things: [] } }),
    })
    await using world = testContext([cloud.cloud])
    expect(await call(await sessionOf(world.ctx, {}), getThings, never)).toMatchObject({ status: 200 })
    expect(world.clock.slept).toEqual(slept)
  },
)

test('who wants to be left alone for long is asked once, and how long is told', async () => {
  for (const headers of [
    { 'retry-after': '3600' },
    { date: 'Sun, 01 Mar 2026 10:00:00 GMT', 'retry-after': 'Sun, 01 Mar 2026 11:00:00 GMT' },
  ]) {
    await using cloud = await fakeCloud({ [`GET ${path}`]: { status: 429, headers } })
    await using world = testContext([cloud.cloud])
    await expect(call(await sessionOf(world.ctx, {}), getThings, never)).rejects.toMatchObject({
      code: 'rate_limited',
      hint: 'it wants to be left alone for 1h: try again after that',
    })
    expect(cloud.asked).toHaveLength(1)
    expect(world.clock.slept).toEqual([])
  }
})

test('a read that never gets better fails with what was said last', async () => {
  await using cloud = await fakeCloud({
    [`GET ${path}`]: { status: 500, json: { computeFault: { message: 'Unexpected' } } },
  })
  await using world = testContext([cloud.cloud])
  await expect(call(await sessionOf(world.ctx, {}), getThings, never)).rejects.toMatchObject({
    code: 'server_error',
    status: 'failed',
  })
  expect(cloud.asked).toHaveLength(3)
})

test.each([
  { status: 500, outcome: 'unknown' },
  { status: 502, outcome: 'unknown' },
  { status: 504, outcome: 'unknown' },
  { status: 503, outcome: 'failed' },
])('a change that is answered $status is $outcome, and never repeated', async ({ status, outcome }) => {
  await using cloud = await fakeCloud({ [`POST ${path}`]: { status } })
  await using world = testContext([cloud.cloud])
  await expect(
    call(await sessionOf(world.ctx, {}), { ...getThings, method: 'POST', body: {} }, never),
  ).rejects.toMatchObject({ status: outcome })
  expect(cloud.asked).toHaveLength(1)
  expect(world.clock.slept).toEqual([])
})

test('a change that came too often is asked for again when the service wants it, for nothing has been done', async () => {
  const tooOften: Reply = { status: 429, headers: { 'retry-after': '7' } }
  for (const { refusals, sent } of [
    { refusals: 2, sent: 3 },
    { refusals: 9, sent: 3 },
  ]) {
    await using cloud = await fakeCloud({
      [`POST ${path}`]: (_, before) => (before < refusals ? tooOften : { json: { things: [] } }),
    })
    await using world = testContext([cloud.cloud])
    const asked = call(await sessionOf(world.ctx, {}), { ...getThings, method: 'POST', body: {} }, never)
    if (refusals < 3) expect(await asked).toMatchObject({ status: 200 })
    else
      await expect(asked).rejects.toMatchObject({
        code: 'rate_limited',
        status: 'failed',
        hint: expect.stringContaining('try again later'),
      })
    expect(cloud.asked).toHaveLength(sent)
    expect(world.clock.slept).toEqual([7_000, 7_000])
  }
})

const page =
  '<html><head><title>502</title></head><body><h1>Bad &amp; Gateway</h1>\n<p>from the balancer</p></body></html>'

test.each<{ what: string; reply: Reply; code: string; message: string }>([
  {
    what: 'Nova',
    reply: { status: 404, json: { itemNotFound: { code: 404, message: 'Instance x could not be found.' } } },
    code: 'not_found',
    message: 'Instance x could not be found',
  },
  {
    what: 'Nova on a state',
    reply: { status: 409, json: { conflictingRequest: { code: 409, message: 'Cannot stop it while it is stopped' } } },
    code: 'conflict',
    message: 'Cannot stop it while it is stopped',
  },
  {
    what: 'Nova on a quota',
    reply: { status: 403, json: { forbidden: { code: 403, message: 'Quota exceeded for cores' } } },
    code: 'quota',
    message: 'Quota exceeded for cores',
  },
  {
    what: 'Neutron',
    reply: {
      status: 404,
      json: { NeutronError: { type: 'PortNotFound', message: 'Port x could not be found.', detail: '' } },
    },
    code: 'not_found',
    message: 'Port x could not be found',
  },
  {
    what: 'Neutron on a quota',
    reply: { status: 409, json: { NeutronError: { type: 'OverQuota', message: 'Quota exceeded', detail: '' } } },
    code: 'quota',
    message: 'Quota exceeded',
  },
  {
    what: 'Neutron of old',
    reply: { status: 400, json: { NeutronError: 'bad filter' } },
    code: 'bad_request',
    message: 'bad filter',
  },
  {
    what: 'Keystone',
    reply: { status: 403, json: { error: { code: 403, title: 'Forbidden', message: 'You are not authorized' } } },
    code: 'forbidden',
    message: 'You are not authorized',
  },
  {
    what: 'Placement',
    reply: { status: 400, json: { errors: [{ status: 400, title: 'Bad Request', detail: 'no such class' }] } },
    code: 'bad_request',
    message: 'no such class',
  },
  {
    what: 'Cinder on a quota',
    reply: { status: 413, json: { overLimit: { code: 413, message: 'VolumeLimitExceeded' } } },
    code: 'quota',
    message: 'VolumeLimitExceeded',
  },
  {
    what: 'Glance',
    reply: {
      status: 409,
      headers: { 'content-type': 'text/html; charset=UTF-8' },
      text: '<html>\n <head>\n  <title>409 Conflict</title>\n </head>\n <body>\n  <h1>409 Conflict</h1>\n  Image is in use<br /><br />\n </body>\n</html>',
    },
    code: 'conflict',
    message: '409 Conflict Image is in use',
  },
  {
    what: 'a balancer',
    reply: { status: 400, text: page },
    code: 'bad_request',
    message: 'Bad & Gateway from the balancer',
  },
  {
    what: 'JSON that breaks off',
    reply: { status: 400, text: '{"error": {"mess' },
    code: 'bad_request',
    message: '{"error": {"mess',
  },
  {
    what: 'nobody',
    reply: { status: 404 },
    code: 'not_found',
    message: `network answered 404 to GET ${path}, without a word`,
  },
  {
    what: 'a redirect',
    reply: { status: 301, headers: { location: 'http://elsewhere/' } },
    code: 'redirected',
    message: `network answered 301 to GET ${path}, without a word`,
  },
  {
    what: 'a version that is refused',
    reply: { status: 406, json: { computeFault: { code: 406, message: 'Version 2.999 is not supported' } } },
    code: 'version_refused',
    message: 'Version 2.999 is not supported',
  },
])('an error of $what is $code in its own words', async ({ reply, code, message }) => {
  const headers = { ...reply.headers, 'x-openstack-request-id': 'req-7' }
  await using cloud = await fakeCloud({ [`GET ${path}`]: { ...reply, headers } })
  await using world = testContext([cloud.cloud])
  await expect(call(await sessionOf(world.ctx, {}), getThings, never)).rejects.toMatchObject({
    code,
    message,
    status: 'failed',
    detail: { request_id: 'req-7', status: reply.status, path },
  })
})

test.each([
  { what: 'a page', reply: { text: page } },
  { what: 'nothing', reply: {} },
  { what: 'a list', reply: { json: [] } },
])('$what with a 200 is no answer', async ({ reply }) => {
  await using cloud = await fakeCloud({ [`GET ${path}`]: reply })
  await using world = testContext([cloud.cloud])
  const answer = await call(await sessionOf(world.ctx, {}), getThings, never)
  expect(() => objectIn(answer)).toThrow(expect.objectContaining({ code: 'bad_answer' }))
})
