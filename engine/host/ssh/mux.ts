/**
 * Channels over the control socket of OpenSSH's `ssh`, in proxy mode (`PROTOCOL.mux` of OpenSSH): the messages of SSH's
 * connection protocol (RFC 4254), which that `ssh` passes on between us and the host. So it is the host that tells how a
 * command ended, output is bytes, a server that has no session to spare says so, and no command stands in a process list.
 */
import type { Socket } from 'node:net'
import { Duplex, Readable } from 'node:stream'
import type { Channel, Refused } from './channel.ts'
import { type Fields, fieldsOf, number, onStrings, string } from './wire.ts'

export interface Mux {
  open(text: string): Promise<Channel | Refused>
  /** The way on to another host. */
  forward(hostname: string, port: number): Promise<Duplex>
}

const control = { hello: 1, version: 4, proxy: 0x1000000f, proxied: 0x8000000f } as const

const message = {
  open: 90,
  opened: 91,
  notOpened: 92,
  adjust: 93,
  data: 94,
  moreData: 95,
  eof: 96,
  close: 97,
  request: 98,
  success: 99,
  failure: 100,
} as const

/** Bytes that a host may send on a channel before somebody has taken them, and in one message. */
const ourWindow = 2 * 1024 * 1024
const ourPacket = 32 * 1024

/** Resolves with nothing when whoever listens there does not do this. */
export function muxOver(socket: Socket): Promise<Mux | undefined> {
  const lines = new Map<number, Life>()
  let last = 0

  /** A channel of a kind, or why there is none. */
  function begin(kind: string, ...details: Buffer[]): Promise<Line | Error> {
    if (socket.destroyed) return Promise.resolve(new Error('the connection was closed'))
    const id = ++last
    const send = (type: number, ...parts: Buffer[]) =>
      void socket.write(string(Buffer.concat([Buffer.of(0, type), ...parts])))
    return new Promise((resolve) => {
      lines.set(
        id,
        lineOver(send, resolve, () => lines.delete(id)),
      )
      send(message.open, string(kind), number(id), number(ourWindow), number(ourPacket), ...details)
    })
  }

  async function open(text: string): Promise<Channel | Refused> {
    const line = await begin('session')
    if (line instanceof Error) return { error: line, asked: false }
    if (await line.ask('exec', string(text))) return line
    line.close()
    return { error: new Error('the server did not take the command'), asked: true }
  }

  async function forward(hostname: string, port: number): Promise<Duplex> {
    const line = await begin('direct-tcpip', string(hostname), number(port), string('127.0.0.1'), number(0))
    if (line instanceof Error) throw line
    return line.stdout
  }

  return new Promise((resolve) => {
    let proxied = false
    onStrings(socket, (bytes) => {
      const fields = fieldsOf(bytes)
      if (proxied) {
        fields.skip(2)
        lines.get(fields.number())?.take(bytes[1], fields)
        return
      }
      const answer = fields.number()
      if (answer === control.hello) return
      proxied = answer === control.proxied
      resolve(proxied ? { open, forward } : undefined)
    })
    socket.once('close', () => {
      resolve(undefined)
      for (const line of lines.values()) line.end()
    })
    const hello = Buffer.concat([number(control.hello), number(control.version)])
    socket.write(Buffer.concat([string(hello), string(Buffer.concat([number(control.proxy), number(0)]))]))
  })
}

/** A channel as whoever uses it has it. */
interface Line extends Channel {
  readonly stdout: Duplex
  /** Whether the other side does what it is asked for. */
  ask(request: string, ...details: Buffer[]): Promise<boolean>
}

/** A channel as messages reach it. */
interface Life {
  take(type: number | undefined, fields: Fields): void
  /** There will be no more messages. */
  end(): void
}

type Ending = Awaited<Channel['exited']>

function lineOver(
  send: (type: number, ...parts: Buffer[]) => void,
  began: (line: Line | Error) => void,
  ended: () => void,
): Life {
  let there = number(0)
  let mayTell = true
  const tell = (type: number, ...parts: Buffer[]) => mayTell && send(type, there, ...parts)
  const exited = promised<Ending>()
  const shut = promised<void>()
  let answered = promised<boolean>()

  let taken = 0
  /** So many bytes are out of the way: as many may come again. */
  function grant(count: number): void {
    taken += count
    if (taken < ourWindow / 2) return
    tell(message.adjust, number(taken))
    taken = 0
  }

  let room = 0
  let packet = 0
  let unsent: { bytes: Buffer; done: () => void } | undefined
  function flush(): void {
    while (unsent && room > 0) {
      const part = unsent.bytes.subarray(0, Math.min(room, packet))
      tell(message.data, string(part))
      room -= part.length
      unsent.bytes = unsent.bytes.subarray(part.length)
      if (unsent.bytes.length > 0) continue
      const { done } = unsent
      unsent = undefined
      done()
    }
  }

  function close(): void {
    tell(message.close)
    mayTell = false
  }

  const out = granting(grant)
  const err = granting(grant)
  const stderr = new Readable({ read: err.read })
  const stdout = new Duplex({
    // a command may run on with its streams closed, and tell later how it ended
    autoDestroy: false,
    read: out.read,
    write(bytes: Buffer, _encoding, done) {
      unsent = { bytes, done }
      flush()
    },
    final(done) {
      tell(message.eof)
      done()
    },
    destroy(error, done) {
      close()
      done(error)
    },
  })
  const read = [stdout, stderr].map((stream) => new Promise((resolve) => stream.once('end', resolve)))
  const line: Line = {
    stdout,
    stderr,
    exited: exited.promise,
    closed: Promise.all([shut.promise, ...read]),
    write: (text) => void stdout.write(text),
    end: (text) => void stdout.end(text),
    close,
    ask(request, ...details) {
      answered = promised()
      if (mayTell) tell(message.request, string(request), Buffer.of(1), ...details)
      else answered.resolve(false)
      return answered.promise
    },
  }

  function noMoreOutput(): void {
    stdout.push(null)
    stderr.push(null)
  }

  function end(): void {
    mayTell = false
    ended()
    noMoreOutput()
    began(new Error('the connection was closed'))
    answered.resolve(false)
    exited.resolve('lost')
    shut.resolve()
  }

  function requested(fields: Fields): void {
    const request = fields.text()
    const wantsAnswer = fields.flag()
    if (request === 'exit-status') exited.resolve({ exitCode: fields.number() })
    else if (request === 'exit-signal') exited.resolve({ exitCode: null, signal: `SIG${fields.text()}` })
    // servers ask for what nobody knows, to see whether anybody is there
    else if (wantsAnswer) tell(message.failure)
  }

  const takers: { readonly [type: number]: (fields: Fields) => void } = {
    [message.opened](fields) {
      there = number(fields.number())
      room = fields.number()
      packet = fields.number()
      began(line)
    },
    [message.notOpened](fields) {
      fields.skip(4)
      began(new Error(fields.text()))
      end()
    },
    [message.adjust](fields) {
      room += fields.number()
      flush()
    },
    [message.data]: (fields) => out.give(stdout, fields.bytes()),
    [message.moreData](fields) {
      fields.skip(4)
      err.give(stderr, fields.bytes())
    },
    [message.eof]: noMoreOutput,
    [message.request]: requested,
    [message.success]: () => answered.resolve(true),
    [message.failure]: () => answered.resolve(false),
    [message.close]() {
      close()
      end()
    },
  }
  return { end, take: (type = 0, fields) => takers[type]?.(fields) }
}

/** Gives a stream bytes, and tells of them when they are out of the way. */
function granting(grant: (count: number) => void) {
  let owed = 0
  return {
    read(): void {
      grant(owed)
      owed = 0
    },
    give(stream: Readable, bytes: Buffer): void {
      if (stream.push(bytes)) grant(bytes.length)
      else owed += bytes.length
    },
  }
}

function promised<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {}
  const promise = new Promise<T>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}
