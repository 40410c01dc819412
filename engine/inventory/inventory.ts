import type { HostInfo, Hosts } from '../action/contract.ts'
import { closedObject, flag, listOf, text, whole } from '../action/define.ts'
import type { Json, JsonObject, Schema } from '../json.ts'
import { isObject } from '../json.ts'
import { matchPattern } from './pattern.ts'

/** How a host is reached, besides what `~/.ssh/config` says. The most specific one wins: host, then group, then inventory. */
export interface SshSettings {
  readonly user?: string
  readonly port?: number
  readonly identity_file?: string
  readonly identities_only?: boolean
  readonly proxy_jump?: string
  readonly known_hosts?: string
  /** A file to read instead of `~/.ssh/config`. */
  readonly config?: string
  readonly transport?: 'ssh2' | 'openssh'
  readonly become?: boolean
  readonly become_user?: string
  readonly become_method?: 'sudo' | 'su'
  readonly become_password?: SecretPlace
  /** Of whoever logs in, where a key will not do. */
  readonly password?: SecretPlace
  /** Of the key in `identity_file`. */
  readonly passphrase?: SecretPlace
}

/** Where a secret is: never the secret itself. */
export type SecretPlace = { readonly env: string } | { readonly file: string }

export interface InventoryHost extends HostInfo {
  readonly ssh: SshSettings
}

export interface Inventory {
  readonly hosts: ReadonlyMap<string, InventoryHost>
  readonly groups: ReadonlyMap<string, ReadonlySet<string>>
  /** The cloud to use when a step does not name one, and where its `clouds.yaml` is. */
  readonly cloud?: string
  readonly cloudsFile?: string
}

export const emptyInventory: Inventory = { hosts: new Map(), groups: new Map() }

const secretPlace = (description: string): Schema => ({
  description,
  oneOf: [
    closedObject({ env: text('The environment variable that holds it.', { minLength: 1 }) }),
    closedObject({ file: text('The file that holds it, on its first line; a path from this file.', { minLength: 1 }) }),
  ],
})

const ssh: Schema = {
  ...closedObject(
    {
      user: text('The user to log in as.'),
      port: whole('The port of sshd; 22 unless told.', { minimum: 1, maximum: 65_535 }),
      identity_file: text('The private key, besides those of the agent.'),
      identities_only: flag('Whether no other keys than `identity_file` are offered; no unless told.'),
      proxy_jump: text('Hosts to go through, as `ProxyJump` writes them: `user@bastion:22,inner`.'),
      known_hosts: text('A file of known host keys, instead of `~/.ssh/known_hosts`.'),
      config: text('An OpenSSH client configuration to read instead of `~/.ssh/config`.'),
      transport: text(
        'Who reaches it: `ssh2`, the client that is built in, unless told, or `openssh`, the `ssh` of this machine.',
        {
          enum: ['ssh2', 'openssh'],
        },
      ),
      become: flag('Whether commands run as another user when the step does not say; no unless told.'),
      become_user: text('The user to become, when the step does not say; `root` unless told.', { minLength: 1 }),
      become_method: text('How to become it: `sudo` unless told, or `su`.', { enum: ['sudo', 'su'] }),
      become_password: secretPlace(
        'Where the password is that `sudo` (of whoever logs in) or `su` (of the other user) may ask for: never the password itself.',
      ),
      password: secretPlace(
        'Where the password is that sshd may ask for when no key will do, by itself or by `keyboard-interactive`: never the password itself.',
      ),
      passphrase: secretPlace('Where the passphrase of the key in `identity_file` is: never the passphrase itself.'),
    },
    [
      'user',
      'port',
      'identity_file',
      'identities_only',
      'proxy_jump',
      'known_hosts',
      'config',
      'transport',
      'become',
      'become_user',
      'become_method',
      'become_password',
      'password',
      'passphrase',
    ],
  ),
  description: 'How to reach it over SSH, where this differs from `~/.ssh/config`.',
}
const vars: Schema = { type: 'object', description: 'Values of your own, in runbooks as `target.vars.NAME`.' }
const name = '^[A-Za-z0-9][A-Za-z0-9._-]*$'

/** The inventory as JSON Schema; published as `schemas/inventory.schema.json`. */
export const inventorySchema: Schema = {
  type: 'object',
  additionalProperties: false,
  required: ['apiVersion'],
  properties: {
    apiVersion: { const: 'runbook/v1', description: 'The version of the format.' },
    hosts: {
      type: 'object',
      description: 'The hosts by name; the name is also the address unless one is given.',
      propertyNames: { pattern: name },
      additionalProperties: {
        type: ['object', 'null'],
        additionalProperties: false,
        properties: {
          address: text('Where it is: a name or an IP address.', { minLength: 1 }),
          groups: listOf({ type: 'string' }, 'Groups it belongs to.'),
          ssh,
          vars,
        },
      },
    },
    groups: {
      type: 'object',
      description: 'Groups of hosts by name.',
      propertyNames: { pattern: name },
      additionalProperties: {
        type: ['object', 'null'],
        additionalProperties: false,
        properties: {
          hosts: listOf({ type: 'string' }, 'Hosts of the group.'),
          groups: listOf({ type: 'string' }, 'Groups whose hosts belong to it too.'),
          ssh,
          vars,
        },
      },
    },
    ssh,
    vars,
    cloud: text('The entry of `clouds.yaml` to use when nothing else says which.'),
    clouds_file: text('A `clouds.yaml` to read instead of the usual places; a path from this file.'),
  },
}

/** A problem in an inventory that its schema cannot see. */
export interface InventoryProblem {
  readonly code: 'RB2401' | 'RB2402' | 'RB2403'
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** An inventory that fits its schema, with groups resolved and settings merged. */
export function inventoryOf(document: JsonObject): {
  readonly inventory: Inventory
  readonly problems: readonly InventoryProblem[]
} {
  const problems: InventoryProblem[] = []
  const hosts = objectOf(document['hosts'])
  const groups = objectOf(document['groups'])
  const members = new Map<string, ReadonlySet<string>>()
  for (const group of new Set([
    ...Object.keys(groups),
    ...Object.values(hosts).flatMap((host) => namesOf(objectOf(host)['groups'])),
  ]))
    members.set(group, membersOf(group, []))
  const meansTwoThings = (name: string, message: string) => {
    problems.push({ code: 'RB2403', path: [Object.hasOwn(groups, name) ? 'groups' : 'hosts', name], message })
  }
  for (const name of ['all'].filter((each) => Object.hasOwn(hosts, each) || members.has(each)))
    meansTwoThings(name, `nothing else can be called \`${name}\`: in a pattern that is every host`)
  for (const name of Object.keys(hosts).filter((each) => each !== 'all' && members.has(each)))
    meansTwoThings(name, `\`${name}\` is a host and a group: a pattern would name both`)
  const all = objectOf(document['ssh'])
  const table = new Map<string, InventoryHost>()
  for (const [host, written] of Object.entries(hosts)) {
    const own = objectOf(written)
    const mine = [...members].filter(([, inside]) => inside.has(host)).map(([group]) => group)
    // what a group within another says is more specific
    const layers = mine.toSorted((a, b) => depthOf(a, []) - depthOf(b, [])).map((group) => objectOf(groups[group]))
    table.set(host, {
      name: host,
      address: typeof own['address'] === 'string' ? own['address'] : host,
      groups: mine.toSorted(),
      vars: Object.assign(
        {},
        objectOf(document['vars']),
        ...layers.map((layer) => objectOf(layer['vars'])),
        objectOf(own['vars']),
      ) as JsonObject,
      ssh: Object.assign(
        {},
        all,
        ...layers.map((layer) => objectOf(layer['ssh'])),
        objectOf(own['ssh']),
      ) as SshSettings,
    })
  }
  const inventory: Inventory = {
    hosts: table,
    groups: members,
    ...(typeof document['cloud'] === 'string' && { cloud: document['cloud'] }),
    ...(typeof document['clouds_file'] === 'string' && { cloudsFile: document['clouds_file'] }),
  }
  return { inventory, problems }

  /** How many groups are around it, one in the other. */
  function depthOf(group: string, way: readonly string[]): number {
    const around = Object.keys(groups).filter((each) => namesOf(objectOf(groups[each])['groups']).includes(group))
    return Math.max(
      0,
      ...around.filter((each) => !way.includes(each)).map((each) => 1 + depthOf(each, [...way, group])),
    )
  }

  function membersOf(group: string, way: readonly string[]): Set<string> {
    const own = objectOf(groups[group])
    const found = new Set(
      Object.entries(hosts).flatMap(([host, written]) =>
        namesOf(objectOf(written)['groups']).includes(group) ? [host] : [],
      ),
    )
    for (const [index, host] of namesOf(own['hosts']).entries()) {
      if (Object.hasOwn(hosts, host)) found.add(host)
      else
        problems.push({
          code: 'RB2401',
          path: ['groups', group, 'hosts', index],
          message: `the group \`${group}\` names the host \`${host}\`, which is not in the inventory`,
        })
    }
    for (const [index, inner] of namesOf(own['groups']).entries()) {
      if (inner === group || way.includes(inner))
        problems.push({
          code: 'RB2402',
          path: ['groups', group, 'groups', index],
          message: `the group \`${inner}\` contains itself: ${[...way, group, inner].join(' → ')}`,
        })
      else if (!Object.hasOwn(groups, inner))
        problems.push({
          code: 'RB2401',
          path: ['groups', group, 'groups', index],
          message: `the group \`${group}\` names the group \`${inner}\`, which is not in the inventory`,
        })
      else for (const host of membersOf(inner, [...way, group])) found.add(host)
    }
    return found
  }
}

/** What actions and targets see: the inventory within `--limit`. */
export function hostsOf({ hosts, groups }: Inventory, limit?: string): Hosts {
  const known = { hosts: [...hosts.keys()], groups }
  const allowed = limit === undefined ? undefined : new Set(matchPattern(limit, known))
  return {
    matching: (pattern) =>
      matchPattern(pattern, known)
        .filter((host) => allowed === undefined || allowed.has(host))
        .flatMap((host) => {
          const found = hosts.get(host)
          return found ? [{ name: found.name, address: found.address, groups: found.groups, vars: found.vars }] : []
        }),
  }
}

function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : {}
}

function namesOf(value: Json | undefined): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : []
}
