import type { Haproxy } from './model.ts'

/** What `/etc/haproxy/haproxy.cfg` says; limits that somebody sets at run time stand nowhere in it. */
export function configurationOf({ proxies }: Haproxy, address: (host: string) => string): string {
  const head = [
    'global',
    '  log /dev/log local0',
    '  maxconn 16384',
    '  stats socket /run/haproxy/admin.sock mode 660 level admin',
    '',
    'defaults',
    '  mode http',
    '  timeout connect 10s',
    '  timeout queue 1m',
    '  timeout client 1m',
    '  timeout server 1m',
    '  timeout check 10s',
  ]
  const sections = proxies.flatMap(({ name, slim, servers }) => [
    '',
    `listen ${name}`,
    `  bind *:${servers[0]?.port}`,
    `  maxconn ${slim}`,
    // a connection of a pool is idle for long
    ...(name === 'galera' ? ['  mode tcp', '  option httpchk', '  timeout client 1h', '  timeout server 1h'] : []),
    ...servers.map(
      (each) =>
        `  server ${each.name} ${address(each.name)}:${each.port} check maxconn ${each.slim}${each.backup ? ' backup' : ''}`,
    ),
  ])
  return `${[...head, ...sections].join('\n')}\n`
}
