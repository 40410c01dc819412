import type { Disk, Machine, Mapping } from './machine/machine.ts'

/** A disk, a part of one, or what device-mapper makes of them, as the kernel and udev tell. */
export interface BlockDevice {
  readonly name: string
  /** As the kernel names it: `sda1`, `dm-0`. */
  readonly kname: string
  readonly path: string
  readonly major: number
  readonly minor: number
  readonly type: 'disk' | 'part' | Mapping['kind']
  readonly bytes: number
  /** What it is on, by the names of the kernel. */
  readonly on: readonly string[]
  readonly rotational: boolean
  readonly mountedAt: readonly string[]
  readonly signature?: string | undefined
  readonly serial?: string
  readonly model?: string
  readonly transport?: string
  readonly wwn?: string
  readonly state?: string
}

/** Every block device of a host, by its numbers. */
export function blockDevices({ disks, mappings, mounts }: Machine): BlockDevice[] {
  const at = (...paths: string[]) => mounts.filter(({ device }) => paths.includes(device)).map((mount) => mount.at)
  const typeOn = (path: string) => mounts.find(({ device }) => device === path)?.type
  const found: BlockDevice[] = []
  for (const disk of disks) {
    const { name, bytes, rotational, parts, signature, serial, model } = disk
    const { major, minor } = numbersOf(name)
    const nvme = name.startsWith('nvme')
    const wwn = wwnOf(disk)
    found.push({
      ...{ name, kname: name, path: `/dev/${name}`, major, minor, type: 'disk', bytes, on: [], rotational },
      ...{ mountedAt: at(`/dev/${name}`), signature: parts.length > 0 ? undefined : signature, serial, model, wwn },
      ...{ transport: nvme ? 'nvme' : 'sata', state: nvme ? 'live' : 'running' },
    })
    for (const [index, part] of parts.entries()) {
      const path = `/dev/${part.name}`
      found.push({
        ...{ name: part.name, kname: part.name, path, major, minor: minor + index + 1, type: 'part' },
        ...{ bytes: part.bytes, on: [name], rotational, mountedAt: at(path), signature: typeOn(path), wwn },
      })
    }
  }
  for (const { name, number, kind, bytes, on, signature } of mappings) {
    const path = `/dev/mapper/${name}`
    const below = found.filter(({ kname }) => on.includes(kname))
    found.push({
      ...{ name, kname: `dm-${number}`, path, major: 253, minor: number, type: kind, bytes, on, signature },
      ...{ rotational: below.some((device) => device.rotational), mountedAt: at(path), state: 'running' },
    })
  }
  return found.sort((a, b) => a.major - b.major || a.minor - b.minor)
}

/** What is on a device: parts of it, volumes, what dm-crypt shows. */
export const onIt = ({ kname }: BlockDevice, all: readonly BlockDevice[]): BlockDevice[] =>
  all.filter(({ on }) => on.includes(kname))

/** `sdb` is 8:16, `sdq` 65:0; those of NVMe are numbered as they come. */
function numbersOf(name: string): { major: number; minor: number } {
  const nvme = /^nvme(\d+)n1$/.exec(name)
  if (nvme) return { major: 259, minor: Number(nvme[1]) * 16 }
  const letters = name.replace(/^sd/, '')
  const index = [...letters].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 96, 0) - 1
  return { major: index < 16 ? 8 : 64 + Math.floor(index / 16), minor: (index % 16) * 16 }
}

const wwnOf = ({ serial }: Disk): string => `0x5000c500${Buffer.from(serial).toString('hex').slice(-8)}`
