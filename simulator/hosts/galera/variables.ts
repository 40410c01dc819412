import type { Galera } from './model.ts'
import { defaultMaxConnections } from './options.ts'

/** What `SHOW GLOBAL STATUS` holds on a node, by name. */
export function statusOf(galera: Galera, name: string): Map<string, string> {
  const node = galera.nodes.get(name)
  const machine = galera.machine(name)
  const view = galera.view(name)
  const position = 1_204_551
  const uptime = Math.max(0, Math.floor(((machine?.now() ?? 0) - (node?.startedAt ?? 0)) / 1000))
  const values: Readonly<Record<string, string | number>> = {
    Aborted_clients: 41,
    Aborted_connects: 3,
    Connection_errors_accept: 0,
    Connection_errors_internal: 0,
    Connection_errors_max_connections: node?.clients.refused() ?? 0,
    Connections: 812_334,
    Innodb_buffer_pool_pages_total: 65_536,
    Innodb_buffer_pool_pages_free: 12_230,
    Max_used_connections: node?.clients.maxUsed() ?? 0,
    Open_files: 214,
    Open_tables: 812,
    Opened_tables: 1_044,
    Queries: 91_223_114,
    Slow_queries: 12,
    Threads_cached: 14,
    Threads_connected: node?.clients.connected() ?? 0,
    Threads_created: 1_377,
    Threads_running: 6,
    Uptime: uptime,
    wsrep_applier_thread_count: 4,
    wsrep_cluster_capabilities: '',
    // all ones while it belongs to none
    wsrep_cluster_conf_id: view.status === 'Primary' ? view.configuration : '18446744073709551615',
    wsrep_cluster_size: view.size,
    wsrep_cluster_state_uuid: galera.clusterUuid,
    wsrep_cluster_status: view.status,
    wsrep_cluster_weight: view.size,
    wsrep_connected: view.connected ? 'ON' : 'OFF',
    wsrep_desync_count: view.desyncCount,
    wsrep_evs_state: 'OPERATIONAL',
    wsrep_flow_control_active: 'false',
    wsrep_flow_control_paused: 0,
    wsrep_flow_control_paused_ns: 0,
    wsrep_flow_control_recv: 0,
    wsrep_flow_control_sent: 0,
    wsrep_incoming_addresses: view.addresses,
    wsrep_last_committed: position,
    wsrep_local_bf_aborts: 0,
    wsrep_local_cached_downto: position - 41_000,
    wsrep_local_cert_failures: 0,
    wsrep_local_commits: 322_101,
    wsrep_local_index: view.index,
    wsrep_local_recv_queue: 0,
    wsrep_local_recv_queue_avg: 0.012,
    wsrep_local_send_queue: 0,
    wsrep_local_send_queue_avg: 0,
    wsrep_local_state: view.state,
    wsrep_local_state_comment: view.comment,
    wsrep_local_state_uuid: galera.clusterUuid,
    wsrep_protocol_version: 11,
    wsrep_provider_name: 'Galera',
    wsrep_provider_vendor: 'Codership Oy <info@codership.com>',
    wsrep_provider_version: '4.23(rXXXX)',
    wsrep_ready: view.ready ? 'ON' : 'OFF',
    wsrep_received: 902_311,
    wsrep_replicated: 322_101,
    wsrep_thread_count: 5,
  }
  return new Map(Object.entries(values).map(([key, value]) => [key, String(value)]))
}

/** What a server has that nobody told otherwise. */
const byDefault: Readonly<Record<string, string | number>> = {
  aria_pagecache_buffer_size: 134_217_728,
  binlog_cache_size: 32_768,
  datadir: '/var/lib/mysql/',
  extra_max_connections: 1,
  extra_port: 0,
  innodb_buffer_pool_size: 134_217_728,
  innodb_log_buffer_size: 16_777_216,
  interactive_timeout: 28_800,
  join_buffer_size: 262_144,
  key_buffer_size: 134_217_728,
  log_error: '',
  max_allowed_packet: 67_108_864,
  max_connections: defaultMaxConnections,
  pid_file: '/run/mysqld/mysqld.pid',
  port: 3306,
  query_cache_size: 0,
  read_buffer_size: 131_072,
  read_only: 'OFF',
  read_rnd_buffer_size: 262_144,
  socket: '/run/mysqld/mysqld.sock',
  sort_buffer_size: 2_097_152,
  table_open_cache: 2_000,
  thread_cache_size: 256,
  thread_stack: 299_008,
  tmpdir: '/tmp',
  wait_timeout: 28_800,
  wsrep_on: 'ON',
  wsrep_provider_options:
    'gcache.size = 128M; gcs.fc_limit = 16; pc.bootstrap = false; pc.ignore_quorum = false; pc.weight = 1; ',
  wsrep_sst_donor: '',
  wsrep_sst_method: 'mariabackup',
}

/** What the parser makes of the files: every variable with its value, as it would be used. */
export const parsedVariables = (read: ReadonlyMap<string, string>): Map<string, string> =>
  new Map(
    [...Object.entries(byDefault).map(([name, value]) => [name, String(value)] as const), ...read].sort(([a], [b]) =>
      a < b ? -1 : 1,
    ),
  )

/** What `SHOW GLOBAL VARIABLES` holds on a node, by name in lower case. */
export function variablesOf(galera: Galera, name: string): Map<string, string> {
  const node = galera.nodes.get(name)
  const machine = galera.machine(name)
  const values: Readonly<Record<string, string | number>> = {
    hostname: name,
    max_connections: node?.maxConnections ?? 0,
    open_files_limit: node?.openFilesLimit ?? 0,
    version: '10.11.11-MariaDB-0+deb12u1',
    version_comment: 'Debian 12',
    wsrep_cluster_address: `gcomm://${[...galera.nodes.keys()].map((each) => galera.machine(each)?.address).join(',')}`,
    wsrep_cluster_name: 'openstack',
    wsrep_desync: node?.desynced ? 'ON' : 'OFF',
    wsrep_node_address: machine?.address ?? '',
    wsrep_node_name: name,
    ...Object.fromEntries(node?.set ?? []),
  }
  const all = [...parsedVariables(node?.read ?? new Map()), ...Object.entries(values)]
  return new Map(all.map(([key, value]) => [key, String(value)]))
}
