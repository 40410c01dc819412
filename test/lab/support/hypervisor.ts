import { rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { lab } from './lab.ts'

/** The computes on this machine, as Nova names them. */
export const computes = ['compute-1', 'compute-2', 'compute-3']

const controlOf = (host: string) => join(dirname(lab.clouds), 'nova', host, 'lab-control.json')

/** What the hypervisor of one of them plays from now on: the head of `../openstack/fake_lab_driver.py` says what it can. */
export const play = (host: string, faults: object): void => writeFileSync(controlOf(host), JSON.stringify(faults))

export const playNothing = (host: string): void => rmSync(controlOf(host), { force: true })
