import { expect } from 'vitest'
import { type Contract, json, keys, text } from './said.ts'

/** What every row about an OSD begins with, in `osd df` and in `osd tree`. */
const osdRow = ['id', 'device_class', 'name', 'type', 'type_id', 'crush_weight', 'depth', 'pool_weights']

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
        ...osdRow,
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
      expect(keys(osd)).toEqual([...osdRow, 'exists', 'status', 'reweight', 'primary_affinity'])
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
    name: '`ceph osd ok-to-stop` of all OSDs ends with 16 in JSON too, and names what nobody could reach any more',
    on: 'ceph',
    async holds(run, host) {
      const all = (await text(run, host, 'ceph osd ls')).trim().split(/\s+/)
      const { code, stdout } = await run(host, `ceph -f json osd ok-to-stop ${all.join(' ')}`)
      const answer = JSON.parse(stdout)
      expect({ code, ...answer }).toMatchObject({ code: 16, ok_to_stop: false, osds: all.map(Number), num_ok_pgs: 0 })
      expect(answer.bad_become_inactive).toHaveLength(answer.num_not_ok_pgs)
      for (const pg of answer.bad_become_inactive) expect(pg).toMatch(/^\d+\.[0-9a-f]+$/)
    },
  },
  {
    name: 'an OSD that data are on is neither destroyed nor purged, and one that is not there does no harm',
    on: 'ceph',
    async holds(run, host) {
      for (const verb of ['destroy', 'purge']) {
        // whoever is sure is not asked what is on it: only that it is down
        for (const [sure, said] of [
          ['', /^Error EBUSY: OSD\(s\) 0 have \d+ pgs currently mapped to them/m],
          [' --yes-i-really-mean-it', /^Error EBUSY: osd\.0 is not `down`/m],
        ] as const) {
          const { code, stderr } = await run(host, `ceph osd ${verb} osd.0${sure}`)
          expect(code).toBe(16)
          expect(stderr).toMatch(said)
        }
        const absent = await run(host, `ceph osd ${verb} osd.99 --yes-i-really-mean-it`)
        expect(absent.code).toBe(0)
        expect(absent.stderr).toMatch(/^osd\.99 does not exist/m)
      }
      expect((await text(run, host, 'ceph osd tree destroyed')).trim().split('\n')).toHaveLength(1)
      expect(await json(run, host, 'ceph -f json osd tree destroyed')).toEqual({ nodes: [], stray: [] })
    },
  },
  {
    name: 'an OSD is put out and in, each a second time with exit code 0 too; it stays up, and in its place',
    on: 'ceph',
    async holds(run, host) {
      const osd = async () =>
        (await json(run, host, 'ceph -f json osd tree')).nodes.find(({ id }: { id: number }) => id === 0)
      const before = await osd()
      try {
        for (const said of [/^marked out osd\.0/, /^osd\.0 is already out/]) {
          const { code, stderr } = await run(host, 'ceph osd out osd.0')
          expect(code).toBe(0)
          expect(stderr).toMatch(said)
        }
        expect(await osd()).toEqual({ ...before, reweight: 0 })
      } finally {
        for (const said of [/^marked in osd\.0/, /^osd\.0 is already in/]) {
          const { code, stderr } = await run(host, 'ceph osd in osd.0')
          expect(code).toBe(0)
          expect(stderr).toMatch(said)
        }
      }
      expect(await osd()).toEqual(before)
    },
  },
  {
    name: 'versions are counted by kind, keys are listed by name, and all daemons tell of themselves at once',
    on: 'ceph',
    async holds(run, host) {
      const versions = await json(run, host, 'ceph -f json versions')
      expect(keys(versions)).toEqual(['mon', 'mgr', 'osd', 'mds', 'overall'])
      for (const [version, count] of Object.entries(versions.overall)) {
        expect(version).toMatch(/^ceph version \d+\.\d+\.\d+ /)
        expect(count).toBeTypeOf('number')
      }
      for (const key of await json(run, host, 'ceph -f json config-key ls')) expect(key).toBeTypeOf('string')
      const ids = (await text(run, host, 'ceph osd ls')).trim().split(/\s+/).map(Number)
      const all = await json(run, host, 'ceph -f json osd metadata')
      expect(all.map(({ id }: { id: number }) => id)).toEqual(ids)
      for (const { hostname } of all) expect(hostname).toBeTypeOf('string')
      const { pools, crush_node_flags, device_class_flags } = await json(run, host, 'ceph -f json osd dump')
      expect([crush_node_flags, device_class_flags]).toEqual([{}, {}])
      for (const pool of pools) expect(pool).toMatchObject({ type: 1, size: 3, min_size: 2 })
    },
  },
  {
    name: 'without an orchestrator no lamp is lit',
    on: 'ceph',
    async holds(run, host) {
      for (const words of ['on nosuch', 'off nosuch --force']) {
        const { code, stderr } = await run(host, `ceph device light ${words}`)
        expect(code).toBe(2)
        expect(stderr).toMatch(/^Error ENOENT: No orchestrator configured/)
      }
      expect(await text(run, host, 'ceph device ls')).toMatch(/^DEVICE +HOST:DEV +DAEMONS/)
    },
  },
  {
    name: 'ceph-volume lists what it can read, has nothing for a volume that nobody has, and wipes no disk that is not there',
    on: 'ceph',
    async holds(run, host) {
      const { host: at } = await json(run, host, 'ceph -f json osd find osd.0')
      for (const [fsid, row] of Object.entries(await json(run, at, 'ceph-volume raw list --format json'))) {
        expect(keys(row as object)).toEqual(['ceph_fsid', 'device', 'osd_id', 'osd_uuid', 'type'])
        expect(row).toMatchObject({ osd_uuid: fsid, type: 'bluestore' })
      }
      for (const id of keys(await json(run, at, 'ceph-volume lvm list --format json'))) expect(id).toMatch(/^\d+$/)
      expect(await json(run, at, 'ceph-volume lvm list nosuch/db --format json')).toEqual({})
      expect((await run(at, 'ceph-volume lvm zap --destroy /dev/nosuch')).code).toBe(1)
    },
  },
  {
    name: 'a disk that is not there is told by each program in its own way',
    on: 'ceph',
    async holds(run, host) {
      const { host: at } = await json(run, host, 'ceph -f json osd find osd.0')
      expect((await run(at, 'lsblk -nrso NAME /dev/nosuch')).code).toBe(32)
      expect((await run(at, 'wipefs --no-act /dev/nosuch')).code).toBe(1)
      const smart = await run(at, 'smartctl -H /dev/nosuch')
      expect(smart.code).toBe(2)
      expect(smart.stdout + smart.stderr).toMatch(/^Smartctl open device: \/dev\/nosuch failed: No such device/m)
      expect((await run(at, 'mountpoint -q /')).code).toBe(0)
      expect((await run(at, 'mountpoint -q /etc')).code).toBe(32)
      for (const verb of ['reset-failed', 'disable --now', 'enable --now'])
        expect((await run(at, `systemctl ${verb} nosuch`)).code).toBe(1)
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
