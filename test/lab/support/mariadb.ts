import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** What a server answered that is no answer: its number, such as 1040. */
class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  readonly number: number

  constructor(number: number, message: string) {
    super(`${number} ${message}`)
    this.number = number
  }
}

/** One connection, held until it is closed: enough of the protocol to sign in and to send statements. */
export interface Connection {
  /** Sends one statement, and waits until it is done. Rejects with `DatabaseError`, or when the connection is gone. */
  execute(statement: string): Promise<void>
  close(): void
}

const sha1 = (...parts: readonly Buffer[]) => createHash('sha1').update(Buffer.concat(parts)).digest()

/** Signs in with `mysql_native_password`. Rejects with number 1040 when the server is full. */
export async function openConnection(host: string, user: string, password: string): Promise<Connection> {
  const socket = connect({ host, port: 3306 })
  const packets = packetsOf(socket)
  try {
    const greeting = failing(await packets.next())
    const version = greeting.indexOf(0, 1)
    const salt = Buffer.concat([
      greeting.subarray(version + 5, version + 13),
      greeting.subarray(version + 32, version + 44),
    ])
    const once = sha1(Buffer.from(password))
    const scramble = sha1(salt, sha1(once)).map((byte, index) => byte ^ (once[index] ?? 0))
    const head = Buffer.alloc(32)
    // protocol 4.1, a secure sign-in, and the plugin by its name
    head.writeUInt32LE(0x00000200 | 0x00008000 | 0x00080000 | 0x00000001, 0)
    head.writeUInt32LE(16_777_216, 4)
    head[8] = 45
    const body = Buffer.concat([
      head,
      Buffer.from(`${user}\0`),
      Buffer.from([scramble.length]),
      scramble,
      Buffer.from('mysql_native_password\0'),
    ])
    send(socket, 1, body)
    failing(await packets.next())
  } catch (error) {
    socket.destroy()
    throw error
  }
  return {
    async execute(statement) {
      send(socket, 0, Buffer.concat([Buffer.from([3]), Buffer.from(statement)]))
      const first = failing(await packets.next())
      if (first[0] === 0) return
      // columns, an end, rows, an end
      for (let ends = 0; ends < 2; ) if (isEnd(failing(await packets.next()))) ends += 1
    },
    close: () => socket.destroy(),
  }
}

const isEnd = (packet: Buffer) => packet[0] === 0xfe && packet.length < 9

function failing(packet: Buffer): Buffer {
  if (packet[0] !== 0xff) return packet
  throw new DatabaseError(packet.readUInt16LE(1), packet.subarray(3).toString())
}

function send(socket: Socket, sequence: number, body: Buffer): void {
  const head = Buffer.alloc(4)
  head.writeUIntLE(body.length, 0, 3)
  head[3] = sequence
  socket.write(Buffer.concat([head, body]))
}

function packetsOf(socket: Socket): { next(): Promise<Buffer> } {
  let buffered = Buffer.alloc(0)
  let gone: Error | undefined
  let wake = () => {}
  socket.on('data', (bytes: Buffer) => {
    buffered = Buffer.concat([buffered, bytes])
    wake()
  })
  const end = (error?: Error) => {
    gone ??= error ?? new Error('the server closed the connection')
    wake()
  }
  socket.on('error', end)
  socket.on('close', () => end())
  return {
    async next() {
      for (;;) {
        const size = buffered.length < 4 ? -1 : buffered.readUIntLE(0, 3)
        if (size >= 0 && buffered.length >= 4 + size) {
          const packet = buffered.subarray(4, 4 + size)
          buffered = buffered.subarray(4 + size)
          return packet
        }
        if (gone) throw gone
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}
