import type { Machine } from '../machine/machine.ts'
import type { Program } from '../machine/process.ts'
import { formatTime } from './date.ts'

/** `chronyc tracking`, `sources`, `makestep` and `-c` for both lists, as chrony 4.3 prints. */
export function chronycProgram(machine: Machine): Program {
  return async (me, args) => {
    const csv = args.includes('-c')
    const numeric = args.includes('-n')
    const [verb] = args.filter((arg) => !arg.startsWith('-'))
    if (machine.units.find('chrony')?.active !== 'active') {
      me.err('506 Cannot talk to daemon\n')
      return 1
    }
    switch (verb) {
      case 'tracking':
        me.out(csv ? csvLine(machine, numeric) : plainText(machine, numeric))
        return 0
      case 'sources':
        me.out(
          csv
            ? `^,*,${source(numeric)},2,6,377,31,${(-machine.clockOffset).toFixed(9)},${(-machine.clockOffset).toFixed(9)},0.000812000\n`
            : `MS Name/IP address         Stratum Poll Reach LastRx Last sample               \n===============================================================================\n^* ${source(numeric).padEnd(30)}2   6   377    31    ${Math.round(-machine.clockOffset * 1e6)}us[${Math.round(-machine.clockOffset * 1e6)}us] +/-  812us\n`,
        )
        return 0
      case 'makestep':
        if (me.user !== 'root') {
          me.err('501 Not authorised\n')
          return 1
        }
        machine.clockOffset = 0.000_002
        me.effect('host.clock.step', machine.name)
        me.out('200 OK\n')
        return 0
      case 'waitsync':
        me.out(`try: 1, refid: 0A4D0003, correction: ${Math.abs(machine.clockOffset).toFixed(9)}, skew: 0.051\n`)
        return 0
      default:
        me.err('Unrecognized command\n')
        return 1
    }
  }
}

const address = '10.77.0.3'
const source = (numeric: boolean) => (numeric ? address : 'ntp1.rehearsal')
const refid = '0A4D0003'

/** The correction still to be made: positive when the clock is slow. */
const correctionOf = ({ clockOffset }: Machine) => -clockOffset

const referenceTime = (machine: Machine) => machine.now() - (machine.now() % 64_000) - 900

function csvLine(machine: Machine, numeric: boolean): string {
  const correction = correctionOf(machine)
  return `${[
    refid,
    source(numeric),
    '3',
    (referenceTime(machine) / 1000).toFixed(9),
    correction.toFixed(9),
    (correction * 0.6).toFixed(9),
    (Math.abs(correction) + 0.000_013).toFixed(9),
    '-3.221',
    '0.000',
    '0.051',
    '0.000412231',
    '0.000231845',
    '64.6',
    'Normal',
  ].join(',')}\n`
}

function plainText(machine: Machine, numeric: boolean): string {
  const correction = correctionOf(machine)
  const signed = (value: number) => `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(9)}`
  const rows: [string, string][] = [
    ['Reference ID', `${refid} (${source(numeric)})`],
    ['Stratum', '3'],
    ['Ref time (UTC)', formatTime('%a %b %d %H:%M:%S %Y', referenceTime(machine))],
    ['System time', `${Math.abs(correction).toFixed(9)} seconds ${correction > 0 ? 'slow' : 'fast'} of NTP time`],
    ['Last offset', `${signed(correction * 0.6)} seconds`],
    ['RMS offset', `${(Math.abs(correction) + 0.000_013).toFixed(9)} seconds`],
    ['Frequency', '3.221 ppm slow'],
    ['Residual freq', '+0.000 ppm'],
    ['Skew', '0.051 ppm'],
    ['Root delay', '0.000412231 seconds'],
    ['Root dispersion', '0.000231845 seconds'],
    ['Update interval', '64.6 seconds'],
    ['Leap status', 'Normal'],
  ]
  return rows.map(([name, value]) => `${name.padEnd(16)}: ${value}\n`).join('')
}
