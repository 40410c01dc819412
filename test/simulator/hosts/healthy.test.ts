import { expect, test } from 'vitest'
import { startWorld } from './world.ts'

test('a strict inspection of the healthy world finds nothing', async () => {
  await using world = await startWorld()
  const { estate } = world.world
  for (const host of estate.machines.keys()) {
    const disks = await world.run(
      host,
      'df -P | awk \'NR>1 {sub(/%/,"",$5); if ($5+0 >= 60) print}\'; df -Pi | awk \'NR>1 {sub(/%/,"",$5); if ($5+0 >= 60) print}\'',
    )
    expect({ host, ...disks }).toMatchObject({ stdout: '', code: 0 })
    const state = await world.run(
      host,
      'systemctl is-system-running; systemctl --failed --plain --no-legend; journalctl -k -p 3 -q --no-pager',
    )
    expect({ host, ...state }).toMatchObject({ stdout: 'running\n', code: 0 })
    const offset = (await world.run(host, 'chronyc -c -n tracking')).stdout.split(',')[4]
    expect(Math.abs(Number(offset))).toBeLessThan(0.001)
    const links = JSON.parse((await world.run(host, 'ip -j -br link')).stdout) as {
      ifname: string
      operstate: string
    }[]
    expect(links.filter(({ ifname, operstate }) => ifname !== 'lo' && operstate !== 'UP')).toEqual([])
  }
  const ceph = JSON.parse((await world.run('ceph1', 'ceph -f json status')).stdout)
  expect(ceph.health).toEqual({ status: 'HEALTH_OK', checks: {}, mutes: [] })
  expect(ceph.pgmap.pgs_by_state).toEqual([{ state_name: 'active+clean', count: ceph.pgmap.num_pgs }])
  const views = []
  for (const host of ['db1', 'db2', 'db3']) {
    const { stdout } = await world.run(
      host,
      `mariadb -N -B -e "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_cluster_size','wsrep_cluster_status','wsrep_local_state_comment','wsrep_cluster_conf_id','wsrep_cluster_state_uuid','wsrep_ready')"`,
    )
    views.push(stdout)
  }
  expect(new Set(views).size).toBe(1)
  expect(views[0]).toContain('wsrep_cluster_size\t3\n')
  expect(views[0]).toContain('wsrep_local_state_comment\tSynced\n')
  const queues = JSON.parse(
    (await world.run('ctl1', 'rabbitmqctl list_queues name messages consumers --formatter json')).stdout,
  ) as { consumers: number; messages: number }[]
  expect(queues.filter(({ consumers, messages }) => consumers === 0 || messages > 0)).toEqual([])
  const proxies = (
    await world.run(
      'ctl1',
      'echo \'show stat\' | socat stdio /run/haproxy/admin.sock | awk -F, \'!/^#/ && NF>1 && $18!="UP" && $18!="OPEN"\'',
    )
  ).stdout
  expect(proxies).toBe('')
  expect(world.effects).toEqual([])
})
