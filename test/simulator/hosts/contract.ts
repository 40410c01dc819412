import { expect } from 'vitest'

export interface Said {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
}

/** Runs one command line on a host, as root, by whatever means. */
export type Run = (host: string, command: string) => Promise<Said>

/** What a command's output must look like, on a simulated host and on a real one. */
export interface Contract {
  readonly name: string
  /** Which hosts it is about. */
  readonly on: 'any' | 'ceph' | 'database' | 'controller'
  holds(run: Run, host: string): Promise<void>
}

const json = async (run: Run, host: string, command: string) => {
  const { stdout, code } = await run(host, command)
  expect(code).toBe(0)
  return JSON.parse(stdout)
}
const text = async (run: Run, host: string, command: string) => (await run(host, command)).stdout
const keys = (value: object) => Object.keys(value)

export const contracts: readonly Contract[] = [
  {
    name: '`df -P` has six columns, KiB and a share in percent',
    on: 'any',
    async holds(run, host) {
      const [head, ...rows] = (await text(run, host, 'df -P')).trimEnd().split('\n')
      expect(head).toMatch(/^Filesystem +1024-blocks +Used Available Capacity Mounted on$/)
      expect(rows.length).toBeGreaterThan(0)
      for (const row of rows) expect(row).toMatch(/^\S+ +\d+ +\d+ +\d+ +(\d+%|-) \/\S*$/)
    },
  },
  {
    name: '`df -Pi` counts inodes',
    on: 'any',
    async holds(run, host) {
      const [head, row] = (await text(run, host, 'df -Pi /')).split('\n')
      expect(head).toMatch(/^Filesystem +Inodes +IUsed +IFree IUse% Mounted on$/)
      expect(row).toMatch(/^\S+ +\d+ +\d+ +\d+ +\d+% \/$/)
    },
  },
  {
    name: '`/proc` tells load, uptime, memory, boot id and traffic',
    on: 'any',
    async holds(run, host) {
      expect(await text(run, host, 'cat /proc/loadavg')).toMatch(/^\d+\.\d\d \d+\.\d\d \d+\.\d\d \d+\/\d+ \d+\n$/)
      expect(await text(run, host, 'cat /proc/uptime')).toMatch(/^\d+\.\d\d \d+\.\d\d\n$/)
      expect(await text(run, host, 'cat /proc/sys/kernel/random/boot_id')).toMatch(
        /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\n$/,
      )
      expect(await text(run, host, 'cat /proc/meminfo')).toMatch(
        /^MemTotal: +\d+ kB\nMemFree: +\d+ kB\nMemAvailable: +\d+ kB\n/,
      )
      expect(await text(run, host, 'cat /proc/net/dev')).toMatch(/^Inter-\|.*\n face \|bytes.*\n +lo: +\d+/)
    },
  },
  {
    name: '`uptime -s`, `nproc`, `uname -r` and `date` have their forms',
    on: 'any',
    async holds(run, host) {
      expect(await text(run, host, 'uptime -s')).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\n$/)
      expect(await text(run, host, 'uptime')).toMatch(
        /^ \d\d:\d\d:\d\d up .*, {2}load average: \d+\.\d\d, \d+\.\d\d, \d+\.\d\d\n$/,
      )
      expect(await text(run, host, 'nproc')).toMatch(/^\d+\n$/)
      expect(await text(run, host, 'uname -r')).toMatch(/^\d+\.\d+/)
      expect(await text(run, host, 'date -u +%FT%T')).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\n$/)
    },
  },
  {
    name: '`systemctl is-active` says the state and ends with 3 when it is not active',
    on: 'any',
    async holds(run, host) {
      expect(await run(host, 'systemctl is-active ssh')).toMatchObject({ stdout: 'active\n', code: 0 })
      expect(await run(host, 'systemctl is-active nosuch')).toMatchObject({ stdout: 'inactive\n', code: 3 })
    },
  },
  {
    name: '`systemctl show` ends with 0 for a unit that is not there, and prints in an order of its own',
    on: 'any',
    async holds(run, host) {
      const found = await run(host, 'systemctl show nosuch -p LoadState -p ActiveState')
      expect(found).toMatchObject({ stdout: 'LoadState=not-found\nActiveState=inactive\n', code: 0 })
      const shown = await text(run, host, 'systemctl show ssh -p ActiveState -p MainPID --no-pager')
      expect(shown).toMatch(/^MainPID=\d+\nActiveState=active\n$/)
      expect(await text(run, host, 'systemctl show -p MainPID --value ssh')).toMatch(/^\d+\n$/)
    },
  },
  {
    name: '`systemctl start` of a unit that is not there ends with 5',
    on: 'any',
    async holds(run, host) {
      const { code, stderr } = await run(host, 'systemctl start nosuch')
      expect(code).toBe(5)
      expect(stderr).toBe('Failed to start nosuch.service: Unit nosuch.service not found.\n')
    },
  },
  {
    name: '`systemctl list-units --output=json` is a list',
    on: 'any',
    async holds(run, host) {
      expect(await json(run, host, 'systemctl list-units --state=failed --output=json')).toEqual([])
      const [first] = await json(run, host, 'systemctl list-units --type=service --output=json')
      expect(keys(first)).toEqual(['unit', 'load', 'active', 'sub', 'description'])
    },
  },
  {
    name: '`journalctl -o json` has one object a line with microseconds as text',
    on: 'any',
    async holds(run, host) {
      const line = JSON.parse(await text(run, host, 'journalctl -k -n 1 -o json --no-pager'))
      expect(keys(line)).toEqual(
        expect.arrayContaining(['__REALTIME_TIMESTAMP', 'MESSAGE', 'PRIORITY', '_BOOT_ID', '_HOSTNAME', '_TRANSPORT']),
      )
      expect(line.__REALTIME_TIMESTAMP).toMatch(/^\d{16}$/)
      expect(line._TRANSPORT).toBe('kernel')
    },
  },
  {
    name: '`journalctl -o short-iso` writes the offset without a colon',
    on: 'any',
    async holds(run, host) {
      expect(await text(run, host, 'journalctl -k -n 1 -o short-iso --no-pager')).toMatch(
        /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} \S+ kernel: /,
      )
    },
  },
  {
    name: '`ip -j` tells links and addresses with the keys of iproute2',
    on: 'any',
    async holds(run, host) {
      const [brief] = await json(run, host, 'ip -j -br link')
      expect(keys(brief)).toEqual(['ifname', 'operstate', 'address', 'flags'])
      const [full] = await json(run, host, 'ip -j addr')
      expect(keys(full)).toEqual([
        'ifindex',
        'ifname',
        'flags',
        'mtu',
        'qdisc',
        'operstate',
        'group',
        'txqlen',
        'link_type',
        'address',
        'broadcast',
        'addr_info',
      ])
      const [counted] = await json(run, host, 'ip -s -j link')
      expect(keys(counted.stats64.rx)).toEqual(['bytes', 'packets', 'errors', 'dropped', 'over_errors', 'multicast'])
      expect(keys(counted.stats64.tx)).toEqual([
        'bytes',
        'packets',
        'errors',
        'dropped',
        'carrier_errors',
        'collisions',
      ])
    },
  },
  {
    name: '`lsblk -J` lists block devices with their mount points',
    on: 'any',
    async holds(run, host) {
      const { blockdevices } = await json(run, host, 'lsblk -J')
      expect(keys(blockdevices[0])).toEqual(
        expect.arrayContaining(['name', 'maj:min', 'rm', 'size', 'ro', 'type', 'mountpoints']),
      )
    },
  },
  {
    name: '`findmnt -J` shows the root with its options',
    on: 'any',
    async holds(run, host) {
      const { filesystems } = await json(run, host, 'findmnt -J /')
      expect(keys(filesystems[0])).toEqual(['target', 'source', 'fstype', 'options'])
    },
  },
  {
    name: 'a command that is not installed ends with 127',
    on: 'any',
    async holds(run, host) {
      const { code, stderr } = await run(host, 'nosuchcommand ps')
      expect(code).toBe(127)
      expect(stderr).toMatch(/nosuchcommand: command not found\n$/)
    },
  },
  {
    name: '`ceph -f json status` has the keys of 16.2, and no count of degraded objects when there is none',
    on: 'ceph',
    async holds(run, host) {
      const status = await json(run, host, 'ceph -f json status')
      expect(keys(status)).toEqual([
        'fsid',
        'health',
        'election_epoch',
        'quorum',
        'quorum_names',
        'quorum_age',
        'monmap',
        'osdmap',
        'pgmap',
        'fsmap',
        'mgrmap',
        'servicemap',
        'progress_events',
      ])
      expect(keys(status.osdmap)).toEqual([
        'epoch',
        'num_osds',
        'num_up_osds',
        'osd_up_since',
        'num_in_osds',
        'osd_in_since',
        'num_remapped_pgs',
      ])
      expect(keys(status.pgmap)).toEqual([
        'pgs_by_state',
        'num_pgs',
        'num_pools',
        'num_objects',
        'data_bytes',
        'bytes_used',
        'bytes_avail',
        'bytes_total',
      ])
      expect(keys(status.health)).toEqual(['status', 'checks', 'mutes'])
    },
  },
  {
    name: '`ceph -f json osd df`, `osd tree` and `osd dump` have the keys of 16.2',
    on: 'ceph',
    async holds(run, host) {
      const df = await json(run, host, 'ceph -f json osd df')
      expect(keys(df)).toEqual(['nodes', 'stray', 'summary'])
      expect(keys(df.nodes[0])).toEqual([
        'id',
        'device_class',
        'name',
        'type',
        'type_id',
        'crush_weight',
        'depth',
        'pool_weights',
        'reweight',
        'kb',
        'kb_used',
        'kb_used_data',
        'kb_used_omap',
        'kb_used_meta',
        'kb_avail',
        'utilization',
        'var',
        'pgs',
        'status',
      ])
      const tree = await json(run, host, 'ceph -f json osd tree')
      expect(tree.nodes.map(({ type }: { type: string }) => type)).toEqual(
        expect.arrayContaining(['root', 'host', 'osd']),
      )
      const osd = tree.nodes.find(({ type }: { type: string }) => type === 'osd')
      expect(keys(osd)).toEqual([
        'id',
        'device_class',
        'name',
        'type',
        'type_id',
        'crush_weight',
        'depth',
        'pool_weights',
        'exists',
        'status',
        'reweight',
        'primary_affinity',
      ])
      const dump = await json(run, host, 'ceph -f json osd dump')
      expect(keys(dump)).toEqual(
        expect.arrayContaining([
          'epoch',
          'fsid',
          'flags',
          'flags_set',
          'pools',
          'osds',
          'nearfull_ratio',
          'full_ratio',
          'require_osd_release',
        ]),
      )
      expect(keys(dump.osds[0])).toEqual(expect.arrayContaining(['osd', 'uuid', 'up', 'in', 'weight', 'state']))
    },
  },
  {
    name: '`ceph osd safe-to-destroy` ends with 0 in JSON even when it is not safe, and with 16 in plain text',
    on: 'ceph',
    async holds(run, host) {
      expect(await json(run, host, 'ceph -f json osd safe-to-destroy 0')).toEqual({
        safe_to_destroy: [],
        active: [0],
        missing_stats: [],
        stored_pgs: [],
      })
      expect((await run(host, 'ceph osd safe-to-destroy 0')).code).toBe(16)
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
    name: '`show stat` is CSV with its header after a sharp',
    on: 'controller',
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
    name: '`rabbitmqctl cluster_status --formatter json` tells nodes, partitions and alarms',
    on: 'controller',
    async holds(run, host) {
      const status = await json(run, host, 'rabbitmqctl cluster_status --formatter json')
      expect(keys(status)).toEqual(
        expect.arrayContaining([
          'alarms',
          'cluster_name',
          'disk_nodes',
          'feature_flags',
          'listeners',
          'maintenance_status',
          'partitions',
          'ram_nodes',
          'running_nodes',
          'versions',
        ]),
      )
      const [queue] = await json(run, host, 'rabbitmqctl list_queues name messages consumers --formatter json')
      expect(keys(queue).sort()).toEqual(['consumers', 'messages', 'name'])
    },
  },
]
