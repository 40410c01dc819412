import type { Galera } from './model.ts'

/** One thread of a server, or so many that differ only in their port. */
interface Thread {
  readonly user: string
  readonly from: string
  readonly database: string
  readonly command: string
  readonly seconds: number
  readonly state: string
  readonly info: string
  readonly count: number
}

function threads(galera: Galera, name: string): readonly Thread[] {
  const own: Thread = {
    user: 'system user',
    from: '',
    database: 'NULL',
    command: 'Sleep',
    seconds: 41,
    state: 'wsrep applier idle',
    info: 'NULL',
    count: 3,
  }
  const held = (galera.nodes.get(name)?.clients.connections() ?? []).map(
    ({ user, from, database, command, seconds, count }): Thread => ({
      user,
      from,
      database,
      command,
      seconds,
      state: command === 'Query' ? 'Sending data' : '',
      info: command === 'Query' ? 'SELECT * FROM instances WHERE deleted = 0' : 'NULL',
      count,
    }),
  )
  const asking: Thread = {
    user: 'root',
    from: 'localhost',
    database: 'NULL',
    command: 'Query',
    seconds: 0,
    state: 'starting',
    info: 'SHOW PROCESSLIST',
    count: 1,
  }
  return [own, ...held.filter(({ count }) => count > 0), asking]
}

/** What `SHOW PROCESSLIST` gives, a row for each. */
export function processList(galera: Galera, name: string): readonly (readonly string[])[] {
  let id = 0
  return threads(galera, name).flatMap(({ user, from, database, command, seconds, state, info, count }) =>
    Array.from({ length: count }, () => {
      id += 1
      const host = from === '' || from === 'localhost' ? from : `${from}:${40_000 + id}`
      return [String(id), user, host, database, command, String(seconds), state, info, '0.000']
    }),
  )
}

/**
 * `SELECT … FROM information_schema.PROCESSLIST [GROUP BY …]`: users, hosts, commands and times, counted. `undefined` for a
 * column it does not have.
 */
export function selectProcesses(
  galera: Galera,
  name: string,
  columns: readonly string[],
  grouped: boolean,
): readonly (readonly string[])[] | undefined {
  const readers = columns.map(readerOf)
  if (readers.some((reader) => reader === undefined)) return undefined
  const all = threads(galera, name)
  const plain = (thread: Thread) => readers.map((reader) => (reader?.one ? reader.one(thread) : '')).join('\0')
  const groups = new Map<string, Thread[]>()
  for (const [index, thread] of all.entries()) {
    const key = grouped || readers.some((reader) => reader?.all) ? plain(thread) : String(index)
    groups.set(key, [...(groups.get(key) ?? []), thread])
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (!first) return []
    const row = readers.map((reader) => reader?.all?.(group) ?? reader?.one?.(first) ?? '')
    return grouped ? [row] : Array.from({ length: readers.some((reader) => reader?.all) ? 1 : first.count }, () => row)
  })
}

interface Reader {
  readonly one?: (thread: Thread) => string
  readonly all?: (threads: readonly Thread[]) => string
}

function readerOf(column: string): Reader | undefined {
  const text = column.trim().toLowerCase()
  const total = (list: readonly Thread[], keep: (thread: Thread) => boolean) =>
    String(list.filter(keep).reduce((sum, { count }) => sum + count, 0))
  const least = /^sum\(time >= (\d+)\)$/.exec(text)?.[1]
  if (least !== undefined) return { all: (list) => total(list, ({ seconds }) => seconds >= Number(least)) }
  const readers: Readonly<Record<string, Reader>> = {
    user: { one: ({ user }) => user },
    host: { one: ({ from }) => from },
    "substring_index(host, ':', 1)": { one: ({ from }) => from },
    db: { one: ({ database }) => database },
    command: { one: ({ command }) => command },
    time: { one: ({ seconds }) => String(seconds) },
    state: { one: ({ state }) => state },
    'count(*)': { all: (list) => total(list, () => true) },
    'max(time)': { all: (list) => String(Math.max(...list.map(({ seconds }) => seconds))) },
  }
  return readers[text]
}
