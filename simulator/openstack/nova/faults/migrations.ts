import type { Fault } from '../../../fault.ts'
import { takes } from '../../../parameters.ts'
import { uuidOf } from '../../../random.ts'
import { projectIdOf, userIdOf } from '../../keystone/state.ts'
import { hour, minute } from '../../time.ts'
import { beginLiveMigration } from '../live-migration.ts'
import { host, message, running, server, serverNamed, upset, upsetting } from './fault.ts'

/** What can go wrong when servers move. */
export const migrationFaults: readonly Fault[] = [
  {
    name: 'nova.failed_migration',
    summary: 'A live migration broke off; the server is still where it was',
    params: takes(
      {
        host: { ...host, description: 'The host it should have left; the first one with a server unless told' },
        status: {
          type: 'string',
          description: 'How it ended',
          enum: ['error', 'failed', 'cancelled'],
          default: 'error',
        },
        hours: { type: 'number', description: 'How many hours ago it began', default: 2, exclusiveMinimum: 0 },
        took: { type: 'number', description: 'After how many minutes it broke off', default: 4, exclusiveMinimum: 0 },
      },
      ['host'],
    ),
    apply({ cloud, clock }, { host, status, hours, took }) {
      const server = running(cloud).find((one) => host === undefined || one.host === host)
      if (!server?.host) throw new Error(`no server runs on \`${host}\``)
      const { migrations, hypervisors, flavors } = cloud.nova
      const id = migrations.length + 1
      migrations.push({
        id,
        uuid: uuidOf(`migration/${id}`),
        server: server.id,
        kind: 'live-migration',
        status: String(status),
        source: server.host,
        destination: hypervisors.find((one) => one.host !== server.host)?.host ?? null,
        flavor: flavors.findIndex((one) => one.id === server.flavor.id) + 1,
        user: userIdOf('admin'),
        project: projectIdOf('admin'),
        createdAt: clock.now() - Number(hours) * hour,
        updatedAt: clock.now() - Number(hours) * hour + Number(took) * minute,
      })
    },
  },
  {
    name: 'nova.migration_under_way',
    summary: 'A live migration that somebody else began is under way; it takes as long as other faults make it take',
    params: takes({ server, to: { ...host, description: 'The host it moves to' } }),
    apply(world, { server: name, to }) {
      const found = serverNamed(world.cloud, name)
      const asker = { requestId: `req-${world.random.uuid()}`, user: userIdOf('admin'), project: projectIdOf('admin') }
      const refused = beginLiveMigration(world, found, asker, { host: String(to), force: false, wait: true })
      if (refused !== undefined) throw new Error(`\`${found.name}\` cannot move to \`${to}\`: ${refused}`)
    },
  },
  {
    name: 'nova.migration_precheck_fails',
    summary: 'Live migrations are accepted, and then the target finds that it cannot take the server',
    params: upsetting({ message: message("Unacceptable CPU info: CPU doesn't have compatibility") }),
    apply: ({ cloud }, params) => upset(cloud, 'precheck', params),
  },
  {
    name: 'nova.migration_slow',
    summary: 'Live migrations take many times as long as usual',
    params: takes(
      {
        server: { ...server, description: 'The server, by name or id; every server unless told' },
        factor: { type: 'number', description: 'How many times as long', minimum: 1, default: 20 },
      },
      ['server'],
    ),
    apply: ({ cloud }, params) => upset(cloud, 'slow', params),
  },
  {
    name: 'nova.disks_on_hosts',
    summary: 'The disks of servers that boot from an image are on their host alone: a live migration copies them first',
    params: takes(
      {
        server: { ...server, description: 'The server, by name or id; every server unless told' },
        mib_per_second: {
          type: 'number',
          description: 'How much of them is copied in a second',
          minimum: 1,
          default: 400,
        },
      },
      ['server'],
    ),
    apply: ({ cloud }, { mib_per_second: factor, ...params }) => upset(cloud, 'local', { ...params, factor }),
  },
  {
    name: 'nova.migration_stalls',
    summary: 'The guest writes to its memory faster than the network carries it: its live migrations never end',
    params: upsetting({}),
    apply: ({ cloud }, params) => upset(cloud, 'stalls', params),
  },
  {
    name: 'nova.migration_breaks',
    summary: 'Live migrations break off half way; the record of the action tells nothing of it',
    params: upsetting({}),
    apply: ({ cloud }, params) => upset(cloud, 'breaks', params),
  },
  {
    name: 'nova.confirm_forbidden',
    summary: 'A policy of the cloud lets nobody confirm that a server has moved switched off',
    params: upsetting({}),
    apply: ({ cloud }, params) => upset(cloud, 'unconfirmed', params),
  },
]
