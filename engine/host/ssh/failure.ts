import { StepFailure } from '../../action/contract.ts'
import type { Become } from './become.ts'
import { fingerprintOf, type HostName, type KeyVerdict, nameOf, typeOf } from './known-hosts.ts'
import type { ConnectionSettings } from './settings.ts'

/** How far a connection had come when it failed. */
export type Phase = 'tcp' | 'banner' | 'handshake' | 'auth'

function unreachable(code: string, message: string, more: { hint?: string; cause?: unknown } = {}): StepFailure {
  return new StepFailure(code, message, { status: 'unreachable', ...more })
}

function placeOf({ name, hostname, port }: ConnectionSettings): string {
  return name === hostname && port === 22 ? `\`${name}\`` : `\`${name}\` (${hostname} port ${port})`
}

/** Why a host was not reached, from what a library or the system said. */
export function connectFailure(
  cause: Error & { readonly code?: unknown; readonly level?: unknown },
  settings: ConnectionSettings,
  { phase, tried }: { readonly phase: Phase; readonly tried: readonly string[] },
): StepFailure {
  const where = placeOf(settings)
  switch (cause.code) {
    case 'ECONNREFUSED':
      return unreachable('connection_refused', `${where} refused the connection`, {
        cause,
        hint: 'look whether sshd runs there, and whether the port is right',
      })
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EAI_NODATA':
      return unreachable('dns_failed', `the name ${settings.hostname} of \`${settings.name}\` cannot be resolved`, {
        cause,
        hint: 'write its `address` into the inventory, or look at DNS',
      })
    case 'ETIMEDOUT':
      return timeoutFailure('tcp', settings, cause)
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return unreachable('no_route', `there is no way to ${where}: ${cause.message}`, { cause })
  }
  if (cause.level === 'client-authentication' || (phase === 'auth' && /authentication/i.test(cause.message))) {
    return authFailure(cause, settings, tried)
  }
  if (phase === 'auth')
    return unreachable('auth_failed', `${where} closed the connection before it let us in: ${cause.message}`, {
      cause,
      ...triedHint(tried),
    })
  return unreachable('handshake_failed', `no SSH connection to ${where}: ${cause.message}`, {
    cause,
    hint: `see what \`ssh -v ${settings.name}\` says; a busy sshd drops connections beyond \`MaxStartups\``,
  })
}

function authFailure(cause: Error, settings: ConnectionSettings, tried: readonly string[]): StepFailure {
  const hint = /too many/i.test(cause.message)
    ? 'the agent offers more keys than the server takes: set `identities_only` with an `identity_file`'
    : tried.some((note) => note.endsWith('its passphrase is another one'))
      ? 'look at where the inventory says that its `passphrase` is, or add the key to an agent: `ssh-add FILE`'
      : tried.some((note) => note.includes('passphrase'))
        ? 'add the key to an agent: `ssh-add FILE`, or say in the inventory where its `passphrase` is'
        : `see what \`ssh -v ${settings.name}\` says`
  const what = tried.length > 0 ? `tried: ${tried.join(', ')}` : 'there was no key and no password to try'
  return unreachable('auth_failed', `${placeOf(settings)} did not let \`${settings.user}\` in; ${what}`, {
    cause,
    hint,
  })
}

function triedHint(tried: readonly string[]): { hint?: string } {
  return tried.length > 0 ? { hint: `tried: ${tried.join(', ')}` } : {}
}

export function timeoutFailure(phase: Phase, settings: ConnectionSettings, cause?: unknown): StepFailure {
  const where = placeOf(settings)
  switch (phase) {
    case 'tcp':
      return unreachable('connect_timeout', `${where} did not answer`, {
        cause,
        hint: 'the host is down, or something drops the packets on the way',
      })
    case 'banner':
      return unreachable('banner_timeout', `${where} took the connection and then said nothing`, {
        cause,
        hint: 'the host may hang: look at its console',
      })
    case 'handshake':
      return unreachable('connect_timeout', `${where} did not finish the SSH handshake in time`, { cause })
    case 'auth':
      return unreachable('auth_failed', `${where} did not decide in time whether to let \`${settings.user}\` in`, {
        cause,
      })
  }
}

/** Why a key is not trusted; nothing when it is. */
export function keyFailure(
  verdict: KeyVerdict,
  name: HostName,
  presented: Buffer,
  files: readonly string[],
): StepFailure | undefined {
  const print = `${typeOf(presented)} ${fingerprintOf(presented)}`
  const entry = `\`${nameOf(name)}\``
  const scan = scanFor(name, files)
  switch (verdict.is) {
    case 'known':
      return undefined
    case 'revoked':
      return unreachable(
        'host_key_revoked',
        `the key of ${entry} is revoked: ${print}, by ${verdict.by.path}:${verdict.by.line}`,
        {
          hint: 'do not connect: somebody may have this key; ask who runs the host for its new one',
        },
      )
    case 'changed':
      return unreachable(
        'host_key_changed',
        `the key of ${entry} has changed: it shows ${print}, and ${verdict.from.path}:${verdict.from.line} says ${fingerprintOf(Buffer.from(verdict.from.key, 'base64'))}`,
        {
          hint: `the host was reinstalled, or this is another host; if you know which: \`ssh-keygen -R '${nameOf(name)}' -f ${verdict.from.path}\`, then \`${scan}\``,
        },
      )
    case 'unknown': {
      const authority =
        verdict.authority &&
        `; ${verdict.authority.path}:${verdict.authority.line} names a certificate authority, and host certificates are not supported but by \`transport: openssh\``
      const others =
        verdict.others.length > 0
          ? `; known are keys of other types: ${[...new Set(verdict.others.map(({ type }) => type))].join(', ')}`
          : ''
      return unreachable('host_key_unknown', `the key of ${entry} is not known: ${print}${authority ?? others}`, {
        hint: hintToCompare(scan),
      })
    }
  }
}

function scanFor({ host, port }: HostName, files: readonly string[]): string {
  return `ssh-keyscan -H ${port === 22 ? '' : `-p ${port} `}${host} >> ${files[0] ?? '~/.ssh/known_hosts'}`
}

function hintToCompare(scan: string): string {
  return `compare the fingerprint with the host's own (\`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub\` there), then \`${scan}\``
}

export function loopFailure(name: string): StepFailure {
  return unreachable('proxy_loop', `the way to \`${name}\` leads over itself`, { hint: 'look at `ProxyJump`' })
}

/** What the system's `ssh` says, and what that is; it may speak of a host on the way. */
const words: readonly (readonly [RegExp, string, string])[] = [
  [/.*marked as revoked.*/, 'host_key_revoked', 'do not connect: somebody may have this key'],
  [
    /^Host key for .* has changed.*/m,
    'host_key_changed',
    'the host was reinstalled, or this is another host: ask who runs it',
  ],
  [
    /^No \S+ host key is known for .*|^Host key verification failed.*/m,
    'host_key_unknown',
    'compare its fingerprint, then add it to `known_hosts`',
  ],
  [
    /.*(?:Permission denied|Too many authentication failures).*/,
    'auth_failed',
    'nobody is asked on this way: a key is in an agent, or has no passphrase',
  ],
  [/.*Connection refused.*/, 'connection_refused', 'look whether sshd runs there, and whether the port is right'],
  [/.*Could not resolve hostname.*/, 'dns_failed', 'write its `address` into the inventory, or look at DNS'],
  [/.*timed out during banner exchange.*/, 'banner_timeout', 'the host may hang: look at its console'],
  [/.*timed out.*/i, 'connect_timeout', 'the host is down, or something drops the packets on the way'],
  [/.*(?:No route to host|Network is unreachable).*/, 'no_route', 'look at the network on the way'],
]

/** Why the system's `ssh` did not reach a host, from all that it said. */
export function opensshFailure(said: string, settings: ConnectionSettings): StepFailure {
  const { name, hostname, port, hostKeyAlias, knownHosts } = settings
  const found = words.find(([pattern]) => pattern.test(said))
  if (!found) {
    const last = said.trim().split('\n').at(-1) || 'it ended without a word'
    return unreachable('handshake_failed', `\`ssh\` does not reach ${placeOf(settings)}: ${last}`, {
      hint: `see what \`ssh -v ${name}\` says`,
    })
  }
  const [pattern, code, hint] = found
  const line = pattern.exec(said)?.[0] ?? ''
  const print = code.startsWith('host_key') ? /SHA256:[\w+/]+/.exec(said)?.[0] : undefined
  const ours = code === 'host_key_unknown' && line.includes(`for ${nameOf({ host: hostKeyAlias ?? hostname, port })} `)
  return unreachable(
    code,
    `\`ssh\` does not reach ${placeOf(settings)}: ${line}${print === undefined ? '' : `; it shows ${print}`}`,
    { hint: ours ? hintToCompare(scanFor({ host: hostname, port }, knownHosts)) : hint },
  )
}

/** A command that began, or may have, and whose end nobody saw. */
export function lostFailure(name: string, why: string, cause?: unknown): StepFailure {
  return new StepFailure(
    'connection_lost',
    `the connection to \`${name}\` was lost while the command was running: ${why}`,
    {
      status: 'unknown',
      hint: 'look on the host whether it went on: closing a connection does not end a command',
      cause,
    },
  )
}

/** Nothing was run: whoever logs in did not become the user whom it should run as. */
export function becomeFailure(name: string, become: Become | undefined, said: string): StepFailure {
  const { method = 'sudo', user = 'root', password } = become ?? {}
  const why = said.trim().split('\n').at(-1) ?? ''
  const hint =
    password === undefined
      ? `let it be done without a password there, or put \`become_password\` into the inventory`
      : method === 'sudo'
        ? 'look at `become_password` of the inventory: it is the one of the user who logs in'
        : `look at \`become_password\` of the inventory: it is the one of \`${user}\``
  return new StepFailure(
    'become_refused',
    `\`${method}\` on \`${name}\` did not make us \`${user}\`${why === '' ? '' : `: ${why}`}`,
    {
      hint: /not found|unknown user|does not exist/.test(why) ? `look at \`become_user\` and \`become_method\`` : hint,
    },
  )
}
