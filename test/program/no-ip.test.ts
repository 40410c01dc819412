import { resolve } from 'node:path'
import { expect, test } from 'vitest'
import { type Workspace, workspace } from './program.ts'
import { type WorldInHand, worldInHand } from './world-in-hand.ts'

const hour = 60 * 60_000

interface Fault {
  readonly fault: string
  readonly with?: object
  readonly after?: string
}

const served = (faults: readonly Fault[]): Promise<WorldInHand> =>
  worldInHand(
    {
      apiVersion: 'runbook/v1',
      name: 'late',
      title: 'An answer that takes hours',
      topology: { controllers: 2, computes: 3, ceph: 0, databases: 1, osds_per_host: 0, servers: 9 },
      faults,
    },
    20,
  )

const later = (fault: string, about: object = {}): Fault => ({ fault, with: about, after: '1h' })

/** Somebody who begins it, is asked, and comes back two hours later. */
async function askedInVain(world: WorldInHand, ...inputs: string[]): Promise<Workspace> {
  const space = workspace()
  world.lendTo(space)
  const all = inputs.length > 0 ? inputs : ['server=web-1']
  const begun = await space.run([
    ...['exec', resolve('runbooks/no-ip.yaml'), '--inventory', 'world/inventory.yaml', '--output', 'plain'],
    ...['allow_fix=ask', ...all].flatMap((input) => ['--input', input]),
  ])
  expect(begun.code, begun.all).toBe(6)
  return space
}

const resume = (...answers: string[]) => [
  ...['resume', 'last', '--output', 'plain'],
  ...answers.flatMap((answer) => ['--answer', answer]),
]

/** What a colleague does meanwhile. */
async function colleague(world: WorldInHand, action: string, about: object): Promise<void> {
  const space = workspace()
  world.lendTo(space)
  const steps = [{ id: 'do', action, with: about }]
  space.write(
    'colleague.json',
    JSON.stringify({ apiVersion: 'runbook/v1', name: 'colleague', title: 'colleague', steps }),
  )
  const { code, all } = await space.run(['exec', './colleague.json', '--inventory', 'world/inventory.yaml'])
  expect(code, all).toBe(0)
}

interface Late {
  readonly faults: readonly Fault[]
  readonly inputs?: readonly string[]
  readonly meanwhile?: (world: WorldInHand) => Promise<void>
  readonly says: RegExp
}

test.each<Late>([
  // what was wrong is mended, by somebody else
  {
    faults: [{ fault: 'network.dead_vlan' }, { fault: 'network.console_silent' }],
    meanwhile: (world) =>
      colleague(world, 'ssh.run', { host: 'cmp1', command: 'systemctl restart neutron-openvswitch-agent' }),
    says: /DEAD_VLAN \(neutron-openvswitch-agent on cmp1\) is over\. Nothing was done, begin again/,
  },
  // something else is wrong by now, which comes first
  {
    faults: [{ fault: 'network.dnsmasq_dead' }, later('network.port_switched_off')],
    says: /DNSMASQ_DEAD \(neutron-dhcp-agent on ctl1\) is over, and now it is PORT_ADMIN_DOWN \(\S+\): the port is switched off\. Nothing was done, begin again/,
  },
  {
    faults: [{ fault: 'network.tap_missing' }, later('network.layer2_agent_down')],
    says: /TAP_MISSING \(tap\S+ on cmp1\) is over, and now it is AGENT_DOWN \(neutron-openvswitch-agent on cmp1\)/,
  },
  // the server has moved, and its new host was not looked at
  {
    faults: [{ fault: 'network.port_switched_off' }],
    meanwhile: (world) => colleague(world, 'openstack.server.live_migrate', { server: 'web-1', host: 'cmp2' }),
    says: /web-1 has moved from cmp1 to cmp2: nothing was done, begin again/,
  },
  // nobody has the address any more that was asked about
  {
    faults: [{ fault: 'network.subnet_without_dhcp' }, { fault: 'network.console_silent' }],
    inputs: ['fixed_ip=10.10.0.4'],
    meanwhile: (world) => colleague(world, 'openstack.server.delete', { server: 'web-1' }),
    says: /cannot be looked at any more: 10\.10\.0\.4 is not the address of exactly one port of a server.*Nothing was done, begin again/,
  },
  // it is gone altogether
  {
    faults: [{ fault: 'network.port_switched_off' }],
    meanwhile: (world) => colleague(world, 'openstack.server.delete', { server: 'web-1' }),
    says: /cannot be looked at any more: no server has the name `web-1`\. Nothing was done, begin again/,
  },
  // another server has the name by now
  {
    faults: [{ fault: 'network.subnet_without_dhcp' }, { fault: 'network.console_silent' }],
    meanwhile: async (world) => {
      await colleague(world, 'openstack.server.delete', { server: 'web-1' })
      const like = { name: 'web-1', image: 'debian-12', flavor: 'g1.tiny', networks: ['shop-net'], host: 'cmp1' }
      await colleague(world, 'openstack.server.create', like)
    },
    says: /`web-1` has become another server \([0-9a-f-]{36}\): nothing was done, begin again/,
  },
  // the agent that should have the network has died, or that which binds
  {
    faults: [
      { fault: 'network.no_dhcp_agent' },
      later('neutron.agent_dead', { host: 'ctl1', agent_type: 'DHCP agent' }),
      { fault: 'neutron.agent_set', with: { host: 'ctl2', admin_state_up: false } },
    ],
    says: /the mend has become another one: none is known\. Nothing was done, begin again/,
  },
  {
    faults: [{ fault: 'network.port_not_bound' }, later('network.layer2_agent_down')],
    says: /the mend has become another one: it would be to restart neutron-openvswitch-agent on cmp1, wait until it reports, bind/,
  },
])(
  'an answer that comes when it is no longer so changes nothing: $says',
  async ({ faults, inputs = [], meanwhile, says }) => {
    const world = await served(faults)
    const space = await askedInVain(world, ...inputs)
    await world.clock.advance(2 * hour)
    await meanwhile?.(world)
    const done = world.done()
    const { code, all } = await space.run(resume('mend/allowed=yes'))
    expect(all.replace(/\s+/g, ' ')).toMatch(says)
    expect({ code, done: world.done() }, all).toEqual({ code: 1, done })
  },
)

test('an answer that comes two hours later, when all is as it was, mends it', async () => {
  const world = await served([{ fault: 'network.dnsmasq_dead' }])
  const space = await askedInVain(world)
  await world.clock.advance(2 * hour)
  const { code, all } = await space.run(resume('mend/allowed=yes'))
  expect(code, all).toBe(0)
  expect(world.done()).toHaveLength(2)
})

test('of several agents that can have the network the one that was named gets it, though another one has fewer by now', async () => {
  const world = await served([
    { fault: 'network.no_dhcp_agent' },
    { fault: 'neutron.agent_added', with: { host: 'cmp3', agent_type: 'DHCP agent' }, after: '1h' },
  ])
  const space = await askedInVain(world)
  await world.clock.advance(2 * hour)
  const { code, all } = await space.run(resume('mend/allowed=yes'))
  expect(code, all).toBe(0)
  expect(world.effects()).toMatchObject([{ kind: 'openstack.dhcp_network.add', detail: { host: 'ctl1' } }])
})

test('a port that was wired before somebody said yes to the reboot spares the guest that', async () => {
  const world = await served([{ fault: 'network.dead_vlan', with: { lasting: true } }])
  const space = await askedInVain(world)
  const second = await space.run(resume('mend/allowed=yes'))
  expect(second.code, second.all).toBe(6)
  await world.clock.advance(2 * hour)
  await colleague(world, 'openstack.server.reboot', { server: 'web-1', type: 'HARD' })
  const done = world.done()
  const { code, all } = await space.run(resume('mend/replug=yes'))
  expect(code, all).toBe(0)
  expect(world.done()).toEqual(done)
})
