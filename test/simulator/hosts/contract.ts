import { expect } from 'vitest'
import { cephContracts } from './ceph-contract.ts'
import { galeraContracts } from './galera-contract.ts'
import { type Contract, json, keys, text } from './said.ts'

/** What each host, and each cluster, must answer. */
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
    name: '`du` says how much there is, with its name after a tab, and ends with 1 for what is not there',
    on: 'any',
    async holds(run, host) {
      const [file, nothing] = ['/tmp/du-contract', '/tmp/du-contract-none']
      try {
        await run(host, `printf %0100d 7 > ${file}`)
        expect(await text(run, host, `du -b ${file}`)).toBe(`100\t${file}\n`)
        expect(await text(run, host, `du -sk ${file}`)).toMatch(/^\d+\t\/tmp\/du-contract\n$/)
      } finally {
        await run(host, `rm -f ${file}`)
      }
      expect(await run(host, `du -sk ${nothing}`)).toMatchObject({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^du: cannot access .*: No such file or directory\n$/),
      })
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
    name: '`systemctl disable --now` and `enable --now` are over when the unit is stopped and started',
    on: 'any',
    async holds(run, host) {
      try {
        expect(await run(host, 'systemctl disable --now cron')).toMatchObject({ code: 0 })
        expect(await text(run, host, 'systemctl is-active cron; systemctl is-enabled cron; true')).toBe(
          'inactive\ndisabled\n',
        )
      } finally {
        expect(await run(host, 'systemctl enable --now cron')).toMatchObject({ code: 0 })
      }
      expect(await text(run, host, 'systemctl is-active cron; systemctl is-enabled cron')).toBe('active\nenabled\n')
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
  ...cephContracts,
  ...galeraContracts,
]
