import { resolve } from 'node:path'
import { StepFailure } from '../../action/contract.ts'
import type { Timing } from './connection.ts'
import { loopFailure } from './failure.ts'
import { type ConnectionSettings, type HostSettings, jumpOf, saidOfJump } from './settings.ts'

/**
 * What the system's `ssh` reads for a host. OpenSSH takes the first word on each thing, so: what must hold whatever anybody
 * says, then the inventory, then the configuration of the user. `ssh` hands the file on to the `ssh` of each host that it
 * jumps over: for them holds the same.
 */
export function controlConfig(
  settings: ConnectionSettings,
  { hosts, timing }: { readonly hosts: (name: string) => HostSettings | undefined; readonly timing: Timing },
): string {
  const hops = hopsOf(settings, hosts)
  return [
    ...['Host *', ...always, `ServerAliveInterval ${seconds(timing.keepalive)}`],
    ...[...hops].flatMap(([name, host]) => [`Host ${plain(name)}`, ...linesOf(host), ...filesOf(host)]),
    // hosts on the way that only a configuration of the user names
    ...[`Host * ${[...hops.keys()].map((name) => `!${name}`).join(' ')}`, ...filesOf(settings.said)],
    ...['Host *', `ConnectTimeout ${seconds(timing.connect)}`, ''],
  ].join('\n')
}

/** Nobody is asked, no host is trusted that is not known, and nothing is done but to connect. */
const always = [
  'BatchMode yes',
  'StrictHostKeyChecking yes',
  'UpdateHostKeys no',
  'VerifyHostKeyDNS no',
  'NoHostAuthenticationForLocalhost no',
  'ControlMaster no',
  'ControlPath none',
  'ClearAllForwardings yes',
  'ForwardAgent no',
  'ForwardX11 no',
  'PermitLocalCommand no',
  'RemoteCommand none',
  'RequestTTY no',
  'Tunnel no',
  'LogLevel INFO',
  'ServerAliveCountMax 3',
]

/** The host, and those on the way which the inventory or its configuration names. */
function hopsOf(
  { name, said, jumps }: ConnectionSettings,
  hosts: (name: string) => HostSettings | undefined,
): ReadonlyMap<string, HostSettings> {
  const hops = new Map([[name, said]])
  function add(jumps: readonly string[], way: readonly string[]): void {
    const names = jumps.map((jump) => jumpOf(jump).name)
    for (const name of names) {
      if (way.includes(name)) throw loopFailure(name)
      if (!hops.has(name)) hops.set(name, saidOfJump(name, said, hosts))
    }
    // the first is reached as it would be by itself, the others over the one before
    const [first] = names
    const before = first === undefined ? undefined : hosts(first)?.proxyJump
    if (first !== undefined && before !== undefined && before !== 'none') add(before.split(','), [...way, ...names])
  }
  add(jumps, [name])
  return hops
}

function linesOf(host: HostSettings): string[] {
  const { address, port, user, identityFiles, identitiesOnly, proxyJump, knownHosts } = host
  const line = (keyword: string, value: string | number | undefined) =>
    value === undefined ? [] : [`${keyword} ${plain(`${value}`)}`]
  return [
    ...line('HostName', address),
    ...line('Port', port),
    ...line('User', user),
    ...(identityFiles?.length === 0 ? ['IdentityFile none'] : []),
    ...(identityFiles ?? []).map((path) => `IdentityFile ${quoted(path)}`),
    ...line('IdentitiesOnly', identitiesOnly === undefined ? undefined : identitiesOnly ? 'yes' : 'no'),
    ...line('ProxyJump', proxyJump),
    ...(knownHosts ? [`UserKnownHostsFile ${knownHosts.map(quoted).join(' ')}`, 'GlobalKnownHostsFile /dev/null'] : []),
  ]
}

function filesOf({ sshConfig }: HostSettings): string[] {
  // nothing is in it, and `ssh` includes no file that everybody may write to
  if (sshConfig === 'none' || sshConfig === '/dev/null') return []
  if (sshConfig !== undefined) return [`Include ${quoted(sshConfig.startsWith('~') ? sshConfig : resolve(sshConfig))}`]
  return ['Include ~/.ssh/config', 'Include /etc/ssh/ssh_config']
}

function quoted(path: string): string {
  return `"${plain(path)}"`
}

/** A value must not become two, or a line of its own. */
function plain(value: string): string {
  if (/["\u0000-\u001f]/.test(value))
    throw new StepFailure(
      'ssh_config',
      `OpenSSH takes no \`${value}\`: there are characters in it that it reads itself`,
    )
  return value
}

function seconds(ms: number): number {
  return Math.max(1, Math.ceil(ms / 1_000))
}
