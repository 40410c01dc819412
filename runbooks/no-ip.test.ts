import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import type { RunEvent } from '../engine/run/event.ts'
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
  }
  readonly events: readonly RunEvent[]
  /** What was changed in the world. */
  readonly effects: readonly Effect[]
  readonly stderr: string
}

interface Effect {
  readonly kind: string
  readonly what: string
  readonly detail?: { readonly [field: string]: unknown }
}

type FaultEntry = string | { readonly fault: string; readonly with?: object; readonly after?: string }

let worlds = 0

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
  const written = existsSync(effects) ? readFileSync(effects, 'utf8') : ''
  return {
    exit: result.exit,
    events,
    outputs: (ended.outputs ?? {}) as Diagnosis['outputs'],
    effects: written.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)])),
    stderr: result.stderr,
  }
}

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
  ]

  test.each(table)('$fault is $verdict, and nothing is changed', async ({ fault, verdict }) => {
    const found = await diagnose([fault])
    expect(found.outputs.verdict).toBe(verdict)
    expect(found.exit).toBe(0)
    expect(found.effects).toEqual([])
  })

  test('a guest that has its address is told so, and that is the only verdict', async () => {
    expect(codes(await diagnose([]))).toEqual(['GUEST_HAS_LEASE'])
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
  const table: readonly { faults: readonly FaultEntry[]; verdict: string; of: string | RegExp }[] = [
    { faults: ['network.namespace_missing'], verdict: 'NS_MISSING', of: /^neutron-dhcp-agent on ctl\d$/ },
    { faults: ['network.dnsmasq_dead'], verdict: 'DNSMASQ_DEAD', of: /^neutron-dhcp-agent on ctl\d$/ },
    { faults: ['network.host_file_stale'], verdict: 'HOSTFILE_STALE', of: /^neutron-dhcp-agent on ctl\d$/ },
    { faults: ['network.dead_vlan'], verdict: 'DEAD_VLAN', of: 'neutron-openvswitch-agent on cmp1' },
    { faults: ['network.tap_missing'], verdict: 'TAP_MISSING', of: /^tap[0-9a-f-]{11} on cmp1$/ },
    { faults: ['network.not_in_bridge'], verdict: 'NOT_IN_BRIDGE', of: 'neutron-openvswitch-agent on cmp1' },
    { faults: [hybrid, 'network.not_in_bridge'], verdict: 'NOT_IN_BRIDGE', of: 'neutron-openvswitch-agent on cmp1' },
    { faults: ['network.tunnel_down'], verdict: 'TUNNEL_DOWN', of: 'neutron-openvswitch-agent on cmp1' },
    { faults: ['network.wrong_nic'], verdict: 'WRONG_NIC', of: '10.78.0.21 on cmp1' },
    { faults: ['network.nic_down'], verdict: 'NIC_DOWN', of: 'eno2 on cmp1' },
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
    { faults: [ovn, 'network.ovn_unbound'], verdict: 'OVN_UNBOUND', of: 'ovn-controller on cmp1' },
  ]

  test.each(table)('$faults is $verdict, and nothing is changed', async ({ faults, verdict, of }) => {
    const found = await diagnose(faults)
    expect(found.outputs).toMatchObject({ verdict, of: typeof of === 'string' ? of : expect.stringMatching(of) })
    expect(found.effects).toEqual([])
  })

  test('a host that does not answer leaves its checks open, and nothing is made up for it', async () => {
    const found = await diagnose(['network.message_lost', { fault: 'hosts.unreachable', with: { host: 'cmp1' } }])
    expect(codes(found)).toEqual(['GUEST_NO_LEASE'])
    expect(found.events.at(-1)).toMatchObject({ outputs: { not_seen: [expect.stringContaining('cmp1')] } })
  })
})
