import { execFileSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { HttpRequest } from '../../../engine/action/contract.ts'
import { httpDoor } from '../../../engine/host/http.ts'
import type { Call } from '../../../engine/run/event.ts'
import { handClock, never } from '../../support/context.ts'

test('an answer comes with its status, lower-case headers, text and time, and is recorded with its request id', async () => {
  await using server = await serve((_, response) => {
    response.writeHead(404, { 'X-OpenStack-Request-Id': 'req-1', 'Content-Type': 'text/plain' }).end('nothing here')
  })
  await using door = openDoor()
  const response = await door.request({ method: 'GET', url: `${server.url}/a?b=c` }, never)
  expect(response).toMatchObject({ status: 404, text: 'nothing here', took: 0 })
  expect(response.headers['content-type']).toBe('text/plain')
  expect(door.calls).toEqual([
    { kind: 'http', method: 'GET', url: `${server.url}/a?b=c`, status: 404, requestId: 'req-1', took: 0 },
  ])
})

test('a JSON body is sent as JSON and a text as it is', async () => {
  const seen: string[] = []
  await using server = await serve(async (request, response) => {
    seen.push(`${request.headers['content-type']} ${await bodyOf(request)}`)
    response.end()
  })
  await using door = openDoor()
  await door.request({ method: 'POST', url: server.url, body: { a: [1] } }, never)
  await door.request({ method: 'POST', url: server.url, body: 'plain' }, never)
  expect(seen).toEqual(['application/json {"a":[1]}', 'text/plain; charset=utf-8 plain'])
})

test('a file is sent byte by byte with its length, and how far it is gets told', async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'http-')), 'image')
  const bytes = randomBytes(300_000)
  writeFileSync(path, bytes)
  const seen: (string | undefined)[] = []
  await using server = await serve(async (request, response) => {
    const digest = createHash('sha256')
    for await (const chunk of request) digest.update(chunk as Buffer)
    seen.push(request.headers['content-type'], request.headers['content-length'], digest.digest('hex'))
    response.writeHead(204).end()
  })
  await using door = openDoor()
  const told: number[] = []
  const file = { path, sent: (count: number) => told.push(count) }
  expect(await door.request({ method: 'PUT', url: server.url, file }, never)).toMatchObject({ status: 204 })
  expect(seen).toEqual(['application/octet-stream', '300000', createHash('sha256').update(bytes).digest('hex')])
  expect(told.length).toBeGreaterThan(2)
  expect(told.at(-1)).toBe(300_000)
})

test('a file that cannot be read is not sent, and one that nobody takes is closed again', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'http-'))
  const path = join(folder, 'image')
  writeFileSync(path, 'bytes')
  await using door = openDoor()
  for (const missing of [join(folder, 'none'), folder])
    await expect(
      door.request({ method: 'PUT', url: 'http://127.0.0.1:1', file: { path: missing } }, never),
    ).rejects.toMatchObject({ code: 'no_file', status: 'failed' })
  await expect(door.request({ method: 'PUT', url: 'http://127.0.0.1:1', file: { path } }, never)).rejects.toMatchObject(
    { code: 'connection_refused', status: 'unreachable' },
  )
  const open = () => readdirSync('/proc/self/fd').map((fd) => linkOf(`/proc/self/fd/${fd}`))
  await expect.poll(open).not.toContain(path)
})

test('a request that brings a body and a file is refused, and neither is sent', async () => {
  const seen: string[] = []
  await using server = await serve((request, response) => {
    seen.push(request.url ?? '')
    response.writeHead(204).end()
  })
  await using door = openDoor()
  const both = { method: 'PUT', url: server.url, body: {}, file: { path: import.meta.filename } }
  // @ts-expect-error it is one or the other
  await expect(door.request(both, never)).rejects.toThrow('a request brings a `body` or a `file`, not both')
  expect(seen).toEqual([])
})

test('a redirect is an answer like any other', async () => {
  await using server = await serve((_, response) => response.writeHead(302, { location: '/elsewhere' }).end())
  await using door = openDoor()
  expect(await door.request({ method: 'GET', url: server.url }, never)).toMatchObject({ status: 302 })
})

test.each([
  { what: 'a refused connection', url: 'http://127.0.0.1:1', code: 'connection_refused' },
  { what: 'a name nobody knows', url: 'http://nobody.invalid', code: 'dns_failed' },
])('$what is unreachable, even for a change', async ({ url, code }) => {
  await using door = openDoor()
  await expect(door.request({ method: 'POST', url, body: {} }, never)).rejects.toMatchObject({
    name: 'StepFailure',
    status: 'unreachable',
    code,
  })
  expect(door.calls).toMatchObject([{ method: 'POST', error: expect.stringContaining(code) }])
})

test('a certificate nobody vouches for is told with the reason, and is accepted with its authority or without a check', async () => {
  const { key, cert } = selfSigned()
  const server = createTlsServer({ key, cert }, (_, response) => response.end('safe'))
  await using listening = await listen(server)
  await using door = openDoor()
  const url = `https://localhost:${listening.port}`
  await expect(door.request({ method: 'GET', url }, never)).rejects.toMatchObject({
    status: 'unreachable',
    code: 'tls_failed',
    message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT'),
  })
  expect(await door.request({ method: 'GET', url, tls: { ca: cert } }, never)).toMatchObject({ text: 'safe' })
  expect(await door.request({ method: 'GET', url, tls: { verify: false } }, never)).toMatchObject({ text: 'safe' })
})

test('a port that does not speak TLS is told so', async () => {
  await using server = await serve((_, response) => response.end())
  await using door = openDoor()
  await expect(
    door.request({ method: 'GET', url: server.url.replace('http:', 'https:') }, never),
  ).rejects.toMatchObject({ code: 'tls_failed', message: expect.stringContaining('does not speak TLS') })
})

test.each([
  { method: 'GET', effect: undefined, status: 'unreachable' },
  { method: 'POST', effect: 'read', status: 'unreachable' },
  { method: 'POST', effect: undefined, status: 'unknown' },
  { method: 'DELETE', effect: undefined, status: 'unknown' },
] as const)('a connection that breaks after $method ($effect) was sent leaves it $status', async (row) => {
  let tries = 0
  await using server = await tcp((socket) => {
    socket.once('data', () => {
      tries += 1
      socket.destroy()
    })
  })
  await using door = openDoor()
  const request: HttpRequest = { method: row.method, url: server.url, ...(row.effect && { effect: row.effect }) }
  await expect(door.request(request, never)).rejects.toMatchObject({ status: row.status, code: 'connection_lost' })
  expect(tries).toBe(row.status === 'unknown' ? 1 : 2)
})

test('a change that breaks in the middle of the answer is unknown', async () => {
  await using server = await tcp((socket) => {
    socket.once('data', () => socket.end('HTTP/1.1 202 Accepted\r\ncontent-length: 100\r\n\r\nhalf'))
  })
  await using door = openDoor()
  await expect(door.request({ method: 'POST', url: server.url }, never)).rejects.toMatchObject({
    status: 'unknown',
    code: 'connection_lost',
    message: expect.stringContaining('in the middle of the answer'),
  })
})

test('a read on a kept connection that has died is tried again on a new one', async () => {
  let connections = 0
  await using server = await tcp((socket) => {
    const mine = ++connections
    let answered = 0
    socket.on('data', () => {
      answered += 1
      // the first connection answers once, then dies at the second request
      if (mine === 1 && answered === 2) socket.destroy()
      else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
  })
  await using door = openDoor()
  await door.request({ method: 'GET', url: server.url }, never)
  expect(await door.request({ method: 'GET', url: server.url }, never)).toMatchObject({ status: 200, text: 'ok' })
  expect(connections).toBe(2)
})

test('reads keep their connections; a change has one of its own', async () => {
  const ports: (number | undefined)[] = []
  await using server = await serve((request, response) => {
    ports.push(request.socket.remotePort)
    response.end()
  })
  await using door = openDoor()
  for (let i = 0; i < 8; i += 1) await door.request({ method: 'GET', url: server.url }, never)
  const reads = new Set(ports.splice(0))
  for (let i = 0; i < 8; i += 1) await door.request({ method: 'POST', url: server.url }, never)
  expect(reads.size).toBeLessThan(4)
  expect(new Set(ports).size).toBe(8)
  expect(ports.some((port) => reads.has(port))).toBe(false)
})

test.each([
  { method: 'GET', status: 'unreachable' },
  { method: 'POST', status: 'unknown' },
])('$method without an answer within its timeout is $status', async ({ method, status }) => {
  const clock = handClock()
  await using server = await serve(() => clock.advance(5_000))
  await using door = openDoor({ clock })
  await expect(door.request({ method, url: server.url, timeout: 5_000 }, never)).rejects.toMatchObject({
    status,
    code: 'timeout',
  })
  expect(door.calls).toMatchObject([{ took: 5_000, error: expect.stringContaining('timeout') }])
})

test('the wait for an answer does not let a jumping clock run to the deadline', async () => {
  const clock = handClock()
  await using server = await serve((_, response) => setImmediate(() => response.end('there')))
  await using door = openDoor({ clock })
  expect(await door.request({ method: 'GET', url: server.url }, never)).toMatchObject({ text: 'there' })
  expect(clock.slept).toEqual([])
})

test('an aborted request rejects with the reason of the signal and leaves no listener on it', async () => {
  const stop = new AbortController()
  await using server = await serve(() => stop.abort(new Error('the operator said stop')))
  await using door = openDoor()
  await expect(door.request({ method: 'GET', url: server.url }, stop.signal)).rejects.toThrow('the operator said stop')
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
})

test('an answered request leaves no listener on the signal', async () => {
  const stop = new AbortController()
  await using server = await serve((_, response) => response.end())
  await using door = openDoor()
  await door.request({ method: 'GET', url: server.url }, stop.signal)
  expect(getEventListeners(stop.signal, 'abort')).toEqual([])
})

test('an answer longer than the limit is not read to its end', async () => {
  await using server = await serve((_, response) => response.end('x'.repeat(2_000)))
  await using door = openDoor({ maxBody: 1_000 })
  await expect(door.request({ method: 'GET', url: server.url }, never)).rejects.toMatchObject({
    status: 'failed',
    code: 'response_too_large',
  })
})

test.each(['ftp://host/', 'nonsense'])('%s is no address', async (url) => {
  await using door = openDoor()
  await expect(door.request({ method: 'GET', url }, never)).rejects.toMatchObject({ code: 'bad_url' })
})

function openDoor(options: { clock?: ReturnType<typeof handClock>; maxBody?: number } = {}) {
  const calls: Call[] = []
  const door = httpDoor({ clock: handClock(), ...options, onCall: (call) => calls.push(call) })
  return { ...door, calls, [Symbol.asyncDispose]: () => door.close() }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse) => unknown) {
  return listen(createServer((request, response) => void answer(request, response)))
}

function tcp(connected: (socket: Socket) => void) {
  return listen(
    createTcpServer((socket) => {
      socket.on('error', () => {})
      connected(socket)
    }),
  )
}

async function listen(server: Server) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function selfSigned(): { key: string; cert: string } {
  const folder = mkdtempSync(join(tmpdir(), 'runbook-tls-'))
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')]
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-days',
      '1',
      '-subj',
      '/CN=localhost',
      '-keyout',
      key,
      '-out',
      cert,
    ].concat(['-addext', 'subjectAltName=DNS:localhost']),
    { stdio: 'ignore' },
  )
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') }
}

/** Where a descriptor leads; one that was closed meanwhile leads nowhere. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path)
  } catch {
    return ''
  }
}
