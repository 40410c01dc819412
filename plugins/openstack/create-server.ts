import { type Settled, StepFailure, type WorkAction } from '../../engine/action/contract.ts'
import { closedObject, flag, listOf, text, textMap } from '../../engine/action/define.ts'
import { isObject, type Json, type JsonObject } from '../../engine/json.ts'
import { arrived } from './arrival.ts'
import { attemptMark, attemptName } from './attempt.ts'
import { call, partOf, versionFor } from './call.ts'
import { refuseWrongHost } from './chosen-host.ts'
import { paramsOf } from './fields.ts'
import { flavorCalled } from './find-flavor.ts'
import { imageCalled } from './find-image.ts'
import { networkCalled } from './find-network.ts'
import { serversNamed } from './find-server.ts'
import { type Followed, follow } from './follow.ts'
import { withoutSecrets } from './json-body.ts'
import { notYet, restsIn } from './judges.ts'
import { serverItem } from './server-item.ts'
import { hostOf, vmStateOf } from './server-state.ts'
import { type Session, sessionOf } from './session.ts'
import { computeVersions, type Microversions } from './versions.ts'

const minute = 60_000

/** Done when it rests in ACTIVE, on the host that was asked for. */
const built: Followed = {
  judge: (look) => {
    const { server } = look.seen
    const { host } = look.attempt.params
    if (restsIn(server, 'active'))
      return host === undefined || hostOf(server) === host ? 'done' : elsewhere(host, server)
    return vmStateOf(server) === 'building' ? 'waiting' : notYet(look)
  },
  limit: () => 30 * minute,
}

const elsewhere = (host: Json, server: JsonObject): StepFailure =>
  new StepFailure('wrong_host', `it came up on \`${hostOf(server)}\`, not on \`${String(host)}\``, {
    detail: { server: server['id'] ?? null, host: hostOf(server) },
  })

export const serverCreate: WorkAction = {
  name: 'openstack.server.create',
  summary: 'makes a server, and waits until it is ACTIVE',
  description:
    'The server carries the metadata `runbook_attempt`, by which it is found again after a crash. With `host` the scheduler still checks the host, which takes version 2.74 and an administrator; a disabled host is refused as `no_valid_host`. When it fails, what was made stays and `failure.detail.server` names it.',
  effect: 'change',
  params: paramsOf(
    {
      name: text('Its name', { minLength: 1, maxLength: 255 }),
      flavor: text('The flavor, by id or exact name', { minLength: 1 }),
      image: text('The image, by id or exact name', { minLength: 1 }),
      boot_volume: text('A volume to boot from instead of an image, by id', { minLength: 1 }),
      networks: listOf(
        text('A network, by id or exact name', { minLength: 1 }),
        'Its networks, each by id or exact name; empty for none, and what Nova chooses unless told',
      ),
      ports: listOf(text('A port, by id', { minLength: 1 }), 'Ports that were made before'),
      host: text('The host, exactly as Nova names it', { minLength: 1 }),
      availability_zone: text('The zone', { minLength: 1 }),
      server_group: text('A server group, by id', { minLength: 1 }),
      user_data: text(
        'What its guest is given at its first start, as `cloud-init` reads it; the text itself, not in base64',
        {
          maxLength: 49_151,
        },
      ),
      key_name: text('SSH key', { minLength: 1 }),
      security_groups: listOf(text('A security group, by name', { minLength: 1 }), 'Security groups of its ports'),
      metadata: textMap('What is written on it'),
      description: text('What is written about it', { maxLength: 255 }),
    },
    ['name', 'flavor'],
  ),
  result: closedObject({ server: serverItem, changed: flag('True: it was made') }),
  examples: [
    { name: 'canary', flavor: 'm1.tiny', image: 'cirros', networks: [], host: 'compute-1' },
    { name: 'vm1', flavor: 'm1.small', boot_volume: '6f6f4b3c-3f0c-4f5e-9a52-0d5c6a3b1c11' },
  ],

  async plan(ctx, params, signal) {
    const session = await sessionOf(ctx, params)
    const { flavor, image, networks } = await wantedOf(session, params, signal)
    return {
      summary: `would make the server \`${String(params['name'])}\``,
      changes: [
        {
          path: `server ${String(params['name'])}`,
          after: {
            flavor: flavor['name'] ?? null,
            image: image?.['name'] ?? null,
            ...(networks && { networks: networks.map(({ name, id }) => name ?? id ?? null) }),
            host: params['host'] ?? 'a host of the scheduler',
          },
        },
      ],
    }
  },

  async run(ctx, params, signal): Promise<Json> {
    const session = await sessionOf(ctx, params)
    const wanted = await wantedOf(session, params, signal)
    const version = await versionFor(session, 'compute', versionsFor(params), signal)
    const body = { server: requestOf(params, wanted, attemptMark(ctx)), ...hintsOf(params) }
    const made = await call(
      session,
      { service: 'compute', method: 'POST', path: '/servers', body, microversion: { min: version, max: version } },
      signal,
    )
    const { id, adminPass } = partOf(made, 'server')
    if (typeof adminPass === 'string') ctx.secrets.add('password of a server', adminPass)
    return await finished(session, String(id), params, signal)
  },

  async settled(ctx, params, signal): Promise<Settled> {
    const session = await sessionOf(ctx, params)
    const made = await ownServer(session, String(params['name']), signal)
    if (!made) return { happened: 'no' }
    try {
      return { happened: 'yes', result: await finished(session, String(made['id']), params, signal) }
    } catch (error) {
      if (!(error instanceof StepFailure) || signal.aborted) throw error
      return { happened: 'unknown', why: `it made the server ${String(made['id'])}, and then: ${error.message}` }
    }
  },
}

async function finished(session: Session, server: string, params: JsonObject, signal: AbortSignal): Promise<Json> {
  const seen = await follow(session, built, { server, params, facts: {}, known: new Set() }, signal)
  return { server: withoutSecrets(seen.server), changed: true }
}

/** The server that this attempt made: what was asked for may still be on its way. */
async function ownServer(session: Session, name: string, signal: AbortSignal): Promise<JsonObject | undefined> {
  return await arrived(session.ctx, signal, async () => {
    const { items } = await serversNamed(session, name, signal)
    return items.find(({ metadata }) => isObject(metadata) && metadata[attemptName] === session.ctx.step.attempt)
  })
}

/** What it is made of, as the cloud shows it. */
interface Wanted {
  readonly flavor: JsonObject
  readonly image: JsonObject | undefined
  readonly networks: readonly JsonObject[] | undefined
}

async function wantedOf(session: Session, params: JsonObject, signal: AbortSignal): Promise<Wanted> {
  const { image, boot_volume, networks, host } = params
  if ((image === undefined) === (boot_volume === undefined))
    throw new StepFailure('bad_request', 'a server boots from an `image` or from a `boot_volume`: give one of them')
  const flavor = await flavorCalled(session, String(params['flavor']), signal)
  if (host !== undefined) await refuseWrongHost(session, String(host), signal)
  const named = Array.isArray(networks) ? networks.map(String) : undefined
  return {
    flavor,
    image: image === undefined ? undefined : await imageCalled(session, String(image), signal),
    networks: named && (await Promise.all(named.map((name) => networkCalled(session, name, signal)))),
  }
}

function versionsFor({ host }: JsonObject): Microversions & { readonly what?: string } {
  if (host === undefined) return computeVersions
  return { min: '2.74', max: computeVersions.max, what: 'a server on a chosen `host`' }
}

function requestOf(params: JsonObject, { flavor, image, networks }: Wanted, mark: JsonObject): JsonObject {
  const {
    name = '',
    boot_volume,
    host,
    availability_zone,
    key_name,
    description,
    security_groups,
    metadata,
    user_data,
  } = params
  const wanted: { readonly [name: string]: Json | undefined } = {
    name,
    flavorRef: flavor['id'],
    imageRef: image?.['id'],
    networks: networksOf(networks, params),
    host,
    availability_zone,
    key_name,
    user_data: typeof user_data === 'string' ? Buffer.from(user_data).toString('base64') : undefined,
    description,
    security_groups: Array.isArray(security_groups) ? security_groups.map((group) => ({ name: group })) : undefined,
    metadata: { ...(isObject(metadata) && metadata), ...mark },
    block_device_mapping_v2:
      boot_volume === undefined
        ? undefined
        : [{ boot_index: 0, uuid: boot_volume, source_type: 'volume', destination_type: 'volume' }],
  }
  return Object.fromEntries(Object.entries(wanted).filter((entry): entry is [string, Json] => entry[1] !== undefined))
}

function networksOf(networks: Wanted['networks'], { ports }: JsonObject): Json {
  const nets = (networks ?? []).map(({ id = '' }) => ({ uuid: id }))
  const all = [...nets, ...(Array.isArray(ports) ? ports.map((port) => ({ port })) : [])]
  if (all.length > 0) return all
  return networks === undefined ? 'auto' : 'none'
}

function hintsOf({ server_group }: JsonObject): JsonObject {
  return server_group === undefined ? {} : { 'os:scheduler_hints': { group: server_group } }
}
