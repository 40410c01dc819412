import { describe, expect, test } from 'vitest'
import { hostFaults } from '../../../simulator/hosts/index.ts'
import { startWorld, type TestWorld } from './world.ts'

/** What a fault must change, seen from outside: the same question before and after. */
const seen: Readonly<
  Record<string, { params: Record<string, unknown>; host: string; ask: string; healthy: RegExp; faulty: RegExp }>
> = {
  'hosts.disk_full': {
    params: { host: 'ctl1', mount: '/', percent: 97 },
    host: 'ctl1',
    ask: 'df -P / | tail -1',
    healthy: / [1-5]?\d% \/$/m,
    faulty: / 97% \/$/m,
  },
  'hosts.inodes_full': {
    params: { host: 'ctl1', mount: '/', percent: 98 },
    host: 'ctl1',
    ask: 'df -Pi / | tail -1',
    healthy: / [1-5]?\d% \/$/m,
    faulty: / 98% \/$/m,
  },
  'hosts.file_gone': {
    params: { host: 'cmp1', path: '/boot/vmlinuz-6.1.0-37-amd64' },
    host: 'cmp1',
    ask: 'ls /boot/vmlinuz-* 2>&1',
    healthy: /^\/boot\/vmlinuz-6/m,
    faulty: /No such file/,
  },
  'hosts.kernel_installed': {
    params: { host: 'cmp1', release: '6.1.0-40-amd64', first: true, runs: true },
    host: 'cmp1',
    ask: `awk '$1 == "linux" { print $2; exit }' /boot/grub/grub.cfg`,
    healthy: /-37-/,
    faulty: /^\/vmlinuz-6.1.0-40-amd64$/m,
  },
  'hosts.unit_failed': {
    params: { host: 'cmp1', unit: 'libvirtd' },
    host: 'cmp1',
    ask: 'systemctl is-active libvirtd',
    healthy: /^active$/m,
    faulty: /^failed$/m,
  },
  'hosts.unit_disabled': {
    params: { host: 'cmp1', unit: 'cron' },
    host: 'cmp1',
    ask: 'systemctl is-enabled cron; systemctl is-active cron',
    healthy: /^enabled\nactive$/m,
    faulty: /^disabled\nactive$/m,
  },
  'hosts.unit_slow': {
    params: { host: 'cmp1', unit: 'cron', minutes: 1 },
    host: 'cmp1',
    ask: 'systemctl restart --no-block cron; sleep 10; systemctl is-active cron',
    healthy: /^active$/m,
    faulty: /^activating$/m,
  },
  'hosts.unit_slow_to_stop': {
    params: { host: 'cmp1', unit: 'cron', minutes: 1 },
    host: 'cmp1',
    ask: 'systemctl start cron; systemctl stop --no-block cron; sleep 10; systemctl is-active cron',
    healthy: /^inactive$/m,
    faulty: /^deactivating$/m,
  },
  'hosts.mounted': {
    params: { host: 'cmp1', at: '/srv', source: 'nas1:/srv', type: 'nfs4', from_boot: 'there' },
    host: 'cmp1',
    ask: 'findmnt -rn -o TARGET,SOURCE,FSTYPE /srv || echo nothing',
    healthy: /^nothing$/m,
    faulty: /^\/srv nas1:\/srv nfs4$/m,
  },
  'hosts.address_gone': {
    params: { host: 'cmp1', nic: 'eno2' },
    host: 'cmp1',
    ask: 'ip -br addr | grep eno2',
    healthy: /^eno2 +UP +10\.78\.0\.21\/24 $/m,
    faulty: /^eno2 +UP +$/m,
  },
  'hosts.bonded': {
    params: { host: 'cmp1', bond: 'bond0', lost: '' },
    host: 'cmp1',
    ask: 'grep -A1 "^Slave" /proc/net/bonding/bond0 2>&1',
    healthy: /No such file/,
    faulty: /^Slave Interface: eno1\nMII Status: up$/m,
  },
  'hosts.unit_added': {
    params: { host: 'cmp1', unit: 'ceph-osd@3' },
    host: 'cmp1',
    ask: 'systemctl list-units --type=service --state=active --plain --no-legend | grep -c ceph-osd@3.service',
    healthy: /^0$/m,
    faulty: /^1$/m,
  },
  'hosts.container': {
    params: { host: 'cmp1', name: 'nova_libvirt', health: 'unhealthy', from_boot: 'healthy' },
    host: 'cmp1',
    ask: 'docker ps 2>&1 | tail -1',
    healthy: /docker: command not found/,
    faulty: / Up 2 hours \(unhealthy\) .* nova_libvirt$/m,
  },
  'hosts.io_errors': {
    params: { host: 'cmp1', device: 'sda' },
    host: 'cmp1',
    ask: 'journalctl -k -p 3 --since -1h --no-pager',
    healthy: /^-- No entries --$/m,
    faulty: /I\/O error, dev sda/,
  },
  'hosts.oom': {
    params: { host: 'cmp1' },
    host: 'cmp1',
    ask: 'journalctl -k -p 3 --since -1h --no-pager',
    healthy: /^-- No entries --$/m,
    faulty: /Out of memory: Killed process/,
  },
  'hosts.clock_offset': {
    params: { host: 'cmp1', seconds: 2.5 },
    host: 'cmp1',
    ask: 'chronyc -n tracking | grep "System time"',
    healthy: /: 0\.000\d+ seconds/,
    faulty: /: 2\.5\d* seconds fast of NTP time/,
  },
  'hosts.high_load': {
    params: { host: 'cmp1', load: 90 },
    host: 'cmp1',
    ask: 'cat /proc/loadavg',
    healthy: /^0\./,
    faulty: /^90\.00 87\.30 81\.00 /,
  },
  'hosts.fstab_line': {
    params: { host: 'cmp1', line: '/dev/sdz1 /srv/old ext4 defaults 0 2' },
    host: 'cmp1',
    ask: 'tail -n 1 /etc/fstab; findmnt --verify',
    healthy: /^\/dev\/sda2 \/boot/,
    faulty: /^\/dev\/sdz1 \/srv\/old ext4 defaults 0 2\n[\s\S]*^\/srv\/old\n/m,
  },
  'hosts.nic_down': {
    params: { host: 'cmp1', nic: 'eno2' },
    host: 'cmp1',
    ask: 'ip -br link | grep eno2',
    healthy: /^eno2 +UP /,
    faulty: /^eno2 +DOWN /,
  },
  'ceph.osd_down': {
    params: { osd: 1 },
    host: 'ceph1',
    ask: 'ceph health',
    healthy: /^HEALTH_OK$/m,
    faulty: /1 osds down/,
  },
  'ceph.disk_gone': {
    params: { osd: 1 },
    host: 'ceph1',
    ask: 'lsblk -nrso TYPE /var/lib/ceph/osd/ceph-1/block; lsblk -dn /dev/sdc 2>&1 | wc -l; ceph health',
    healthy: /^lvm\ndisk\n1\nHEALTH_OK$/m,
    faulty: /^lvm\n1\nHEALTH_WARN 1 osds down/,
  },
  'ceph.stale': {
    params: { osd: 1, minutes: 10, once_down: false },
    host: 'ceph1',
    ask: `sleep 100; ceph health detail; ceph pg stat; sleep 600; ceph health`,
    healthy: /^HEALTH_OK\n161 pgs: 161 active\+clean;.*\nHEALTH_OK\n$/,
    faulty:
      /^HEALTH_WARN Reduced data availability: (\d+) pgs stale\n\[WRN\] PG_AVAILABILITY: Reduced data availability: \1 pgs stale\n( {4}pg [0-9.a-f]+ is stuck stale for 1\d\ds, current state stale\+active\+clean, last acting \[1,\d+,\d+\]\n)+161 pgs: \d+ active\+clean, \1 stale\+active\+clean;.*\nHEALTH_OK\n$/,
  },
  'ceph.flags': {
    params: { flags: ['norecover', 'noout'] },
    host: 'ceph1',
    ask: 'ceph health',
    healthy: /^HEALTH_OK$/m,
    faulty: /noout,norecover flag\(s\) set/,
  },
  'ceph.nearfull': {
    params: { osd: 1, percent: 87 },
    host: 'ceph1',
    ask: 'ceph health',
    healthy: /^HEALTH_OK$/m,
    faulty: /1 nearfull osd\(s\)/,
  },
  'ceph.inconsistent': {
    params: { pool: 'vms' },
    host: 'ceph1',
    ask: 'ceph health',
    healthy: /^HEALTH_OK$/m,
    faulty: /HEALTH_ERR.*Possible data damage: 1 pg inconsistent/,
  },
  'ceph.folder_differs': {
    params: { osd: 1, of: 2 },
    host: 'ceph1',
    ask: 'cd /var/lib/ceph/osd; cat ceph-1/whoami; [ "$(cat ceph-1/fsid)" != "$(cat ceph-2/fsid)" ] || echo same',
    healthy: /^1\n$/,
    faulty: /^2\nsame\n$/,
  },
  'ceph.volume_differs': {
    params: { osd: 1, disk: 'sdb', fsid: '0a0a0a0a-0000-4000-8000-000000000001' },
    host: 'ceph1',
    ask: `ceph-volume lvm list --format json | jq -c '.["1"][0] | [.devices[0], .tags["ceph.osd_fsid"]]'
ceph-volume raw list | jq -c '.[] | select(.osd_id == 1) | [.device, .osd_uuid]'`,
    healthy: /^\["\/dev\/sdc","(?!0a0a0a0a)[0-9a-f-]{36}"\]$/m,
    faulty: /^(\["\/dev\/sdb","0a0a0a0a-0000-4000-8000-000000000001"\]\n){2}$/,
  },
  'ceph.stays_up': {
    params: { osd: 1, minutes: 5 },
    host: 'ceph1',
    ask: `systemctl stop ceph-osd@1
for wait in 60 180 120; do sleep $wait; ceph osd tree | grep 'osd[.]1 '; done | grep -oE ' (up|down) '
systemctl start ceph-osd@1; sleep 60`,
    healthy: /^ down \n down \n down \n$/,
    faulty: /^ up \n up \n down \n$/,
  },
  'ceph.mon_down': {
    params: { host: 'ceph3' },
    host: 'ceph1',
    ask: 'ceph health',
    healthy: /^HEALTH_OK$/m,
    faulty: /1\/3 mons down, quorum ceph1,ceph2/,
  },
  'ceph.slow_ops': {
    params: { osd: 1, count: 12 },
    host: 'ceph1',
    ask: 'ceph health',
    healthy: /^HEALTH_OK$/m,
    faulty: /12 slow ops, oldest one blocked for 93 sec, osd\.1 has slow ops/,
  },
  'ceph.crashed': {
    params: { osd: 1 },
    host: 'ceph1',
    ask: 'ceph health',
    healthy: /^HEALTH_OK$/m,
    faulty: /1 daemons have recently crashed/,
  },
  'rabbitmq.partition': {
    params: { nodes: ['ctl3'] },
    host: 'ctl1',
    ask: 'rabbitmqctl cluster_status --formatter json | jq -c .partitions',
    healthy: /^\{\}$/m,
    faulty: /^\{"rabbit@ctl1":\["rabbit@ctl3"\],"rabbit@ctl2":\["rabbit@ctl3"\]\}$/m,
  },
  'rabbitmq.queue_deaf': {
    params: { queue: 'compute.cmp2' },
    host: 'ctl1',
    ask: 'rabbitmqctl list_queues --quiet name consumers | grep compute.cmp2',
    healthy: /^compute.cmp2\s1$/m,
    faulty: /^compute.cmp2\s0$/m,
  },
  'rabbitmq.unconnected': {
    params: { host: 'cmp1', service: '' },
    host: 'cmp1',
    ask: 'ss -Htn state established | wc -l',
    healthy: /^2$/m,
    faulty: /^0$/m,
  },
  'rabbitmq.node_down': {
    params: { host: 'ctl2' },
    host: 'ctl1',
    ask: 'rabbitmqctl cluster_status --formatter json | jq -c .running_nodes',
    healthy: /ctl2/,
    faulty: /^\["rabbit@ctl1","rabbit@ctl3"\]$/m,
  },
  'rabbitmq.alarm': {
    params: { host: 'ctl2', resource: 'memory' },
    host: 'ctl2',
    ask: 'rabbitmq-diagnostics -q check_local_alarms 2>&1; echo $?',
    healthy: /^0$/m,
    faulty: /Memory alarm on node rabbit@ctl2\n69$/m,
  },
  'rabbitmq.queue_backlog': {
    params: { queue: 'conductor', messages: 25_000 },
    host: 'ctl1',
    ask: 'rabbitmqctl -q list_queues name messages | grep conductor',
    healthy: /^conductor\t0$/m,
    faulty: /^conductor\t25000$/m,
  },
  'galera.split': {
    params: { node: 'db3' },
    host: 'db3',
    ask: `mariadb -N -B -e "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_size','wsrep_cluster_status')"`,
    healthy: /size\t3\n.*\tPrimary$/m,
    faulty: /size\t1\n.*\tPrimary$/m,
  },
  'galera.not_synced': {
    params: { node: 'db2' },
    host: 'db2',
    ask: `mariadb -N -B -e "SHOW STATUS LIKE 'wsrep_local_state_comment'"`,
    healthy: /\tSynced$/m,
    faulty: /\tDonor\/Desynced$/m,
  },
  'galera.connections_high': {
    params: { percent: 96, node: '' },
    host: 'db1',
    ask: `mariadb -N -B -e "SHOW STATUS LIKE 'Threads_connected'"`,
    healthy: /\t612$/m,
    faulty: /\t1920$/m,
  },
  'galera.too_many_connections': {
    params: { node: 'db2', user: 'nova', wants: 2600, administrator: false },
    host: 'db2',
    ask: `mariadb -N -B -e "SHOW STATUS LIKE 'Threads_connected'"`,
    healthy: /\t12$/m,
    faulty: /\t2000$/m,
  },
  'galera.leak': {
    params: { node: 'db2', user: 'cinder', wants: 2000 },
    host: 'db2',
    ask: 'mariadb -N -B -e "SELECT USER, MAX(TIME) FROM information_schema.PROCESSLIST GROUP BY 1"',
    healthy: /^monitor\t20$/m,
    faulty: /^cinder\t7200$/m,
  },
  'galera.slow_queries': {
    params: { node: 'db2', user: 'nova', wants: 2200 },
    host: 'db2',
    ask: 'mariadb -N -B -e "SELECT USER, MAX(TIME) FROM information_schema.PROCESSLIST GROUP BY 1"',
    healthy: /^monitor\t20$/m,
    faulty: /^nova\t180$/m,
  },
  'galera.few_files': {
    params: { node: 'db2', files: 1500 },
    host: 'db2',
    ask: 'mariadb -N -B -e "SELECT @@max_connections"',
    healthy: /^2000$/m,
    faulty: /^1070$/m,
  },
  'galera.error_log': {
    params: { node: 'db2', path: '/var/log/mysql/error.log' },
    host: 'db2',
    ask: 'pid=$(systemctl show mariadb -p MainPID --value); readlink /proc/$pid/fd/2; tail -n 1 /var/log/mysql/error.log 2>&1',
    healthy: /^socket:\[\d+\]$/m,
    faulty:
      /^\/var\/log\/mysql\/error.log\n\d{4}-\d\d-\d\d \d\d:\d\d:\d\d 0 \[Note\] Starting MariaDB .* as process \d+$/m,
  },
  'galera.out_of_files': {
    params: { node: 'db2' },
    host: 'db2',
    ask: "journalctl -u mariadb -o cat --no-pager | grep -c 'Error in accept: Too many open files'",
    healthy: /^0$/m,
    faulty: /^1$/m,
  },
  'galera.no_majority': {
    params: { start_of: '' },
    host: 'db2',
    ask: `mariadb -N -B -e "SHOW STATUS LIKE 'wsrep_cluster_status'"`,
    healthy: /\tPrimary$/m,
    faulty: /\tnon-Primary$/m,
  },
  'galera.burst': {
    params: { minutes: 5 },
    host: 'db2',
    ask: `mariadb -N -B -e "SHOW STATUS WHERE Variable_name IN ('Max_used_connections','Threads_connected','Connection_errors_max_connections')"`,
    healthy: /errors_max_connections\t0\n.*used_connections\t12\n.*connected\t12$/m,
    faulty: /errors_max_connections\t340\n.*used_connections\t2000\n.*connected\t12$/m,
  },
  'galera.in_container': {
    params: { node: '', engine: 'docker' },
    host: 'db2',
    ask: 'systemctl show mariadb -p LoadState --value',
    healthy: /^loaded$/m,
    faulty: /^not-found$/m,
  },
  'galera.under_pacemaker': {
    params: {},
    host: 'db2',
    ask: 'systemctl is-active mariadb',
    healthy: /^active$/m,
    faulty: /^inactive$/m,
  },
  'haproxy.low_limit': {
    params: { proxy: 'galera', server: 'db1', limit: 400 },
    host: 'ctl1',
    ask: 'echo \'show stat\' | socat stdio /run/haproxy/admin.sock | awk -F, \'$1=="galera" && $2=="db1" {print $7}\'',
    healthy: /^2500$/m,
    faulty: /^400$/m,
  },
  'haproxy.quiet': {
    params: {},
    host: 'ctl1',
    ask: 'echo \'show stat\' | socat stdio /run/haproxy/admin.sock | awk -F, \'$1=="galera" && $2=="db1" {print $5}\'',
    healthy: /^[1-9]\d+$/m,
    faulty: /^0$/m,
  },
  'hosts.file': {
    params: { host: 'db2', path: '/etc/left.cnf', content: 'left\n' },
    host: 'db2',
    ask: 'cat /etc/left.cnf',
    healthy: /^$/,
    faulty: /^left$/m,
  },
  'haproxy.backend_down': {
    params: { proxy: 'nova_api', server: 'ctl2' },
    host: 'ctl1',
    ask: 'echo \'show stat\' | socat stdio /run/haproxy/admin.sock | awk -F, \'$1=="nova_api" && $2=="ctl2" {print $18}\'',
    healthy: /^UP$/m,
    faulty: /^DOWN$/m,
  },
  'alertmanager.down': {
    params: {},
    host: 'ctl2',
    ask: 'amtool silence query -q; echo $?',
    healthy: /^0$/m,
    faulty: /^1$/m,
  },
}

// what shows with a connection, or with the next start
const elsewhere = [
  'hosts.unreachable',
  'hosts.silent',
  'hosts.rebooted',
  'galera.comes_back_desynced',
  'galera.falls_with',
  'galera.files_capped',
  'galera.state_lost',
  'galera.state_transfer_hangs',
  // what shows when limits are raised: runbooks/mariadb-max-connections/*.test.ts
  'galera.limit_cut',
  'haproxy.kept_away',
  // what shows when a host is rebooted: test/simulator/openstack/compute-hosts.test.ts
  'hosts.never_back',
  // what shows when a host is rebooted: test/simulator/hosts/power.test.ts
  'hosts.another_answers',
  'hosts.hangs_in_reboot',
  'hosts.reboot_refused',
  'hosts.slow_boot',
  // what shows when a disk is replaced: runbooks/osd-replacement.test.ts, runbooks/osd-replacement-cephadm.test.ts
  'ceph.answers_late',
  'ceph.pool_empty',
  'ceph.block_differs',
  'ceph.create_fails',
  'ceph.destroy_refused',
  'ceph.disk_failing',
  'ceph.disk_swapped',
  'ceph.encrypted',
  'ceph.host_differs',
  'ceph.id_lost',
  'ceph.id_taken',
  'ceph.names_shifted',
  'ceph.old_daemon',
  'ceph.recovery_stuck',
  'ceph.removing',
  'ceph.serial_differs',
  'ceph.shared_database',
  'ceph.spare_disk',
  'ceph.thin_pool',
  'ceph.unmanaged',
]

function apply(world: TestWorld, name: string, params: Record<string, unknown>): void {
  hostFaults.find((each) => each.name === name)?.apply(world.world, params)
}

test('every fault of a host is looked at here or with the connections', () => {
  expect([...Object.keys(seen), ...elsewhere].sort()).toEqual(hostFaults.map(({ name }) => name).sort())
})

describe.each(Object.entries(seen).map(([name, each]) => ({ name, ...each })))(
  '$name',
  ({ name, params, host, ask, healthy, faulty }) => {
    test('shows where an operator looks, and not in a healthy world', async () => {
      await using world = await startWorld()
      expect((await world.run(host, ask)).stdout).toMatch(healthy)
      apply(world, name, params)
      const { stdout } = await world.run(host, ask)
      expect(stdout).toMatch(faulty)
      expect(stdout).not.toMatch(healthy)
    })
  },
)

describe.each(hostFaults)('$name', ({ params }) => {
  test('takes a closed set of parameters, each described', () => {
    expect(params.additionalProperties).toBe(false)
    for (const property of Object.values(params.properties)) expect(property.description).toMatch(/^[A-Z].*[^.]$/)
  })
})

test('a host that rebooted by itself has another boot id and little uptime', async () => {
  await using world = await startWorld({ computes: 1 })
  const before = (await world.run('cmp1', 'cat /proc/sys/kernel/random/boot_id')).stdout
  apply(world, 'hosts.rebooted', { host: 'cmp1' })
  await world.clock.advance(20_000)
  const after = await world.run('cmp1', 'cat /proc/sys/kernel/random/boot_id; systemctl is-active nova-compute')
  expect(after.stdout).toMatch(/^[0-9a-f-]{36}\nactive\n$/)
  expect(after.stdout).not.toContain(before.trim())
})

test('the others of a split cluster count two', async () => {
  await using world = await startWorld({ controllers: 1, computes: 1 })
  apply(world, 'galera.split', { node: 'db3' })
  const view = (host: string) =>
    world
      .run(host, `mariadb -N -B -e "SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_size','wsrep_cluster_conf_id')"`)
      .then(({ stdout }) => stdout)
  expect(await view('db1')).toMatch(/size\t2$/m)
  expect(await view('db1')).toBe(await view('db2'))
  expect(await view('db3')).not.toBe(await view('db1'))
})
