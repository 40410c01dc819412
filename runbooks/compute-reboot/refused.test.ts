import { expect, test } from 'vitest'
import { count, first, question, reboot, second, third } from '../../test/support/reboot-rehearsal.ts'

test('a host whose cell does not answer is left alone, for its servers would be taken for gone; another cell is no hindrance', async () => {
  const own = await reboot({ faults: [{ fault: 'nova.cell_down', with: { host: 'c1' } }] })
  expect(own.exit).toBe(1)
  expect(own.end.error?.message).toContain('the cell of c1 does not answer')
  expect(own.effects).toEqual([])
  const other = await reboot({
    faults: [{ fault: 'nova.cell_down', with: { host: 'c3' } }],
    inputs: { max_disabled: 1 },
  })
  expect(other.exit).toBe(0)
  const none = await reboot({
    faults: [{ fault: 'nova.cell_down', with: { host: 'c3' } }],
    inputs: { max_disabled: 0 },
  })
  expect(none.end.error?.message).toContain('c3')
  expect(none.effects).toEqual([])
})

test('without room for the last server nothing begins', async () => {
  const ran = await reboot({ faults: [{ fault: 'nova.no_capacity', with: { host: 'c1' } }] })
  expect(ran.end).toMatchObject({
    status: 'failed',
    error: {
      message: expect.stringMatching(/no other host has room for web-1 \(.* MiB of memory left, 4096 are needed/),
    },
  })
  expect(ran.effects).toEqual([])
})

test('room enough in sum, and no single host for the last server: nothing begins, and that server is named', async () => {
  // 54066 MiB are left for 36864; of the two servers of 16384 `c10` takes one, and nobody the other
  const left = { c10: 80, c2: 88, c3: 88 }
  const faults = Object.entries(left).map(([host, percent]) => ({
    fault: 'placement.overcommitted',
    with: { host, percent },
  }))
  const ran = await reboot({ faults })
  expect(ran.end).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining(`no other host has room for ${third} (`) },
  })
  expect(ran.end.error?.message).toContain('`c2`: it has 14745 MiB of memory left, 16384 are needed')
  for (const name of [first, second]) expect(ran.end.error?.message).not.toContain(name)
  expect(ran.effects).toEqual([])
})

test('room that is there only without the reserve is none, and the others must bear the loss of one more', async () => {
  const nearly = ['c10', 'c2', 'c3'].map((host) => ({ fault: 'placement.overcommitted', with: { host, percent: 70 } }))
  const reserved = await reboot({ faults: nearly, inputs: { reserve_ratio: 0.25 } })
  expect(reserved.end.error?.message).toContain(`no other host has room for ${second} (`)
  expect(reserved.end.error?.message).toContain('`reserve_ratio` keeps 0.25 of each host free')
  const spare = await reboot({ faults: nearly, inputs: { spare_host: true } })
  expect(spare.end.error?.message).toMatch(/could not lose one more host then: `c10` would hold \d+ MiB of memory, and/)
  expect(spare.end.error?.message).toContain(
    '`--input spare_host=false` goes without that, for somebody who may decide it',
  )
  expect([...reserved.effects, ...spare.effects]).toEqual([])
  const neither = await reboot({ faults: nearly })
  expect(neither.end).toMatchObject({ status: 'succeeded' })
})

test('a server that its group keeps with another one is in the way, or is stopped where that was agreed to', async () => {
  const faults = [{ fault: 'nova.servers_kept_together', with: { servers: [first, second] } }]
  const refused = await reboot({ faults })
  for (const name of [first, second])
    expect(refused.end.error?.message).toContain(
      `${name} (ACTIVE, its server group keeps it with others that are here)`,
    )
  expect(refused.effects).toEqual([])
  const ran = await reboot({
    faults,
    inputs: { unmovable: 'stop' },
    answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
  })
  expect(ran.end).toMatchObject({ status: 'succeeded' })
  for (const name of [first, second]) expect(count(ran, `openstack.server.start ${name}`)).toBe(1)
  expect(ran.did.filter((one) => one.startsWith('openstack.server.live_migrate'))).toEqual([
    `openstack.server.live_migrate ${third}`,
  ])
})

test.each([
  { target: 'c1', why: 'c1 is to be emptied, so nothing can move to it' },
  { target: 'c9', why: '0 compute services are called c9' },
  { target: 'c2', fault: 'nova.compute_disabled', with: { reason: 'disk' }, why: 'c2 is disabled: disk' },
  { target: 'c2', fault: 'nova.compute_down', why: 'nova-compute on c2 is down' },
  {
    target: 'c2',
    fault: 'placement.overcommitted',
    with: { percent: 80 },
    why: `c2 has no room for ${third} (\`c2\`: it has 8192 MiB of memory left, 16384 are needed)`,
  },
])('a chosen host that cannot take the servers is refused before anything begins: $why', async (it) => {
  const faults = it.fault === undefined ? [] : [{ fault: it.fault, with: { host: it.target, ...it.with } }]
  const ran = await reboot({ inputs: { target_host: it.target }, faults })
  expect(ran.end.error?.message).toContain(it.why)
  expect(ran.effects).toEqual([])
})

test('everything that speaks against it is told at once, and nothing begins', async () => {
  const ran = await reboot({
    faults: [
      { fault: 'nova.servers_kept_apart' },
      { fault: 'nova.compute_disabled', with: { host: 'c10' } },
      { fault: 'nova.compute_down', with: { host: 'c2' } },
      { fault: 'nova.server_state', with: { server: second, state: 'resized' } },
      { fault: 'nova.server_state', with: { server: third, state: 'active', locked: true } },
    ],
    inputs: { window_end: '2020-01-01T00:00:00Z' },
  })
  const message = ran.end.error?.message ?? ''
  for (const reason of [
    `no other host has room for ${first} (\`c3\`: group \`apart\` keeps it apart from a server there)`,
    'hosts of zone nova are down or disabled already: c10, c2. Wait for them, or say how many may be with `--input max_disabled=…`',
    `${second} (VERIFY_RESIZE)`,
    `${third} (ACTIVE, its owner has locked it)`,
    'which is later than 2020-01-01T00:00:00Z',
  ])
    expect(message).toContain(reason)
  expect(ran.effects).toEqual([])
})

test.each([
  { host: 'c', faults: [], why: '0 compute services are called c,' },
  { host: 'c1', faults: [{ fault: 'nova.compute_down', with: { host: 'c1' } }], why: 'nova-compute on c1 is down' },
  {
    host: 'c1',
    faults: [{ fault: 'hosts.unit_failed', with: { host: 'c1', unit: 'nova-compute' } }],
    why: 'nova-compute on c1 is failed',
  },
  {
    host: 'c1',
    faults: [{ fault: 'placement.provider_missing', with: { host: 'c1' } }],
    why: 'Placement does not know c1 by exactly one resource provider',
  },
])('a host that nothing can move away from, or that is not one, is refused: $why', async ({ host, faults, why }) => {
  // the machine answers, whatever Nova is asked for
  const ran = await reboot({ faults, inputs: { host, inventory_host: 'c1' } })
  expect(ran.end.error?.message).toContain(why)
  expect(ran.effects).toEqual([])
})

const ties = (what: string, name: string, value = '1') =>
  what === 'flavor'
    ? { fault: 'nova.flavor_spec', with: { server: first, name, value } }
    : { fault: 'glance.image_property', with: { name, value } }

interface Unmovable {
  readonly fault: string
  readonly with: object
  readonly why: string
  /** What the message says to try. */
  readonly helps?: string
}

test.each([
  {
    fault: 'network.port_direct',
    with: { server: first },
    why: 'ACTIVE, a device of the host is passed to it',
    helps: '. `--input unmovable=stop` stops',
  },
  ...[
    ['flavor', 'resources:VGPU'],
    ['flavor', 'resources_GPU1:VGPU'],
    ['flavor', 'resources:PCPU'],
    ['flavor', 'pci_passthrough:alias', 'a100:1'],
    ['flavor', 'accel:device_profile', 'fpga'],
    ['flavor', 'hw:numa_nodes', '2'],
    ['flavor', 'hw:cpu_policy', 'dedicated'],
    ['flavor', 'hw:mem_page_size', '1GB'],
    ['flavor', 'hw:tpm_version', '2.0'],
    ['image', 'hw_cpu_policy', 'dedicated'],
    ['image', 'hw_tpm_version', '2.0'],
  ].map(([what = '', name = '', value]) => ({
    ...ties(what, name, value),
    why: `ACTIVE, its ${what} ties it to the host by ${name}`,
  })),
  {
    fault: 'nova.server_state',
    with: { server: first, state: 'rescued' },
    why: 'RESCUE',
    helps: '. what is rescued, in error or resized has to be put right first',
  },
  { fault: 'nova.server_state', with: { server: first, state: 'error' }, why: 'ERROR' },
  {
    fault: 'nova.server_state',
    with: { server: first, task: 'image_uploading' },
    why: 'ACTIVE, it is image_uploading',
  },
])('a server that can neither move nor be stopped is named, and nothing begins: $why', async (it: Unmovable) => {
  const { why, helps = '', ...fault } = it
  const ran = await reboot({ faults: [fault] })
  expect(ran.end.error?.message).toContain(`these servers can neither move nor be stopped: ${first} (${why})${helps}`)
  expect(ran.effects).toEqual([])
})

test('a server that its owner has locked is not stopped: its owner has to unlock it, or it moves where that was agreed to', async () => {
  const locked = { fault: 'nova.server_state', with: { server: first, state: 'active', locked: true } }
  const refused = await reboot({ faults: [locked], inputs: { active: 'stop', locked: 'move' } })
  expect(refused.end.error?.message).toContain(
    `${first} (ACTIVE, its owner has locked it, so it is not stopped). its owner has to unlock it, or \`--input active=live --input locked=move\` moves it`,
  )
  expect(refused.effects).toEqual([])
  const moved = await reboot({ faults: [locked], inputs: { locked: 'move' } })
  expect(moved.end, moved.end.error?.message).toMatchObject({ status: 'succeeded' })
})

test.each([ties('flavor', 'resources:VGPU'), ties('image', 'hw_numa_nodes', '2')])(
  'a server that is tied to the host is stopped where that was agreed to, and not moved: $with.name',
  async (fault) => {
    const ran = await reboot({
      faults: [fault],
      inputs: { unmovable: 'stop' },
      answers: ['enter/agree=c1', 'enter/agree_stop=yes'],
    })
    expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
    expect(ran.did.filter((one) => one.endsWith(` ${first}`))).toEqual(
      ['lock', 'stop', 'start', 'unlock'].map((what) => `openstack.server.${what} ${first}`),
    )
  },
)

test('a server that shares processors, by what its flavor and its image say, is tied to no host', async () => {
  const faults = [ties('flavor', 'hw:cpu_policy', 'shared'), ties('image', 'hw_cpu_policy', 'shared')]
  const ran = await reboot({ faults })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  expect(count(ran, `openstack.server.live_migrate ${first}`)).toBe(1)
})

const cluster = '5d1b6f9c-9a51-11ef-8d3c-0242ac130002'

test.each([
  { fault: 'neutron.agent_added', with: { host: 'c1', agent_type: 'L3 agent' }, role: 'L3 agent' },
  { fault: 'neutron.agent_added', with: { host: 'c1', agent_type: 'DHCP agent' }, role: 'DHCP agent' },
  { fault: 'hosts.unit_added', with: { host: 'c1', unit: 'ceph-osd@3' }, role: 'ceph-osd@3.service' },
  { fault: 'hosts.unit_added', with: { host: 'c1', unit: 'ceph-mon@c1' }, role: 'ceph-mon@c1.service' },
  { fault: 'hosts.unit_added', with: { host: 'c1', unit: 'rabbitmq-server' }, role: 'rabbitmq-server.service' },
  {
    fault: 'neutron.agent_added',
    with: { host: 'c1', agent_type: 'OVN Controller Gateway agent' },
    role: 'OVN Controller Gateway agent',
  },
  // as cephadm calls it, and as Kolla does
  ...[`ceph-${cluster}@osd.3`, `ceph-${cluster}@mon.c1`].map((unit) => ({
    fault: 'hosts.unit_added',
    with: { host: 'c1', unit },
    role: `${unit}.service`,
  })),
  ...['ceph_osd_3', 'rabbitmq', 'neutron_l3_agent'].map((name) => ({
    fault: 'hosts.container',
    with: { host: 'c1', name },
    role: name,
  })),
])('a host that does more than compute is not taken away: $role', async ({ role, ...fault }) => {
  const ran = await reboot({ faults: [fault] })
  const help = 'Move that away first, or say `--input other_roles=true`'
  expect(ran.end.error?.message).toContain(`c1 does more than compute: ${role}. ${help}`)
  expect(ran.effects).toEqual([])
})

test('a host that does more than compute goes where that was agreed to, and as many may be out as was said', async () => {
  const faults = [
    { fault: 'neutron.agent_added', with: { host: 'c1', agent_type: 'L3 agent' } },
    ...['c10', 'c2'].map((host) => ({ fault: 'nova.compute_disabled', with: { host } })),
  ]
  const ran = await reboot({ faults, inputs: { other_roles: true, max_disabled: 2 } })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
})

const large = { controllers: 3, computes: ['c1', 'c10', 'c2', 'c3'], ceph: 3, databases: 3, servers: 16 }

test.each([
  { fault: 'rabbitmq.node_down', with: { host: 'ctl2' }, says: 'sees only 2 nodes of RabbitMQ running' },
  { fault: 'rabbitmq.partition', with: { nodes: ['ctl3'] }, says: 'sees a partition of RabbitMQ' },
  { fault: 'rabbitmq.alarm', with: { host: 'ctl1' }, says: 'RabbitMQ has run out of something' },
  { fault: 'galera.not_synced', with: { node: 'db2' }, says: 'not Synced' },
  { fault: 'ceph.osd_down', with: { osd: 1 }, says: 'Ceph warns of OSD_DOWN' },
])(
  'no host is taken away from a platform that is not well: $fault',
  async ({ says, ...fault }) => {
    const ran = await reboot({ topology: large, faults: [fault], inputs: { check_platform: true } })
    expect(ran.end.error?.message).toContain(says)
    expect(ran.effects).toEqual([])
    const unasked = await reboot({ topology: large, faults: [fault] })
    expect(unasked.end).toMatchObject({ status: 'succeeded' })
  },
  60_000,
)

test("a warning of Ceph that is known to stand in nobody's way does not", async () => {
  const faults = [{ fault: 'ceph.crashed', with: { osd: 1 } }]
  const ran = await reboot({ topology: large, faults, inputs: { check_platform: true } })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
})

test('a host of another zone that is out counts as well where it is in the same aggregate', async () => {
  const elsewhere = (host: string) => ({ fault: 'nova.host_in_zone', with: { host } })
  const out = (host: string) => ({ fault: 'nova.compute_disabled', with: { host } })
  const faults = ['c10', 'c2'].flatMap((host) => [elsewhere(host), out(host)])
  const refused = await reboot({ faults })
  expect(refused.end.error?.message).toContain('these hosts of aggregate general are down or disabled already: c10, c2')
  expect(refused.effects).toEqual([])
  const asked = await question({ faults, inputs: { max_disabled: 2 } })
  expect(asked.message).toContain('Out already: c10, c2.')
})

test('hosts of another zone that are in no aggregate with it are no hindrance, whoever is out there', async () => {
  const faults = ['c10', 'c2'].flatMap((host) => [
    { fault: 'nova.host_in_zone', with: { host, leaves: true } },
    { fault: 'nova.compute_disabled', with: { host } },
  ])
  const ran = await reboot({ faults, inputs: { max_disabled: 0 } })
  expect(ran.end, ran.end.error?.message).toMatchObject({ status: 'succeeded' })
  const asked = await question({ faults, inputs: { max_disabled: 0 } })
  expect(asked.message).toContain('Take c1 (zone nova, aggregates general) out of service')
  expect(asked.message).not.toContain('Out already')
})

test('a host that somebody else took out of service is left to them', async () => {
  // and nobody is asked about it
  const ran = await reboot({
    answers: [],
    faults: [{ fault: 'nova.compute_disabled', with: { host: 'c1', reason: 'disk, ask Ana' } }],
  })
  expect(ran.end).toMatchObject({
    status: 'failed',
    error: {
      message: expect.stringContaining(
        'c1 is disabled already: disk, ask Ana. Ask whoever did it; what a runbook did (`rb:…`) ends with `host-maintenance-leave`',
      ),
    },
  })
  expect(ran.effects).toEqual([])
})

test('a cloud too old to keep the reason of a lock is not emptied for nothing: all must move, and then may', async () => {
  const faults = [{ fault: 'nova.old_release', with: { minor: 72 } }]
  const ran = await reboot({ faults })
  expect(ran.end.error?.message).toContain(
    'this Nova is too old to keep the reason of a lock (that needs version 2.73)',
  )
  expect(ran.end.error?.message).toContain(
    'move them all, with `--input shutoff=cold`, `--input suspended=abort` and without `unmovable=stop`',
  )
  expect(ran.effects).toEqual([])
  const all = await reboot({ faults, inputs: { shutoff: 'cold' } })
  expect(all.end, all.end.error?.message).toMatchObject({ status: 'succeeded' })
})
