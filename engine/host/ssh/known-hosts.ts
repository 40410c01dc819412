/**
 * What `known_hosts` files say about a host's key, as OpenSSH reads them: plain, hashed and `[host]:port` names, wildcards and
 * negation, several keys of a host, `@revoked`. Keys of a `@cert-authority` are not used: host certificates are not supported.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

/** A line that holds a key. */
export interface KnownKey {
  readonly marker: 'revoked' | 'cert-authority' | undefined
  readonly names: string
  readonly type: string
  /** The key as the host presents it, in base64. */
  readonly key: string
  readonly path: string
  readonly line: number
}

export type KeyVerdict =
  | { readonly is: 'known' }
  | { readonly is: 'revoked'; readonly by: KnownKey }
  | { readonly is: 'changed'; readonly from: KnownKey }
  /** `others`: keys of other types stand there; `authority`: only a certificate authority does. */
  | { readonly is: 'unknown'; readonly others: readonly KnownKey[]; readonly authority: KnownKey | undefined }

export interface HostName {
  readonly host: string
  readonly port: number
}

/** The keys in a file; a line that is no entry is passed over, as OpenSSH does. */
export function readKnownHosts(text: string, path: string): KnownKey[] {
  return text.split('\n').flatMap((raw, index) => {
    const words = raw.trim().split(/\s+/)
    const marker = /^@(revoked|cert-authority)$/.exec(words[0] ?? '')?.[1] as KnownKey['marker']
    const [names = '', type = '', key = ''] = marker ? words.slice(1) : words
    if (names === '' || /^[#@]/.test(names) || typeOf(Buffer.from(key, 'base64')) !== type) return []
    return [{ marker, names, type, key, path, line: index + 1 }]
  })
}

/** What the files say of the key which a host presents; a host that is not on port 22 is `[host]:port` in them. */
export function judgeKey(known: readonly KnownKey[], name: HostName, presented: Buffer): KeyVerdict {
  const key = presented.toString('base64')
  const own = known.filter((entry) => namesHost(entry.names, nameOf(name)))
  const portless = name.port === 22 ? [] : known.filter((entry) => namesHost(entry.names, name.host.toLowerCase()))
  const revoked = [...own, ...portless].find((entry) => entry.marker === 'revoked' && entry.key === key)
  if (revoked) return { is: 'revoked', by: revoked }
  const keys = own.filter((entry) => entry.marker === undefined)
  // the key of the host counts on any port of it, as in OpenSSH
  if ([...keys, ...portless].some((entry) => entry.marker === undefined && entry.key === key)) return { is: 'known' }
  const changed = keys.find((entry) => entry.type === typeOf(presented))
  if (changed) return { is: 'changed', from: changed }
  return { is: 'unknown', others: keys, authority: own.find((entry) => entry.marker === 'cert-authority') }
}

/** The host key algorithms to offer, those of keys that are known first, so that a host presents a key which can be compared. */
export function hostKeyAlgorithms(known: readonly KnownKey[], name: HostName, supported: readonly string[]): string[] {
  const own = (host: string) => known.filter((entry) => entry.marker === undefined && namesHost(entry.names, host))
  const types = new Set([...own(nameOf(name)), ...own(name.host.toLowerCase())].map((entry) => entry.type))
  const isKnown = (algorithm: string) => types.has(algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm)
  return [...supported.filter(isKnown), ...supported.filter((algorithm) => !isKnown(algorithm))]
}

/** As `ssh-keygen -l` prints it. */
export function fingerprintOf(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

/** The type that a key names itself: its first field, or nothing. */
export function typeOf(key: Buffer): string {
  return key.length < 4 ? '' : key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1')
}

/** How a host on a port stands in the files. */
export function nameOf({ host, port }: HostName): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
}

function namesHost(names: string, host: string): boolean {
  if (names.startsWith('|1|')) return hashedNameIs(names, host)
  let named = false
  for (const pattern of names.split(',')) {
    const negated = pattern.startsWith('!')
    if (!matchesPattern(negated ? pattern.slice(1) : pattern, host)) continue
    if (negated) return false
    named = true
  }
  return named
}

/** `|1|salt|HMAC-SHA1 of the name`: a file of these does not tell which hosts its owner knows. */
function hashedNameIs(names: string, host: string): boolean {
  const [, , salt = '', hash = ''] = names.split('|')
  const wanted = Buffer.from(hash, 'base64')
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(host).digest()
  return wanted.length === found.length && timingSafeEqual(wanted, found)
}

function matchesPattern(pattern: string, host: string): boolean {
  const literal = pattern.toLowerCase().replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
  return new RegExp(`^${literal.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(host)
}
