import type { Machine } from '../machine/machine.ts'
import { errorLogIn } from './options.ts'

/** What a server says once it has opened its error log. */
export function sayOf(machine: Machine, priority: number, message: string): void {
  const file = errorLogIn(machine.files)
  if (file === undefined) {
    sayInJournal(machine, priority, message)
    return
  }
  const at = new Date(machine.now()).toISOString()
  machine.files.append(file, `${at.slice(0, 10)} ${at.slice(11, 19)} 0 ${message}\n`)
}

/** It has no file for one more who wants in. */
export const sayNoFiles = (machine: Machine): void => sayOf(machine, 3, '[ERROR] Error in accept: Too many open files')

/** What it says before that goes to the journal of the host. */
export function sayInJournal(machine: Machine, priority: number, message: string): void {
  machine.journal.add({
    at: machine.now(),
    priority,
    message,
    unit: 'mariadb.service',
    identifier: 'mariadbd',
    pid: machine.units.find('mariadb')?.mainPid ?? 0,
    bootId: machine.power.boot().id,
  })
}
