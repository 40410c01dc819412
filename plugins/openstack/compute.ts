import type { WorkAction } from '../../engine/action/contract.ts'
import { anything, flag, listOf, number, text, whole } from '../../engine/action/define.ts'
import { computeServiceItem } from './compute-services.ts'
import { apiObject, labels, oneOrMore } from './fields.ts'
import { heartbeatOf } from './heartbeat.ts'
import { exactly, listAction } from './list.ts'
import { migrationItem } from './migration-item.ts'
import { computeVersions } from './versions.ts'

const computeServiceList = listAction({
  name: 'openstack.compute_service.list',
  summary: 'the services of Nova, with their state and their last report',
  description:
    'A service is `up` while its last report is young enough; disabling and enabling move `updated_at` too. A row whose cell does not answer has only `binary`, `host` and the status `UNKNOWN`.',
  service: 'compute',
  path: '/os-services',
  collection: 'services',
  microversion: computeVersions,
  paged: false,
  filters: {
    host: exactly(text('Only this host, exactly as Nova names it', { minLength: 1 }), 'host'),
    binary: exactly(text('Only this kind: `nova-compute`', { minLength: 1 }), 'binary'),
  },
  item: computeServiceItem,
  derive: (item, date) => heartbeatOf(item['updated_at'], date),
  examples: [{}, { host: 'compute-1', binary: 'nova-compute' }],
})

const hypervisorList = listAction({
  name: 'openstack.hypervisor.list',
  summary: 'the hypervisors; for their capacity see openstack.resource_provider.list',
  service: 'compute',
  path: '/os-hypervisors/detail',
  collection: 'hypervisors',
  microversion: computeVersions,
  filters: {
    hostname: {
      schema: text('Only this hypervisor, by its exact host name', { minLength: 1 }),
      field: 'hypervisor_hostname',
    },
  },
  item: apiObject(
    'A hypervisor',
    {
      id: text('UUID, the same as that of its resource provider'),
      hypervisor_hostname: text('Its name'),
      state: text('`up` or `down`'),
      status: text('`enabled` or `disabled`'),
      hypervisor_type: text('`QEMU`, `ironic`'),
      hypervisor_version: whole('Its version as a number'),
      host_ip: text('Address'),
      service: apiObject('The nova-compute that runs it', {
        id: text('UUID'),
        host: text('The host, as Nova names it'),
        disabled_reason: text('Why it is disabled'),
      }),
      uptime: text('What `uptime` says there'),
      servers: listOf(labels('A server on it'), 'Servers, where asked for'),
      vcpus: whole('Before version 2.88'),
      vcpus_used: whole('Before version 2.88'),
      memory_mb: whole('Before version 2.88'),
      memory_mb_used: whole('Before version 2.88'),
      free_ram_mb: whole('Before version 2.88'),
      local_gb: whole('Before version 2.88'),
      local_gb_used: whole('Before version 2.88'),
      free_disk_gb: whole('Before version 2.88'),
      disk_available_least: whole('Before version 2.88'),
      current_workload: whole('Before version 2.88'),
      running_vms: whole('Before version 2.88'),
      cpu_info: anything('Before version 2.88'),
    },
    ['id', 'hypervisor_hostname'],
  ),
})

const flavorList = listAction({
  name: 'openstack.flavor.list',
  summary: 'the flavors, public ones and others',
  service: 'compute',
  path: '/flavors/detail',
  collection: 'flavors',
  // 2.61 gives the extra specs with the list
  microversion: { min: '2.61', max: '2.100' },
  query: () => ({ is_public: 'None' }),
  filters: { name: { schema: text('Only this flavor, by its exact name', { minLength: 1 }), field: 'name' } },
  item: apiObject(
    'A flavor',
    {
      id: text('Its id'),
      name: text('Its name'),
      description: text('What somebody wrote about it'),
      vcpus: whole('Processors'),
      ram: whole('Memory, MiB'),
      disk: whole('Root disk, GiB'),
      swap: anything('Swap, MiB; an empty text for none in older clouds'),
      'OS-FLV-EXT-DATA:ephemeral': whole('Second disk, GiB'),
      'OS-FLV-DISABLED:disabled': flag('Whether it is switched off'),
      'os-flavor-access:is_public': flag('Whether every project may use it'),
      rxtx_factor: number('Network share'),
      extra_specs: labels('What the scheduler and the driver read'),
      links: anything('Addresses of it'),
    },
    ['id', 'name'],
  ),
})

const migrationList = listAction({
  name: 'openstack.migration.list',
  summary: 'the migrations of servers, past and under way',
  description: 'A migration that broke off may show nowhere else: the events of the server can all say `Success`.',
  service: 'compute',
  path: '/os-migrations',
  collection: 'migrations',
  // 2.59 gives uuid, pages and `changes-since`
  microversion: { min: '2.59', max: '2.100' },
  filters: {
    host: exactly(text('Only those from or to this host', { minLength: 1 }), 'host', [
      'source_compute',
      'dest_compute',
    ]),
    status: {
      schema: oneOrMore('Only these: `running`, `completed`, `failed`, `error`, `cancelled`, …'),
      query: (values) => (values.length === 1 ? { status: values } : {}),
      field: 'status',
    },
    server: exactly(text('Only those of this server, by id', { minLength: 1 }), 'instance_uuid'),
    migration_type: exactly(
      text('Only this type', { enum: ['evacuation', 'live-migration', 'migration', 'resize'] }),
      'migration_type',
    ),
  },
  switches: { changes_since: text('Only those that changed since then, ISO 8601', { minLength: 1 }) },
  query: ({ changes_since }) => (typeof changes_since === 'string' ? { 'changes-since': changes_since } : {}),
  item: migrationItem,
  examples: [{}, { host: 'compute-1', status: ['running', 'preparing'] }],
})

const aggregateList = listAction({
  name: 'openstack.aggregate.list',
  summary: 'the host aggregates, with their hosts and metadata',
  service: 'compute',
  path: '/os-aggregates',
  collection: 'aggregates',
  microversion: computeVersions,
  paged: false,
  item: apiObject(
    'An aggregate',
    {
      id: whole('Number'),
      uuid: text('UUID'),
      name: text('Its name'),
      availability_zone: text('The zone it makes'),
      hosts: listOf(text('A host'), 'The hosts in it'),
      metadata: labels('What the scheduler reads'),
      created_at: text('When it was made'),
      updated_at: text('When it last changed'),
      deleted_at: text('Never, while it is listed'),
      deleted: flag('Never, while it is listed'),
    },
    ['id', 'name', 'hosts'],
  ),
})

export const computeActions: readonly WorkAction[] = [
  computeServiceList,
  hypervisorList,
  flavorList,
  migrationList,
  aggregateList,
]
