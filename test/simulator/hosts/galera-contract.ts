import { expect } from 'vitest'
import { type Contract, json, keys, text } from './said.ts'

const states = [
  'threads_connected',
  'max_used_connections',
  'connection_errors_max_connections',
  'wsrep_cluster_size',
  'wsrep_cluster_status',
  'wsrep_local_state_comment',
  'wsrep_ready',
  'wsrep_connected',
  'wsrep_local_recv_queue',
  'wsrep_cluster_state_uuid',
  'wsrep_cluster_conf_id',
  'wsrep_provider_name',
]
const sizes = [
  'max_connections',
  'open_files_limit',
  'table_open_cache',
  'innodb_buffer_pool_size',
  'innodb_log_buffer_size',
  'key_buffer_size',
  'aria_pagecache_buffer_size',
  'query_cache_size',
  'read_buffer_size',
  'read_rnd_buffer_size',
  'sort_buffer_size',
  'join_buffer_size',
  'thread_stack',
  'binlog_cache_size',
]
const pid = 'systemctl show mariadb -p MainPID --value'

/** What Galera must answer, and the haproxy before it. */
export const galeraContracts: readonly Contract[] = [
  {
    name: 'status and variables are left by their names and by their values, and what is not there is refused',
    on: 'database',
    async holds(run, host) {
      const left = async (where: string) =>
        (await text(run, host, `mariadb -N -B -e "SHOW GLOBAL STATUS WHERE ${where}" | cut -f1`)).trimEnd()
      expect(await left("Variable_name = 'wsrep_ready' AND Value = 'ON'")).toBe('wsrep_ready')
      expect(await left("Variable_name = 'wsrep_ready' AND Value <> 'ON'")).toBe('')
      expect(
        await left("Variable_name = 'wsrep_ready' AND Value = 'OFF' OR Variable_name IN ('wsrep_connected')"),
      ).toBe('wsrep_connected')
      expect(await left("Variable_name RLIKE '^wsrep_(ready|connected)$' AND Value LIKE 'O_'")).toBe(
        'wsrep_connected\nwsrep_ready',
      )
      expect(await left("Variable_name LIKE 'wsrep\\_rea%'")).toBe('wsrep_ready')
      expect(await left("Variable_name LIKE 'wsrep\\%ready'")).toBe('')
      for (const [statement, refusal] of [
        ['USE nosuch', "ERROR 1049 (42000) at line 1: Unknown database 'nosuch'"],
        ['FLUSH nosuch', 'ERROR 1064 (42000) at line 1: '],
      ] as const) {
        const { code, stderr } = await run(host, `mariadb -B -e '${statement}'`)
        expect({ statement, code, stderr }).toEqual({ statement, code: 1, stderr: expect.stringContaining(refusal) })
      }
    },
  },
  {
    name: 'the batch form of `mariadb` has tabs, no header with -N, and exit code 1 for every error',
    on: 'database',
    async holds(run, host) {
      expect(await text(run, host, `mariadb -N -B -e "SHOW GLOBAL STATUS LIKE 'wsrep_local_state_comment'"`)).toBe(
        'wsrep_local_state_comment\tSynced\n',
      )
      expect(await text(run, host, `mariadb -B -e "SHOW GLOBAL VARIABLES WHERE Variable_name IN ('port')"`)).toBe(
        'Variable_name\tValue\nport\t3306\n',
      )
      expect(await text(run, host, 'mariadb -N -B -e "SELECT @@max_connections"')).toMatch(/^\d+\n$/)
      const { code, stderr } = await run(host, "mariadb -N -B -e 'SELEC 1'")
      expect(code).toBe(1)
      expect(stderr).toMatch(/^--------------\nSELEC 1\n--------------\n\nERROR 1064 \(42000\) at line 1: /)
    },
  },
  {
    name: 'a state asked as JSON is one object whose values are texts',
    on: 'database',
    async holds(run, host) {
      const asked = `SELECT JSON_OBJECTAGG(LOWER(VARIABLE_NAME),VARIABLE_VALUE) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('wsrep_cluster_size','wsrep_cluster_status','wsrep_ready')`
      const state = await json(run, host, `mariadb -N -B -e "${asked}"`)
      expect(state).toMatchObject({ wsrep_cluster_status: 'Primary', wsrep_ready: 'ON' })
      expect(state.wsrep_cluster_size).toMatch(/^\d+$/)
    },
  },
  {
    name: 'the state and the limits that a runbook reads are there, and whoever is connected is counted in groups',
    on: 'database',
    async holds(run, host) {
      const named = (names: readonly string[]) => names.map((name) => `'${name.toUpperCase()}'`).join(',')
      const asked = async (table: string, names: readonly string[]) =>
        json(
          run,
          host,
          `mariadb -N -B -r -e "SELECT JSON_OBJECTAGG(LOWER(VARIABLE_NAME), VARIABLE_VALUE) FROM information_schema.${table} WHERE VARIABLE_NAME IN (${named(names)})"`,
        )
      expect(await asked('GLOBAL_STATUS', states)).toMatchObject({
        wsrep_local_state_comment: 'Synced',
        wsrep_connected: 'ON',
        wsrep_provider_name: 'Galera',
        wsrep_local_recv_queue: '0',
      })
      expect(keys(await asked('GLOBAL_STATUS', states)).sort()).toEqual([...states].sort())
      const found = await asked('GLOBAL_VARIABLES', sizes)
      expect(keys(found).sort()).toEqual([...sizes].sort())
      for (const value of Object.values(found)) expect(value).toMatch(/^\d+$/)
      const groups = await text(
        run,
        host,
        `mariadb -N -B -e "SELECT USER, SUBSTRING_INDEX(HOST, ':', 1), COMMAND, COUNT(*), MAX(TIME), SUM(TIME >= 600), SUM(TIME >= 10) FROM information_schema.PROCESSLIST GROUP BY 1, 2, 3"`,
      )
      expect(groups).toMatch(/^root\tlocalhost\tQuery\t\d+\t\d+\t\d+\t\d+$/m)
      expect(groups).toMatch(/^system user\t\t\w+\t\d+\t\d+\t\d+\t\d+$/m)
    },
  },
  {
    name: 'a limit out of range is cut with a warning and exit code 0, on this node alone',
    on: 'database',
    async holds(run, host) {
      const before = (await text(run, host, 'mariadb -N -B -e "SELECT @@GLOBAL.max_connections"')).trim()
      const set = (value: string) =>
        run(
          host,
          `mariadb -N -B -e "SET GLOBAL max_connections = ${value}; SHOW WARNINGS; SELECT @@GLOBAL.max_connections"`,
        )
      try {
        for (const [value, taken] of [
          ['5', '10'],
          ['1000000', '100000'],
        ] as const) {
          const stdout = `Warning\t1292\tTruncated incorrect max_connections value: '${value}'\n${taken}\n`
          expect(await set(value)).toMatchObject({ code: 0, stdout })
        }
      } finally {
        expect(await set(before)).toMatchObject({ code: 0, stdout: `${before}\n` })
      }
    },
  },
  {
    name: 'the files are parsed without a start: 7 for an option nobody knows, 0 for a value that means something else',
    on: 'database',
    async holds(run, host) {
      const file = '/etc/mysql/mariadb.conf.d/zzz-contract.cnf'
      const parsed = async (line: string) => {
        const { code, stdout, stderr } = await run(
          host,
          `printf '[mysqld]\n${line}\n' > ${file}; mariadbd --help --verbose; code=$?; rm -f ${file}; exit $code`,
        )
        return { code, limit: /^max-connections +(\S+)$/m.exec(stdout)?.[1], stderr }
      }
      expect(await parsed('max_connections = 120')).toMatchObject({ code: 0, limit: '120' })
      expect(await parsed('max_connections = many')).toMatchObject({ code: 0, limit: '10' })
      const unknown = await parsed('max_conections = 120')
      expect(unknown.code).toBe(7)
      expect(unknown.stderr).toMatch(/\[ERROR\] .*unknown variable 'max_conections=120'/)
      const said = await text(
        run,
        host,
        `printf '[mysqld]\nmax_connections = 77\n' > ${file}; my_print_defaults --mysqld; rm -f ${file}`,
      )
      expect(said.trimEnd().split('\n').at(-1)).toBe('--max_connections=77')
    },
  },
  {
    name: 'what the unit says and what the process may open are two things, each to be read',
    on: 'database',
    async holds(run, host) {
      const shown = await text(
        run,
        host,
        'for name in ActiveState SubState NRestarts LimitNOFILE; do systemctl show mariadb -p $name --value; done',
      )
      expect(shown).toMatch(/^active\nrunning\n\d+\n\d+\n$/)
      expect(await text(run, host, 'cat /proc/$(systemctl show mariadb -p MainPID --value)/limits')).toMatch(
        /^Max open files +\d+ +\d+ +files *$/m,
      )
    },
  },
  {
    name: 'all variables come as a list of names and values; the unit tells its job, its beginning and who is behind it',
    on: 'database',
    async holds(run, host) {
      const rows = (await text(run, host, "mariadb -N -B -e 'SHOW GLOBAL VARIABLES'")).trimEnd().split('\n')
      const found = new Map(rows.map((row) => row.split('\t') as [string, string]))
      expect(`${found.get('max_connections')}\n`).toBe(
        await text(run, host, 'mariadb -N -B -e "SELECT @@GLOBAL.max_connections"'),
      )
      for (const name of ['open_files_limit', 'table_open_cache', 'wsrep_cluster_name'])
        expect(found.get(name)).toMatch(/^\S+$/)
      const show = async (property: string) =>
        (await text(run, host, `systemctl show mariadb -p ${property} --value`)).trimEnd()
      expect(await show('LoadState')).toBe('loaded')
      expect(await show('Job')).toMatch(/^0?$/)
      const began = await text(run, host, `date -d "${await show('ExecMainStartTimestamp')}" +%s`)
      expect(began).toMatch(/^\d{10}\n$/)
      expect(await text(run, host, `readlink /proc/$(${pid})/fd/2`)).toMatch(/^(socket:|\/)/)
      expect((await run(host, `journalctl -u mariadb "_PID=$(${pid})" -o cat --no-pager`)).code).toBe(0)
    },
  },
  {
    name: 'what the data take up, and what is free where they are, are counted in KiB',
    on: 'database',
    async holds(run, host) {
      const [, held = '', name] = /^(\d+)\t(\S+)\n$/.exec(await text(run, host, 'du -sk /var/lib/mysql/')) ?? []
      expect(name).toBe('/var/lib/mysql/')
      // the tables of the system, the logs, the cache of the cluster
      expect(Number(held)).toBeGreaterThan(20_000)
      const room = await text(run, host, `df -Pk /var/lib/mysql/ | awk 'NR == 2 { print $4 }'`)
      expect(room).toMatch(/^\d+\n$/)
    },
  },
  {
    name: 'a start that cannot be reads `failed`; one that aborts is tried for ever and costs what was saved; the next is given everything, and is Synced after that',
    on: 'database',
    async holds(run, host) {
      const file = '/etc/mysql/mariadb.conf.d/zzz-contract.cnf'
      const old = (await text(run, host, pid)).trim()
      const saved = async () =>
        /^uuid: +(\S+)$/m.exec(await text(run, host, 'cat /var/lib/mysql/grastate.dat'))?.[1] ?? ''
      const cluster = await saved()
      expect(cluster).not.toMatch(/^(0{8}-|$)/)
      try {
        const { code, stderr } = await run(
          host,
          `printf '[mysqld]\ntmpdir = /nonexistent\n' > ${file}; systemctl restart mariadb`,
        )
        expect(code).toBe(1)
        expect(stderr).toMatch(/^Job for mariadb.service failed because /)
        expect(await run(host, 'systemctl is-active mariadb')).toMatchObject({ code: 3, stdout: 'failed\n' })
        expect(await run(host, 'mariadb -N -B -e "SELECT 1"')).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/^ERROR 2002 \(HY000\)/),
        })
        await run(
          host,
          `printf '[mysqld]\nmax_conections = 120\n' > ${file}; systemctl reset-failed mariadb; systemctl start --no-block mariadb`,
        )
        const states = await text(
          run,
          host,
          `for turn in $(seq 1 150); do
            systemctl show mariadb -p ActiveState --value
            if [ "$(systemctl show mariadb -p NRestarts --value)" -gt 0 ]; then break; fi
            sleep 1
          done | sort -u`,
        )
        expect(states).toBe('activating\n')
        expect(await saved()).toMatch(/^0{8}-/)
      } finally {
        await run(
          host,
          `rm -f ${file}; systemctl stop mariadb; systemctl reset-failed mariadb; systemctl start --no-block mariadb`,
        )
      }
      const seen = (
        await text(
          run,
          host,
          `last=
          for turn in $(seq 1 480); do
            state=$(mariadb -N -B -e "SHOW STATUS LIKE 'wsrep_local_state_comment'" 2>/dev/null | cut -f2)
            now="$(systemctl show mariadb -p ActiveState --value) $state"
            if [ "$now" != "$last" ]; then echo "$now"; last=$now; fi
            # the database says it is Synced a moment before the unit has heard that it is up
            if [ "$now" = 'active Synced' ]; then break; fi
            sleep 0.25
          done`,
        )
      )
        .trimEnd()
        .split('\n')
      expect(seen[0]).toBe('activating ')
      expect(seen.at(-1)).toBe('active Synced')
      expect(seen).not.toContain('failed ')
      expect((await text(run, host, pid)).trim()).not.toBe(old)
      expect(await saved()).toBe(cluster)
    },
  },
  {
    name: '`show stat` is CSV with its header after a sharp',
    on: 'balancer',
    async holds(run, host) {
      const [head = '', ...rows] = (
        await text(run, host, "echo 'show stat' | socat -t5 /run/haproxy/admin.sock -")
      ).split('\n')
      const columns = head.replace('# ', '').split(',')
      expect(columns.slice(0, 8)).toEqual(['pxname', 'svname', 'qcur', 'qmax', 'scur', 'smax', 'slim', 'stot'])
      expect([columns[17], columns[36]]).toEqual(['status', 'check_status'])
      for (const row of rows.filter((line) => line !== '')) expect(row.split(',')).toHaveLength(columns.length)
      expect(rows.slice(-2)).toEqual(['', ''])
    },
  },
  {
    name: '`show info` tells how many connections haproxy has in all, and how many it takes',
    on: 'balancer',
    async holds(run, host) {
      const info = await text(run, host, "echo 'show info' | socat -t5 /run/haproxy/admin.sock -")
      expect(info).toMatch(/^CurrConns: \d+$/m)
      expect(info).toMatch(/^Maxconn: \d+$/m)
    },
  },
  {
    name: 'a server is taken out and given back by hand: an empty line is yes, and one that is not there is exit code 0 too',
    on: 'balancer',
    async holds(run, host) {
      const tell = (line: string) => run(host, `echo '${line}' | socat -t5 /run/haproxy/admin.sock -`)
      const status = async () =>
        (await tell('show stat')).stdout
          .split('\n')
          .map((line) => line.split(','))
          .find((cells) => cells[0] === 'galera' && cells[1] === 'db3')?.[17]
      const rows = (await tell('show servers state galera')).stdout.split('\n').map((line) => line.split(' '))
      expect(rows[0]).toEqual(['1'])
      expect(rows[1]?.slice(1, 8)).toEqual([
        'be_id',
        'be_name',
        'srv_id',
        'srv_name',
        'srv_addr',
        'srv_op_state',
        'srv_admin_state',
      ])
      expect(rows.filter((cells) => cells[1] === 'galera').map((cells) => cells[3])).toEqual(['db1', 'db2', 'db3'])
      expect(await tell('set server galera/nosuch state maint')).toMatchObject({
        code: 0,
        stdout: 'No such server.\n\n',
      })
      try {
        expect(await tell('set server galera/db3 state maint')).toMatchObject({ code: 0, stdout: '\n' })
        expect(await status()).toBe('MAINT')
      } finally {
        expect(await tell('set server galera/db3 state ready')).toMatchObject({ code: 0, stdout: '\n' })
      }
      // up at once, though its checks have still to say so
      expect(await status()).toMatch(/^UP( \d\/\d)?$/)
    },
  },
]
