import { expect } from 'vitest'
import { type Contract, json, keys, text } from './said.ts'

/** What Ceph must answer. */
export const cephContracts: readonly Contract[] = [
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
    name: 'the folder of an OSD says whose it is, and leads to where its data are',
    on: 'ceph',
    async holds(run, host) {
      const found = await json(run, host, 'ceph -f json osd find osd.0')
      const folder = '/var/lib/ceph/osd/ceph-0'
      const files = await text(run, found.host, `cat ${folder}/fsid ${folder}/whoami`)
      expect(files.trimEnd()).toBe(`${found.osd_fsid}\n0`)
      expect((await text(run, found.host, `readlink -f ${folder}/block`)).trimEnd()).toMatch(/^\/(dev|srv)\/\S+$/)
      expect((await run(found.host, `test -e ${folder}/block`)).code).toBe(0)
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
]
