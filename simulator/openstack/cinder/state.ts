import type { Beating } from '../heartbeat.ts'

export interface CinderServiceRecord extends Beating {
  readonly uuid: string
  readonly binary: string
  /** `ctl1`, or `ctl1@ceph` for a volume service. */
  readonly name: string
  disabled: boolean
  disabledReason: string | null
}

export interface Volume {
  readonly id: string
  readonly name: string
  readonly project: string
  readonly user: string
  readonly size: number
  status: string
  readonly bootable: boolean
  readonly createdAt: number
  updatedAt: number
  metadata: { readonly [key: string]: string }
  attachments: readonly {
    readonly id: string
    readonly server: string
    readonly device: string
    readonly host: string
    readonly at: number
  }[]
  /** `ctl1@ceph#ceph`. */
  readonly host: string
}

export interface Snapshot {
  readonly id: string
  readonly name: string
  readonly volume: string
  readonly size: number
  status: string
  readonly project: string
  readonly user: string
  readonly createdAt: number
  updatedAt: number
  readonly metadata?: { readonly [key: string]: string }
}

export interface Backup {
  readonly id: string
  readonly name: string
  readonly volume: string
  readonly size: number
  status: string
  readonly incremental: boolean
  /** A later one needs it. */
  readonly needed: boolean
  readonly project: string
  readonly user: string
  readonly createdAt: number
  failReason: string | null
  readonly metadata?: { readonly [key: string]: string }
}

export interface CinderState {
  readonly services: CinderServiceRecord[]
  readonly volumes: Volume[]
  readonly snapshots: Snapshot[]
  readonly backups: Backup[]
  /** Of the one Ceph pool behind all volume services, in GB. */
  readonly capacity: { total: number; free: number }
  readonly quotas: Map<string, { readonly [resource: string]: number }>
}
