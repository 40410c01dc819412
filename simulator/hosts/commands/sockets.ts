import type { Haproxy } from '../haproxy/model.ts'
import { haproxyAnswer } from '../haproxy/socket.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'

/** What answers at a socket: a request and its reply. */
type Service = (me: Process, request: string) => string | undefined

/** `socat`, `nc`, and the services they reach on this machine: haproxy's admin socket and memcached. */
export function socketPrograms(machine: Machine, haproxy: Haproxy | undefined): [string, Program][] {
  const services = new Map<string, Service>()
  const active = (unit: string) => machine.units.find(unit)?.active === 'active'
  if (haproxy) {
    machine.special.set('/run/haproxy/admin.sock', 'socket')
    machine.files.folder('/run/haproxy', { parents: true })
    machine.files.write('/run/haproxy/admin.sock', '')
    services.set('/run/haproxy/admin.sock', (me, request) =>
      active('haproxy')
        ? request
            .split(/[\n;]/)
            .filter((line) => line.trim() !== '')
            .slice(0, 1)
            .map((line) => haproxyAnswer(machine, haproxy, line, me))
            .join('')
        : undefined,
    )
  }
  if (machine.units.find('memcached')) {
    services.set('11211', (_, request) => (active('memcached') ? memcached(machine, request) : undefined))
  }
  const talk = async (me: Process, program: string, target: string | undefined): Promise<number> => {
    const service = target === undefined ? undefined : services.get(target)
    const request = (await me.input()).toString()
    const reply = service?.(me, request)
    if (reply === undefined) {
      const path = target?.startsWith('/') === true
      const reason = path && service === undefined ? 'No such file or directory' : 'Connection refused'
      me.err(
        program === 'socat'
          ? `${new Date(machine.localTime()).toISOString().slice(0, 19).replaceAll('-', '/').replace('T', ' ')} socat[${me.pid}] E connect(, ${path ? `AF=1 "${target}"` : `AF=2 127.0.0.1:${target}`}, 16): ${reason}\n`
          : `nc: ${reason}\n`,
      )
      return 1
    }
    me.out(reply)
    return 0
  }
  return [
    [
      'socat',
      async (me, args) =>
        talk(
          me,
          'socat',
          args.map(addressOf).find((address) => address !== undefined),
        ),
    ],
    [
      'nc',
      async (me, args) =>
        talk(
          me,
          'nc',
          args.findLast((arg) => arg.startsWith('/') || /^\d{2,5}$/.test(arg)),
        ),
    ],
  ]
}

/** The far end of a socat address: a path or a port. */
function addressOf(word: string): string | undefined {
  const [, path] = /^(?:unix(?:-connect)?:)?(\/[^,]+)/i.exec(word) ?? []
  const [, port] = /^tcp4?(?:-connect)?:(?:localhost|127\.0\.0\.1|[\w.]+):(\d+)/i.exec(word) ?? []
  return path ?? port
}

function memcached(machine: Machine, request: string): string {
  if (!/^stats/m.test(request)) return /^version/m.test(request) ? 'VERSION 1.6.18\r\n' : 'ERROR\r\n'
  const unit = machine.units.find('memcached')
  const uptime = Math.floor((machine.now() - (unit?.since ?? machine.now())) / 1000)
  const values: Readonly<Record<string, string | number>> = {
    pid: unit?.mainPid ?? 0,
    uptime,
    time: Math.floor(machine.localTime() / 1000),
    version: '1.6.18',
    max_connections: 1024,
    curr_connections: 118,
    total_connections: uptime * 3,
    rejected_connections: 0,
    cmd_get: uptime * 41,
    cmd_set: uptime * 9,
    get_hits: uptime * 38,
    get_misses: uptime * 3,
    limit_maxbytes: 1_073_741_824,
    listen_disabled_num: 0,
    threads: 4,
    bytes: 211_223_004,
    curr_items: 91_223,
    total_items: uptime * 9,
    evictions: 0,
  }
  return `${Object.entries(values)
    .map(([name, value]) => `STAT ${name} ${value}\r\n`)
    .join('')}END\r\n`
}
