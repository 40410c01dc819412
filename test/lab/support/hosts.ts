import { execFile } from 'node:child_process'
import { lab, readLab } from './lab.ts'

export interface Said {
  /** Exit code of the command; 255 when ssh itself failed. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a command line on a host of the lab through OpenSSH, so that our own client is not measured with itself. */
export async function onHost(host: string, command: string, signal: AbortSignal, user = 'root'): Promise<Said> {
  const said = await onHostExactly(host, command, signal, user)
  return { ...said, stdout: said.stdout.trim() }
}

/** The same, and what it says is not trimmed. */
export function onHostExactly(host: string, command: string, signal: AbortSignal, user = 'root'): Promise<Said> {
  const words = ['-F', lab.sshConfig, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=3', '-l', user, host, command]
  return new Promise((resolve, reject) => {
    execFile('ssh', words, { signal, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error)
      else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr })
    })
  })
}

/** The hosts of the lab with their addresses, running or not. */
export async function labHosts(): Promise<ReadonlyMap<string, string>> {
  const lines = (await readLab(lab.hosts)).trim().split('\n')
  return new Map(lines.map((line) => line.split('\t') as [string, string]))
}
