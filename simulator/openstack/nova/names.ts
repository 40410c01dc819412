import type { NovaServer } from './state.ts'

/** As an operator names it: `web-1 (3f2a…)`. */
export const nameOf = ({ name, id }: Pick<NovaServer, 'name' | 'id'>): string => `${name} (${id})`
