import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { RunEvent } from '../../../engine/run/event.ts'
import { runCli } from '../../support/run-cli.ts'
import { newKey, runShell, startSshServer } from '../../support/ssh-server.ts'
import { eventually, lab } from '../support/lab.ts'
import { type Cloud, openCloud } from '../support/openstack.ts'

/**
 * A server whose guest is a real DHCP client on a real wire: a network namespace with the MAC address of its port, where
 * a hypervisor would plug it. Its network, its DHCP agent and its faults are real.
 */
const run = promisify(execFile)
const cwd = resolve(import.meta.dirname, '../../..')
const home = mkdtempSync(join(tmpdir(), 'lab-no-ip-'))
const inventory = join(home, 'inventory.yaml')
const name = 'lab-no-ip'
const compute = 'compute-3'
/** The hosts of this lab are network namespaces of this machine. */
const hosts = ['net-1', compute]
const undo: (() => Promise<unknown>)[] = []

const within = (seconds: number) => AbortSignal.timeout(seconds * 1000)
const script = (file: string, ...args: string[]) => run('bash', [join(cwd, 'test/lab/openstack', file), ...args])
const onHost = (host: string, ...command: string[]) => run('ip', ['netns', 'exec', `lab-${host}`, ...command])

let cloud: Cloud
let network: string
let subnet: string
let server: string
let port: { readonly id: string; readonly mac_address: string; readonly fixed_ips: readonly { ip_address: string }[] }

beforeAll(async () => {
  const signal = within(170)
  cloud = await openCloud('lab-admin', signal)
  await serveHosts()
  network = await make('network', '/v2.0/networks', 'network', { name }, signal)
  const wanted = { network_id: network, ip_version: 4, cidr: '10.77.200.0/24' }
  subnet = await make('network', '/v2.0/subnets', 'subnet', wanted, signal)
  const { flavors } = (await ask('compute', 'GET', '/flavors', signal)) as { flavors: { id: string; name: string }[] }
  const { images } = (await ask('image', 'GET', '/v2/images?name=tiny', signal)) as { images: { id: string }[] }
  const flavorRef = flavors.find((flavor) => flavor.name === 'm1.nano')?.id
  const guest = { name, flavorRef, imageRef: images[0]?.id, networks: [{ uuid: network }], host: compute }
  server = await make('compute', '/servers', 'server', guest, signal)
  await eventually(async () => {
    const shown = (await ask('compute', 'GET', `/servers/${server}`, signal)) as { server: { status: string } }
    return shown.server.status === 'ACTIVE' || undefined
  }, signal)
  const found = await ask('network', 'GET', `/v2.0/ports?device_id=${server}`, signal)
  port = (found as { ports: (typeof port)[] }).ports[0] as typeof port
  await script('vmnet.sh', 'plug', compute, port.id, port.mac_address, network)
  undo.unshift(async () => script('vmnet.sh', 'unplug', port.id))
})

afterAll(async () => {
  for (const step of undo) await step().catch((error: unknown) => console.error(error))
  rmSync(home, { recursive: true, force: true })
})

/** Each test begins with a guest that gets its address: what the one before did is over. */
beforeEach(async () => {
  await eventually(leases, within(150))
})

const tap = () => `tap${port.id.slice(0, 11)}`
const bridge = () => `brq${network.slice(0, 11)}`

/** Whether the guest, which asks anew, is given its address within some seconds. */
async function leases(): Promise<true | undefined> {
  const { stdout } = await script('vmnet.sh', 'lease', port.id, '6').catch(() => ({ stdout: '' }))
  return stdout.includes(`${port.fixed_ips[0]?.ip_address}/`) || undefined
}

async function ask(service: string, method: string, path: string, signal: AbortSignal, body?: unknown) {
  const headers = { 'x-openstack-nova-api-version': '2.74' }
  const answer = await cloud.ask(service, method, path, signal, { headers, ...(body !== undefined && { body }) })
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.body
}

/** Makes a thing that is removed again afterwards. */
async function make(service: string, path: string, kind: string, wanted: object, signal: AbortSignal): Promise<string> {
  const made = (await ask(service, 'POST', path, signal, { [kind]: wanted })) as { [kind: string]: { id: string } }
  const { id } = made[kind] as { id: string }
  undo.unshift(async () => {
    await cloud.ask(service, 'DELETE', `${path}/${id}`, within(30))
    await eventually(
      async () => (await cloud.ask(service, 'GET', `${path}/${id}`, within(30))).status === 404 || undefined,
      within(60),
    )
  })
  return id
}

/** A door into each host, for real commands over real SSH, and an inventory that knows the hosts as Neutron does. */
async function serveHosts(): Promise<void> {
  const write = (file: string, text: string) => {
    writeFileSync(join(home, file), text, { mode: 0o600 })
    return join(home, file)
  }
  const client = newKey()
  const doors = await Promise.all(
    hosts.map(async (host) => {
      const inside = `exec nsenter --net=/run/netns/lab-${host} /bin/sh -c`
      const door = await startSshServer({
        authorized: [client.public],
        maxSessions: 100,
        onExec: (command, channel) => runShell(`${inside} '${command.replaceAll("'", "'\\''")}'`, channel),
      })
      undo.push(async () => await door[Symbol.asyncDispose]())
      return { host, door }
    }),
  )
  const ssh = {
    user: 'root',
    identity_file: write('id', client.private),
    known_hosts: write('known_hosts', doors.map(({ door }) => door.knownHosts()).join('')),
  }
  const named = doors.map(({ host, door }) => [host, { address: '127.0.0.1', ssh: { port: door.port } }])
  write('inventory.yaml', JSON.stringify({ apiVersion: 'runbook/v1', ssh, hosts: Object.fromEntries(named) }))
}

interface Told {
  readonly exit: number
  readonly verdict?: string
  readonly of?: string
  readonly what?: string
  readonly not_seen?: readonly string[]
  readonly path?: { readonly matrix: readonly Row[]; readonly not_listened: readonly unknown[] }
  readonly mended?: boolean
  readonly proof?: { readonly lease: string; readonly answer: string } | null
  readonly proof_missing?: readonly string[]
  /** What people were asked, in words. */
  readonly questions: readonly string[]
}

interface Row {
  readonly hop: string
  readonly OFFER: number
  readonly ACK: number
}

async function diagnose(...args: string[]): Promise<Told> {
  const env = { OS_CLIENT_CONFIG_FILE: lab.clouds, OS_CLOUD: 'lab-admin' }
  const command = ['exec', 'no-ip', '--output', 'json', '--inventory', inventory, '--input', `server=${server}`]
  const { exit, stdout, stderr } = await runCli([...command, ...args], { cwd, home, env })
  const events = stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as RunEvent]))
  const ended = events.at(-1)
  if (ended?.type !== 'run.ended') throw new Error(`the run did not end: ${stderr}`)
  const questions = events.flatMap((event) => (event.type === 'asked' ? [event.question.message] : []))
  return { exit, questions, ...(ended.outputs as object) }
}

/** The guest asks again and again while something is done, until it is over or the guest has its address and is content. */
async function whileAsking<T>(what: Promise<T>, content: boolean): Promise<T> {
  let over = false
  const asking = (async () => {
    while (!over) if ((await leases()) && content) return
  })()
  try {
    return await what
  } finally {
    over = true
    await asking
  }
}

const folder = '/run/runbook-dhcp-path'
const captures = () => readdir(folder).catch(() => [])

/** Listens for what the guest asks, which begins once somebody listens. */
async function listen(): Promise<Told> {
  const told = diagnose('--input', 'allow_trigger=wait', '--input', 'capture_seconds=15')
  const heard = eventually(async () => (await captures()).length > 0 || undefined, within(60), 200)
  await Promise.race([heard, told])
  return whileAsking(told, false)
}

const guest = () => `lab-vm-${port.id.slice(0, 8)}`
const fix = ['--input', 'allow_fix=ask', '--answer', 'mend/allowed=yes']

/**
 * Diagnoses and mends, while the guest asks until it is answered. What was broken has to be felt by then: an agent needs
 * some seconds, and a guest that is answered meanwhile has its lease and asks for no other.
 */
async function mend(): Promise<Told> {
  await eventually(async () => !(await leases()) || undefined, within(60))
  return mendNow()
}

/** The same of what is felt at once. */
async function mendNow(): Promise<Told> {
  await run('ip', ['-n', guest(), 'addr', 'flush', 'dev', 'eth0'])
  return whileAsking(diagnose(...fix), true)
}

/** Whether the guest answers from beside its DHCP server. */
async function answers(): Promise<boolean> {
  const space = `qdhcp-${network}`
  const { stdout } = await run('ip', ['-n', space, '-4', '-o', 'addr']).catch(() => ({ stdout: '' }))
  const device = /\d+: (ns-\S+)/.exec(stdout)?.[1] ?? ''
  const words = ['netns', 'exec', space, 'arping', '-c', '1', '-w', '2', '-I', device]
  return run('ip', [...words, port.fixed_ips[0]?.ip_address ?? '']).then(
    () => true,
    () => false,
  )
}

const switchPort = (on: boolean) =>
  ask('network', 'PUT', `/v2.0/ports/${port.id}`, within(60), { port: { admin_state_up: on } })
const portIsOn = async () =>
  ((await ask('network', 'GET', `/v2.0/ports/${port.id}`, within(60))) as { port: { admin_state_up: boolean } }).port
    .admin_state_up

async function nothingListens(): Promise<void> {
  expect(await captures()).toEqual([])
  const { stdout } = await run('pgrep', ['-f', 'runbook-capture']).catch(() => ({ stdout: '' }))
  expect(stdout).toBe('')
}

const newLease = { lease: 'dnsmasq', answer: 'arping' }

async function dnsmasq(): Promise<number[]> {
  const { stdout } = await run('pgrep', ['-a', '-x', 'dnsmasq']).catch(() => ({ stdout: '' }))
  return stdout.split('\n').flatMap((line) => (line.includes(network) ? [Number(line.split(' ')[0])] : []))
}

/** Has the agent start the DHCP server of the network anew, as it does when it is given the network. */
async function restartDnsmasq(): Promise<void> {
  const path = '/v2.0/agents?binary=neutron-dhcp-agent&host=net-1'
  const { agents } = (await ask('network', 'GET', path, within(60))) as { agents: { id: string }[] }
  const networks = `/v2.0/agents/${agents[0]?.id}/dhcp-networks`
  await cloud.ask('network', 'DELETE', `${networks}/${network}`, within(60))
  await eventually(async () => (await dnsmasq()).length === 0 || undefined, within(60))
  await cloud.ask('network', 'POST', networks, within(60), { body: { network_id: network } })
  await eventually(async () => (await dnsmasq()).length > 0 || undefined, within(60))
}

test('a healthy path is heard whole, at every place, and what listened is gone afterwards', async () => {
  const told = await listen()
  // the hypervisor of this lab is no libvirt
  const unseen = [expect.stringMatching(/^compute-3: libvirt cannot be asked/)]
  expect(told).toMatchObject({ verdict: 'PATH_WORKS', not_seen: unseen, path: { not_listened: [] } })
  const matrix = told.path?.matrix ?? []
  expect(matrix.map(({ hop }) => hop).sort()).toEqual(['compute_nic', 'dhcp', 'network_nic', 'tap'])
  for (const row of matrix) {
    expect(row.OFFER, row.hop).toBeGreaterThan(0)
    expect(row.ACK, row.hop).toBeGreaterThan(0)
  }
  await nothingListens()
})

test('a port that is administratively down is named and switched on, and the guest has its address', async () => {
  await switchPort(false)
  const told = await mend()
  expect(told).toMatchObject({ exit: 0, verdict: 'PORT_ADMIN_DOWN', of: port.id, mended: true, proof: newLease })
  expect(await portIsOn()).toBe(true)
})

test('a guest whose port was down keeps its lease and asks for no other: that it answers again is help', async () => {
  await switchPort(false)
  await eventually(async () => !(await answers()) || undefined, within(60))
  const told = await diagnose(...fix)
  const proof = { lease: 'held', answer: 'arping' }
  expect(told).toMatchObject({ exit: 0, verdict: 'PORT_ADMIN_DOWN', mended: true, proof, proof_missing: [] })
  expect(await answers()).toBe(true)
})

test('a guest that answers and was never given its address is no proof of help: a person is told that the lease is missing', async () => {
  // a DHCP server that is started anew has heard of no lease, and this guest asks for none
  await restartDnsmasq()
  await eventually(async () => (await answers()) || undefined, within(60))
  await switchPort(false)
  await eventually(async () => !(await answers()) || undefined, within(60))
  try {
    const told = await diagnose(...fix, '--answer', 'mend/kept=no')
    expect(told.exit).toBe(3)
    expect(told.questions[0]).toContain('PORT_ADMIN_DOWN')
    expect(told.questions.at(-1)).toMatch(/given its address: missing, .*answers for it: it does, to arping/)
    // whoever says no gets everything back as it was
    expect(await portIsOn()).toBe(false)
  } finally {
    await switchPort(true)
  }
})

test('a guest that is given its address and cannot be reached is no proof of help: a person is told that the answer is missing', async () => {
  await switchPort(false)
  await eventually(async () => !(await leases()) || undefined, within(60))
  await run('ip', ['-n', guest(), 'link', 'set', 'eth0', 'arp', 'off'])
  try {
    const told = await whileAsking(diagnose(...fix, '--answer', 'mend/kept=yes'), true)
    const proof = { lease: 'dnsmasq', answer: '' }
    expect(told).toMatchObject({ exit: 0, verdict: 'PORT_ADMIN_DOWN', mended: false, proof, proof_missing: ['answer'] })
    expect(told.questions.at(-1)).toMatch(/new lease \(dnsmasq\)\. That it answers for it: missing, .*arping/)
    expect(await portIsOn()).toBe(true)
  } finally {
    await run('ip', ['-n', guest(), 'link', 'set', 'eth0', 'arp', 'on'])
  }
})

test('DHCP that is disabled on the subnet is named and enabled, and the guest has its address', async () => {
  await ask('network', 'PUT', `/v2.0/subnets/${subnet}`, within(60), { subnet: { enable_dhcp: false } })
  const told = await mend()
  expect(told).toMatchObject({ exit: 0, verdict: 'SUBNET_NO_DHCP', of: subnet, mended: true, proof: newLease })
  expect(await ask('network', 'GET', `/v2.0/subnets/${subnet}`, within(60))).toMatchObject({
    subnet: { enable_dhcp: true },
  })
})

test('a device on the wrong bridge is named with that bridge', async () => {
  await onHost(compute, 'ip', 'link', 'add', 'lab-wrong', 'type', 'bridge')
  try {
    await onHost(compute, 'ip', 'link', 'set', 'lab-wrong', 'up')
    await onHost(compute, 'ip', 'link', 'set', tap(), 'master', 'lab-wrong')
    expect(await diagnose()).toMatchObject({ verdict: 'NOT_IN_BRIDGE', what: expect.stringContaining('lab-wrong') })
  } finally {
    await onHost(compute, 'ip', 'link', 'set', tap(), 'master', bridge())
    await onHost(compute, 'ip', 'link', 'del', 'lab-wrong')
  }
})

test('a second DHCP server on the wire is found by its offers', async () => {
  const [space, inner, outer] = ['lab-vm-rogue', 'eth0', 'tap-rogue']
  await run('ip', ['netns', 'add', space])
  try {
    await run('ip', [
      '-n',
      space,
      'link',
      'add',
      inner,
      'type',
      'veth',
      'peer',
      'name',
      outer,
      'netns',
      `lab-${compute}`,
    ])
    await run('ip', ['-n', space, 'addr', 'add', '10.77.200.250/24', 'dev', inner])
    await run('ip', ['-n', space, 'link', 'set', inner, 'up'])
    await onHost(compute, 'ip', 'link', 'set', outer, 'master', bridge(), 'up')
    const words = ['--keep-in-foreground', '--conf-file=', '--port=0', `--interface=${inner}`, '--bind-interfaces']
    // of what a stranger offers to one address alone, Neutron's own rules keep the guest free
    const rogue = [
      ...words,
      '--dhcp-broadcast',
      '--dhcp-range=10.77.200.240,10.77.200.249,2m',
      '--dhcp-leasefile=/dev/null',
      '--pid-file=',
    ]
    const child = spawn('ip', ['netns', 'exec', space, 'dnsmasq', ...rogue], { stdio: 'ignore' })
    try {
      const told = await listen()
      expect(told).toMatchObject({ verdict: 'ROGUE_DHCP', of: expect.stringContaining('10.77.200.250') })
    } finally {
      child.kill()
      await once(child, 'exit')
    }
  } finally {
    await run('ip', ['netns', 'del', space])
  }
  await nothingListens()
})

test('a dnsmasq that died is named and started anew, and the guest has its address', async () => {
  const kill = (pids: readonly number[]) => {
    for (const pid of pids) process.kill(pid, 'SIGKILL')
  }
  // the agent looks after it once a minute, and would be quicker: once it has been, its next look is a minute away
  const first = await dnsmasq()
  kill(first)
  const second = await eventually(async () => {
    const now = (await dnsmasq()).filter((pid) => !first.includes(pid))
    return now.length > 0 ? now : undefined
  }, within(150))
  kill(second)
  const told = await mendNow()
  const verdict = { exit: 0, verdict: 'DNSMASQ_DEAD', of: 'neutron-dhcp-agent on net-1' }
  expect(told).toMatchObject({ ...verdict, mended: true, proof: newLease })
  expect(await dnsmasq()).not.toEqual([])
})

test('a network that no DHCP agent has is given to one that can serve it, and the guest has its address', async () => {
  const path = '/v2.0/agents?binary=neutron-dhcp-agent&host=net-1'
  const { agents } = (await ask('network', 'GET', path, within(60))) as { agents: { id: string }[] }
  const agent = agents[0]?.id ?? ''
  const taken = await cloud.ask('network', 'DELETE', `/v2.0/agents/${agent}/dhcp-networks/${network}`, within(60))
  expect(taken.status).toBe(204)
  const told = await mend()
  expect(told).toMatchObject({ exit: 0, verdict: 'NO_DHCP_AGENT', of: network, mended: true, proof: newLease })
  const serving = await ask('network', 'GET', `/v2.0/networks/${network}/dhcp-agents`, within(60))
  expect(serving).toMatchObject({ agents: [{ id: agent }] })
})

test('a DHCP agent that is stopped is named once its reports are too old', async () => {
  const alive = async () => {
    const path = '/v2.0/agents?binary=neutron-dhcp-agent&host=net-1'
    const { agents } = (await ask('network', 'GET', path, within(60))) as { agents: { alive: boolean }[] }
    return agents[0]?.alive
  }
  await script('down.sh', 'stop', 'neutron-dhcp-agent')
  try {
    await eventually(async () => (await alive()) === false || undefined, within(150))
    expect(await diagnose()).toMatchObject({ verdict: 'AGENT_DOWN', of: 'neutron-dhcp-agent on net-1' })
  } finally {
    await script('up.sh', 'start', 'neutron-dhcp-agent')
    await eventually(async () => (await alive()) === true || undefined, within(150))
  }
})
