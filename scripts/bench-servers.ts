import { spawn } from 'node:child_process'
import { createServer } from 'node:http'
import { join } from 'node:path'

const count = 10_000
const page = 1_000

/** What the listing of many servers costs the program, over what Nova gives of each: pages of a thousand, from this process. */
export async function listServers(
  { program, hook, folder }: { readonly program: string; readonly hook: string; readonly folder: string },
  runbook: string,
): Promise<{ readonly cpu: number; readonly memory: number }> {
  const pages = Array.from({ length: count / page }, (_, at) => JSON.stringify(pageOf(at)))
  const server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://cloud')
    const port = (server.address() as { port: number }).port
    const reply = (text: string, status = 200, headers = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
    if (pathname.endsWith('/auth/tokens')) {
      request.resume()
      return reply(JSON.stringify(token(port)), 201, { 'x-subject-token': 'bench' })
    }
    if (pathname.endsWith('/servers/detail')) return reply(pages[Number(searchParams.get('marker') ?? 0)] ?? '{}')
    const versions = [{ id: 'v2.1', status: 'CURRENT', version: '2.93', min_version: '2.1' }]
    return reply(JSON.stringify({ versions }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  try {
    return await cost(['--require', hook, program, 'exec', runbook, '--runs', join(folder, 'runs')], folder, {
      PATH: process.env['PATH'],
      HOME: folder,
      OS_AUTH_URL: `http://127.0.0.1:${port}/v3`,
      OS_USERNAME: 'bench',
      OS_PASSWORD: 'bench',
      OS_PROJECT_NAME: 'bench',
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

/** Fails unless every server is there. */
export const listing = `apiVersion: runbook/v1
name: listing
steps:
  - id: servers
    action: openstack.server.list
    verify:
      - that: size(result.servers) == ${count}
`

function cost(args: readonly string[], cwd: string, env: NodeJS.ProcessEnv): Promise<{ cpu: number; memory: number }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd, env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
    const told: string[] = []
    const said: string[] = []
    child.stdio[3]?.on('data', (piece) => told.push(String(piece)))
    child.stderr?.on('data', (piece) => said.push(String(piece)))
    child.on('error', reject)
    child.on('close', (status) =>
      status === 0
        ? resolve(JSON.parse(told.join('')) as { cpu: number; memory: number })
        : reject(new Error(`\`node ${args.join(' ')}\` ended with ${status}: ${said.join('')}`)),
    )
  })
}

function pageOf(at: number): object {
  const next = `http://cloud/servers/detail?limit=${page}&marker=${at + 1}`
  return {
    servers: Array.from({ length: page }, (_, index) => serverAt(at * page + index)),
    ...((at + 1) * page < count && { servers_links: [{ rel: 'next', href: next }] }),
  }
}

/** About as much as a real Nova says of a server. */
function serverAt(number: number): object {
  const id = `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`
  return {
    id,
    name: `server-${number}`,
    status: 'ACTIVE',
    tenant_id: '0123456789abcdef0123456789abcdef',
    user_id: '0123456789abcdef0123456789abcdef',
    metadata: { team: 'bench', stage: 'test' },
    hostId: '0123456789abcdef0123456789abcdef0123456789abcdef01234567',
    image: { id, links: [{ rel: 'bookmark', href: `http://cloud/images/${id}` }] },
    flavor: { vcpus: 2, ram: 4096, disk: 20, ephemeral: 0, swap: 0, original_name: 'm1.small', extra_specs: {} },
    created: '2026-03-01T12:00:00Z',
    updated: '2026-03-01T12:00:10Z',
    addresses: {
      private: [
        {
          version: 4,
          addr: `10.${number >> 16}.${(number >> 8) & 255}.${number & 255}`,
          'OS-EXT-IPS:type': 'fixed',
          'OS-EXT-IPS-MAC:mac_addr': 'fa:16:3e:00:00:00',
        },
      ],
    },
    accessIPv4: '',
    accessIPv6: '',
    links: [
      { rel: 'self', href: `http://cloud/v2.1/servers/${id}` },
      { rel: 'bookmark', href: `http://cloud/servers/${id}` },
    ],
    'OS-DCF:diskConfig': 'MANUAL',
    'OS-EXT-AZ:availability_zone': 'nova',
    config_drive: '',
    key_name: null,
    'OS-SRV-USG:launched_at': '2026-03-01T12:00:10.000000',
    'OS-SRV-USG:terminated_at': null,
    'OS-EXT-SRV-ATTR:host': `compute-${number % 200}`,
    'OS-EXT-SRV-ATTR:instance_name': `instance-${number.toString(16).padStart(8, '0')}`,
    'OS-EXT-SRV-ATTR:hypervisor_hostname': `compute-${number % 200}`,
    'OS-EXT-STS:task_state': null,
    'OS-EXT-STS:vm_state': 'active',
    'OS-EXT-STS:power_state': 1,
    'os-extended-volumes:volumes_attached': [{ id, delete_on_termination: false }],
    host_status: 'UP',
    locked: false,
    locked_reason: null,
    description: null,
    tags: [],
    security_groups: [{ name: 'default' }],
  }
}

function token(port: number): object {
  const url = `http://127.0.0.1:${port}/v2.1`
  const endpoints = [{ interface: 'public', region_id: 'bench', region: 'bench', url }]
  return {
    token: {
      methods: ['password'],
      expires_at: '2099-01-01T00:00:00Z',
      user: { id: 'u', name: 'bench', domain: { id: 'default', name: 'Default' } },
      project: { id: 'p', name: 'bench', domain: { id: 'default', name: 'Default' } },
      roles: [{ id: 'r', name: 'admin' }],
      catalog: [{ type: 'compute', name: 'nova', endpoints }],
    },
  }
}
