import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { asks } from '../../../engine/action/contract.ts'
import { cloudConfig } from '../../../engine/inventory/clouds.ts'
import type { Json, JsonObject } from '../../../engine/json.ts'
import { validatorOf } from '../../../engine/schema.ts'
import { imageUpload } from '../../../plugins/openstack/image-upload.ts'
import { startRehearsal } from '../../../simulator/index.ts'
import { never, testContext } from '../../support/context.ts'
import type { Routes } from '../../support/openstack-server.ts'
import { runAction } from './run-action.ts'

const folder = mkdtempSync(join(tmpdir(), 'image-upload-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const bytes = randomBytes(200_000)
const sha512 = createHash('sha512').update(bytes).digest('hex')
const sha256 = createHash('sha256').update(bytes).digest('hex')
const path = join(folder, 'image')
writeFileSync(path, bytes)
const wanted = { name: 'fresh', path, disk_format: 'raw' }

test('a file becomes an image once, and the cloud holds exactly its bytes', async () => {
  const effects: string[] = []
  const rehearsal = await startRehearsal({
    scenario: { apiVersion: 'runbook/v1', name: 'here', title: 'here', description: 'here' },
    onEffect: ({ kind }) => effects.push(kind),
  })
  const done = rehearsal.clock.busy()
  try {
    const cloud = cloudConfig({ clouds: rehearsal.clouds as Json, env: {} })
    await using world = testContext([cloud], { clock: rehearsal.clock, effect: 'change' })
    if (asks(imageUpload)) throw new Error('it asks nobody')
    const { plan, settled } = imageUpload
    const { ctx } = world
    const params = { ...wanted, min_disk: 3, properties: { os_distro: 'debian' }, checksum: `sha256:${sha256}` }
    expect(validatorOf(imageUpload.params)(params)).toEqual([])
    expect(await settled?.(ctx, params, never)).toEqual({ happened: 'no' })
    expect(await plan?.(ctx, params, never)).toMatchObject({ changes: [{ path: 'image fresh', after: { sha512 } }] })
    expect(effects).toEqual([])

    const made = (await imageUpload.run(ctx, params, never)) as JsonObject
    expect(validatorOf(imageUpload.result)(made)).toEqual([])
    expect(made).toMatchObject({
      changed: true,
      image: {
        name: 'fresh',
        status: 'active',
        size: bytes.length,
        os_hash_value: sha512,
        checksum: createHash('md5').update(bytes).digest('hex'),
        disk_format: 'raw',
        container_format: 'bare',
        min_disk: 3,
        os_distro: 'debian',
      },
    })
    expect(effects).toEqual(['openstack.image.create', 'openstack.image.upload'])

    expect(await imageUpload.run(ctx, params, never)).toEqual({ ...made, changed: false })
    expect(await plan?.(ctx, params, never)).toMatchObject({ changes: [] })
    expect(await settled?.(ctx, params, never)).toEqual({ happened: 'yes', result: made })
    const other = join(folder, 'other')
    writeFileSync(other, 'other bytes')
    for (const taken of [{ path: other }, { disk_format: 'qcow2' }]) {
      const failed = { code: 'name_taken' }
      await expect(imageUpload.run(ctx, { ...wanted, ...taken }, never)).rejects.toMatchObject(failed)
      await expect(plan?.(ctx, { ...wanted, ...taken }, never)).rejects.toMatchObject(failed)
    }
    expect(effects).toHaveLength(2)
  } finally {
    done()
    await rehearsal.close()
  }
})

const id = '6f6f4b3c-3f0c-4f5e-9a52-0d5c6a3b1c11'
const record = '/image/v2/images'
const queued = { id, name: 'fresh', status: 'queued', size: null, disk_format: 'raw' }
const whole = { ...queued, status: 'active', size: bytes.length, os_hash_algo: 'sha512', os_hash_value: sha512 }
const none = { [`GET ${record}`]: { json: { images: [] } }, [`POST ${record}`]: { status: 201, json: queued } }
const gone = { [`DELETE ${record}/${id}`]: { status: 204 } }

const told = (asked: readonly { readonly method: string; readonly path: string }[]) =>
  asked.filter(({ method }) => method !== 'GET').map(({ method, path: to }) => `${method} ${to.slice(record.length)}`)

const bad: readonly [string, Routes, object][] = [
  [
    'Glance refuses the bytes',
    { [`PUT ${record}/${id}/file`]: { status: 413 }, [`GET ${record}/${id}`]: { json: queued } },
    {},
  ],
  [
    'Glance has other bytes',
    {
      [`PUT ${record}/${id}/file`]: { status: 204 },
      [`GET ${record}/${id}`]: {
        json: { ...whole, os_hash_value: sha512.replace(/^./, (first) => (first === '0' ? '1' : '0')) },
      },
    },
    { code: 'upload_failed' },
  ],
  [
    'Glance has fewer bytes',
    { [`PUT ${record}/${id}/file`]: { status: 204 }, [`GET ${record}/${id}`]: { json: { ...whole, size: 7 } } },
    { code: 'upload_failed' },
  ],
]

test.each(bad)('%s: it fails, and what was made is deleted again', async (_, routes, failure) => {
  const { error, asked } = await runAction(imageUpload.name, wanted, { ...none, ...routes, ...gone })
  expect(error).toMatchObject({ ...failure, message: expect.stringMatching(`${id}. is deleted again`) })
  expect(told(asked)).toEqual(['POST ', `PUT /${id}/file`, `DELETE /${id}`])
})

test('what cannot be deleted again is told', async () => {
  const routes = {
    ...none,
    [`PUT ${record}/${id}/file`]: { status: 204 },
    [`GET ${record}/${id}`]: { json: queued },
    [`DELETE ${record}/${id}`]: { status: 500 },
  }
  const { error } = await runAction(imageUpload.name, wanted, routes)
  expect(error).toMatchObject({ code: 'upload_failed', message: expect.stringContaining('is still there: delete it') })
})

test.each([
  { removed: 204, left: false, hint: `the image \`${id}\` that it had begun is deleted again`, status: 'failed' },
  { removed: 500, left: true, hint: `\`openstack image delete ${id}\``, status: 'unknown' },
])(
  'an upload that is broken off takes back what it began, or tells how to: DELETE answers $removed',
  async ({ removed, left, hint, status }) => {
    const stop = new AbortController()
    const routes = {
      ...none,
      [`PUT ${record}/${id}/file`]: () => {
        stop.abort(new Error('the run was cancelled'))
        return { status: 204 }
      },
      [`DELETE ${record}/${id}`]: { status: removed },
    }
    const { error, asked } = await runAction(imageUpload.name, wanted, routes, stop.signal)
    expect(error).toMatchObject({
      code: 'interrupted',
      status,
      hint: expect.stringContaining(hint),
      detail: { id, left },
    })
    expect(told(asked)).toEqual(['POST ', `PUT /${id}/file`, `DELETE /${id}`])
  },
)

test('a balancer that loses patience while Glance goes on is no failure', async () => {
  const { result, asked } = await runAction(imageUpload.name, wanted, {
    ...none,
    [`PUT ${record}/${id}/file`]: { status: 504 },
    [`GET ${record}/${id}`]: (_, before) => ({ json: before < 2 ? { ...queued, status: 'saving' } : whole }),
  })
  expect(result).toMatchObject({ changed: true, image: { id, status: 'active' } })
  expect(told(asked)).toEqual(['POST ', `PUT /${id}/file`])
})

test('a file that is not what its publisher says, or is not there, is not even told to the cloud', async () => {
  const checksum = `sha256:${'0'.repeat(64)}`
  const mismatch = await runAction(imageUpload.name, { ...wanted, checksum }, none)
  expect(mismatch.error).toMatchObject({ code: 'checksum_mismatch', message: expect.stringContaining(sha256) })
  const missing = await runAction(imageUpload.name, { ...wanted, path: join(folder, 'none') }, none)
  expect(missing.error).toMatchObject({ code: 'no_file' })
  expect([...told(mismatch.asked), ...told(missing.asked)]).toEqual([])
})
