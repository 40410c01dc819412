import type { Plan } from '../plan/plan.ts'
import { digestOf } from './prepare.ts'

/** The file beside a transcript that holds the runbook as it was when the run began. */
export function planName({ digest }: { readonly digest: string }): string {
  return `plan-${digest.slice(0, 16)}.json`
}

/** The plan in a kept file; undefined when it is not the one that has this digest. */
export function planIn(text: string, digest: string): Plan | undefined {
  try {
    const plan = JSON.parse(text) as Plan
    return digestOf(plan) === digest ? plan : undefined
  } catch {
    return undefined
  }
}
