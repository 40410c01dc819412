import { StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { anything, closedObject, flag, listOf, text, whole } from '../../engine/action/define.ts'
import type { Json, JsonObject } from '../../engine/json.ts'
import { call, partOf, type Query, type ServiceAnswer } from './call.ts'
import { computeVersions } from './compute.ts'
import { apiObject, dateOfAnswer, labels, oneOrMore, paramsOf } from './fields.ts'
import { withoutSecrets } from './json-body.ts'
import { exactly, listAction, segment } from './list.ts'
import { type Listed, listAll, pageSize } from './paging.ts'
import { type Session, sessionOf } from './session.ts'

const statuses = [
  'ACTIVE',
  'BUILD',
  'DELETED',
  'ERROR',
  'HARD_REBOOT',
  'MIGRATING',
  'PASSWORD',
  'PAUSED',
  'REBOOT',
  'REBUILD',
  'RESCUE',
  'RESIZE',
  'REVERT_RESIZE',
  'SHELVED',
  'SHELVED_OFFLOADED',
  'SHUTOFF',
  'SOFT_DELETED',
  'SUSPENDED',
  'UNKNOWN',
  'VERIFY_RESIZE',
]

/** A server as Nova gives it; what it keeps for an administrator is absent for others. */
const serverItem = apiObject(
  'A server',
  {
    id: text('UUID'),
    name: text('Its name'),
    status: text('`ACTIVE`, `SHUTOFF`, `ERROR`, …; `UNKNOWN` when its cell does not answer'),
    'OS-EXT-STS:vm_state': text('What Nova holds it for'),
    'OS-EXT-STS:task_state': text('What is being done to it; null when nothing is'),
    'OS-EXT-STS:power_state': whole('0 none, 1 running, 3 paused, 4 shut down, 6 crashed, 7 suspended'),
    'OS-EXT-SRV-ATTR:host': text('The host, as Nova names it'),
    'OS-EXT-SRV-ATTR:hypervisor_hostname': text('The hypervisor'),
    'OS-EXT-SRV-ATTR:instance_name': text('The name libvirt knows'),
    'OS-EXT-SRV-ATTR:reservation_id': text('Of one request to create several'),
    'OS-EXT-SRV-ATTR:launch_index': whole('Which of them'),
    'OS-EXT-SRV-ATTR:hostname': text('The host name inside'),
    'OS-EXT-SRV-ATTR:kernel_id': text('Kernel image'),
    'OS-EXT-SRV-ATTR:ramdisk_id': text('Ramdisk image'),
    'OS-EXT-SRV-ATTR:root_device_name': text('The root disk inside'),
    'OS-EXT-AZ:availability_zone': text('Availability zone'),
    pinned_availability_zone: text('The zone that was asked for'),
    host_status: text('`UP`, `DOWN`, `MAINTENANCE`, `UNKNOWN`'),
    hostId: text('The host as its owner may know it'),
    tenant_id: text('Project'),
    user_id: text('Owner'),
    created: text('When it was made'),
    updated: text('When it last changed'),
    'OS-SRV-USG:launched_at': text('When it first ran, without a zone'),
    'OS-SRV-USG:terminated_at': text('When it ended, without a zone'),
    image: anything('The image it was made from; an empty text for one made from a volume'),
    flavor: apiObject('The flavor as it was when the server got it', {
      original_name: text('Name'),
      vcpus: whole('Processors'),
      ram: whole('Memory, MiB'),
      disk: whole('Root disk, GiB'),
      ephemeral: whole('Second disk, GiB'),
      swap: whole('Swap, MiB'),
      extra_specs: labels('What the scheduler and the driver read'),
    }),
    addresses: {
      type: 'object',
      description: 'Addresses, by the name of the network',
      additionalProperties: {
        type: 'array',
        items: apiObject('An address', {
          addr: text('The address'),
          version: whole('4 or 6'),
          'OS-EXT-IPS:type': text('`fixed` or `floating`'),
          'OS-EXT-IPS-MAC:mac_addr': text('MAC address'),
        }),
      },
    },
    accessIPv4: text('Address its owner wrote down'),
    accessIPv6: text('Address its owner wrote down'),
    'os-extended-volumes:volumes_attached': listOf(
      apiObject('A volume', { id: text('UUID'), delete_on_termination: flag('Whether it goes with the server') }),
      'Volumes',
    ),
    security_groups: listOf(apiObject('A security group', { name: text('Name or id') }), 'Security groups'),
    server_groups: listOf(text('UUID'), 'Server groups'),
    fault: apiObject('Why it is in ERROR', {
      code: whole('As an HTTP status'),
      message: text('What Nova says'),
      created: text('When'),
      details: text('Where in Nova, for an administrator'),
    }),
    locked: flag('Whether only an administrator may change it'),
    locked_reason: text('Why it is locked'),
    key_name: text('SSH key'),
    config_drive: text('`True` where it has one'),
    progress: whole('Percent of what is being done'),
    description: text('What its owner wrote about it'),
    metadata: labels('What its owner wrote on it'),
    tags: listOf(text('A tag'), 'Tags'),
    trusted_image_certificates: anything('Certificates of the image'),
    scheduler_hints: labels('What was asked of the scheduler'),
    'OS-DCF:diskConfig': text('`AUTO` or `MANUAL`'),
    links: anything('Addresses of it'),
  },
  ['id', 'status'],
)

const serverList = listAction({
  name: 'openstack.server.list',
  summary: 'the servers, of every project unless told otherwise',
  service: 'compute',
  path: '/servers/detail',
  collection: 'servers',
  microversion: computeVersions,
  filters: {
    host: exactly(
      text('Only those on this host, exactly as Nova names it', { minLength: 1 }),
      'host',
      'OS-EXT-SRV-ATTR:host',
    ),
    status: exactly(oneOrMore('Only those in one of these statuses', statuses), 'status'),
    project: exactly(text('Only those of this project, by id', { minLength: 1 }), 'project_id', 'tenant_id'),
    name: {
      schema: text('Only those with exactly this name', { minLength: 1 }),
      query: ([name = '']) => nameQuery(name),
      field: 'name',
    },
  },
  switches: {
    all_projects: flag(
      'Servers of every project, which takes an administrator; false for those of the project of the cloud',
      {
        default: true,
      },
    ),
    changes_since: text('Only those that changed since then, ISO 8601; also those deleted since', { minLength: 1 }),
  },
  query: ({ all_projects, changes_since }) => ({
    ...(all_projects !== false && { all_tenants: 1 }),
    ...(typeof changes_since === 'string' && { 'changes-since': changes_since }),
  }),
  item: serverItem,
  examples: [{}, { host: 'compute-1' }, { status: ['ERROR', 'BUILD'], all_projects: true }],
})

const serverShow: WorkAction = {
  name: 'openstack.server.show',
  summary: 'one server, by id or by name',
  effect: 'read',
  params: paramsOf({ server: text('Its id, or its exact name where only one server has it', { minLength: 1 }) }, [
    'server',
  ]),
  result: closedObject({ server: serverItem, date: dateOfAnswer }),
  examples: [{ server: 'vm1' }],
  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const { server, date } = await findServer(session, String(params['server']), signal)
    return { server: withoutSecrets(server), date }
  },
}

/** The server with this id or with exactly this name. Throws `not_found`, `ambiguous`. */
async function findServer(
  session: Session,
  idOrName: string,
  signal: AbortSignal,
): Promise<{ server: JsonObject; date: string | null }> {
  if (uuid.test(idOrName)) {
    const found = await serverById(session, idOrName, signal)
    return { server: partOf(found, 'server'), date: found.date }
  }
  const { items, first } = await serversNamed(session, idOrName, signal)
  const named = items.filter(({ name }) => name === idOrName)
  const [server] = named
  if (!server)
    throw new StepFailure('not_found', `no server has the name \`${idOrName}\``, { hint: 'names are compared exactly' })
  if (named.length > 1)
    throw new StepFailure('ambiguous', `${named.length} servers have the name \`${idOrName}\``, {
      hint: 'give the id',
      detail: { ids: named.map(({ id }) => id ?? null) },
    })
  return { server, date: first.date }
}

const uuid = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i

function serverById(session: Session, id: string, signal: AbortSignal): Promise<ServiceAnswer> {
  return call(session, { service: 'compute', path: `/servers/${segment(id)}`, microversion: computeVersions }, signal)
}

/** In every project; for a user who may not look there, in the project of the cloud. */
async function serversNamed(session: Session, name: string, signal: AbortSignal): Promise<Listed> {
  const list = (query: Query) =>
    listAll(
      session,
      {
        service: 'compute',
        path: '/servers/detail',
        query: { limit: pageSize, ...query, ...nameQuery(name) },
        collection: 'servers',
        microversion: computeVersions,
      },
      signal,
    )
  try {
    return await list({ all_tenants: 1 })
  } catch (error) {
    if (error instanceof StepFailure && error.code === 'forbidden') return await list({})
    throw error
  }
}

/** Nova reads a name as a regular expression: one that would be read so is not sent, and compared here alone. */
function nameQuery(name: string): { readonly name?: string } {
  return /^[\w .:@-]+$/.test(name) ? { name } : {}
}

export const serverActions: readonly WorkAction[] = [serverList, serverShow]
