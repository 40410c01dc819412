import type { Reply } from './api.ts'

/** What the health middleware answers while nothing keeps the service out of its balancer. */
export const healthy: Reply = { status: 200, headers: { 'Content-Type': 'text/plain; charset=UTF-8' }, body: 'OK' }
