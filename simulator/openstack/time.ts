export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

/** `2026-11-21T01:12:43Z`: Nova's servers, Neutron's resources, Glance. */
export const zulu = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}Z`

/** `2026-11-21T01:12:43.000000`: services, migrations, actions, Cinder. Whole seconds, as databases keep them. */
export const micro = (at: number): string => `${new Date(at).toISOString().slice(0, 19)}.000000`

/** `2026-11-21T01:12:43.000000Z`: Keystone's tokens. */
export const microZulu = (at: number): string => `${micro(at)}Z`

/** `2026-11-21 01:12:43`: Neutron's agents. */
export const spaced = (at: number): string => new Date(at).toISOString().slice(0, 19).replace('T', ' ')
