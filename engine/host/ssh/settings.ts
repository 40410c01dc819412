import { join } from 'node:path'
import { StepFailure } from '../../action/contract.ts'
import { type ConfigValues, expandTokens, readConfig } from './config.ts'
import { askOpenSsh } from './openssh.ts'

/** What an inventory says about reaching a host; all of it goes before `~/.ssh/config`, which fills in the rest. */
export interface HostSettings {
  readonly address?: string
  readonly port?: number
  readonly user?: string
  /** Paths of private keys. */
  readonly identityFiles?: readonly string[]
  /** Offer no other keys, even if an agent has some. */
  readonly identitiesOnly?: boolean
  /** `[user@]host[:port]`, several with commas, outermost first; `none` for a direct way. */
  readonly proxyJump?: string
  /** Paths of `known_hosts` files, instead of the usual ones. */
  readonly knownHosts?: readonly string[]
  /** The path of an OpenSSH configuration, instead of the usual ones; `none` for no file. */
  readonly sshConfig?: string
  /** Of whoever logs in; throws `StepFailure` when it cannot be read. */
  readonly password?: () => string
  /** Of the first of the private keys that is locked. */
  readonly passphrase?: () => string
  /** Who reaches it: we ourselves, with the library ssh2, unless told, or the `ssh` of this machine. */
  readonly transport?: Transport
  /** Send commands without anything round them, for accounts that may run only certain ones. They cannot be ended from here. */
  readonly bare?: boolean
  /** Whether commands run as another user when they do not say, which one and how when neither says; `root` and `sudo`. */
  readonly become?: boolean
  readonly becomeUser?: string
  readonly becomeMethod?: 'sudo' | 'su'
  /** The password of whoever logs in for `sudo`, of the other user for `su`; throws `StepFailure` when it cannot be read. */
  readonly becomePassword?: () => string
}

export type Transport = 'ssh2' | 'openssh'

/** Where and as whom to connect, everything settled. */
export interface ConnectionSettings {
  /** As people call it. */
  readonly name: string
  readonly hostname: string
  readonly port: number
  readonly family: 4 | 6 | undefined
  readonly user: string
  readonly identityFiles: readonly string[]
  readonly identitiesOnly: boolean
  /** The socket of an agent. */
  readonly agent: string | undefined
  readonly jumps: readonly string[]
  readonly knownHosts: readonly string[]
  /** The name under which the host stands in `known_hosts`. */
  readonly hostKeyAlias: string | undefined
  /** Milliseconds for TCP and the handshake, when the configuration says so. */
  readonly connectTimeout: number | undefined
  readonly password: (() => string) | undefined
  readonly passphrase: (() => string) | undefined
  readonly bare: boolean
  readonly become: BecomeSettings
  readonly transport: Transport
  /** What the inventory says, as it says it: OpenSSH reads the rest itself. */
  readonly said: HostSettings
}

export interface BecomeSettings {
  readonly always: boolean
  readonly user: string
  readonly method: 'sudo' | 'su'
  readonly password: (() => string) | undefined
}

/** What the machine and its user bring along. */
export interface Surroundings {
  readonly home: string
  readonly user: string
  readonly env: { readonly [name: string]: string | undefined }
  /** Whether to ask OpenSSH, where it is installed, for exact answers; yes unless told. */
  readonly openSsh?: boolean
}

/** The settings of a host from the inventory and OpenSSH's configuration. */
export async function settingsOf(
  name: string,
  host: HostSettings,
  surroundings: Surroundings,
  signal: AbortSignal,
): Promise<ConnectionSettings> {
  const given = givenBy(host)
  const { home, user, openSsh = true } = surroundings
  // without a configuration there is nothing to understand, and a process for each host would be started for nothing
  if (host.sshConfig === 'none') return settle(name, host, given, surroundings)
  const asked = openSsh ? await askOpenSsh({ host: name, given, file: host.sshConfig }, signal) : undefined
  const files = host.sshConfig === undefined ? [join(home, '.ssh/config'), '/etc/ssh/ssh_config'] : [host.sshConfig]
  const values = asked ?? (await readConfig({ host: name, given, files, home, localUser: user }, signal))
  return settle(name, host, values, surroundings)
}

function givenBy({ address, port, user, identityFiles, identitiesOnly, proxyJump }: HostSettings): ConfigValues {
  const given: ConfigValues = new Map()
  if (address !== undefined) given.set('hostname', [address])
  if (port !== undefined) given.set('port', [String(port)])
  if (user !== undefined) given.set('user', [user])
  if (identityFiles) given.set('identityfile', [...identityFiles])
  if (identitiesOnly !== undefined) given.set('identitiesonly', [identitiesOnly ? 'yes' : 'no'])
  if (proxyJump !== undefined) given.set('proxyjump', [proxyJump])
  return given
}

const usualIdentities = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk', 'id_xmss', 'id_dsa']

function settle(
  name: string,
  host: HostSettings,
  values: ConfigValues,
  { home, user: localUser, env }: Surroundings,
): ConnectionSettings {
  const one = (keyword: string) => values.get(keyword)?.[0]
  const hostname = expandTokens(one('hostname') ?? name, { '%h': name })
  const port = Number(one('port') ?? 22)
  const user = one('user') ?? localUser
  const tokens = { '%d': home, '%h': hostname, '%n': name, '%p': String(port), '%r': user, '%u': localUser }
  const path = (text: string) => expandTokens(text.replace(/^~(?=\/|$)/, home), tokens)
  const paths = (keyword: string, usual: readonly string[]) =>
    (values.get(keyword) ?? usual).filter((text) => text !== 'none').map(path)

  const command = one('proxycommand')
  const jump = one('proxyjump')
  const proxied = command !== undefined && command !== 'none' && (jump === undefined || jump === 'none')
  if (proxied && host.transport !== 'openssh') {
    throw new StepFailure('proxy_command', `\`ProxyCommand\` for \`${name}\` is not supported`, {
      status: 'unreachable',
      hint: 'use `ProxyJump`, which does the same for an SSH host in between, or `transport: openssh`',
    })
  }
  if (host.transport === 'openssh' && (host.password || host.passphrase)) {
    const what = host.password ? 'password' : 'passphrase'
    throw new StepFailure('auth_failed', `\`${what}\` of \`${name}\` is of no use with \`transport: openssh\``, {
      status: 'unreachable',
      hint: 'that `ssh` is asked nothing: put the key into an agent, or leave the transport out',
    })
  }
  const usualHosts = [
    ...paths('userknownhostsfile', ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']),
    ...paths('globalknownhostsfile', ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']),
  ]
  return {
    name,
    hostname,
    port,
    family: ({ inet: 4, inet6: 6 } as const)[one('addressfamily') ?? ''],
    user,
    identityFiles: paths(
      'identityfile',
      usualIdentities.map((file) => `~/.ssh/${file}`),
    ),
    identitiesOnly: one('identitiesonly') === 'yes',
    agent: agentOf(one('identityagent'), env, path),
    jumps: jump === undefined || jump === 'none' ? [] : jump.split(',').map((text) => text.trim()),
    knownHosts: host.knownHosts?.map(path) ?? usualHosts,
    hostKeyAlias: one('hostkeyalias'),
    connectTimeout: Number(one('connecttimeout')) > 0 ? Number(one('connecttimeout')) * 1_000 : undefined,
    password: host.password,
    passphrase: host.passphrase,
    bare: host.bare ?? false,
    become: {
      always: host.become ?? false,
      user: host.becomeUser ?? 'root',
      method: host.becomeMethod ?? 'sudo',
      password: host.becomePassword,
    },
    transport: host.transport ?? 'ssh2',
    said: host,
  }
}

function agentOf(
  said: string | undefined,
  env: Surroundings['env'],
  path: (text: string) => string,
): string | undefined {
  if (said === 'none') return undefined
  const named = said === undefined || said === 'SSH_AUTH_SOCK' ? '$SSH_AUTH_SOCK' : said
  const socket = named.startsWith('$') ? env[named.slice(1).replace(/^\{(.*)\}$/, '$1')] : path(named)
  // set and empty is how an agent is taken away from a program
  return socket === '' ? undefined : socket
}

/**
 * What is said of a host to jump over: what the inventory says, when its name stands there. Else it is one that the
 * configuration of the host behind it knows, if anything does.
 */
export function saidOfJump(
  name: string,
  behind: HostSettings,
  hosts: (name: string) => HostSettings | undefined,
): HostSettings {
  return hosts(name) ?? (behind.sshConfig === undefined ? {} : { sshConfig: behind.sshConfig })
}

/** A jump as it is written: `[user@]host[:port]`, an IPv6 address in brackets. */
export function jumpOf(text: string): { name: string; settings: HostSettings } {
  const [, user, host, port] =
    /^(?:ssh:\/\/)?(?:([^@]+)@)?(\[[^\]]+\]|[^:]+|[^[\]]*:[^[\]]*:[^[\]]*)(?::(\d+))?$/.exec(text) ?? []
  if (host === undefined)
    throw new StepFailure('ssh_config', `\`${text}\` is no host to jump over`, { hint: 'write `[user@]host[:port]`' })
  return {
    name: host.replace(/^\[(.*)\]$/, '$1'),
    settings: { ...(user !== undefined && { user }), ...(port !== undefined && { port: Number(port) }) },
  }
}
