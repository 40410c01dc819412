import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Rehearsal } from '../../simulator/contract.ts'
import { type CloudConfig, type Clouds, type Hosts, StepFailure } from '../action/contract.ts'
import { didYouMean } from '../diagnostic.ts'
import { RunbookError } from '../error.ts'
import { realClock } from '../host/clock.ts'
import type { Doors, HostSettings } from '../host/doors.ts'
import { isFile, readBytes } from '../host/files.ts'
import { openDoors } from '../host/open-doors.ts'
import type { CloudSources } from '../inventory/clouds.ts'
import { cloudConfig } from '../inventory/clouds.ts'
import type { Inventory, SecretPlace } from '../inventory/inventory.ts'
import { emptyInventory, hostsOf, inventoryOf } from '../inventory/inventory.ts'
import type { Json, JsonObject } from '../json.ts'
import type { Io } from './io.ts'
import { loadInventory } from './prepare.ts'
import { beginRehearsal } from './rehearsal.ts'
import { readSecretYaml } from './yaml-file.ts'

/** The world that a run works on: a real one, or a rehearsal in this process. */
export interface Surroundings {
  readonly inventory: Inventory
  readonly hosts: Hosts
  readonly clouds: Clouds
  readonly doors: Doors
  /** The cloud a step uses that names none, for the record. */
  readonly cloud: string | undefined
  close(): Promise<void>
}

export interface SurroundingsOptions {
  readonly inventory: string | undefined
  readonly limit: string | undefined
  readonly rehearse: string | undefined
  readonly speed: number | undefined
  /** Where each change made to a rehearsal is written. */
  readonly effects: string | undefined
}

export async function openSurroundings(io: Io, options: SurroundingsOptions): Promise<Surroundings> {
  const { inventory: path, limit, rehearse, speed, effects } = options
  if (rehearse !== undefined) {
    if (path !== undefined)
      throw new RunbookError('usage', '`--rehearse` brings its own inventory', { hint: 'leave `--inventory` out' })
    return rehearsedWorld(io, await beginRehearsal(rehearse, speed, effects), limit)
  }
  if (speed !== undefined)
    throw new RunbookError('usage', '`--speed` is for rehearsals: a real world cannot be hurried')
  if (effects !== undefined)
    throw new RunbookError('usage', '`--effects` is for rehearsals: what a real run does is in its transcript')
  return realWorld(io, path === undefined ? emptyInventory : loadInventory(path), limit)
}

function realWorld(io: Io, inventory: Inventory, limit: string | undefined): Surroundings {
  const sources = cloudSources(io, inventory)
  const doors = openDoors({
    clock: realClock,
    env: io.env,
    home: io.home,
    user: io.user,
    folder: io.cwd,
    host: (name) => settingsOf(inventory, name, io),
  })
  return { ...worldOf(inventory, sources, limit), doors, close: () => doors.close() }
}

function rehearsedWorld(io: Io, rehearsal: Rehearsal, limit: string | undefined): Surroundings {
  const folder = mkdtempSync(join(tmpdir(), 'runbook-rehearsal-'))
  writeFileSync(join(folder, 'id'), rehearsal.ssh.privateKey, { mode: 0o600 })
  writeFileSync(join(folder, 'known_hosts'), rehearsal.ssh.knownHosts, { mode: 0o600 })
  const { inventory } = inventoryOf(rehearsal.inventory as JsonObject)
  const reach = (name: string): HostSettings | undefined => {
    const found = settingsOf(inventory, name, io)
    return (
      found && {
        ...found,
        identityFiles: [join(folder, 'id')],
        identitiesOnly: true,
        knownHosts: [join(folder, 'known_hosts')],
        sshConfig: 'none',
      }
    )
  }
  const doors = openDoors({
    clock: rehearsal.clock,
    env: { ...io.env, SSH_AUTH_SOCK: undefined },
    home: io.home,
    user: io.user,
    folder: io.cwd,
    host: reach,
  })
  return {
    ...worldOf(inventory, { clouds: rehearsal.clouds as unknown as Json, env: {} }, limit),
    doors,
    async close() {
      await doors.close()
      await rehearsal.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** What there is in it, as the documents say. */
const worldOf = (inventory: Inventory, sources: CloudSources, limit: string | undefined) => ({
  inventory,
  hosts: limitedHosts(inventory, limit),
  clouds: cloudsFrom(sources),
  cloud: nameOfCloud(sources),
})

/** A limit that leaves nobody is a mistake of whoever typed it, not a run with nothing to do. */
function limitedHosts(inventory: Inventory, limit: string | undefined): Hosts {
  const hosts = hostsOf(inventory, limit)
  if (limit !== undefined && hosts.matching('all').length === 0) {
    const known = [...inventory.hosts.keys(), ...inventory.groups.keys()]
    throw new RunbookError('no_hosts', `\`--limit ${limit}\` leaves no host of the inventory`, {
      hint: didYouMean(limit, known) ?? '`runbook hosts PATTERN` shows what a pattern names',
    })
  }
  return hosts
}

/** The inventory's word on how to reach a host. */
function settingsOf({ hosts }: Inventory, name: string, io: Io): HostSettings | undefined {
  const host = hosts.get(name)
  if (!host) return undefined
  const { user, port, identity_file, identities_only, proxy_jump, known_hosts, config } = host.ssh
  const { transport, become, become_user, become_method, become_password, password, passphrase } = host.ssh
  return {
    ...(host.address !== name && { address: host.address }),
    ...(user !== undefined && { user }),
    ...(port !== undefined && { port }),
    ...(identity_file !== undefined && { identityFiles: [identity_file] }),
    ...(identities_only !== undefined && { identitiesOnly: identities_only }),
    ...(proxy_jump !== undefined && { proxyJump: proxy_jump }),
    ...(known_hosts !== undefined && { knownHosts: [known_hosts] }),
    ...(config !== undefined && { sshConfig: config }),
    ...(transport !== undefined && { transport }),
    ...(become !== undefined && { become }),
    ...(become_user !== undefined && { becomeUser: become_user }),
    ...(become_method !== undefined && { becomeMethod: become_method }),
    ...(become_password && { becomePassword: () => secretFrom('become_password', become_password, io) }),
    ...(password && { password: () => secretFrom('password', password, io) }),
    ...(passphrase && { passphrase: () => secretFrom('passphrase', passphrase, io) }),
  }
}

/** Shorter texts stand everywhere: masking them would hide what is no secret. */
const shortestPassword = 4

/** Throws `StepFailure`: the run goes on for hosts whose password is there. */
function secretFrom(field: 'become_password' | 'password' | 'passphrase', place: SecretPlace, { env }: Io): string {
  const where = 'env' in place ? `the environment variable \`${place.env}\`` : `\`${place.file}\``
  const refuse = (why: string) =>
    new StepFailure(
      field === 'become_password' ? 'become_refused' : 'auth_failed',
      `no ${field === 'passphrase' ? field : 'password'} from ${where}: ${why}`,
      { hint: `look at \`${field}\` of the inventory` },
    )
  let password = 'env' in place ? env[place.env] : undefined
  if ('file' in place) {
    const read = readBytes(place.file)
    if ('problem' in read) throw refuse(read.why)
    password = Buffer.from(read.bytes).toString('utf8').split(/\r?\n/)[0]
  }
  if (password === undefined) throw refuse('it is not set')
  if (password.length < shortestPassword) throw refuse('it is shorter than four characters, and could not be hidden')
  return password
}

/** The documents that say which clouds there are, from where openstacksdk looks for them. */
function cloudSources(io: Io, inventory: Inventory): CloudSources {
  const named = (name: string, variable: string) => {
    const explicit = io.env[variable]
    const places = [io.cwd, join(io.home, '.config', 'openstack'), '/etc/openstack'].flatMap((folder) =>
      ['.yaml', '.yml', '.json'].map((ending) => join(folder, `${name}${ending}`)),
    )
    return explicit !== undefined && explicit !== '' ? explicit : places.find(isFile)
  }
  const load = (path: string | undefined) => (path === undefined ? undefined : readSecretYaml(path))
  const clouds = load(inventory.cloudsFile ?? named('clouds', 'OS_CLIENT_CONFIG_FILE'))
  const secure = load(named('secure', 'OS_CLIENT_SECURE_FILE'))
  const vendors = load(named('clouds-public', 'OS_CLIENT_VENDOR_FILE'))
  return {
    ...(clouds !== undefined && { clouds }),
    ...(secure !== undefined && { secure }),
    ...(vendors !== undefined && { vendors }),
    env: io.env,
    ...(inventory.cloud !== undefined && { preferred: inventory.cloud }),
  }
}

function cloudsFrom(sources: CloudSources): Clouds {
  return { get: async (name) => withFiles(cloudConfig(sources, name === undefined ? {} : { name })) }
}

function nameOfCloud(sources: CloudSources): string | undefined {
  try {
    return cloudConfig(sources).name
  } catch (error) {
    if (error instanceof RunbookError) return undefined
    throw error
  }
}

/** Certificates and keys are read here, so that a plugin needs no files. */
function withFiles(config: CloudConfig): CloudConfig {
  const { caFile, certFile, keyFile, ...tls } = config.tls
  const content = (what: string, path: string | undefined) => {
    if (path === undefined) return {}
    const found = readBytes(path)
    if ('problem' in found)
      throw new RunbookError(
        'cloud_file',
        `the ${what} file \`${path}\` of the cloud \`${config.name}\` cannot be read: ${found.why}`,
      )
    return { [what]: Buffer.from(found.bytes).toString('utf8') }
  }
  return {
    ...config,
    tls: { ...tls, ...content('ca', caFile), ...content('cert', certFile), ...content('key', keyFile) },
  }
}
