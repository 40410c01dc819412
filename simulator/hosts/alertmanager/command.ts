import { formatTime } from '../commands/date.ts'
import { type Options, readOptions } from '../commands/options.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { type Matcher, matchesNothing, passes, readMatcher, shownMatcher } from './matcher.ts'
import { type Alertmanager, alertmanagerPort, type Silence } from './model.ts'

/** What ends `amtool` with exit code 1; the text is what stands behind `amtool: error: `. */
class Problem extends Error {}

const common = ['alertmanager.url', 'output', 'o', 'timeout', 'http.config.file', 'date.format']
const takes: Readonly<Record<string, readonly string[]>> = {
  add: ['author', 'a', 'duration', 'd', 'start', 'end', 'comment', 'c'],
  query: ['created-by'],
  expire: [],
}
const switches: Readonly<Record<string, readonly string[]>> = {
  add: ['require-comment', 'no-require-comment'],
  query: ['quiet', 'q', 'expired', 'no-expired', 'no-quiet'],
  expire: [],
}
const commonSwitches = ['verbose', 'v', 'no-verbose', 'version-check', 'no-version-check']

/** `amtool silence add`, `query` and `expire`, as 0.25 of Debian answers: unless told by option or file it asks its own host. */
export function amtoolProgram(
  machine: Machine,
  alertmanager: Alertmanager,
  find: (host: string) => Machine | undefined,
): Program {
  return async (me, args) => {
    try {
      const { verb, options } = parse(args)
      const url = String(options.flags.get('alertmanager.url') ?? configured(machine) ?? 'http://localhost:9093/')
      const reach: Reach = (method, path) => {
        const why = unreachable(url, { machine, alertmanager, find })
        if (why !== undefined) throw new Problem(`${method} "${url.replace(/\/+$/, '')}/api/v2${path}": ${why}`)
      }
      if (verb === 'add') add(me, options, alertmanager, reach)
      else if (verb === 'expire') expire(me, options, alertmanager, reach)
      else query(me, options, alertmanager, reach)
      return 0
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      me.err(`amtool: error: ${error.message}\n\n`)
      return 1
    }
  }
}

type Reach = (method: 'Get' | 'Post' | 'Delete', path: string) => void

/** Throws when an option is not known: the real one guesses at none. */
function parse(args: readonly string[]): { verb: string; options: Options } {
  const all = [...common, ...Object.values(takes).flat()]
  const [family, word] = readOptions(args, all).rest
  if (family !== 'silence') throw new Problem(`expected command but got ${JSON.stringify(family ?? '')}`)
  const verb = word !== undefined && word in takes ? word : 'query'
  const known = [...common, ...(takes[verb] ?? [])]
  const options = readOptions(args, known)
  const allowed = new Set([...known, ...commonSwitches, ...(switches[verb] ?? [])])
  for (const name of options.flags.keys()) {
    if (!allowed.has(name)) throw new Problem(`unknown ${name.length === 1 ? 'short' : 'long'} flag '${dashed(name)}'`)
  }
  const output = options.flags.get('output') ?? options.flags.get('o') ?? 'simple'
  if (!['simple', 'extended', 'json'].includes(String(output)))
    throw new Problem(`enum value must be one of simple,extended,json, got '${String(output)}'`)
  return { verb, options: { ...options, rest: options.rest.slice(word === verb ? 2 : 1) } }
}

const dashed = (name: string) => (name.length === 1 ? `-${name}` : `--${name}`)

function configured(machine: Machine): string | undefined {
  const path = '/etc/prometheus/amtool.yml'
  const line = machine.files.find(path) ? machine.files.text(path) : ''
  return /^alertmanager\.url:\s*["']?([^"'\s]+)/m.exec(line)?.[1]
}

/** Why nothing answers there, as Go says it. */
function unreachable(
  url: string,
  world: {
    readonly machine: Machine
    readonly alertmanager: Alertmanager
    readonly find: (host: string) => Machine | undefined
  },
): string | undefined {
  const { hostname = 'localhost', port } = URL.canParse(url) ? new URL(url) : {}
  const local = hostname === 'localhost' || hostname.startsWith('127.')
  const target = local ? world.machine : world.find(hostname)
  if (!target) return `dial tcp: lookup ${hostname} on 10.77.0.2:53: no such host`
  const address = local ? '127.0.0.1' : target.address
  const at = `dial tcp ${address}:${port || '80'}: connect`
  if (target.power.state() === 'off') return `${at}: no route to host`
  const served = port === String(alertmanagerPort) && world.alertmanager.up(target.name)
  return served ? undefined : `${at}: connection refused`
}

/** Without any of `=`, `=~`, `!=`, `!~` the first word is the name of an alert. */
function matchersOf(words: readonly string[]): Matcher[] {
  return words.map((word, index) => {
    const read = readMatcher(word)
    const matcher = index === 0 && typeof read === 'string' ? readMatcher(`alertname=${word}`) : read
    if (typeof matcher === 'string') throw new Problem(matcher)
    return matcher
  })
}

function add(me: Process, { flags, rest }: Options, alertmanager: Alertmanager, reach: Reach): void {
  const matchers = matchersOf(rest)
  if (matchers.length === 0) throw new Problem('no matchers specified')
  const told = (long: string, short = long) => {
    const value = flags.get(long) ?? flags.get(short)
    return value === undefined ? undefined : String(value)
  }
  const [start, end] = [told('start'), told('end')]
  const startsAt = start ? timeOf(start) : alertmanager.now()
  const endsAt = end ? timeOf(end) : startsAt + durationOf(told('duration', 'd') ?? '1h')
  if (startsAt > endsAt) throw new Problem('silence cannot start after it ends')
  const comment = told('comment', 'c') ?? ''
  if (comment === '' && !flags.has('no-require-comment')) throw new Problem('comment required by config')
  reach('Post', '/silences')
  const refuse = (why: string) => new Problem(`[POST /silences][400] postSilencesBadRequest  ${why}`)
  if (startsAt === endsAt) throw refuse('Failed to create silence: start time must be before end time')
  if (endsAt < alertmanager.now()) throw refuse("Failed to create silence: end time can't be in the past")
  if (matchers.every(matchesNothing)) {
    throw refuse('silence invalid: at least one matcher must not match the empty string')
  }
  const author = told('author', 'a') ?? me.user
  const silence = alertmanager.add({
    matchers,
    author,
    comment,
    startsAt: Math.max(startsAt, alertmanager.now()),
    endsAt,
  })
  me.effect('host.alertmanager.silence', matchers.map(shownMatcher).join(' '), {
    id: silence.id,
    author,
    comment,
    ends: iso(endsAt),
  })
  me.out(`${silence.id}\n`)
}

function expire(me: Process, { rest }: Options, alertmanager: Alertmanager, reach: Reach): void {
  if (rest.length === 0) throw new Problem('no silence IDs specified')
  for (const id of rest) {
    reach('Delete', `/silence/${id}`)
    if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(id)) {
      throw new Problem(
        'response status code does not match any response statuses defined for this endpoint in the swagger spec (status 422): {}',
      )
    }
    const had = alertmanager.silences.find((each) => each.id === id)
    if (!had) {
      throw new Problem(`[DELETE /silence/{silenceID}][500] deleteSilenceInternalServerError  silence not found`)
    }
    if (alertmanager.stateOf(had) === 'expired') continue
    alertmanager.expire(id)
    me.effect('host.alertmanager.expire', had.matchers.map(shownMatcher).join(' '), { id, author: had.author })
  }
}

function query(me: Process, { flags, rest }: Options, alertmanager: Alertmanager, reach: Reach): void {
  const matchers = matchersOf(rest)
  const filter = rest.map((word) => `filter=${escaped(word)}`).join('&')
  reach('Get', `/silences${filter === '' ? '' : `?${filter}`}`)
  const [now, expired] = [alertmanager.now(), flags.has('expired')]
  const shown = alertmanager.silences
    .filter((silence) => passes(silence.matchers, matchers))
    .filter(({ endsAt }) => (expired ? endsAt <= now : endsAt >= now))
    .filter(({ author }) => !flags.get('created-by') || author === flags.get('created-by'))
    .toSorted((one, other) => order(alertmanager, one, other))
  if (flags.has('quiet') || flags.has('q')) me.out(shown.map(({ id }) => `${id}\n`).join(''))
  else if ((flags.get('output') ?? flags.get('o')) === 'json') {
    me.out(`${goJson(shown.map((silence) => asJson(alertmanager, silence)))}\n`)
  } else me.out(table(shown, (flags.get('output') ?? flags.get('o')) === 'extended'))
}

/** As Go puts it into an address. */
const escaped = (word: string) =>
  encodeURIComponent(word)
    .replaceAll('%20', '+')
    .replaceAll(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`)

const states = ['active', 'pending', 'expired']

function order(alertmanager: Alertmanager, one: Silence, other: Silence): number {
  const [state, its] = [alertmanager.stateOf(one), alertmanager.stateOf(other)]
  if (state !== its) return states.indexOf(state) - states.indexOf(its)
  if (state === 'pending') return one.startsAt - other.startsAt
  return state === 'active' ? one.endsAt - other.endsAt : other.endsAt - one.endsAt
}

const iso = (at: number) => new Date(at).toISOString()

function asJson(alertmanager: Alertmanager, silence: Silence): object {
  const { id, comment, author, matchers, startsAt, endsAt, updatedAt } = silence
  return {
    id,
    status: { state: alertmanager.stateOf(silence) },
    updatedAt: iso(updatedAt),
    comment,
    createdBy: author,
    endsAt: iso(endsAt),
    matchers: matchers.map(({ name, operator, value }) => ({
      isEqual: !operator.startsWith('!'),
      isRegex: operator.endsWith('~'),
      name,
      value,
    })),
    startsAt: iso(startsAt),
  }
}

/** Go writes what could end a page of HTML as an escape. */
const goJson = (value: unknown) =>
  JSON.stringify(value).replaceAll(/[<>&]/g, (one) => `\\u00${one.charCodeAt(0).toString(16)}`)

const day = (at: number) => `${formatTime('%Y-%m-%d %H:%M:%S', at)} UTC`

function table(silences: readonly Silence[], extended: boolean): string {
  const heads = extended
    ? ['ID', 'Matchers', 'Starts At', 'Ends At', 'Updated At', 'Created By', 'Comment']
    : ['ID', 'Matchers', 'Ends At', 'Created By', 'Comment']
  const rows = silences
    .toSorted((one, other) => one.endsAt - other.endsAt)
    .map(({ id, matchers, startsAt, endsAt, updatedAt, author, comment }) => {
      const all = matchers.map(shownMatcher)
      return extended
        ? [id, `{${all.join(',')}}`, day(startsAt), day(endsAt), day(updatedAt), author, comment]
        : [id, all.join(' '), day(endsAt), author, comment]
    })
  const widths = heads.map((_, column) => Math.max(...[heads, ...rows].map((row) => (row[column] ?? '').length)) + 2)
  return [heads, ...rows]
    .map((row) => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('')}\n`)
    .join('')
}

const units = { y: 31_536_000_000, w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 }
const lasting = /^(?:(\d+)y)?(?:(\d+)w)?(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/

function durationOf(text: string): number {
  if (text === '') throw new Problem('empty duration string')
  const amounts = text === '0' ? [] : lasting.exec(text)?.slice(1)
  if (!amounts) throw new Problem(`not a valid duration string: ${JSON.stringify(text)}`)
  const ms = Object.values(units).reduce((sum, size, index) => sum + Number(amounts[index] ?? 0) * size, 0)
  if (ms === 0) throw new Problem('silence duration must be greater than 0')
  return ms
}

function timeOf(text: string): number {
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) && !Number.isNaN(Date.parse(text))) {
    return Date.parse(text)
  }
  throw new Problem(
    `parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(text)} as "2006"`,
  )
}
