import { expect } from 'vitest'
import { type Api, at, type Runner, rows, volume } from './api.ts'
import { act, type Known, lastAction, makeServer, settled, show, until, userData, version } from './server.ts'

/** Something done to a server, and what is true of it wherever it is done. */
interface Operation {
  readonly name: string
  readonly action: object | ((server: Known) => object)
  readonly answers: number
  readonly ends: string
  /** As `os-instance-actions` names it. */
  readonly recorded: string
  /** What the newest migration of the server says then. */
  readonly migration?: { readonly type: string; readonly status: string }
}

const operations: readonly Operation[] = [
  { name: 'stop', action: { 'os-stop': null }, answers: 202, ends: 'SHUTOFF', recorded: 'stop' },
  { name: 'start', action: { 'os-start': null }, answers: 202, ends: 'ACTIVE', recorded: 'start' },
  { name: 'a soft reboot', action: { reboot: { type: 'SOFT' } }, answers: 202, ends: 'ACTIVE', recorded: 'reboot' },
  { name: 'a hard reboot', action: { reboot: { type: 'HARD' } }, answers: 202, ends: 'ACTIVE', recorded: 'reboot' },
  { name: 'pause', action: { pause: null }, answers: 202, ends: 'PAUSED', recorded: 'pause' },
  { name: 'unpause', action: { unpause: null }, answers: 202, ends: 'ACTIVE', recorded: 'unpause' },
  { name: 'suspend', action: { suspend: null }, answers: 202, ends: 'SUSPENDED', recorded: 'suspend' },
  { name: 'resume', action: { resume: null }, answers: 202, ends: 'ACTIVE', recorded: 'resume' },
  { name: 'rescue', action: { rescue: null }, answers: 200, ends: 'RESCUE', recorded: 'rescue' },
  { name: 'unrescue', action: { unrescue: null }, answers: 202, ends: 'ACTIVE', recorded: 'unrescue' },
  {
    name: 'rebuild',
    action: ({ image }) => ({ rebuild: { imageRef: image } }),
    answers: 202,
    ends: 'ACTIVE',
    recorded: 'rebuild',
  },
  {
    name: 'a snapshot',
    action: { createImage: { name: 'simnova-copy' } },
    answers: 202,
    ends: 'ACTIVE',
    recorded: 'createImage',
  },
  {
    name: 'a live migration',
    action: ({ hosts: [, second] }) => ({ 'os-migrateLive': { host: second, block_migration: 'auto' } }),
    answers: 202,
    ends: 'ACTIVE',
    recorded: 'live-migration',
    migration: { type: 'live-migration', status: 'completed' },
  },
  {
    name: 'a cold migration',
    action: ({ hosts: [first] }) => ({ migrate: { host: first } }),
    answers: 202,
    ends: 'VERIFY_RESIZE',
    recorded: 'migrate',
    migration: { type: 'migration', status: 'finished' },
  },
  {
    name: 'its confirmation',
    action: { confirmResize: null },
    answers: 204,
    ends: 'ACTIVE',
    recorded: 'confirmResize',
    migration: { type: 'migration', status: 'confirmed' },
  },
  {
    name: 'a resize',
    action: ({ otherFlavor }) => ({ resize: { flavorRef: otherFlavor } }),
    answers: 202,
    ends: 'VERIFY_RESIZE',
    recorded: 'resize',
    migration: { type: 'resize', status: 'finished' },
  },
  {
    name: 'its taking back',
    action: { revertResize: null },
    answers: 202,
    ends: 'ACTIVE',
    recorded: 'revertResize',
    migration: { type: 'resize', status: 'reverted' },
  },
  { name: 'shelving', action: { shelve: null }, answers: 202, ends: 'SHELVED_OFFLOADED', recorded: 'shelve' },
  {
    name: 'unshelving',
    action: ({ hosts: [first] }) => ({ unshelve: { host: first } }),
    answers: 202,
    ends: 'ACTIVE',
    recorded: 'unshelve',
  },
]

/** A server is taken through all that can be done to it; the statements are made in their order. */
export function openstackOperations({ describe, test }: Runner, makeApi: () => Promise<Api>): void {
  let made: Promise<Known> | undefined
  const known = (api: Api) => {
    made ??= makeServer(api)
    return made
  }
  const state = (name: string, holds: (api: Api, server: Known) => Promise<void>) =>
    test(name, async () => {
      const api = await makeApi()
      await holds(api, await known(api))
    })

  describe('operations on a server', () => {
    for (const { name, action, answers, ends, recorded, migration } of operations) {
      state(`${name} answers ${answers} and ends in ${ends}`, async (api, server) => {
        const answer = await act(api, server, typeof action === 'function' ? action(server) : action)
        expect(answer.status).toBe(answers)
        expect(await settled(api, server, ends)).toBe(ends)
        const done = await lastAction(api, server)
        expect(done).toMatchObject({ action: recorded, message: null })
        for (const event of rows(done, 'events')) expect(event['result']).toBe('Success')
        if (!migration) return
        const path = `/v2.1/os-migrations?instance_uuid=${server.id}`
        const newest = async () => rows((await api.get('nova', path, version)).body, 'migrations')[0]
        await until(api, async () => (await newest())?.['status'] === migration.status)
        expect(await newest()).toMatchObject({ migration_type: migration.type, status: migration.status })
      })
    }

    state('what a guest is given at its first start is shown as it was sent', async (api, server) => {
      expect(await show(api, server)).toMatchObject({ 'OS-EXT-SRV-ATTR:user_data': userData })
    })

    state('a lock is shown with its reason, and goes', async (api, server) => {
      expect((await act(api, server, { lock: { locked_reason: 'for a test' } })).status).toBe(202)
      expect(await show(api, server)).toMatchObject({ locked: true, locked_reason: 'for a test' })
      expect((await act(api, server, { unlock: null })).status).toBe(202)
      expect(await show(api, server)).toMatchObject({ locked: false, locked_reason: null })
    })
  })

  describe('operations that are refused', () => {
    const conflicts = [
      { action: { 'os-start': null }, word: 'start' },
      { action: { unpause: null }, word: 'unpause' },
      { action: { resume: null }, word: 'resume' },
      { action: { unrescue: null }, word: 'unrescue' },
      { action: { confirmResize: null }, word: 'confirmResize' },
      { action: { revertResize: null }, word: 'revertResize' },
      { action: { unshelve: null }, word: 'unshelve' },
      { action: { shelveOffload: null }, word: 'shelveOffload' },
    ]
    for (const { action, word } of conflicts) {
      state(`an active server refuses ${word} with 409`, async (api, server) => {
        const answer = await act(api, server, action)
        expect(answer.status).toBe(409)
        const message = `Cannot '${word}' instance ${server.id} while it is in vm_state active`
        expect(answer.body).toEqual({ conflictingRequest: { code: 409, message } })
      })
    }

    const bodies: readonly { readonly body: object; readonly says: string }[] = [
      {
        body: { 'os-migrateLive': { host: null, block_migration: 'auto', force: false } },
        says: "Invalid input for field/attribute os-migrateLive. Value: {'host': None, 'block_migration': 'auto', 'force': False}. Additional properties are not allowed ('force' was unexpected)",
      },
      {
        body: { 'os-migrateLive': { host: null } },
        says: "Invalid input for field/attribute os-migrateLive. Value: {'host': None}. 'block_migration' is a required property",
      },
      {
        body: { evacuate: { onSharedStorage: true } },
        says: "Invalid input for field/attribute evacuate. Value: {'onSharedStorage': True}. Additional properties are not allowed ('onSharedStorage' was unexpected)",
      },
      {
        body: { reboot: { type: 'WARM' } },
        says: "Invalid input for field/attribute type. Value: WARM. 'WARM' is not one of ['HARD', 'Hard', 'hard', 'SOFT', 'Soft', 'soft']",
      },
      {
        body: { resize: {} },
        says: "Invalid input for field/attribute resize. Value: {}. 'flavorRef' is a required property",
      },
      {
        body: { createImage: {} },
        says: "Invalid input for field/attribute createImage. Value: {}. 'name' is a required property",
      },
      {
        body: { migrate: { host: 'nosuch-host' } },
        says: 'Compute host nosuch-host could not be found.',
      },
      {
        body: { 'os-migrateLive': { host: 'nosuch-host', block_migration: 'auto' } },
        says: 'Compute host nosuch-host could not be found.',
      },
      { body: { nosuch: null }, says: 'There is no such action: nosuch' },
    ]
    for (const { body, says } of bodies) {
      state(`${JSON.stringify(body)} is refused with 400, in these words`, async (api, server) => {
        const answer = await act(api, server, body)
        expect(answer.body).toEqual({ badRequest: { code: 400, message: says } })
      })
    }

    state('a resize to the same flavor is refused', async (api, server) => {
      const answer = await act(api, server, { resize: { flavorRef: server.flavor } })
      const message = 'When resizing, instances must change flavor!'
      expect(answer.body).toEqual({ badRequest: { code: 400, message } })
    })

    state('an evacuation from a host that is up is refused', async (api, server) => {
      const { 'OS-EXT-SRV-ATTR:host': host } = await show(api, server)
      const answer = await act(api, server, { evacuate: {} })
      const message = `Compute service of ${host} is still in use.`
      expect(answer.body).toEqual({ badRequest: { code: 400, message } })
    })

    state('a live migration nobody knows is 404, to look at and to give up', async (api, server) => {
      const path = `/v2.1/servers/${server.id}/migrations/999999`
      const message = `In-progress live migration 999999 is not found for server ${server.id}.`
      expect((await api.get('nova', path, version)).body).toEqual({ itemNotFound: { code: 404, message } })
      expect((await api.call('DELETE', 'nova', path, undefined, version)).status).toBe(409)
    })

    state('a compute service refuses what it does not know', async (api) => {
      const { body } = await api.get('nova', '/v2.1/os-services?binary=nova-compute', version)
      const path = `/v2.1/os-services/${rows(body, 'services')[0]?.['id']}`
      const strange = await api.call('PUT', 'nova', path, { status: 'enabled', reason: 'x' }, version)
      const unexpected = "Additional properties are not allowed ('reason' was unexpected)"
      expect(strange.body).toEqual({ badRequest: { code: 400, message: unexpected } })
      const nothing = await api.call('PUT', 'nova', path, {}, version)
      expect(nothing.body).toEqual({
        badRequest: {
          code: 400,
          message: "No updates were requested. Fields 'status' or 'forced_down' should be specified.",
        },
      })
    })
  })

  describe('volumes of a server', () => {
    state('a volume is reserved, in use, detaching, available, and gone', async (api, server) => {
      const base = `/v3/${api.project}/volumes`
      const made = await api.post('cinder', base, { volume: { name: 'simnova-volume', size: 1 } }, cinder)
      expect(made.status).toBe(202)
      const id = String(at(made.body, 'volume', 'id'))
      const status = async () => at((await api.get('cinder', `${base}/${id}`, cinder)).body, 'volume', 'status')
      await until(api, async () => (await status()) === 'available')
      expect(await status()).toBe('available')

      const attachments = `/v2.1/servers/${server.id}/os-volume_attachments`
      const attached = await api.post('nova', attachments, { volumeAttachment: { volumeId: id } }, version)
      expect(attached.status).toBe(200)
      expect(Object.keys(at(attached.body, 'volumeAttachment') as object).sort()).toEqual([
        'delete_on_termination',
        'device',
        'id',
        'serverId',
        'tag',
        'volumeId',
      ])
      await until(api, async () => (await status()) === 'in-use')
      expect(await status()).toBe('in-use')
      const held = await api.call('DELETE', 'cinder', `${base}/${id}`, undefined, cinder)
      expect(held).toMatchObject({
        status: 400,
        body: { badRequest: { message: expect.stringContaining('must not be migrating, attached') } },
      })

      expect((await api.call('DELETE', 'nova', `${attachments}/${id}`, undefined, version)).status).toBe(202)
      await until(api, async () => (await status()) === 'available')
      expect(await status()).toBe('available')
      expect((await api.call('DELETE', 'cinder', `${base}/${id}`, undefined, cinder)).status).toBe(202)
      await until(api, async () => (await status()) === undefined)
      expect(await status()).toBeUndefined()
    })
  })

  describe('the end of a server', () => {
    state('a deletion answers 204, and then the server is not found', async (api, server) => {
      const path = `/v2.1/servers/${server.id}`
      expect((await api.call('DELETE', 'nova', path, undefined, version)).status).toBe(204)
      await until(api, async () => (await api.get('nova', path, version)).status === 404)
      expect((await api.get('nova', path, version)).status).toBe(404)
    })
  })
}

const cinder = volume('3.70')
