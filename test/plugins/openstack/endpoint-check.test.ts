import { expect, test } from 'vitest'
import { never } from '../../support/context.ts'
import type { Routes } from '../../support/openstack-server.ts'
import { runAction } from './run-action.ts'

async function check(catalog: { readonly [type: string]: string }, routes: Routes) {
  const { result } = await runAction('openstack.endpoint.check', {}, routes, never, { catalog })
  return result
}

test('what real services say to those without a token counts as an answer', async () => {
  const catalog = { compute: '/v2.1', network: '/', image: '/', volumev3: '/v3/p1', dns: '/dns', metric: '/metric' }
  const result = await check(catalog, {
    'GET /v2.1/': { status: 200 },
    'GET /v2.0/': { status: 401 },
    'GET /v2/': { status: 401 },
    'GET /v3/': { status: 401 },
    'GET /dns/': { status: 300 },
    'GET /metric/': { status: 404 },
  })
  expect(result).toMatchObject({
    endpoints: [
      { type: 'compute', ok: true, status: 200, code: null },
      { type: 'network', ok: true, status: 401, code: null },
      { type: 'image', ok: true, status: 401, code: null },
      { type: 'volumev3', ok: true, status: 401, code: null },
      { type: 'dns', ok: true, status: 300, code: null },
      // whether nothing at that path is right, who reads the rows decides
      { type: 'metric', ok: true, status: 404, code: null },
    ],
  })
})

test('a service that offers its versions where one was asked for has a wrong path in the catalog', async () => {
  const result = await check(
    { compute: '/compute/v2.1', image: '/glance' },
    { 'GET /compute/v2.1/': { status: 300 }, 'GET /glance/v2/': { status: 300 } },
  )
  expect(result).toMatchObject({
    endpoints: [
      { type: 'compute', ok: false, status: 300, code: 'wrong_path', error: expect.stringContaining('catalog') },
      { type: 'image', ok: false, status: 300, code: 'wrong_path' },
    ],
  })
})

test('an object store is asked for the account in its catalog, not for a version', async () => {
  const result = await check(
    { 'object-store': '/v1/AUTH_p1' },
    { 'GET /v1/AUTH_p1': { status: 401 }, 'GET /v1/': { status: 412 } },
  )
  expect(result).toMatchObject({ endpoints: [{ ok: true, status: 401, url: expect.stringMatching(/\/v1\/AUTH_p1$/) }] })
})
