import { expect } from 'vitest'
import { type Api, at, keysOf, type Runner, rows, words } from './api.ts'
import { act, type Known, makeServer, migrationsOf, settled, show, until, version } from './server.ts'

/** What happens to the live migrations of a server, until told otherwise. */
export interface Faults {
  /**
   * `refuse`: no host takes it, in these words; `break`: it breaks off half way; `stall`: it never ends; `linger`: the
   * host it leaves has to clear up for some seconds.
   */
  play(
    fault: 'refuse' | 'break' | 'stall' | 'linger' | 'none',
    server: Known & { readonly host: string },
  ): Promise<void>
}

/** What a host says that does not take the server. */
export const refusal = 'its processor has fewer features'

const noValidHost = 'No valid host was found. There are not enough hosts available.'

/** What is true of live migrations that do not go well; the statements are made of one server, in their order. */
export function openstackMigrations({ describe, test }: Runner, makeApi: () => Promise<Api>, faults: Faults): void {
  let made: Promise<Known> | undefined
  const state = (
    name: string,
    fault: Parameters<Faults['play']>[0],
    holds: (api: Api, server: Known, host: string) => Promise<void>,
  ) =>
    test(name, async () => {
      const api = await makeApi()
      made ??= makeServer(api)
      const server = await made
      const host = String((await show(api, server))['OS-EXT-SRV-ATTR:host'])
      await faults.play(fault, { ...server, host })
      try {
        await holds(api, server, host)
      } finally {
        await faults.play('none', { ...server, host })
      }
    })

  describe('live migrations that do not go well', () => {
    for (const chosen of [false, true]) {
      const way = chosen ? 'to a host that was asked for' : 'to whatever host will take it'
      state(
        `one ${way} is accepted, refused by each host, and ends where it began`,
        'refuse',
        async (api, it, host) => {
          expect((await act(api, it, live(chosen ? otherThan(it, host) : null))).status).toBe(202)
          expect(await settled(api, it, 'ACTIVE')).toBe('ACTIVE')
          expect(await show(api, it)).toMatchObject({ 'OS-EXT-SRV-ATTR:host': host })
          expect((await migrationsOf(api, it))[0]).toMatchObject({
            status: 'error',
            dest_compute: null,
            dest_node: null,
          })
          const { message, events } = await record(api, it, 'live-migration')
          expect(message).toBe('Error')
          // the newest first: what began first, and knows least of the reason, comes last
          expect(events.at(-1)).toMatchObject({
            event: 'conductor_live_migrate_instance',
            result: 'Error',
            details: noValidHost,
          })
          const checks = events.filter(({ event }) => String(event).startsWith('compute_check_can_live_migrate_'))
          expect(checks).toContainEqual(
            expect.objectContaining({ result: 'Error', details: expect.stringContaining(refusal) }),
          )
          expect(events.length).toBe(checks.length + 1)
          expect((await underWay(api, it)).body).toEqual({ migrations: [] })
        },
      )
    }

    state('before 2.34 whoever asks is told at once that it is refused', 'refuse', async (api, it, host) => {
      const asked = { 'os-migrateLive': { host: null, block_migration: 'auto' } }
      const early = { 'OpenStack-API-Version': 'compute 2.33' }
      const answer = await api.post('nova', `/v2.1/servers/${it.id}/action`, asked, early)
      expect(answer.status).toBe(400)
      expect(answer.body).toEqual({ badRequest: { code: 400, message: noValidHost } })
      expect(await settled(api, it, 'ACTIVE')).toBe('ACTIVE')
      expect(await show(api, it)).toMatchObject({ 'OS-EXT-SRV-ATTR:host': host })
    })

    state('one to the host it is on is accepted, and finds no host', 'none', async (api, it, host) => {
      expect((await act(api, it, live(host))).status).toBe(202)
      expect(await settled(api, it, 'ACTIVE')).toBe('ACTIVE')
      expect((await migrationsOf(api, it))[0]).toMatchObject({ status: 'error', dest_compute: null })
      const { message, events } = await record(api, it, 'live-migration')
      expect(message).toBe('Error')
      expect(events).toMatchObject([{ event: 'conductor_live_migrate_instance', details: noValidHost }])
    })

    state('one is there before it is over', 'linger', async (api, it, host) => {
      expect((await act(api, it, live(otherThan(it, host)))).status).toBe(202)
      await until(api, async () => (await show(api, it))['OS-EXT-SRV-ATTR:host'] === otherThan(it, host))
      expect(await show(api, it)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null })
      expect((await migrationsOf(api, it))[0]).toMatchObject({ status: 'running', dest_compute: otherThan(it, host) })
      expect(rows((await underWay(api, it)).body, 'migrations')).toMatchObject([{ status: 'running' }])
      await until(api, async () => (await migrationsOf(api, it))[0]?.['status'] !== 'running')
      expect((await migrationsOf(api, it))[0]).toMatchObject({ status: 'completed' })
    })

    state('one that breaks off tells so in its migration alone', 'break', async (api, it, host) => {
      expect((await act(api, it, live(otherThan(it, host)))).status).toBe(202)
      await until(api, async () => (await migrationsOf(api, it))[0]?.['status'] === 'failed')
      expect(await settled(api, it, 'ACTIVE')).toBe('ACTIVE')
      expect(await show(api, it)).toMatchObject({ 'OS-EXT-SRV-ATTR:host': host })
      expect((await migrationsOf(api, it))[0]).toMatchObject({ status: 'failed', dest_compute: otherThan(it, host) })
      const { message, events } = await record(api, it, 'live-migration')
      expect(message).toBeNull()
      expect(new Set(events.map(({ result }) => result))).toEqual(new Set(['Success']))
    })

    state(
      'one that never ends shows what is left, lets nothing else be done, and is given up',
      'stall',
      async (api, it, host) => {
        const id = await stalled(api, it, host)
        const [progress] = rows((await underWay(api, it)).body, 'migrations')
        expect(keysOf(progress)).toEqual(
          words(`id uuid server_uuid status source_compute dest_compute source_node dest_node dest_host created_at updated_at
          memory_total_bytes memory_processed_bytes memory_remaining_bytes disk_total_bytes disk_processed_bytes
          disk_remaining_bytes user_id project_id`),
        )
        expect(progress).toMatchObject({
          id,
          status: 'running',
          source_compute: host,
          dest_compute: otherThan(it, host),
        })
        expect(await show(api, it)).toMatchObject({ status: 'MIGRATING', 'OS-EXT-STS:task_state': 'migrating' })
        await api.wait(10_000)
        const later = at((await underWay(api, it)).body, 'migrations', 0, 'memory_remaining_bytes')
        expect(later).toBeGreaterThan(0)

        for (const { action, word } of [
          { action: { 'os-stop': null }, word: 'stop' },
          { action: live(null), word: 'os-migrateLive' },
          { action: { pause: null }, word: 'pause' },
        ]) {
          const answer = await act(api, it, action)
          const message = `Cannot '${word}' instance ${it.id} while it is in task_state migrating`
          expect(answer.body).toEqual({ conflictingRequest: { code: 409, message } })
        }
        const another = await api.call('DELETE', 'nova', `${path(it)}/999999`, undefined, version)
        expect([another.status, at(another.body, 'itemNotFound', 'message')]).toEqual([
          404,
          `Migration 999999 not found for instance ${it.id}`,
        ])

        expect((await api.call('DELETE', 'nova', `${path(it)}/${id}`, undefined, version)).status).toBe(202)
        await until(api, async () => (await migrationsOf(api, it))[0]?.['status'] === 'cancelled')
        expect(await settled(api, it, 'ACTIVE')).toBe('ACTIVE')
        expect(await show(api, it)).toMatchObject({ 'OS-EXT-SRV-ATTR:host': host })
        expect((await migrationsOf(api, it))[0]).toMatchObject({ id, status: 'cancelled' })
        expect((await record(api, it, 'live_migration_cancel')).message).toBeNull()
        expect((await record(api, it, 'live-migration')).message).toBeNull()
        expect((await underWay(api, it)).body).toEqual({ migrations: [] })
        const again = await api.call('DELETE', 'nova', `${path(it)}/${id}`, undefined, version)
        expect(again.body).toEqual({
          conflictingRequest: {
            code: 409,
            message: `Instance ${it.id} is in an invalid state for 'abort live migration'`,
          },
        })
      },
    )

    state('one that never ends is forced to its end', 'stall', async (api, it, host) => {
      const id = await stalled(api, it, host)
      const force = (migration: unknown) =>
        api.post('nova', `${path(it)}/${migration}/action`, { force_complete: null }, version)
      expect(await force(999_999)).toMatchObject({
        status: 400,
        body: { badRequest: { message: `Migration 999999 not found for instance ${it.id}` } },
      })
      expect((await force(id)).status).toBe(202)
      await until(api, async () => (await migrationsOf(api, it))[0]?.['status'] === 'completed')
      expect(await settled(api, it, 'ACTIVE')).toBe('ACTIVE')
      expect(await show(api, it)).toMatchObject({ 'OS-EXT-SRV-ATTR:host': otherThan(it, host) })
      expect((await migrationsOf(api, it))[0]).toMatchObject({ id, status: 'completed' })
      expect((await record(api, it, 'live_migration_force_complete')).message).toBeNull()
    })

    state('one of a paused server that never ends is not forced, and is given up', 'stall', async (api, it, host) => {
      expect((await act(api, it, { pause: null })).status).toBe(202)
      expect(await settled(api, it, 'PAUSED')).toBe('PAUSED')
      const id = await stalled(api, it, host)
      const forced = await api.post('nova', `${path(it)}/${id}/action`, { force_complete: null }, version)
      expect(forced.body).toEqual({
        conflictingRequest: {
          code: 409,
          message: `Cannot 'force_complete' instance ${it.id} while it is in vm_state paused`,
        },
      })
      expect((await api.call('DELETE', 'nova', `${path(it)}/${id}`, undefined, version)).status).toBe(202)
      expect(await settled(api, it, 'PAUSED')).toBe('PAUSED')
      expect(await show(api, it)).toMatchObject({ 'OS-EXT-SRV-ATTR:host': host })
    })

    state('a paused server moves as it is', 'none', async (api, it, host) => {
      expect((await act(api, it, live(otherThan(it, host)))).status).toBe(202)
      await until(api, async () => (await migrationsOf(api, it))[0]?.['status'] === 'completed')
      expect(await settled(api, it, 'PAUSED')).toBe('PAUSED')
      expect(await show(api, it)).toMatchObject({ 'OS-EXT-SRV-ATTR:host': otherThan(it, host) })
      const { events } = await record(api, it, 'live-migration')
      expect(events.map(({ event }) => event)).toEqual([
        'compute_post_live_migration_at_destination',
        'compute_pre_live_migration',
        'compute_live_migration',
        'compute_check_can_live_migrate_source',
        'compute_check_can_live_migrate_destination',
        'conductor_live_migrate_instance',
      ])
    })

    state('the server is deleted', 'none', async (api, it) => {
      const path = `/v2.1/servers/${it.id}`
      expect((await api.call('DELETE', 'nova', path, undefined, version)).status).toBe(204)
      await until(api, async () => (await api.get('nova', path, version)).status === 404)
      expect((await api.get('nova', path, version)).status).toBe(404)
    })
  })
}

const live = (host: string | null) => ({ 'os-migrateLive': { host, block_migration: 'auto' } })

const otherThan = ({ hosts: [first, second] }: Known, host: string): string => (host === first ? second : first)

const path = ({ id }: Known): string => `/v2.1/servers/${id}/migrations`

const underWay = (api: Api, it: Known) => api.get('nova', path(it), version)

/** Begins one, and gives its number once its memory is going over. */
async function stalled(api: Api, it: Known, host: string): Promise<unknown> {
  expect((await act(api, it, live(otherThan(it, host)))).status).toBe(202)
  const first = async () => rows((await underWay(api, it)).body, 'migrations')[0]
  await until(api, async () => {
    const now = await first()
    return now?.['status'] === 'running' && Number(now['memory_processed_bytes']) > 0
  })
  return (await first())?.['id']
}

/** The newest record of an action, once whoever began it has ended. */
async function record(api: Api, { id }: Known, action: string) {
  const base = `/v2.1/servers/${id}/os-instance-actions`
  const newest = async () => {
    const all = rows((await api.get('nova', base, version)).body, 'instanceActions')
    const request = all.find((one) => one['action'] === action)?.['request_id']
    const found = at((await api.get('nova', `${base}/${request}`, version)).body, 'instanceAction')
    return { message: at(found, 'message'), events: rows(found, 'events') }
  }
  await until(api, async () => (await newest()).events.at(-1)?.['result'] !== null)
  return newest()
}
