/**
 * Host patterns, as Ansible writes them: names and groups separated by `,` or `:`, `all`, wildcards `*` and `?`,
 * `!x` takes x away, `&x` keeps only what is also in x. Exclusions and intersections count whatever the order.
 */
export interface KnownNames {
  readonly hosts: readonly string[]
  readonly groups: ReadonlyMap<string, ReadonlySet<string>>
}

/** The hosts that a pattern names, sorted. A name that is nothing names nothing. */
export function matchPattern(pattern: string, known: KnownNames): readonly string[] {
  const terms = termsOf(pattern)
  const included = terms.filter(({ sign }) => sign === '')
  const start =
    included.length > 0 ? included.flatMap(({ name }) => hostsNamed(name, known)) : terms.length > 0 ? known.hosts : []
  const kept = terms
    .filter(({ sign }) => sign !== '')
    .reduce((hosts, { sign, name }) => {
      const named = new Set(hostsNamed(name, known))
      return hosts.filter((host) => named.has(host) === (sign === '&'))
    }, start)
  return [...new Set(kept)].toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
}

/** The names that a pattern is made of. */
export function namesInPattern(pattern: string): readonly string[] {
  return termsOf(pattern).map(({ name }) => name)
}

function termsOf(pattern: string): readonly { readonly sign: '' | '!' | '&'; readonly name: string }[] {
  return pattern
    .split(/[,:]/)
    .map((term) => term.trim())
    .filter((term) => term !== '')
    .map((term) =>
      term.startsWith('!')
        ? { sign: '!', name: term.slice(1).trim() }
        : term.startsWith('&')
          ? { sign: '&', name: term.slice(1).trim() }
          : { sign: '', name: term },
    )
}

function hostsNamed(name: string, { hosts, groups }: KnownNames): readonly string[] {
  if (name === 'all' || name === '*') return hosts
  if (/[*?]/.test(name)) {
    const wild = new RegExp(
      `^${name
        .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
        .replaceAll('*', '.*')
        .replaceAll('?', '.')}$`,
    )
    return [
      ...hosts.filter((host) => wild.test(host)),
      ...[...groups].flatMap(([group, members]) => (wild.test(group) ? [...members] : [])),
    ]
  }
  return [...(groups.get(name) ?? []), ...(hosts.includes(name) ? [name] : [])]
}
