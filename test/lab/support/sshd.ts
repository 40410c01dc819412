import { onHost } from './hosts.ts'

/** A second sshd on a host of the lab, with settings of its own; the usual one stays, to look from outside. */
export interface LabSshd extends AsyncDisposable {
  readonly port: number
  /** Its next connections are taken by the kernel, and nobody says anything. */
  silence(): Promise<void>
  /** Stops the processes of its open connections where they stand; what they started goes on. */
  freeze(): Promise<void>
  /** Ends the processes of its open connections, as a crash would; what they started goes on. */
  cutOff(): Promise<void>
}

const port = 2022
const folder = '/run/lab-sshd'
const soon = () => AbortSignal.timeout(120_000)

/** Standard output of a command on a host, as root and through OpenSSH; fails when the command does. */
export async function asRoot(host: string, command: string): Promise<string> {
  const { code, stdout, stderr } = await onHost(host, command, soon())
  if (code !== 0) throw new Error(`${command} on ${host}: ${code} ${stderr}`)
  return stdout
}

/** Starts it; what is in `lines` wins over what would be usual. */
export async function sshdOn(host: string, lines: readonly string[] = []): Promise<LabSshd> {
  const usual = [
    `Port ${port}`,
    `PidFile ${folder}/pid`,
    'HostKey /etc/ssh/ssh_host_ed25519_key',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'UseDNS no',
  ]
  const pids = (of: string) => `for p in $(pgrep -P "$(cat ${folder}/pid)"); do ${of}; done`
  const settings = [...lines, ...usual].map((line) => `'${line}'`).join(' ')
  const stop = `[ ! -e ${folder}/pid ] || { p=$(cat ${folder}/pid); for c in $(pgrep -P $p); do kill -KILL $c 2>/dev/null; done
kill -KILL $p 2>/dev/null; rm -rf ${folder}; }`
  await asRoot(
    host,
    `${stop}; set -e; mkdir -p ${folder} /run/sshd; printf '%s\\n' ${settings} >${folder}/config
/usr/sbin/sshd -f ${folder}/config -E ${folder}/log; for i in $(seq 50); do [ -e ${folder}/pid ] && exit 0; sleep 0.1; done; exit 1`,
  )
  return {
    port,
    silence: async () => void (await asRoot(host, `kill -STOP "$(cat ${folder}/pid)"`)),
    freeze: async () => void (await asRoot(host, pids('kill -STOP $p; pkill -STOP -P $p sshd || true'))),
    cutOff: async () => void (await asRoot(host, pids('pkill -KILL -P $p sshd || true; kill -KILL $p'))),
    [Symbol.asyncDispose]: async () => void (await asRoot(host, `${stop}; true`)),
  }
}
