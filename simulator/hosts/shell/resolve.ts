import { absolute } from '../machine/files.ts'
import type { Machine } from '../machine/machine.ts'
import type { Process, Program } from '../machine/process.ts'
import { builtins } from './builtins.ts'
import { type Shell, shellName } from './state.ts'

const binaries = /^\/(usr\/)?(local\/)?s?bin\//

/** The program a name stands for; one that cannot be run says so and ends with 127 or 126. */
export function programFor(machine: Machine, name: string, me: Process, shell?: Shell): Program {
  const found = findProgram(machine, name, me.cwd)
  if (found) return found
  return async (child) => {
    const missing = name.includes('/') ? 'No such file or directory' : 'command not found'
    child.err(
      shell?.name === 'sh'
        ? `sh: 1: ${name}: not found\n`
        : `${shell ? shellName(shell) : me.argv[0]}: ${name}: ${missing}\n`,
    )
    return 127
  }
}

/** Where `command -v` and `which` find a name. */
export function pathOf(machine: Machine, name: string): string | undefined {
  if (name.includes('/')) return machine.files.find(name) || findProgram(machine, name, '/') ? name : undefined
  for (const folder of ['/usr/local/sbin', '/usr/local/bin']) {
    if (machine.files.find(`${folder}/${name}`)?.kind === 'file') return `${folder}/${name}`
  }
  if (!machine.programs.has(name)) return undefined
  return `${administration.has(name) ? '/usr/sbin' : '/usr/bin'}/${name}`
}

function findProgram(machine: Machine, name: string, cwd: string): Program | undefined {
  const path = name.includes('/') ? absolute(cwd, name) : pathOf(machine, name)
  const script = path ? machine.files.find(path) : undefined
  if (path && script?.kind === 'file' && script.mode & 0o111) {
    const interpreter = /^#! *(\S+)/.exec(machine.files.text(path))?.[1]?.replace(/^.*\//, '') ?? 'sh'
    const program = machine.programs.get(interpreter === 'env' ? 'bash' : interpreter)
    return program && ((me, args) => program(me, [path, ...args]))
  }
  const plain = name.replace(binaries, '')
  return plain.includes('/') ? undefined : (machine.programs.get(plain) ?? asProgram(plain))
}

/** `env true`, `sudo test`: builtins that exist as programs too need no shell around them. */
function asProgram(name: string): Program | undefined {
  if (!['test', '[', 'echo', 'printf', 'true', 'false', 'pwd', 'kill'].includes(name)) return undefined
  const builtin = builtins.get(name)
  return builtin && ((me, args) => builtin({ me, name, args: [] } as unknown as Shell, args))
}

const administration = new Set([
  'reboot',
  'shutdown',
  'poweroff',
  'sysctl',
  'rabbitmqctl',
  'rabbitmq-diagnostics',
  'mariadbd',
  'chronyd',
  'ip6tables',
  'iptables',
  'blkid',
  'ethtool',
  'smartctl',
  'cryptsetup',
  'ledctl',
  'ceph-volume',
  'cephadm',
  'wipefs',
])
