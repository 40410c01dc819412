import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import type { RunEvent } from '../../../engine/run/event.ts'
import { workspace } from '../../program/program.ts'
import { runCli } from '../../support/run-cli.ts'
import { labHosts, onHost } from '../support/hosts.ts'
import { eventually, lab } from '../support/lab.ts'
import { type Connection, openConnection } from '../support/mariadb.ts'

const home = mkdtempSync(join(tmpdir(), 'lab-max-connections-'))
const cwd = resolve(import.meta.dirname, '../../..')
const nodes = ['db1', 'db2', 'db3']
const folder = '/etc/mysql/mariadb.conf.d'
const file = `${folder}/zz-openstack-connections.cnf`
const units = '/etc/systemd/system/mariadb.service.d'
/** What a test leaves on a node, to be taken away again. */
const [labUnit, labCnf] = [`${units}/10-lab.conf`, `${folder}/71-lab.cnf`]
const held = '/run/lab-held'
/** Stands before the real one, where a test wants to be told of a restart. */
const systemctl = '/usr/local/sbin/systemctl'
/** A client in the place of the real one, where a test wants a server to be told something else. */
const client = '/usr/local/sbin/lab-mariadb'
/** What is different on the lab. */
const site = parse(readFileSync(join(cwd, 'test/lab/inputs/mariadb-max-connections.yaml'), 'utf8'))
let addresses: ReadonlyMap<string, string>

const on = async (host: string, command: string) => (await onHost(host, command, AbortSignal.timeout(240_000))).stdout
const limitOf = (host: string) => on(host, "mariadb -N -B -e 'SELECT @@GLOBAL.max_connections'")
const pidOf = (host: string) => on(host, 'systemctl show mariadb -p MainPID --value')
const filesOf = (host: string) =>
  on(host, `awk '/^Max open files/ {print $4}' /proc/$(systemctl show mariadb -p MainPID --value)/limits`)
const stateOf = (host: string) =>
  on(host, 'mariadb -N -B -e "SHOW GLOBAL STATUS LIKE \'wsrep_local_state_comment\'" | cut -f2')
const each = <T>(ask: (host: string) => Promise<T>) => Promise.all(nodes.map(ask))
/** Every node is Synced, and haproxy knows: whoever gives another one its state is `DOWN` there for a while, the writer too. */
const allWell = () =>
  eventually(async () => {
    if (!(await each(stateOf)).every((state) => state === 'Synced')) return undefined
    const up =
      'echo \'show stat\' | socat -t5 /run/haproxy/admin.sock - | awk -F, \'$1 == "galera" && $2 ~ /^db/ && $18 == "UP"\''
    return Number(await on('lb1', `${up} | wc -l`)) === nodes.length ? true : undefined
  }, AbortSignal.timeout(300_000))
/** The files that a run may leave behind, on all nodes. */
const filesLeft = () => each((host) => on(host, `ls ${folder}/zz* ${units}/zz* 2>/dev/null`))

/** As it was before, without a restart: what is left of a test takes effect nowhere. */
async function asBefore() {
  await on(
    'lb1',
    `for name in ${nodes.join(' ')}; do echo "set server galera/$name state ready" | socat -t5 /run/haproxy/admin.sock -; done`,
  )
  await each((host) =>
    on(
      host,
      `rm -rf ${file}* ${units} ${labCnf} ${held}* ${systemctl} ${client} /run/lab-open; ip route flush type blackhole; systemctl daemon-reload; mariadb -e 'SET GLOBAL wsrep_desync=OFF; SET GLOBAL max_connections=100'`,
    ),
  )
}

beforeAll(async () => {
  addresses = await labHosts()
})

// what one test leaves behind is not the next one's
beforeEach(async () => {
  await asBefore()
  await allWell()
})

afterAll(async () => {
  await asBefore()
  await allWell()
  rmSync(home, { recursive: true, force: true })
})

/** The words of a run on the lab, with the answers of somebody who agrees. */
function words(inputs: object): string[] {
  const given = join(home, 'inputs.json')
  const short = { observe_seconds: 2, soak_seconds: 1, watch_minutes: 0, sync_seconds: 240 }
  writeFileSync(given, JSON.stringify({ ...site, ...short, ...inputs }))
  const runbook = join(cwd, 'runbooks/mariadb-max-connections.yaml')
  const args = ['exec', runbook, '--inventory', lab.inventory, '--inputs', given]
  return [...args, '--answer', 'mend/agreed=lab', '--answer', 'mend/restarts=yes']
}

/** Runs it to its end. */
async function raise(inputs: object) {
  const { exit, stdout, stderr } = await runCli([...words(inputs), '--output', 'json'], { cwd, home })
  const ended = stdout
    .split('\n')
    .flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
    .at(-1) as unknown as { readonly status: string; readonly outputs?: unknown; readonly error?: { message: string } }
  return { exit, stderr, status: ended.status, outputs: ended.outputs, error: ended.error?.message ?? '' }
}

/** Opens connections until the server says no, or there are so many. */
async function hold(host: string, most: number): Promise<{ held: Connection[]; refused: number | undefined }> {
  const held: Connection[] = []
  for (let index = 0; index < most; index += 1) {
    try {
      held.push(await openConnection(addresses.get(host) ?? '', 'app', 'app-lab'))
    } catch (error) {
      return { held, refused: (error as { number?: number }).number }
    }
  }
  return { held, refused: undefined }
}

/** The last place of a full server, which is kept for an administrator; the health check is one too, now and then. */
const lastPlace = () =>
  eventually(
    () => openConnection(addresses.get('db1') ?? '', 'dba', 'dba-lab').catch(() => undefined),
    AbortSignal.timeout(60_000),
    100,
  )

test('a full database: 1040 ends, nobody is cut off, no process starts anew; a second run changes nothing', async () => {
  await on('db1', "mariadb -e 'SET GLOBAL max_connections=40'")
  const before = await each(pidOf)
  const { held, refused } = await hold('db1', 60)
  try {
    expect(refused).toBe(1040)
    // no administrator gets in either, and the number hides inside another
    const administrator = await lastPlace()
    expect((await onHost('db1', "mariadb -e 'SELECT 1'", AbortSignal.timeout(40_000))).stderr).toMatch(
      /^ERROR 2002 .*1040/,
    )
    const closed = await raise({ target: 200 })
    expect(closed).toMatchObject({ exit: 1, error: expect.stringMatching(/cannot be asked.*db1/) })
    expect(await filesLeft()).toEqual(['', '', ''])
    administrator.close()

    const raised = await raise({ target: 200 })
    expect(raised).toMatchObject({ exit: 0, outputs: { verdict: 'DB_LIMIT', target: 200, done: 'raised' } })
    expect(await each(limitOf)).toEqual(['200', '200', '200'])
    for (const connection of held) await connection.execute('SELECT 1')
    const more = await hold('db1', 20)
    expect(more.refused).toBeUndefined()
    for (const connection of more.held) connection.close()
  } finally {
    for (const connection of held) connection.close()
  }
  expect(await each(pidOf)).toEqual(before)
  const written = await each((host) => on(host, `stat -c '%y %a %U' ${file}; tail -n 1 ${file}`))
  for (const text of written) expect(text).toMatch(/ 644 root\nmax_connections = 200$/)
  expect(await raise({ target: 200 })).toMatchObject({ exit: 0, outputs: { done: 'nothing' } })
  expect(await each((host) => on(host, `stat -c '%y %a %U' ${file}; tail -n 1 ${file}`))).toEqual(written)
}, 800_000)

test('haproxy lets no more through before the database is full: nobody is told 1040, and nothing is changed', async () => {
  const { held, refused } = await hold('lb1', 80)
  try {
    expect(refused).toBeUndefined()
    await expect(openConnection(addresses.get('lb1') ?? '', 'app', 'app-lab')).rejects.toThrow(
      'the server closed the connection',
    )
    const raised = await raise({ target: 200 })
    expect(raised).toMatchObject({ exit: 1, error: expect.stringMatching(/^PROXY_LIMIT: /) })
    expect(await each(limitOf)).toEqual(['100', '100', '100'])
    expect(await filesLeft()).toEqual(['', '', ''])
  } finally {
    for (const connection of held) connection.close()
  }
}, 800_000)

test('what the process may open counts, not what the unit says; and a value that means something else reaches no start', async () => {
  const before = await each(pidOf)
  // 5000 connections need 25000 files
  expect(Number(await on('db1', 'systemctl show mariadb -p LimitNOFILE --value'))).toBeGreaterThan(25_000)
  expect(await filesOf('db1')).toBe('20000')
  const never = { target: 5000, demand: 4000, nofile: 65_535, memory: 100, restart_policy: 'never' }
  expect(await raise(never)).toMatchObject({ exit: 1, error: expect.stringMatching(/5000 connections need a restart/) })

  // what nobody knows would be found after a state transfer, and started again for ever
  expect(await raise({ target: 250, demand: 220, options: { max_conections: '120' } })).toMatchObject({
    exit: 1,
    status: 'rolled_back',
    error: expect.stringMatching(/would not start.*max_conections=120/),
  })
  const options = { wait_timeout: '99999999' }
  expect(await raise({ target: 250, demand: 220, options })).toMatchObject({
    exit: 1,
    status: 'rolled_back',
    error: expect.stringMatching(/would not take the options as they are written.*wait-timeout\\t31536000/),
  })
  expect(await each(pidOf)).toEqual(before)
  expect(await filesLeft()).toEqual(['', '', ''])
  expect(await each(limitOf)).toEqual(['100', '100', '100'])
}, 800_000)

test('a configuration that breaks the start is rolled back: the service is up again, and no other node was restarted', async () => {
  const before = await each(pidOf)
  const raised = await raise({ target: 250, demand: 220, options: { tmpdir: '/nonexistent' } })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(raised.error).toMatch(/did not come back as wanted, and was given its old files; it is Synced again/)
  const after = await each(pidOf)
  const restarted = nodes.filter((_, index) => after[index] !== before[index])
  expect(restarted).toHaveLength(1)
  // nobody is connected, and still it is not the node that people are sent to
  expect(restarted).not.toContain('db1')
  expect(await each(stateOf)).toEqual(['Synced', 'Synced', 'Synced'])
  expect(await each(limitOf)).toEqual(['100', '100', '100'])
  expect(await filesLeft()).toEqual(['', '', ''])
}, 800_000)

test('a node that is started, answers, and does not come back to Synced stops the roll: the next one is untouched', async () => {
  const before = await each(pidOf)
  // whoever is restarted first is held back before its start is told as done, once: the old files bring it back
  const hold = `[ -e ${held} ] || { touch ${held}; mariadb -e "SET GLOBAL wsrep_desync=ON"; }`
  await each((host) =>
    on(
      host,
      `mkdir -p ${units}; printf '%s\\n' '[Service]' "ExecStartPost=+/bin/sh -c '${hold.replaceAll('"', '\\"')}'" > ${labUnit}; systemctl daemon-reload`,
    ),
  )
  const raised = await raise({ target: 260, demand: 230, restart_policy: 'rolling', sync_seconds: 90 })
  expect(raised.exit).toBe(1)
  const after = await each(pidOf)
  const restarted = nodes.filter((_, index) => after[index] !== before[index])
  expect(restarted).toHaveLength(1)
  expect(await each((host) => on(host, `ls ${held} 2>/dev/null`))).toEqual(
    nodes.map((host) => (restarted.includes(host) ? held : '')),
  )
  expect(restarted).not.toContain('db1')
  expect(raised.error).toContain(`2 not begun (${restarted[0]})`)
  expect(await each(stateOf)).toEqual(['Synced', 'Synced', 'Synced'])
  expect(await filesLeft()).toEqual(['', '', ''])
}, 800_000)

test('a node that is active and voted out is refused; one that has lowered its limit is mended by a roll that loses no write', async () => {
  await on('db1', "mariadb -e 'CREATE OR REPLACE TABLE app.voted (id INT PRIMARY KEY)'")
  await on('db3', "mariadb -e 'SET SESSION wsrep_on=OFF; DROP TABLE app.voted'")
  await on('db1', "mariadb -e 'INSERT INTO app.voted VALUES (1)'")
  await eventually(
    async () => ((await stateOf('db3')) === 'Inconsistent' ? true : undefined),
    AbortSignal.timeout(120_000),
  )
  expect(await on('db3', 'systemctl is-active mariadb')).toBe('active')
  const refused = await raise({ target: 300, demand: 280 })
  expect(refused).toMatchObject({ exit: 1, error: expect.stringMatching(/not Primary, Synced/) })
  expect(await filesLeft()).toEqual(['', '', ''])

  // it comes back with everything anew, and with files for less than its configuration says; the writer gives it the data,
  // and is cut off for that long
  await on(
    'db3',
    `mkdir -p ${units}; printf '[Service]\\nLimitNOFILE=1100\\n' > ${labUnit}; printf '[mysqld]\\nmax_connections = 800\\nwsrep_sst_donor = db1\\nlog_error = /var/lib/mysql/lab.err\\n' > ${labCnf}; systemctl daemon-reload; systemctl restart mariadb`,
  )
  await allWell()
  // its next start logs to the journal again, like the others
  await on('db3', `sed -i /log_error/d ${labCnf}`)
  await on('db1', "mariadb -e 'DROP TABLE app.voted'")
  const lowered = Number(await limitOf('db3'))
  expect(lowered).toBeLessThan(800)

  const since = Date.now() / 1000
  const mark = `roll-${Date.now()}`
  const writing = new AbortController()
  const writer = write(mark, writing.signal)
  const raised = await raise({ target: 900, restart_policy: 'rolling', accept_changes: ['log-error'] })
  writing.abort()
  const acknowledged = await writer
  expect(raised).toMatchObject({ exit: 0, error: '', outputs: { verdict: 'FD_LIMIT', target: 900, done: 'raised' } })
  const { order, notSynced } = await rolled(since)
  expect(notSynced).toEqual([])
  expect(order).toHaveLength(3)
  // the writer last
  expect(order.at(-1)).toBe('db1')
  expect(acknowledged).toBeGreaterThan(0)
  const rows = await each((host) =>
    on(host, `mariadb -N -B -e "SET wsrep_sync_wait=1; SELECT COUNT(*) FROM app.t WHERE v='${mark}'"`),
  )
  for (const count of rows) expect(Number(count)).toBeGreaterThanOrEqual(acknowledged)
  await on('db1', `mariadb -e "DELETE FROM app.t WHERE v='${mark}'"`)
  expect(await each(limitOf)).toEqual(['900', '900', '900'])
  expect(await filesOf('db3')).toBe('20000')
  expect(await on('lb1', "echo 'show stat' | socat -t5 /run/haproxy/admin.sock - | grep -c ',MAINT,'")).toBe('0')
}, 1200_000)

test('a server that takes another limit than it was told is set back, and so is the one before it', async () => {
  const before = await each(pidOf)
  // one of them is told more than there is: it takes what it can, with a warning
  await each((host) => {
    const told = host === 'db2' ? '"${@/max_connections = 200/max_connections = 200000}"' : '"$@"'
    return on(host, `printf '%s\\n' '#!/bin/bash' 'exec mariadb ${told}' > ${client}; chmod 755 ${client}`)
  })
  const raised = await raise({ target: 200, demand: 180, mariadb: [client] })
  expect(raised).toMatchObject({ exit: 1, status: 'rolled_back' })
  expect(raised.error).toMatch(/db2 did not take 200 connections: Warning\s1292\s.*'200000'; 100000/)
  expect(await each(limitOf)).toEqual(['100', '100', '100'])
  expect(await filesLeft()).toEqual(['', '', ''])
  expect(await each(pidOf)).toEqual(before)
}, 800_000)

test('a node that somebody has taken out of haproxy is restarted and stays out; with nobody else to send people to none is', async () => {
  const takeOut = (host: string) =>
    on('lb1', `echo "set server galera/${host} state maint" | socat -t5 /run/haproxy/admin.sock -`)
  const shown = () =>
    on('lb1', "echo 'show stat' | socat -t5 /run/haproxy/admin.sock - | awk -F, '/^galera,db/ { print $2, $18 }'")
  await takeOut('db3')
  const before = await each(pidOf)
  const since = Date.now() / 1000
  const raised = await raise({ target: 260, demand: 230, restart_policy: 'rolling' })
  expect(raised).toMatchObject({ exit: 0, error: '', outputs: { done: 'raised' } })
  expect(await shown()).toBe('db1 UP\ndb2 UP\ndb3 MAINT')
  const { order, notSynced } = await rolled(since)
  expect(notSynced).toEqual([])
  expect([...order].sort()).toEqual(nodes)
  expect(order.at(-1)).toBe('db1')
  const after = await each(pidOf)
  expect(after.filter((pid) => before.includes(pid))).toEqual([])

  await takeOut('db2')
  const refused = await raise({ target: 270, demand: 265, restart_policy: 'rolling' })
  expect(refused.exit).toBe(1)
  expect(refused.error).toContain(
    'lb1 while db1 restarts; somebody has taken out db2 on lb1 (MAINT), db3 on lb1 (MAINT)',
  )
  expect(await each(pidOf)).toEqual(after)
  expect(await each(limitOf)).toEqual(['260', '260', '260'])
  expect(await shown()).toBe('db1 UP\ndb2 MAINT\ndb3 MAINT')
}, 1200_000)

test('the program is killed twice in a roll, once while it asks for a restart, and resumed: no node is restarted twice', async () => {
  // the restart has begun, and whoever asked for it is not told yet
  const asked = `${held}-asked`
  const late = `"restart --no-block"*) touch ${asked}; sleep 50 ;;`
  await each((host) =>
    on(
      host,
      `printf '%s\\n' '#!/bin/sh' '/usr/bin/systemctl "$@"; code=$?' 'case $* in ${late} esac' 'exit $code' > ${systemctl}; chmod 755 ${systemctl}`,
    ),
  )
  const since = Date.now() / 1000
  const here = workspace()
  const plain = ['--output', 'plain']
  const first = here.start([...words({ target: 260, demand: 230, restart_policy: 'rolling' }), ...plain])
  const told = async () => (await each((host) => on(host, `ls ${asked} 2>/dev/null`))).some((name) => name !== '')
  await eventually(async () => (await told()) || undefined, AbortSignal.timeout(120_000), 200)
  first.child.kill('SIGKILL')
  expect((await first.ended).all).not.toMatch(/^\S+ +ok +\S+turned\/restart/m)
  await each((host) => on(host, `rm ${systemctl}`))
  const second = here.start(['resume', 'last', ...plain])
  const began = async () => (await rolled(since)).order.length
  await eventually(async () => ((await began()) === 2 ? true : undefined), AbortSignal.timeout(240_000), 200)
  second.child.kill('SIGKILL')
  await second.ended
  // it stays with what was begun
  expect(await began()).toBe(2)
  const { code, all } = await here.run(['resume', 'last', ...plain])
  expect(code, all).toBe(0)
  const { order, notSynced } = await rolled(since)
  expect(notSynced).toEqual([])
  expect([...order].sort()).toEqual(nodes)
  expect(order.at(-1)).toBe('db1')
  expect(await each(limitOf)).toEqual(['260', '260', '260'])
  expect(await on('lb1', "echo 'show stat' | socat -t5 /run/haproxy/admin.sock - | grep -c ',MAINT,'")).toBe('0')
}, 1200_000)

describe('a cluster without a majority', () => {
  /** No node reaches another, but people reach all. One that reached two of them would pass on what they say. */
  const apart = (how: 'add blackhole' | 'del blackhole') =>
    each((host) => {
      const others = nodes.filter((other) => other !== host)
      return on(host, others.map((other) => `ip route ${how} ${addresses.get(other)}`).join('; '))
    })
  const component = (host: string) =>
    on(host, 'mariadb -N -B -e "SHOW GLOBAL STATUS LIKE \'wsrep_cluster_status\'" | cut -f2')
  const lost = (these: readonly string[]) =>
    eventually(
      async () =>
        (await Promise.all(these.map(component))).every((said) => said === 'non-Primary') ? true : undefined,
      AbortSignal.timeout(120_000),
    )

  test('answers nothing that needs a table (1047): that is said, and nothing is changed', async () => {
    const before = await each(pidOf)
    await apart('add blackhole')
    try {
      await lost(nodes)
      expect((await onHost('db1', "mariadb -e 'SELECT * FROM app.t'", AbortSignal.timeout(40_000))).stderr).toMatch(
        /^ERROR 1047 /m,
      )
      expect(await raise({ target: 200, demand: 180 })).toMatchObject({
        exit: 1,
        error: expect.stringMatching(/no part of a primary component.*\(1047\).*\["db1","db2","db3"\]/),
      })
      expect(await each(limitOf)).toEqual(['100', '100', '100'])
    } finally {
      await apart('del blackhole')
    }
    await allWell()
    expect(await filesLeft()).toEqual(['', '', ''])
    expect(await each(pidOf)).toEqual(before)
  }, 800_000)

  test('while a node is restarted: a person is called, nothing more is touched; then what was changed is put back', async () => {
    // whoever is restarted first waits in its start until the others have lost each other
    const [waits, open] = [`${held}-start`, '/run/lab-open']
    const wait = `touch ${waits}; for try in $(seq 600); do [ -e ${open} ] && exit 0; sleep 0.2; done`
    await each((host) =>
      on(
        host,
        `rm -f ${open} ${waits}; mkdir -p ${units}; printf '%s\\n' '[Service]' 'ExecStartPre=+/bin/sh -c "${wait.replaceAll('$', '$$$$')}"' > ${labUnit}; systemctl daemon-reload`,
      ),
    )
    const before = await each(pidOf)
    const here = workspace()
    const run = here.start([...words({ target: 260, demand: 230, restart_policy: 'rolling' }), '--output', 'plain'])
    const first = await eventually(async () => {
      const all = await each((host) => on(host, `ls ${waits} 2>/dev/null`))
      return nodes.find((_, index) => all[index] !== '')
    }, AbortSignal.timeout(120_000))
    const others = nodes.filter((host) => host !== first)
    await apart('add blackhole')
    try {
      await lost(others)
      await on(first, `touch ${open}`)
      const parked = await run.ended
      expect(parked.code, parked.all).toBe(6)
      expect(parked.all).toContain('is not Primary any more')
      expect(parked.all).toContain(`${first} was the node at hand`)
      // as it was left: the files are the new ones, and nobody else was restarted
      expect(await filesLeft()).toEqual(nodes.map(() => expect.stringContaining(file)))
    } finally {
      await apart('del blackhole')
    }
    await eventually(
      async () => ((await Promise.all(others.map(component))).every((said) => said === 'Primary') ? true : undefined),
      AbortSignal.timeout(120_000),
    )
    await on(first, `touch ${open}; systemctl reset-failed mariadb; systemctl start mariadb`)
    const key = `mend/roll[${first}]/person`
    const { code, all } = await here.run(['resume', 'last', '--output', 'plain', '--answer', `${key}=yes`])
    expect(code, all).toBe(1)
    expect(await filesLeft()).toEqual(['', '', ''])
    expect(await each(limitOf)).toEqual(['100', '100', '100'])
    const after = await each(pidOf)
    expect(nodes.filter((_, index) => after[index] !== before[index])).toEqual([first])
  }, 1200_000)
})

interface Change {
  readonly at: number
  readonly host: string
  /** None when the node is stopped. */
  readonly state: string | undefined
}

/** Who was stopped since then, in order; and whoever was not Synced at that moment, by the journals of the nodes. */
async function rolled(since: number) {
  const changes = await each(async (host): Promise<readonly Change[]> => {
    const text = await on(host, `journalctl -u mariadb --since @${Math.floor(since)} -o short-unix --no-pager`)
    return text.split('\n').flatMap((line) => {
      const at = Number.parseFloat(line)
      const state = /WSREP: Shifting \S+ -> (\S+)/.exec(line)?.[1]
      const stops = /systemd\[1\]: Stopping mariadb/.test(line)
      return at >= since && (stops || state !== undefined) ? [{ at, host, state }] : []
    })
  })
  const states = new Map(nodes.map((host) => [host, 'SYNCED']))
  const order: string[] = []
  const notSynced: string[] = []
  for (const { host, state } of changes.flat().sort((one, two) => one.at - two.at)) {
    if (state !== undefined) {
      states.set(host, state)
      continue
    }
    order.push(host)
    for (const [other, its] of states) if (its !== 'SYNCED') notSynced.push(`${other} was ${its} when ${host} left`)
  }
  return { order, notSynced }
}

/** Writes through the balancer until it is told to stop, connecting again when it was cut off; how many were acknowledged. */
async function write(mark: string, signal: AbortSignal): Promise<number> {
  let acknowledged = 0
  let connection: Connection | undefined
  while (!signal.aborted) {
    try {
      connection ??= await openConnection(addresses.get('lb1') ?? '', 'app', 'app-lab')
      await connection.execute(`INSERT INTO app.t(v) VALUES('${mark}')`)
      acknowledged += 1
    } catch {
      connection?.close()
      connection = undefined
    }
    await sleep(100)
  }
  connection?.close()
  return acknowledged
}
