import { expect } from 'vitest'
import { type Api, at, compute, keysOf, type Runner, rows, words } from './api.ts'
import { makeServer, migrationsOf, settled, show, version } from './server.ts'

/** What is true of groups whose servers stand apart; the statements are made in their order. */
export function openstackGroups({ describe, test }: Runner, makeApi: () => Promise<Api>): void {
  const state = (name: string, holds: (api: Api) => Promise<void>) => test(name, async () => holds(await makeApi()))
  const apart = { name: 'simnova-apart', policy: 'anti-affinity' }

  describe('server groups', () => {
    state('a group is made, shown in each of its forms, listed, and gone', async (api) => {
      const made = await api.post('nova', groups, { server_group: apart }, version)
      expect(made.status).toBe(200)
      const group = at(made.body, 'server_group')
      expect(keysOf(group)).toEqual(words('id name policy rules members project_id user_id'))
      expect(group).toMatchObject({ ...apart, members: [], rules: {}, project_id: api.project })
      const path = `${groups}/${at(group, 'id')}`
      try {
        expect((await api.get('nova', path, version)).body).toEqual(made.body)
        expect(rows((await api.get('nova', groups, version)).body, 'server_groups')).toContainEqual(group)
        const early = at((await api.get('nova', path, compute('2.63'))).body, 'server_group')
        expect(keysOf(early)).toEqual(words('id name policies metadata members project_id user_id'))
        expect(early).toMatchObject({ policies: ['anti-affinity'], metadata: {} })
        const first = at((await api.get('nova', path)).body, 'server_group')
        expect(keysOf(first)).toEqual(words('id name policies metadata members'))
      } finally {
        expect((await api.call('DELETE', 'nova', path, undefined, version)).status).toBe(204)
      }
      const none = { itemNotFound: { code: 404, message: `Instance group ${at(group, 'id')} could not be found.` } }
      expect((await api.get('nova', path, version)).body).toEqual(none)
      expect((await api.call('DELETE', 'nova', path, undefined, version)).body).toEqual(none)
    })

    for (const { wanted, at: speaks = version, says } of [
      { wanted: { ...apart, policy: 'nearby' }, says: "'nearby' is not one of" },
      { wanted: { name: 'simnova-none' }, says: "'policy' is a required property" },
      { wanted: { ...apart, policies: ['affinity'] }, says: "('policies' was unexpected)" },
      { wanted: apart, at: compute('2.63'), says: "'policies' is a required property" },
      {
        wanted: { ...apart, policy: 'affinity', rules: { max_server_per_host: 2 } },
        says: 'Only anti-affinity policy supports rules.',
      },
      { wanted: { ...apart, rules: { x: 1 } }, says: "('x' was unexpected)" },
      { wanted: { ...apart, rules: { max_server_per_host: 0 } }, says: '0 is less than the minimum of 1' },
      { wanted: { name: 'simnova-none', policies: ['nearby'] }, at: compute('2.63'), says: "'nearby' is not one of" },
      {
        wanted: { name: 'simnova-none', policies: ['affinity', 'anti-affinity'] },
        at: compute('2.63'),
        says: "['affinity', 'anti-affinity'] is too long",
      },
    ]) {
      state(`${JSON.stringify(wanted)} is refused with 400 at ${Object.values(speaks).join()}`, async (api) => {
        const answer = await api.post('nova', groups, { server_group: wanted }, speaks)
        expect(answer.status).toBe(400)
        expect(at(answer.body, 'badRequest', 'message')).toContain(says)
      })
    }

    state('a server is refused that names a group nobody knows', async (api) => {
      const flavors = rows((await api.get('nova', '/v2.1/flavors', version)).body, 'flavors')
      const images = rows((await api.get('glance', '/v2/images?status=active&visibility=public')).body, 'images')
      const [flavorRef, imageRef] = [flavors[0]?.['id'], images[0]?.['id']]
      const answer = await api.post(
        'nova',
        '/v2.1/servers',
        {
          server: { name: 'simnova-none', flavorRef, imageRef, networks: 'none' },
          'os:scheduler_hints': { group: nobodys },
        },
        version,
      )
      const message = `Instance group ${nobodys} could not be found.`
      expect(answer.body).toEqual({ badRequest: { code: 400, message } })
    })

    state('one is not put where another of its group is, nor moved there', async (api) => {
      const made = await api.post('nova', groups, { server_group: apart }, version)
      const group = String(at(made.body, 'server_group', 'id'))
      const members = async () =>
        at((await api.get('nova', `${groups}/${group}`, version)).body, 'server_group', 'members')
      const servers: string[] = []
      try {
        const first = await makeServer(api, { group })
        servers.push(first.id)
        expect(await members()).toEqual([first.id])
        const [here, there] = first.hosts
        const second = await makeServer(api, { group, host: there })
        servers.push(second.id)
        expect(new Set((await members()) as string[])).toEqual(new Set(servers))

        const third = await makeServer(api, { group, host: here, ends: 'ERROR' })
        servers.push(third.id)
        expect(await show(api, third)).toMatchObject({
          'OS-EXT-SRV-ATTR:host': null,
          fault: { code: 500, message: none },
        })

        const live = { 'os-migrateLive': { host: here, block_migration: 'auto' } }
        const moved = await api.post('nova', `/v2.1/servers/${second.id}/action`, live, version)
        expect(moved.status).toBe(202)
        expect(await settled(api, second, 'ACTIVE')).toBe('ACTIVE')
        expect(await show(api, second)).toMatchObject({ 'OS-EXT-SRV-ATTR:host': there })
        expect((await migrationsOf(api, second))[0]).toMatchObject({ status: 'error', dest_compute: null })
      } finally {
        for (const id of servers) await api.call('DELETE', 'nova', `/v2.1/servers/${id}`, undefined, version)
        await api.call('DELETE', 'nova', `${groups}/${group}`, undefined, version)
      }
    })
  })
}

const groups = '/v2.1/os-server-groups'
const nobodys = '00000000-0000-0000-0000-000000000000'
const none = 'No valid host was found. There are not enough hosts available.'
