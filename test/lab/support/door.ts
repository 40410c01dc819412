import { type SshDoor, type SshDoorOptions, sshDoor } from '../../../engine/host/ssh/door.ts'
import type { HostSettings } from '../../../engine/host/ssh/settings.ts'
import type { Call } from '../../../engine/run/event.ts'
import { realClock } from '../../engine/host/ssh/harness.ts'
import { lab } from './lab.ts'

export interface LabDoor extends SshDoor, AsyncDisposable {
  readonly calls: Call[]
  readonly output: string[]
}

/** Our own client on the hosts of the lab; whoever logs in is `root` unless told. */
export function labDoor(settings: HostSettings = {}, options: Partial<SshDoorOptions> = {}): LabDoor {
  const calls: Call[] = []
  const output: string[] = []
  const door = sshDoor({
    hosts: () => ({ sshConfig: lab.sshConfig, ...settings }),
    home: '/nowhere',
    user: 'root',
    env: {},
    clock: realClock,
    onCall: (call) => calls.push(call),
    onOutput: (host, stream, text) => output.push(`${host} ${stream} ${text}`),
    ...options,
  })
  return { ...door, calls, output, [Symbol.asyncDispose]: () => door.close() }
}
