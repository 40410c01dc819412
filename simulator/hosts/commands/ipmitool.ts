import type { Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import { readOptions } from './options.ts'

const takes = [...'IHpUPfLACkyeNRtTmbBldoOSDzi']

/** `ipmitool chassis power status` and `cycle`, as 1.8.19 answers, by the address of a management board. */
export function ipmitoolProgram(machine: Machine, boardAt: (address: string) => Machine | undefined): Program {
  return async (me, args) => {
    const { flags, rest } = readOptions(args, takes)
    const address = flags.get('H')
    const file = flags.get('f')
    if (typeof file === 'string' && !machine.files.find(file)) {
      // it asks for the password then, and gets none
      me.err(
        `File ${file} does not exist\nUnable to open password file ${file}\nUnable to read password from file ${file}\nPassword: Error: Unable to establish IPMI v2 / RMCP+ session\n`,
      )
      return 1
    }
    if (address === undefined) {
      me.err('Could not open device at /dev/ipmi0 or /dev/ipmi/0 or /dev/ipmidev/0: No such file or directory\n')
      return 1
    }
    const target = boardAt(String(address))
    if (!target) {
      me.err(
        flags.get('I') === 'lanplus'
          ? 'Error: Unable to establish IPMI v2 / RMCP+ session\n'
          : 'Error: Unable to establish LAN session\nError: Unable to establish IPMI v1.5 / RMCP session\n',
      )
      return 1
    }
    const words = rest[0] === 'chassis' ? rest.slice(1) : rest
    if (words[0] !== 'power') {
      me.err(`Invalid command: ${rest.join(' ')}\n`)
      return 1
    }
    switch (words[1]) {
      case 'status':
        me.out(`Chassis Power is ${target.power.current() ? 'on' : 'off'}\n`)
        return 0
      case 'cycle':
        if (!target.power.cycle()) {
          me.err('Set Chassis Power Control to Cycle failed: Command not supported in present state\n')
          return 1
        }
        me.effect('host.power.cycle', target.name)
        me.out('Chassis Power Control: Cycle\n')
        return 0
      default:
        me.err(`Invalid chassis power command: ${words[1] ?? ''}\n`)
        return 1
    }
  }
}
