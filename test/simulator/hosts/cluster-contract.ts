import { expect } from 'vitest'
import { type Contract, json, keys, text } from './said.ts'

/** What Ceph, Galera, haproxy and RabbitMQ must answer. */
export const clusterContracts: readonly Contract[] = [
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
    name: 'an OSD that is not there is "safe to destroy", and in no tree; one that is has a host, and a daemon that told its disk',
    on: 'ceph',
    async holds(run, host) {
      expect(await json(run, host, 'ceph -f json osd safe-to-destroy 99')).toMatchObject({ safe_to_destroy: [99] })
      expect((await run(host, 'ceph osd find 99')).code).toBe(2)
      expect((await run(host, 'ceph osd tree destroyed')).stdout).not.toMatch(/osd[.]0/)
      expect((await run(host, 'ceph osd tree up')).stdout).toMatch(/osd[.]0/)
      const found = await json(run, host, 'ceph -f json osd find osd.0')
      expect(keys(found)).toEqual(['osd', 'addrs', 'osd_fsid', 'host', 'crush_location'])
      const metadata = await json(run, host, 'ceph -f json osd metadata osd.0')
      expect(metadata).toMatchObject({ id: 0, hostname: found.host, bluefs_dedicated_db: '0' })
      for (const key of ['device_ids', 'devices', 'bluestore_bdev_size', 'bluestore_bdev_rotational'])
        expect(metadata[key]).toBeTypeOf('string')
    },
  },
  {
    name: '`ceph osd ok-to-stop` in JSON says whether, and counts',
    on: 'ceph',
    async holds(run, host) {
      const answer = await json(run, host, 'ceph -f json osd ok-to-stop osd.0')
      expect(answer).toMatchObject({ ok_to_stop: true, osds: [0], num_not_ok_pgs: 0 })
      expect(answer).not.toHaveProperty('bad_become_inactive')
    },
  },
  {
    name: 'an OSD that is kept from being put out says so in its own state, and in the health, and in no flag of the cluster',
    on: 'ceph',
    async holds(run, host) {
      await run(host, 'ceph osd add-noout osd.0')
      try {
        const { osds, flags } = await json(run, host, 'ceph -f json osd dump')
        expect(osds[0].state).toEqual(['exists', 'noout', 'up'])
        expect(flags).not.toContain('noout')
        expect(keys((await json(run, host, 'ceph -f json health')).checks)).toContain('OSD_FLAGS')
      } finally {
        await run(host, 'ceph osd rm-noout osd.0')
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
