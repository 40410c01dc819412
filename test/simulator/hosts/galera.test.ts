import { expect, test } from 'vitest'
import { hostFaults } from '../../../simulator/hosts/faults.ts'
import { startWorld, type TestWorld } from './world.ts'

const small = { controllers: 1, computes: 1, ceph: 3 }
const asked = (world: TestWorld, host: string, sql: string) =>
  world.run(host, `mariadb -N -B -e "${sql}"`).then(({ stdout }) => stdout.trimEnd())

const configuration = (limit: string) =>
  `printf '[mysqld]\\nmax_connections = ${limit}\\n' > /etc/mysql/mariadb.conf.d/80-limit.cnf`

test('a limit set at run time holds on one node, until its service starts again', async () => {
  await using world = await startWorld(small)
  await asked(world, 'db1', 'SET GLOBAL max_connections = 1500')
  expect(await asked(world, 'db1', 'SELECT @@max_connections')).toBe('1500')
  expect(await asked(world, 'db2', 'SELECT @@max_connections')).toBe('2000')
  expect(world.effects).toEqual([{ kind: 'host.mariadb.set_global', what: 'db1', detail: { max_connections: '1500' } }])
  await world.run('db1', 'systemctl restart mariadb')
  expect(await asked(world, 'db1', 'SELECT @@max_connections')).toBe('2000')
})

test('a limit that is too small is cut, with a warning and exit code 0', async () => {
  await using world = await startWorld(small)
  const said = await world.run(
    'db1',
    'mariadb -N -B -e "SET GLOBAL max_connections=5; SHOW WARNINGS; SELECT @@max_connections"',
  )
  expect(said).toMatchObject({ code: 0, stdout: "Warning\t1292\tTruncated incorrect max_connections value: '5'\n10\n" })
})

test('a configuration takes effect with a restart, and the limit of open files with a drop-in', async () => {
  await using world = await startWorld(small)
  const dropIn =
    'mkdir -p /etc/systemd/system/mariadb.service.d; printf "[Service]\\nLimitNOFILE=65535\\n" > /etc/systemd/system/mariadb.service.d/limits.conf'
  await world.run('db3', `${configuration('4000')}; ${dropIn}; systemctl daemon-reload; systemctl restart mariadb`)
  expect(await asked(world, 'db3', 'SELECT @@max_connections, @@open_files_limit')).toBe('4000\t65535')
  const limits = await world.run('db3', "grep 'open files' /proc/$(systemctl show -p MainPID --value mariadb)/limits")
  expect(limits.stdout).toMatch(/^Max open files +65535 +65535 +files +\n$/)
})

test('a wrong option is found by the dry parse, and keeps the server from starting', async () => {
  await using world = await startWorld(small)
  await world.run('db3', "printf '[mysqld]\\nmax_conections = 3000\\n' > /etc/mysql/mariadb.conf.d/80-limit.cnf")
  expect(await world.run('db3', 'mariadbd --help --verbose > /dev/null')).toMatchObject({ code: 7 })
  expect(await world.run('db3', 'systemctl restart mariadb')).toMatchObject({ code: 1 })
  expect(await world.run('db3', 'mariadb -e "SELECT 1"')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^ERROR 2002 \(HY000\)/),
  })
  expect(await asked(world, 'db1', "SHOW STATUS LIKE 'wsrep_cluster_size'")).toBe('wsrep_cluster_size\t2')
})

test('a node that stops leaves a smaller cluster with a new configuration, and is Synced again a moment after its start', async () => {
  await using world = await startWorld(small)
  const view = (host: string) =>
    asked(world, host, "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_conf_id','wsrep_cluster_size')")
  expect(await view('db1')).toBe('wsrep_cluster_conf_id\t17\nwsrep_cluster_size\t3')
  await world.run('db2', 'systemctl stop mariadb')
  expect(await view('db1')).toBe('wsrep_cluster_conf_id\t18\nwsrep_cluster_size\t2')
  await world.run('db2', 'systemctl start mariadb; sleep 2')
  expect(await view('db2')).toBe('wsrep_cluster_conf_id\t19\nwsrep_cluster_size\t3')
  expect(await asked(world, 'db2', "SHOW STATUS LIKE 'wsrep_local_state_comment'")).toBe(
    'wsrep_local_state_comment\tSynced',
  )
})

test('without a majority a node says so and answers what needs no table; nothing else, until somebody makes it primary by hand', async () => {
  await using world = await startWorld(small)
  const lose = hostFaults.find(({ name }) => name === 'galera.no_majority')
  lose?.apply(world.world, { start_of: 'db2' })
  const view = `mariadb -N -B -e "SELECT JSON_OBJECTAGG(LOWER(VARIABLE_NAME),VARIABLE_VALUE) FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME IN ('wsrep_local_state_comment','wsrep_cluster_size','wsrep_cluster_status','wsrep_ready','wsrep_connected')"`
  const state = async (host: string) => JSON.parse((await world.run(host, view)).stdout)
  expect(await state('db1')).toMatchObject({ wsrep_cluster_status: 'Primary', wsrep_cluster_size: '3' })

  // 36 seconds, then it gives up: no node gives it a state
  expect(await world.run('db2', 'systemctl restart mariadb')).toMatchObject({ code: 1 })
  const log = await world.run('db2', 'journalctl -u mariadb -o cat --no-pager | grep -c "failed to reach primary view"')
  expect(log.stdout).toBe('1\n')
  for (const host of ['db1', 'db3'])
    expect(await state(host)).toEqual({
      wsrep_local_state_comment: 'Initialized',
      wsrep_cluster_size: '1',
      wsrep_cluster_status: 'non-Primary',
      wsrep_ready: 'OFF',
      wsrep_connected: 'ON',
    })
  expect((await world.run('db1', 'systemctl is-active mariadb')).stdout).toBe('active\n')
  for (const statement of ['SELECT COUNT(*) FROM app.t', "INSERT INTO app.t(v) VALUES('x')"])
    expect(await world.run('db1', `mariadb -e "${statement}"`)).toMatchObject({
      code: 1,
      stderr: `--------------\n${statement}\n--------------\n\nERROR 1047 (08S01) at line 1: WSREP has not yet prepared node for application use\n`,
    })
  expect(await asked(world, 'db1', 'SET GLOBAL max_connections = 1500; SELECT @@max_connections')).toBe('1500')
  const down = await world.run(
    'ctl1',
    `echo 'show stat' | socat -t5 /run/haproxy/admin.sock - | awk -F, '$1 == "galera" && $2 ~ /^db/ { print $18 }'`,
  )
  expect(down.stdout).toBe('DOWN\nDOWN\nDOWN\n')

  await world.run('db1', `mariadb -e "SET GLOBAL wsrep_provider_options='pc.bootstrap=YES'"`)
  expect(await state('db1')).toMatchObject({ wsrep_cluster_status: 'Primary', wsrep_cluster_size: '2' })
  expect(await world.run('db2', 'systemctl start mariadb; sleep 2')).toMatchObject({ code: 0 })
  expect(await state('db2')).toMatchObject({ wsrep_local_state_comment: 'Synced', wsrep_cluster_size: '3' })
})

test('a database in a container is no unit, and its client is inside; the cluster goes on', async () => {
  await using world = await startWorld(small)
  hostFaults.find(({ name }) => name === 'galera.in_container')?.apply(world.world, { node: '', engine: 'docker' })
  expect((await world.run('db1', 'systemctl show mariadb -p LoadState --value')).stdout).toBe('not-found\n')
  expect(await world.run('db1', 'systemctl restart mariadb')).toMatchObject({ code: 5 })
  expect(await world.run('db1', 'mariadb -e "SELECT 1"')).toMatchObject({ code: 127 })
  expect((await world.run('db1', "docker ps | awk 'NR > 1 { print $NF }'")).stdout).toBe('mariadb\n')
  expect((await world.run('db1', 'docker top mariadb | grep -c mariadbd')).stdout).toBe('1\n')
  expect(await world.run('db1', 'docker top nova_api')).toMatchObject({ code: 1 })
  const asked = `docker exec mariadb mariadb -N -B -e "SHOW STATUS LIKE 'wsrep_cluster_size'"`
  expect((await world.run('db1', asked)).stdout).toBe('wsrep_cluster_size\t3\n')
})

test('a database under Pacemaker has a unit that does nothing, and its process runs', async () => {
  await using world = await startWorld(small)
  hostFaults.find(({ name }) => name === 'galera.under_pacemaker')?.apply(world.world, {})
  const shown = await world.run('db1', 'systemctl show mariadb -p LoadState -p ActiveState -p MainPID')
  expect(shown.stdout).toBe('MainPID=0\nLoadState=loaded\nActiveState=inactive\n')
  expect((await world.run('db1', 'pgrep -c mariadbd')).stdout).toBe('1\n')
  expect((await world.run('db1', 'pcs resource status')).stdout).toContain('galera-clone [galera] (promotable)')
  expect((await world.run('db1', "cibadmin --query --xpath '//primitive'")).stdout).toMatch(
    /^<primitive .*type="galera">/,
  )
  expect(await asked(world, 'db1', "SHOW STATUS LIKE 'wsrep_cluster_size'")).toBe('wsrep_cluster_size\t3')
})
