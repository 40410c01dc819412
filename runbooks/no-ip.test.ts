import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { RunEvent } from '../engine/run/event.ts'
import { serverIdOf } from '../simulator/openstack/nova/build.ts'
import { runCli } from '../test/support/run-cli.ts'

const home = mkdtempSync(join(tmpdir(), 'no-ip-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))

const cwd = resolve(import.meta.dirname, '..')

/** Small, with two networks' worth of servers on several hosts. */
const topology = { controllers: 2, computes: 3, ceph: 0, databases: 1, osds_per_host: 0, servers: 9 }

interface Verdict {
  readonly code: string
  readonly of: string
  readonly what: string
}

interface Diagnosis {
  readonly exit: number
  readonly outputs: {
    readonly verdict?: string
    readonly of?: string
    readonly what?: string
    readonly all?: readonly Verdict[]
    readonly path?: {
      readonly verdict: string
      readonly trace?: unknown
      readonly matrix: readonly Row[]
      readonly not_listened?: readonly Deaf[]
    }
    readonly trace?: unknown
    readonly mended?: boolean
    readonly not_seen?: readonly string[]
    readonly proof?: { readonly lease: string; readonly answer: string } | null
    readonly proof_missing?: readonly string[]
  }
  readonly events: readonly RunEvent[]
  /** What was changed in the world. */
  readonly effects: readonly Effect[]
  readonly stderr: string
}

interface Deaf {
  readonly name: string
  readonly host: string
  readonly why: string
}

interface Row {
  readonly hop: string
  readonly ACK: number
}

interface Effect {
  readonly kind: string
  readonly what: string
  readonly detail?: { readonly [field: string]: unknown }
}

type FaultEntry = string | { readonly fault: string; readonly with?: object; readonly after?: string }

let worlds = 0
const said = new Set<string>()

/** Runs `no-ip` for the server web-1 in a world with these faults. */
async function diagnose(faults: readonly FaultEntry[], ...args: string[]): Promise<Diagnosis> {
  worlds += 1
  const name = `world-${worlds}`
  const path = join(home, `${name}.yaml`)
  const effects = join(home, `${name}.effects`)
  const planned = faults.map((fault) => (typeof fault === 'string' ? { fault } : fault))
  writeFileSync(path, JSON.stringify({ apiVersion: 'runbook/v1', name, title: name, topology, faults: planned }))
  const command = ['exec', 'no-ip', '--output', 'json', '--rehearse', path, '--effects', effects]
  const asked = args.some((arg) => arg.startsWith('--input=')) ? [] : ['--input', 'server=web-1']
  const result = await runCli([...command, ...asked, ...args], { cwd, home })
  const events = result.stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
  const ended = events.at(-1)
  if (ended?.type !== 'run.ended') throw new Error(`the run did not end: ${result.stderr}`)
  const outputs = (ended.outputs ?? {}) as Diagnosis['outputs']
  for (const one of [outputs, outputs.path]) if (one?.verdict !== undefined) said.add(one.verdict)
  const written = existsSync(effects) ? readFileSync(effects, 'utf8') : ''
  return {
    exit: result.exit,
    events,
    outputs,
    effects: written.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])),
    stderr: result.stderr,
  }
}

/** Both serve the network of web-1. */
const controllers = ['ctl1', 'ctl2']

const vlan = (nic = 'eno2'): FaultEntry => ({ fault: 'network.on_vlan', with: { nic } })

const codes = ({ outputs }: Diagnosis) => outputs.all?.map(({ code }) => code)

describe('what the API alone tells', () => {
  const table: readonly { fault: FaultEntry; verdict: string }[] = [
    { fault: 'network.server_stopped', verdict: 'NOT_RUNNING' },
    { fault: 'network.server_without_port', verdict: 'NO_ADDRESS_ALLOCATED' },
    { fault: 'network.build_failed', verdict: 'BUILD_FAULT' },
    { fault: 'network.allocation_failed', verdict: 'NETWORK_ALLOC_FAILED' },
    { fault: 'network.port_switched_off', verdict: 'PORT_ADMIN_DOWN' },
    { fault: 'network.port_not_bound', verdict: 'BINDING_FAILED' },
    { fault: 'network.port_bound_elsewhere', verdict: 'BOUND_ELSEWHERE' },
    { fault: 'network.port_without_address', verdict: 'NO_FIXED_IP' },
    { fault: 'network.port_dhcp_disabled', verdict: 'DHCP_DISABLED_ON_PORT' },
    { fault: 'network.port_direct', verdict: 'UNSUPPORTED_VIF' },
    { fault: 'network.subnet_without_dhcp', verdict: 'SUBNET_NO_DHCP' },
    { fault: 'network.pool_exhausted', verdict: 'POOL_EXHAUSTED' },
    { fault: 'network.segment_mismatch', verdict: 'SEGMENT_MISMATCH' },
    { fault: 'network.guest_does_not_boot', verdict: 'GUEST_NO_BOOT' },
    { fault: 'network.guest_without_driver', verdict: 'GUEST_NO_DRIVER' },
    { fault: 'network.no_dhcp_agent', verdict: 'NO_DHCP_AGENT' },
    { fault: 'network.dhcp_agents_switched_off', verdict: 'NO_DHCP_AGENT' },
    { fault: 'network.ipv6_only', verdict: 'NO_IPV4' },
  ]

  test('a server whose cell does not answer is told as that, and not as one that does not run', async () => {
    const down = { fault: 'nova.cell_down', with: { host: 'cmp1' } }
    const found = await diagnose([down], `--input=server=${serverIdOf('web-1')}`)
    expect(codes(found)).toEqual(['CELL_DOWN'])
    expect(found.effects).toEqual([])
  })

  test.each(table)('$fault is $verdict, and nothing is changed', async ({ fault, verdict }) => {
    const found = await diagnose([fault])
    expect(found.outputs.verdict).toBe(verdict)
    expect(found.exit).toBe(0)
    expect(found.effects).toEqual([])
  })

  test('a guest that has its address is told so, and that is the only verdict', async () => {
    expect(codes(await diagnose([]))).toEqual(['GUEST_HAS_LEASE'])
  })

  test('a console whose last word is that nobody answers is no lease, though it shows an earlier one', async () => {
    const found = await diagnose(['network.console_renewing', 'network.dnsmasq_dead'])
    expect(codes(found)).toEqual([...controllers.map(() => 'DNSMASQ_DEAD'), 'GUEST_NO_LEASE'])
    expect(codes(await diagnose(['network.console_renewing']))).toEqual(['GUEST_HAS_LEASE'])
  })

  test('a network of several segments is on those that it says, and one that the host has is enough', async () => {
    expect(codes(await diagnose(['network.several_segments']))).toEqual(['GUEST_HAS_LEASE'])
    const down = await diagnose(['network.several_segments', 'network.tunnel_down'])
    expect(down.outputs).toMatchObject({ verdict: 'TUNNEL_DOWN' })
  })

  test('a guest that sets its address from its config drive is told so, and DHCP is not switched on for it', async () => {
    const faults = ['network.subnet_without_dhcp', 'network.config_drive']
    const found = await diagnose(faults, '--input', 'allow_fix=ask', '--answer', 'mend/allowed=yes')
    expect(found.outputs.what).toContain('never asks')
    expect(codes(found)).toEqual(['CONFIG_DRIVE_STATIC', 'GUEST_HAS_LEASE'])
    expect(questions(found)).toEqual([])
    expect(found.effects).toEqual([])
  })

  test('an agent that is silent is named with its host', async () => {
    const dhcp = await diagnose(['network.dhcp_agents_down', 'network.dnsmasq_dead'])
    expect(dhcp.outputs).toMatchObject({
      verdict: 'AGENT_DOWN',
      of: expect.stringMatching(/^neutron-dhcp-agent on ctl\d$/),
    })
    const layer2 = await diagnose(['network.layer2_agent_down', 'network.dead_vlan'])
    expect(layer2.outputs).toMatchObject({ verdict: 'AGENT_DOWN', of: 'neutron-openvswitch-agent on cmp1' })
  })

  test('the first verdict that explains the others counts, and the others stand beside it', async () => {
    const found = await diagnose(['network.port_switched_off', 'network.no_dhcp_agent'])
    expect(codes(found)).toEqual(['PORT_ADMIN_DOWN', 'NO_DHCP_AGENT', 'GUEST_NO_LEASE'])
  })
})

describe('what the hosts tell', () => {
  const linuxbridge = { fault: 'network.backend', with: { backend: 'linuxbridge' } }
  const ovn = { fault: 'network.backend', with: { backend: 'ovn' } }
  const hybrid = { fault: 'network.backend', with: { backend: 'openvswitch', hybrid: true } }
  const plugged = (device: string) => ({ fault: 'network.plugged_elsewhere', with: { device } })
  const table: readonly { faults: readonly FaultEntry[]; verdict: string; of: string | RegExp }[] = [
    { faults: ['network.namespace_missing'], verdict: 'NS_MISSING', of: /^neutron-dhcp-agent on ctl\d$/ },
    { faults: ['network.dnsmasq_dead'], verdict: 'DNSMASQ_DEAD', of: /^neutron-dhcp-agent on ctl\d$/ },
    { faults: ['network.host_file_stale'], verdict: 'HOSTFILE_STALE', of: /^neutron-dhcp-agent on ctl\d$/ },
    { faults: ['network.dead_vlan'], verdict: 'DEAD_VLAN', of: 'neutron-openvswitch-agent on cmp1' },
    {
      faults: [{ fault: 'network.dead_vlan', with: { whose: 'dhcp' } }],
      verdict: 'DEAD_VLAN',
      of: /^neutron-openvswitch-agent on ctl\d$/,
    },
    { faults: ['network.port_untagged'], verdict: 'DEAD_VLAN', of: 'neutron-openvswitch-agent on cmp1' },
    { faults: ['network.tap_missing'], verdict: 'TAP_MISSING', of: /^tap[0-9a-f-]{11} on cmp1$/ },
    { faults: ['network.plugged_elsewhere'], verdict: 'TAP_MISSING', of: /^tap[0-9a-f-]{11} on cmp1$/ },
    { faults: [linuxbridge, plugged('vnet7')], verdict: 'TAP_MISSING', of: /^tap[0-9a-f-]{11} on cmp1$/ },
    { faults: ['network.not_in_bridge'], verdict: 'NOT_IN_BRIDGE', of: 'neutron-openvswitch-agent on cmp1' },
    { faults: [hybrid, 'network.not_in_bridge'], verdict: 'NOT_IN_BRIDGE', of: 'neutron-openvswitch-agent on cmp1' },
    { faults: ['network.tunnel_down'], verdict: 'TUNNEL_DOWN', of: 'neutron-openvswitch-agent on cmp1' },
    { faults: ['network.wrong_nic'], verdict: 'WRONG_NIC', of: '10.78.0.21 on cmp1' },
    { faults: ['network.nic_down'], verdict: 'NIC_DOWN', of: 'eno2 on cmp1' },
    // without tunnels: the interface that the physical network is at
    { faults: [vlan(), 'network.nic_down'], verdict: 'NIC_DOWN', of: 'eno2 on cmp1' },
    { faults: [vlan('eno9')], verdict: 'WRONG_NIC', of: 'br-ex on cmp1' },
    { faults: [linuxbridge, vlan(), 'network.nic_down'], verdict: 'NIC_DOWN', of: 'eno2 on cmp1' },
    { faults: [linuxbridge, vlan('eno9')], verdict: 'WRONG_NIC', of: 'eno9 on cmp1' },
    {
      faults: ['network.dnsmasq_dead', { fault: 'hosts.clock_offset', with: { host: 'cmp1', seconds: 30 } }],
      verdict: 'TIME_SKEW',
      of: 'clock on cmp1',
    },
    {
      faults: [linuxbridge, 'network.not_in_bridge'],
      verdict: 'NOT_IN_BRIDGE',
      of: 'neutron-linuxbridge-agent on cmp1',
    },
    { faults: [linuxbridge, 'network.dnsmasq_dead'], verdict: 'DNSMASQ_DEAD', of: /^neutron-dhcp-agent on ctl\d$/ },
    { faults: [linuxbridge, 'network.tunnel_down'], verdict: 'TUNNEL_DOWN', of: 'neutron-linuxbridge-agent on cmp1' },
    { faults: [ovn, 'network.ovn_no_options'], verdict: 'OVN_NO_DHCP_OPTS', of: /^[0-9a-f-]{36}$/ },
    // the options are there, and ovn-trace shows that nothing answers with them
    { faults: [ovn, 'network.ovn_no_flow'], verdict: 'OVN_NO_DHCP_OPTS', of: /^[0-9a-f-]{36}$/ },
    { faults: [ovn, 'network.ovn_drops'], verdict: 'LOST_AT', of: 'ls_in_acl_eval' },
    { faults: [ovn, 'network.ovn_unbound'], verdict: 'OVN_UNBOUND', of: 'ovn-controller on cmp1' },
    { faults: [ovn, 'network.ovn_elsewhere'], verdict: 'OVN_UNBOUND', of: 'ovn-controller on cmp1' },
    { faults: [ovn, 'network.ovn_no_address'], verdict: 'OVN_NO_DHCP_OPTS', of: /^[0-9a-f-]{36}$/ },
    { faults: [ovn, 'network.ovn_disconnected'], verdict: 'OVN_CTRL_DISCONNECTED', of: 'ovn-controller on cmp1' },
  ]

  test.each(table)('$faults is $verdict, and nothing is changed', async ({ faults, verdict, of }) => {
    const found = await diagnose(faults)
    expect(found.outputs).toMatchObject({ verdict, of: typeof of === 'string' ? of : expect.stringMatching(of) })
    expect(found.effects).toEqual([])
  })

  test('what the agent has said of it in its log stands beside the verdict', async () => {
    const found = await diagnose(['network.dnsmasq_dead'], '--input', 'allow_fix=ask', '--answer', 'mend/allowed=no')
    const said = {
      host: expect.stringMatching(/^ctl\d$/),
      said: expect.stringContaining('The process should not have died'),
    }
    expect(found.events.at(-1)).toMatchObject({ status: 'refused' })
    const [asked] = found.events.flatMap((event) => (event.type === 'asked' ? [event.question] : []))
    expect(JSON.stringify(asked)).toContain('The process should not have died')
    expect((await diagnose(['network.dnsmasq_dead'])).outputs).toMatchObject({ agent_log: [said, said] })
    expect((await diagnose(['network.host_file_stale'])).outputs).toMatchObject({ agent_log: [] })
  })

  test('what libvirt has plugged the guest into instead is told, where virsh can be asked', async () => {
    expect((await diagnose([plugged('vnet7')])).outputs.what).toContain('libvirt has given the guest vnet7 instead')
    const stopped = { fault: 'hosts.unit_failed', with: { host: 'cmp1', unit: 'libvirtd' } }
    const silent = await diagnose([plugged('vnet7'), stopped])
    expect(codes(silent)).not.toContain('TAP_MISSING')
    // that it was not seen is told, in a container as well
    const contained = { fault: 'network.in_containers', with: { only: 'nova_libvirt' } }
    const gone = { fault: 'hosts.container', with: { host: 'cmp1', name: 'nova_libvirt', health: 'gone' } }
    const nowhere = await diagnose([plugged('vnet7'), contained, gone])
    expect(codes(nowhere)).not.toContain('TAP_MISSING')
    const unseen = expect.stringContaining(
      'cmp1: libvirt cannot be asked what the guest is plugged into, virsh does not answer on the host or in a container nova_libvirt',
    )
    for (const { outputs } of [silent, nowhere]) expect(outputs.not_seen).toEqual([unseen])
  })

  test('an address that OVN does not know is told as that', async () => {
    const found = await diagnose([ovn, 'network.ovn_no_address'])
    expect(found.outputs.what).toMatch(/^OVN does not know the address of the port: it has fa:16:3e/)
  })

  test('a host that does not answer leaves its checks open, and nothing is made up for it', async () => {
    const found = await diagnose(['network.message_lost', { fault: 'hosts.unreachable', with: { host: 'cmp1' } }])
    expect(codes(found)).toEqual(['GUEST_NO_LEASE'])
    expect(found.events.at(-1)).toMatchObject({ outputs: { not_seen: [expect.stringContaining('cmp1')] } })
  })
})

const listening = ['--input', 'allow_trigger=port_toggle', '--input', 'capture_seconds=20']
const lost = (after: string, message: string): FaultEntry => ({
  fault: 'network.message_lost',
  with: { after, message },
})
const backend = (name: string, hybrid = false): FaultEntry => ({
  fault: 'network.backend',
  with: { backend: name, hybrid },
})

describe('where the messages are lost', () => {
  const table: readonly { faults: readonly FaultEntry[]; verdict: string; of: string }[] = [
    // only a mirror shows that it came out of the guest's bridge, and did not reach the interface
    { faults: [lost('compute_int', 'DISCOVER')], verdict: 'LOST_AT', of: 'compute_int' },
    { faults: [lost('network_nic', 'DISCOVER')], verdict: 'LOST_AT', of: 'network_nic' },
    { faults: [lost('compute_nic', 'DISCOVER')], verdict: 'LOST_AT', of: 'compute_nic' },
    { faults: [backend('openvswitch', true), lost('qvb', 'DISCOVER')], verdict: 'LOST_AT', of: 'qvb' },
    { faults: [backend('linuxbridge'), lost('tap', 'DISCOVER')], verdict: 'LOST_AT', of: 'tap' },
    { faults: [vlan(), lost('compute_int', 'DISCOVER')], verdict: 'LOST_AT', of: 'compute_int' },
    { faults: [vlan(), lost('network_int', 'OFFER')], verdict: 'OFFER_LOST_AT', of: 'compute_int' },
    {
      faults: [backend('linuxbridge'), vlan(), lost('compute_nic', 'DISCOVER')],
      verdict: 'LOST_AT',
      of: 'compute_nic',
    },
    {
      faults: [backend('linuxbridge'), vlan(), lost('network_nic', 'OFFER')],
      verdict: 'OFFER_LOST_AT',
      of: 'compute_nic',
    },
    { faults: [lost('dhcp', 'OFFER')], verdict: 'OFFER_LOST_AT', of: 'network_int' },
    { faults: [lost('compute_nic', 'OFFER')], verdict: 'OFFER_LOST_AT', of: 'compute_int' },
    { faults: [lost('compute_int', 'OFFER')], verdict: 'OFFER_LOST_AT', of: 'tap' },
    { faults: [lost('compute_nic', 'REQUEST')], verdict: 'LOST_AT', of: 'compute_nic' },
    { faults: [lost('compute_nic', 'ACK')], verdict: 'OFFER_LOST_AT', of: 'compute_int' },
    { faults: ['network.nak'], verdict: 'NAK', of: 'dhcp' },
    { faults: ['network.guest_silent'], verdict: 'NO_DISCOVER_FROM_GUEST', of: 'tap' },
    { faults: [backend('ovn'), lost('tap', 'DISCOVER')], verdict: 'OFFER_LOST_AT', of: 'tap' },
    { faults: [backend('ovn'), 'network.guest_silent'], verdict: 'NO_DISCOVER_FROM_GUEST', of: 'tap' },
  ]

  test.each(table)('$faults is $verdict at $of, and nothing is left on the hosts', async ({ faults, verdict, of }) => {
    const found = await diagnose(faults, ...listening)
    expect(found.outputs).toMatchObject({ verdict, of })
    expect(left(found)).toEqual([])
    expect(toggles(found)).toEqual([false, true])
    // every place listens before the guest is made to ask, and all is removed only after that
    const order = found.effects.map(({ kind, what }) => `${kind} ${what}`)
    const asked = order.findIndex((one) => one.startsWith('openstack.port.update'))
    const at = (kind: string) =>
      order.flatMap((one, index) => (one.startsWith(`${kind} `) && capture(one) ? [index] : []))
    expect(Math.max(...at('host.file.mkdir'))).toBeLessThan(asked)
    expect(Math.min(...at('host.file.remove'))).toBeGreaterThan(asked)
    // and so do the mirrors
    const mirrors = (what: string) =>
      order.flatMap((one, index) => (one.startsWith(`host.ovs.${what} `) ? [index] : []))
    for (const [made, gone] of [
      ['mirror.add', 'mirror.remove'],
      ['port.add', 'port.remove'],
    ] as const) {
      expect(mirrors(made).length).toBe(mirrors(gone).length)
      expect(mirrors(made).every((index) => index < asked)).toBe(true)
      expect(mirrors(gone).every((index) => index > asked)).toBe(true)
    }
  })

  test.each([
    {
      faults: [lost('compute_nic', 'DISCOVER')],
      what: 'it is heard last at compute_nic, the interface of cmp1 to the other hosts',
    },
    {
      faults: [lost('dhcp', 'OFFER')],
      what: 'no offer is heard at network_int, the way into the bridge of the guests on ctl1 or ctl2',
    },
    {
      faults: [lost('compute_nic', 'REQUEST')],
      what: 'that is heard last at compute_nic, the interface of cmp1 to the other hosts',
    },
    {
      faults: [lost('compute_nic', 'ACK')],
      what: 'no confirmation is heard at compute_int, the way out of the bridge of the guests on cmp1',
    },
  ])('where that is, is told in words: $what', async ({ faults, what }) => {
    expect((await diagnose(faults, ...listening)).outputs.what).toContain(what)
  })

  test('with OVN it is told what its flows would do, where nothing of that is heard', async () => {
    const found = await diagnose([backend('ovn'), 'network.console_silent', lost('tap', 'DISCOVER')], ...listening)
    const { of, what, path, trace } = found.outputs
    expect({ of, what }).toMatchObject({
      of: 'tap',
      what: expect.stringMatching(/OVN would offer 10\.\d+\.\d+\.\d+ \(ovn-trace\)/),
    })
    expect(trace).toMatchObject({ dropped: '', options: expect.stringContaining('put_dhcp_opts(offerip = ') })
    expect(path?.trace).toEqual(trace)
  })

  test('a second DHCP server is found by its offers, and looked up among the ports', async () => {
    const found = await diagnose(['network.rogue_dhcp', 'network.console_silent'], ...listening)
    expect(found.outputs).toMatchObject({
      verdict: 'ROGUE_DHCP',
      what: expect.stringMatching(/the port [0-9a-f-]{36} on cmp/),
    })
    expect(left(found)).toEqual([])
  })

  test.each([[], [backend('linuxbridge')]])(
    'an exchange over a physical network is heard whole, and nothing is wrong with it: %o',
    async (...made) => {
      const faults = [...made, vlan(), 'network.console_silent']
      expect(codes(await diagnose(faults))).toEqual([])
      const found = await diagnose(faults, ...listening)
      expect(found.outputs).toMatchObject({ verdict: 'PATH_WORKS' })
      expect(left(found)).toEqual([])
    },
  )

  test('an exchange that is heard whole is told, and no cause is made up', async () => {
    const found = await diagnose(['network.console_silent'], ...listening)
    expect(found.outputs).toMatchObject({ verdict: 'PATH_WORKS', all: [{ code: 'PATH_WORKS' }] })
    expect(left(found)).toEqual([])
  })

  test('other guests that ask all the time do not fill what is listened to', async () => {
    const found = await diagnose(['network.crowded', 'network.console_silent'], ...listening)
    expect(found.outputs).toMatchObject({ verdict: 'PATH_WORKS' })
    const rows = found.outputs.path?.matrix ?? []
    expect(rows.map(({ hop }) => hop)).toEqual(expect.arrayContaining(['tap', 'compute_int', 'compute_nic', 'dhcp']))
    expect(rows.filter(({ ACK }) => ACK > 0).map(({ hop }) => hop)).toEqual(
      expect.arrayContaining(['tap', 'compute_int', 'compute_nic', 'network_nic', 'network_int', 'dhcp']),
    )
    expect(left(found)).toEqual([])
  })

  test('a guest with a config drive that asks nothing is told apart from a broken one', async () => {
    const silent = 'network.console_silent'
    const ovn = await diagnose([backend('ovn'), silent, 'network.config_drive'], ...listening)
    expect(ovn.outputs).toMatchObject({
      verdict: 'CONFIG_DRIVE_STATIC',
      what: expect.stringContaining('never asks'),
      path: { verdict: 'NO_DISCOVER_FROM_GUEST' },
    })
    // with a DHCP server on the subnet its drive says that it shall ask; what else stands there nobody can see
    const open = await diagnose([silent, 'network.config_drive'], ...listening)
    expect(open.outputs).toMatchObject({
      verdict: 'NO_DISCOVER_FROM_GUEST',
      what: expect.stringMatching(/asked nothing; the server has a config drive/),
    })
    const plain = await diagnose([silent, 'network.guest_silent'], ...listening)
    expect(plain.outputs.what).not.toContain('config drive')
  })

  test('nothing heard without a trigger is no finding', async () => {
    const waiting = ['--input', 'allow_trigger=wait', '--input', 'capture_seconds=5']
    const found = await diagnose(['network.guest_silent'], ...waiting)
    expect(found.outputs).toMatchObject({ verdict: 'NOTHING_FOUND', path: { verdict: 'INCONCLUSIVE' } })
    expect(left(found)).toEqual([])
  })
})

const capture = (what: string) => what.includes('runbook-dhcp-path/')

/** Folders that were made on hosts and not removed again. */
function left({ effects }: Pick<Diagnosis, 'effects'>): string[] {
  const of = (kind: string) => effects.filter((one) => one.kind === kind).map(({ what }) => what)
  const made = of('host.file.mkdir').filter(capture)
  if (made.length === 0) throw new Error('nothing was made on any host')
  const gone = new Set(of('host.file.remove'))
  const mirrors = of('host.ovs.mirror.add').filter((what) => !of('host.ovs.mirror.remove').includes(what))
  return [...made.filter((what) => !gone.has(what)), ...mirrors]
}

/** What people were asked, in words. */
const questions = ({ events }: Diagnosis) =>
  events.flatMap((event) => (event.type === 'asked' ? [event.question.message] : []))

const toggles = ({ effects }: Diagnosis) =>
  effects.filter(({ kind }) => kind === 'openstack.port.update').map(({ detail }) => detail?.['admin_state_up'])

describe.each(['docker', 'podman'])('with agents, Open vSwitch and libvirt in containers of %s', (engine) => {
  const contained = { fault: 'network.in_containers', with: { engine } }
  const told = ['--input', 'container_runtime=none']

  test.each([
    { fault: 'network.host_file_stale', verdict: 'HOSTFILE_STALE' },
    { fault: 'network.dnsmasq_dead', verdict: 'DNSMASQ_DEAD' },
    { fault: 'network.dead_vlan', verdict: 'DEAD_VLAN' },
    { fault: 'network.not_in_bridge', verdict: 'NOT_IN_BRIDGE' },
    { fault: 'network.tunnel_down', verdict: 'TUNNEL_DOWN' },
    { fault: 'network.plugged_elsewhere', verdict: 'TAP_MISSING' },
    { fault: 'network.console_silent', verdict: 'NOTHING_FOUND' },
  ])('$fault is $verdict, and everything was seen', async ({ fault, verdict }) => {
    const found = await diagnose([contained, fault])
    expect(found.outputs).toMatchObject({ verdict, not_seen: [] })
    expect(found.effects).toEqual([])
  })

  test('that are not asked nothing is made up, and what was not seen is told', async () => {
    const found = await diagnose([contained, 'network.console_silent', 'network.dead_vlan'], ...told)
    expect(found.outputs.verdict).toBe('NOTHING_FOUND')
    expect(found.outputs.what).toMatch(/not seen: .*cmp1: Open vSwitch cannot be asked.*cmp1: libvirt cannot be asked/)
    expect(found.outputs.not_seen?.toSorted()).toEqual([
      expect.stringMatching(/^cmp1: Open vSwitch cannot be asked/),
      expect.stringMatching(/^cmp1: libvirt cannot be asked/),
      expect.stringMatching(/^ctl1: Open vSwitch cannot be asked/),
      expect.stringMatching(/^ctl2: Open vSwitch cannot be asked/),
    ])
  })

  test('whose files the host does not show nothing is made up, and what was not seen is told', async () => {
    const hidden = { fault: 'network.in_containers', with: { engine, files: 'hidden' } }
    const found = await diagnose([hidden, 'network.console_silent', 'network.host_file_stale'])
    expect(found.outputs.verdict).toBe('NOTHING_FOUND')
    expect(found.outputs.not_seen?.toSorted()).toEqual([
      expect.stringMatching(/^ctl1: the file of hosts that dnsmasq reads cannot be read/),
      expect.stringMatching(/^ctl2: the file of hosts that dnsmasq reads cannot be read/),
    ])
  })

  test('places that can be listened at by Open vSwitch alone are told, and the others tell where it is lost', async () => {
    const faults = [contained, 'network.console_silent', lost('compute_nic', 'DISCOVER')]
    const found = await diagnose(faults, ...listening)
    expect(found.outputs.path).toMatchObject({ verdict: 'LOST_AT' })
    const why = 'there is no ovs-vsctl on the host'
    expect(found.outputs.path?.not_listened?.toSorted((a, b) => a.host.localeCompare(b.host))).toEqual([
      { name: 'compute_int', host: 'cmp1', why },
      { name: 'network_int', host: 'ctl1', why },
      { name: 'network_int', host: 'ctl2', why },
    ])
    expect(left(found)).toEqual([])
  })

  test('an agent that has to be restarted is its container, and the file of leases inside shows the new lease', async () => {
    const found = await diagnose(
      [contained, 'network.dead_vlan'],
      '--input',
      'allow_fix=ask',
      '--answer',
      'mend/allowed=yes',
    )
    const proof = { lease: 'dnsmasq', answer: 'arping' }
    expect(found.outputs).toMatchObject({ verdict: 'DEAD_VLAN', mended: true, proof })
    expect(found.effects).toMatchObject([{ kind: 'host.container.restart', what: 'cmp1:neutron_openvswitch_agent' }])
  })

  test('that systemd keeps by units of their own are restarted by those', async () => {
    const kept = { fault: 'network.in_containers', with: { engine, units: true } }
    const fix = ['--input', 'allow_fix=ask', '--answer', 'mend/allowed=yes']
    const found = await diagnose([kept, 'network.dead_vlan'], ...fix)
    expect(found.outputs).toMatchObject({ verdict: 'DEAD_VLAN', mended: true })
    const what = 'cmp1:kolla-neutron_openvswitch_agent-container.service'
    expect(found.effects).toMatchObject([{ kind: 'host.unit.restart', what }])
  })

  test('what the agent has said of it in its log stands beside the verdict', async () => {
    const said = { said: expect.stringContaining('The process should not have died') }
    expect((await diagnose([contained, 'network.dnsmasq_dead'])).outputs).toMatchObject({ agent_log: [said, said] })
  })
})

test('in the scenario no-ip-kolla the port is found in Open vSwitch, and the container of its agent is restarted', async () => {
  const fix = ['--input', 'allow_fix=ask', '--answer', 'mend/allowed=yes']
  const effects = join(home, 'kolla.effects')
  const command = ['exec', 'no-ip', '--output', 'json', '--rehearse', 'no-ip-kolla', '--input', 'server=web-1']
  const { exit, stdout } = await runCli([...command, '--effects', effects, ...fix], { cwd, home })
  const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
  expect(events.at(-1)).toMatchObject({
    type: 'run.ended',
    outputs: { verdict: 'DEAD_VLAN', mended: true, not_seen: [] },
  })
  expect(exit).toBe(0)
  const done = readFileSync(effects, 'utf8').trim().split('\n')
  expect(done.map((line) => (JSON.parse(line) as Effect).kind)).toEqual(['host.container.restart'])
})

describe('a mend', () => {
  const skewed = { fault: 'hosts.clock_offset', with: { host: 'cmp1', seconds: 30 } }
  const fix = ['--input', 'allow_fix=ask', '--answer', 'mend/allowed=yes']
  const rescheduled = ['openstack.dhcp_network.remove', 'openstack.dhcp_network.add']
  const rebound = ['openstack.port.update', 'openstack.server.reboot']
  const table: readonly { faults: readonly FaultEntry[]; effects: readonly string[] }[] = [
    { faults: ['network.dnsmasq_dead'], effects: rescheduled },
    { faults: ['network.host_file_stale'], effects: rescheduled },
    { faults: ['network.namespace_missing'], effects: rescheduled },
    { faults: ['network.no_dhcp_agent'], effects: ['openstack.dhcp_network.add'] },
    { faults: ['network.port_switched_off'], effects: ['openstack.port.update'] },
    { faults: ['network.port_dhcp_disabled'], effects: ['openstack.port.update'] },
    { faults: ['network.subnet_without_dhcp', 'network.console_silent'], effects: ['openstack.subnet.update'] },
    { faults: ['network.dead_vlan'], effects: ['host.unit.restart'] },
    { faults: ['network.not_in_bridge'], effects: ['host.unit.restart'] },
    { faults: ['network.tunnel_down'], effects: ['host.unit.restart'] },
    { faults: ['network.tap_missing'], effects: ['openstack.server.reboot'] },
    { faults: ['network.plugged_elsewhere'], effects: ['openstack.server.reboot'] },
    // what binds is mended first, and only then is the port bound, and plugged by a hard reboot
    { faults: ['network.port_not_bound'], effects: rebound },
    {
      faults: ['network.port_not_bound', 'network.layer2_agent_down'],
      effects: ['host.unit.restart', ...rebound],
    },
    { faults: ['network.layer2_agent_down', 'network.dead_vlan'], effects: ['host.unit.restart'] },
    { faults: ['network.dhcp_agents_down', 'network.dnsmasq_dead'], effects: ['host.unit.restart'] },
  ]

  test.each(table)('of $faults changes just that, and is proven by the guest', async ({ faults, effects }) => {
    const found = await diagnose(faults, ...fix)
    const proof = { lease: 'dnsmasq', answer: 'arping' }
    expect(found.outputs).toMatchObject({ mended: true, proof, proof_missing: [] })
    expect(found.effects.map(({ kind }) => kind)).toEqual(effects)
  })

  test.each(['network.ovn_unbound', 'network.ovn_disconnected'])(
    'of %s is shown by the console and by a ping from beside the metadata agent, for with OVN there is no DHCP server',
    async (fault) => {
      const found = await diagnose([backend('ovn'), fault, 'network.port_unguarded'], ...fix)
      const proof = { lease: 'console', answer: 'ping' }
      expect(found.outputs).toMatchObject({ mended: true, proof, proof_missing: [] })
      expect(found.effects.map(({ kind }) => kind)).toEqual(['host.unit.restart'])
    },
  )

  test('with OVN of a guest that its security groups let nobody ping is for a person to decide', async () => {
    const faults = [backend('ovn'), 'network.ovn_unbound']
    const found = await diagnose(faults, ...fix, '--answer', 'mend/kept=yes')
    expect(questions(found).at(-1)).toMatch(
      /new lease \(console\)\. That it answers for it: missing, .* to ping from ovnmeta-\S+ on cmp\d, which its security groups may forbid/,
    )
    const proof = { lease: 'console', answer: '' }
    expect(found.outputs).toMatchObject({ mended: false, proof, proof_missing: ['answer'] })
    expect(found.effects.map(({ kind }) => kind)).toEqual(['host.unit.restart'])
    expect((await diagnose(faults, ...fix, '--answer', 'mend/kept=no')).exit).toBe(3)
  })

  test('of a guest that was cut off and keeps its lease, and so asks for no other, is shown by that and its answer', async () => {
    const found = await diagnose(['network.port_switched_off', 'network.guest_keeps_address'], ...fix)
    const proof = { lease: 'held', answer: 'arping' }
    expect(found.outputs).toMatchObject({ mended: true, proof, proof_missing: [] })
    expect(toggles(found)).toEqual([true])
  })

  test('in the scenario no-ip-lease-kept is proven, and nobody is asked whether to keep it', async () => {
    const command = ['exec', 'no-ip', '--output', 'json', '--rehearse', 'no-ip-lease-kept', '--input', 'server=web-1']
    const { exit, stdout } = await runCli([...command, ...fix], { cwd, home })
    const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
    const outputs = { verdict: 'PORT_ADMIN_DOWN', mended: true, proof: { lease: 'held', answer: 'arping' } }
    expect(events.at(-1)).toMatchObject({ type: 'run.ended', outputs })
    expect(exit).toBe(0)
  })

  test('of a guest that answers, and that no DHCP server has given its address, is for a person to decide', async () => {
    const faults = ['network.port_switched_off', 'network.config_drive', 'network.console_silent']
    const kept = await diagnose(faults, ...fix, '--answer', 'mend/kept=yes')
    expect(questions(kept).at(-1)).toMatch(/given its address: missing, .*answers for it: it does, to arping/)
    const proof = { lease: '', answer: 'arping' }
    expect(kept.outputs).toMatchObject({ mended: false, proof, proof_missing: ['lease'] })
    expect(toggles(kept)).toEqual([true])
    const undone = await diagnose(faults, ...fix, '--answer', 'mend/kept=no')
    expect(toggles(undone)).toEqual([true, false])
  })

  test('of a guest that others answer ARP for is not shown by what they say', async () => {
    // its lease runs still, and nothing that it says itself gets to the DHCP server or back
    const cut = ['network.port_switched_off', 'network.tunnel_down']
    const faults = ['network.arp_responder', 'network.guest_keeps_address', ...cut]
    const found = await diagnose(faults, ...fix, '--answer', 'mend/kept=yes')
    expect(found.outputs).toMatchObject({ mended: false, proof: { answer: '' } })
    expect(found.outputs.proof_missing).toContain('answer')
  })

  test('of a guest that answered before counts once its DHCP server has given it the address again', async () => {
    const keeps = { fault: 'network.guest_keeps_address', with: { renews: true } }
    const found = await diagnose(['network.dnsmasq_dead', keeps, 'network.console_silent'], ...fix)
    const proof = { lease: 'dnsmasq', answer: 'arping' }
    expect(found.outputs).toMatchObject({ mended: true, proof, proof_missing: [] })
  })

  test('of a guest that answered before does not count as long as it asks for nothing', async () => {
    const faults = ['network.dnsmasq_dead', 'network.guest_keeps_address', 'network.console_silent']
    const found = await diagnose(faults, ...fix, '--answer', 'mend/kept=yes')
    expect(questions(found).at(-1)).toMatch(/given its address: missing, for it answered before as well/)
    expect(found.outputs).toMatchObject({ mended: false, proof_missing: ['lease'] })
  })

  test.each(['network.not_in_bridge', 'network.port_not_bound', 'network.dead_vlan', 'network.tap_missing'])(
    'of %s is not done when a person says no',
    async (fault) => {
      const refused = await diagnose([fault], '--input', 'allow_fix=ask', '--answer', 'mend/allowed=no')
      expect(refused.exit).toBe(3)
      expect(refused.effects).toEqual([])
    },
  )

  test('of a port that was not bound binds it on its host, and the guest is heard to get its address; the outage is told first', async () => {
    // with OVN there is no file of leases, and this console says nothing: what is heard must show it, to the ACK
    const faults = [backend('ovn'), 'network.port_not_bound', 'network.console_silent', 'network.port_unguarded']
    const found = await diagnose(faults, ...fix, ...listening)
    expect(found.effects[0]).toMatchObject({ kind: 'openstack.port.update', detail: { 'binding:vif_type': 'ovs' } })
    expect(questions(found)).toEqual([expect.stringMatching(/BINDING_FAILED.*hard reboot.*the guest is cut off/s)])
    const proof = { lease: 'capture', answer: 'ping' }
    expect(found.outputs).toMatchObject({ verdict: 'BINDING_FAILED', mended: true, proof })
    expect(left(found)).toEqual([])
  })

  const lasting = (name: string, more: object = {}) => ({ fault: name, with: { lasting: true, ...more } })
  const replug = [...fix, '--answer', 'mend/replug=yes']

  test.each([
    [lasting('network.dead_vlan')],
    [lasting('network.port_untagged')],
    [lasting('network.not_in_bridge')],
    [backend('openvswitch', true), lasting('network.not_in_bridge')],
    [backend('linuxbridge'), lasting('network.not_in_bridge')],
  ])(
    'of a port that its agent does not wire again is a hard reboot, of which somebody is asked: %o %o',
    async (...faults) => {
      const wiring = faults.filter((one) => one !== undefined)
      const found = await diagnose(wiring, ...replug)
      expect(found.effects.map(({ kind }) => kind)).toEqual(['host.unit.restart', 'openstack.server.reboot'])
      expect(found.outputs).toMatchObject({ mended: true, proof: { lease: 'dnsmasq', answer: 'arping' } })
      expect(questions(found)).toEqual([
        expect.stringMatching(/Should that not wire the port again, you are asked whether to hard reboot the server/),
        expect.stringMatching(/has not wired the port of web-1 again.*the guest is cut off/s),
      ])
      const refused = await diagnose(wiring, ...fix, '--answer', 'mend/replug=no')
      expect(refused.exit).toBe(3)
      expect(refused.effects.map(({ kind }) => kind)).toEqual(['host.unit.restart'])
    },
  )

  test('of the port of a DHCP server that its agent does not wire again is to give the network away and back', async () => {
    const found = await diagnose([lasting('network.dead_vlan', { whose: 'dhcp' })], ...replug)
    expect(found.effects.map(({ kind }) => kind)).toEqual(['host.unit.restart', ...rescheduled])
    expect(found.effects[1]?.detail).toMatchObject({ host: found.effects[0]?.what.split(':')[0] })
    expect(questions(found)).toHaveLength(1)
    expect(found.outputs).toMatchObject({ mended: true, proof: { lease: 'dnsmasq', answer: 'arping' } })
  })

  test('tells how many servers are on the network and on the host', async () => {
    const found = await diagnose(['network.dead_vlan'], ...fix)
    expect(questions(found)).toEqual([expect.stringMatching(/has \d+ ports of servers, and on cmp1 are \d+\. Do it\?/)])
  })

  test('tells whose the server is: by name, and by id alone where Keystone tells nobody', async () => {
    const found = await diagnose(['network.port_switched_off'], ...fix)
    expect(questions(found)).toEqual([expect.stringMatching(/The server web-1 is of project shop \([0-9a-f]{32}\)\. /)])
    const hidden = await diagnose(['network.port_switched_off', 'keystone.projects_hidden'], ...fix)
    expect(questions(hidden)).toEqual([expect.stringMatching(/The server web-1 is of project [0-9a-f]{32}\. /)])
    expect(hidden.outputs.mended).toBe(true)
  })

  const agent = (host: string, what: object) => ({ fault: 'neutron.agent_set', with: { host, ...what } })
  const dead = (host: string, type = 'DHCP agent') => ({
    fault: 'neutron.agent_dead',
    with: { host, agent_type: type },
  })
  test.each<{ why: string; faults: readonly FaultEntry[] }>([
    { why: 'is dead', faults: [dead('ctl1')] },
    { why: 'is switched off', faults: [agent('ctl1', { admin_state_up: false })] },
    { why: 'is in the zone west', faults: ['network.zone_wanted', agent('ctl1', { zone: 'west' })] },
    { why: 'does not reach the network', faults: [dead('ctl1', 'Open vSwitch agent')] },
  ])('gives a network to an agent that can serve it, not to one that $why', async ({ why, faults }) => {
    const found = await diagnose(['network.no_dhcp_agent', ...faults], ...fix)
    expect(found.effects).toMatchObject([{ kind: 'openstack.dhcp_network.add', detail: { host: 'ctl2' } }])
    expect(found.outputs).toMatchObject({ verdict: 'NO_DHCP_AGENT', mended: true })
    // and where none can, nothing is offered, and it is said why
    const none = await diagnose(['network.no_dhcp_agent', dead('ctl2'), ...faults], ...fix)
    expect(none.outputs.what).toContain(why)
    expect(none.outputs.what).toContain('ctl2 is dead')
    expect(questions(none)).toEqual([])
    expect(none.effects).toEqual([])
  })

  test('gives a network to the agent that has the fewest, and to none that has it already', async () => {
    // ctl1 and ctl2 have it, and are switched off; ctl3 has fewer networks than they
    const world = [
      'network.dhcp_agents_switched_off',
      { fault: 'neutron.agent_added', with: { host: 'cmp3', agent_type: 'DHCP agent' } },
    ]
    const found = await diagnose(world, ...fix)
    expect(found.effects).toMatchObject([{ kind: 'openstack.dhcp_network.add', detail: { host: 'cmp3' } }])
  })

  test('of a clock is proven by nothing that a guest shows that answered before', async () => {
    const found = await diagnose(['network.console_silent', skewed], ...fix, '--answer', 'mend/kept=yes')
    expect(found.effects.map(({ kind }) => kind)).toEqual(['host.clock.step'])
    expect(found.outputs).toMatchObject({ verdict: 'TIME_SKEW', mended: false })
  })

  test('is not proven by a guest that answers for an address it has had before', async () => {
    const faults = ['network.dnsmasq_dead', 'network.guest_keeps_address', lost('compute_nic', 'DISCOVER')]
    const found = await diagnose(faults, ...fix, '--answer', 'mend/kept=no')
    expect(questions(found).at(-1)).toContain('answered before as well')
    expect(found.exit).toBe(3)
    expect(found.outputs.mended ?? false).toBe(false)
  })

  const silent = { fault: 'network.layer2_agent_down', with: { returns: false } }
  test.each(['network.port_not_bound', 'network.dead_vlan', 'network.console_silent'])(
    'of %s with an agent that stays dead ends there, and nothing else is done',
    async (fault) => {
      const found = await diagnose([fault, silent], ...fix)
      expect(found.exit).toBe(1)
      expect(found.effects.map(({ kind }) => kind)).toEqual(['host.unit.restart'])
      expect(found.events.at(-1)).toMatchObject({
        error: { message: expect.stringContaining('neutron-openvswitch-agent on cmp1 does not report') },
      })
      expect(found.outputs.mended ?? false).toBe(false)
    },
  )

  test('is not offered for a port whose network the host does not have: binding would fail again', async () => {
    const found = await diagnose(['network.segment_mismatch', 'network.port_not_bound'], ...fix)
    expect(codes(found)).toEqual(['BINDING_FAILED', 'SEGMENT_MISMATCH'])
    expect(questions(found)).toEqual([])
    expect(found.effects).toEqual([])
  })

  test('is not proven by a lease that the console has shown before', async () => {
    const faults = ['network.port_switched_off', 'network.console_stale', lost('compute_nic', 'DISCOVER')]
    const found = await diagnose(faults, ...fix, '--answer', 'mend/kept=no')
    expect(found.exit).toBe(3)
    expect(toggles(found)).toEqual([true, false])
  })

  test('that helped is heard, where the guest neither writes nor can be asked from a namespace', async () => {
    const silent = [backend('ovn'), 'network.port_switched_off', 'network.console_silent']
    const found = await diagnose(silent, ...fix, ...listening, '--answer', 'mend/kept=yes')
    expect(found.outputs).toMatchObject({ mended: false, proof: { lease: 'capture' }, proof_missing: ['answer'] })
    expect(toggles(found)).toEqual([true, false, true])
    expect(left(found)).toEqual([])
  })

  test.each([
    { kept: 'yes', exit: 0, now: [true] },
    { kept: 'no', exit: 3, now: [true, false] },
  ])('of which nothing shows whether it helped is for a person to decide: $kept', async ({ kept, exit, now }) => {
    const silent = [backend('ovn'), 'network.port_switched_off', 'network.console_silent']
    const found = await diagnose(silent, ...fix, '--answer', `mend/kept=${kept}`)
    expect(found.exit).toBe(exit)
    expect(found.outputs.mended ?? false).toBe(false)
    expect(toggles(found)).toEqual(now)
  })

  const wrong: readonly { faults: readonly FaultEntry[]; effects: readonly string[] }[] = [
    { faults: ['network.port_switched_off'], effects: ['port.update true', 'port.update false'] },
    { faults: ['network.subnet_without_dhcp'], effects: ['subnet.update true', 'subnet.update false'] },
    { faults: ['network.port_dhcp_disabled'], effects: ['port.update null', 'port.update "true"'] },
    { faults: ['network.no_dhcp_agent'], effects: ['dhcp_network.add', 'dhcp_network.remove'] },
    // the network is back with its agent: there is nothing more to undo
    { faults: ['network.dnsmasq_dead'], effects: ['dhcp_network.remove', 'dhcp_network.add'] },
  ]

  test.each(wrong)('of $faults that is heard not to help is undone', async ({ faults, effects }) => {
    const found = await diagnose([...faults, lost('compute_nic', 'DISCOVER')], ...fix, ...listening)
    expect(found.exit).toBe(1)
    expect(found.events.at(-1)).toMatchObject({
      status: 'rolled_back',
      error: { message: expect.stringMatching(/LOST_AT/) },
    })
    expect(changesOf(found)).toEqual(effects)
    expect(left(found)).toEqual([])
  })
})

/** What was changed for good: what a listener does on the way (its folders, the port off and on) is left out. */
function changesOf({ effects }: Diagnosis): string[] {
  const listened = effects.findIndex(({ what }) => capture(what))
  const ended = effects.findLastIndex(({ what }) => capture(what))
  return effects
    .filter(({ kind }, index) => kind.startsWith('openstack.') && (index < listened || index > ended))
    .map(({ kind, detail = {} }) => {
      const options = detail['extra_dhcp_opts'] as readonly { opt_value: unknown }[] | undefined
      const value = options
        ? JSON.stringify(options[0]?.opt_value)
        : (detail['admin_state_up'] ?? detail['enable_dhcp'])
      return [kind.replace('openstack.', ''), ...(value === undefined ? [] : [String(value)])].join(' ')
    })
}

test('every verdict that these runbooks have was the verdict of one of these runs', () => {
  const runbooks = ['no-ip.yaml', 'no-ip-look.yaml', 'dhcp-path.yaml'].map((name) =>
    readFileSync(join(import.meta.dirname, name), 'utf8'),
  )
  const known = runbooks.flatMap((text) => [...text.matchAll(/'code': '([A-Z0-9_]+)'/g)].map(([, code = '']) => code))
  expect([...said].sort()).toEqual([...new Set(known)].sort())
})
