import type { Machine } from '../machine/machine.ts'
import type { Process } from '../machine/process.ts'
import type { Backend, Frontend, Haproxy } from './model.ts'

/** The columns of `show stat` in 2.6, in their order. */
const columns =
  'pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,agent_status,agent_code,agent_duration,check_desc,agent_desc,check_rise,check_fall,check_health,agent_rise,agent_fall,agent_health,addr,cookie,mode,algo,conn_rate,conn_rate_max,conn_tot,intercepted,dcon,dses,wrew,connect,reuse,cache_lookups,cache_hits,srv_icur,src_ilim,qtime_max,ctime_max,rtime_max,ttime_max,eint,idle_conn_cur,safe_conn_cur,used_conn_cur,need_conn_est,uweight,agg_server_status,agg_server_check_status,agg_check_status,srid,sess_other,h1sess,h2sess,h3sess,req_other,h1req,h2req,h3req,proto,-,ssl_sess,ssl_reused_sess,ssl_failed_handshake,quic_rxbuf_full,quic_dropped_pkt,quic_dropped_pkt_bufoverrun,quic_dropped_parsing_pkt,quic_socket_full,quic_sendto_err,quic_sendto_err_unknwn,quic_sent_pkt'.split(
    ',',
  )

type Row = Readonly<Record<string, string | number>>

/** What the admin socket answers to one line: text, with an empty line after it. */
export function haproxyAnswer(machine: Machine, haproxy: Haproxy, line: string, me: Process): string {
  const words = line.trim().split(/\s+/)
  switch (words.slice(0, 2).join(' ')) {
    case 'show stat':
      return `${stat(machine, haproxy, words[2])}\n`
    case 'show info':
      return `Name: HAProxy\nVersion: 2.6.12-1+deb12u2\nRelease_date: 2023/12/16\nNbthread: ${machine.cpus}\nPid: ${machine.units.find('haproxy')?.mainPid ?? 0}\nUptime_sec: ${Math.floor((machine.now() - (machine.units.find('haproxy')?.since ?? 0)) / 1000)}\nUlimit-n: 33010\nMaxconn: 16384\nCurrConns: ${current(haproxy)}\n\n`
    case 'show servers':
      return `${serversState(machine, haproxy, words[3])}\n`
    case 'set server':
      return setServer(haproxy, machine, words, me)
    case 'disable server':
    case 'enable server':
      return setServer(
        haproxy,
        machine,
        ['set', 'server', words[2] ?? '', 'state', words[0] === 'disable' ? 'maint' : 'ready'],
        me,
      )
    case 'set maxconn': {
      if (!find(haproxy, words[3] ?? '')) return 'No such server.\n\n'
      haproxy.limits.set(words[3] ?? '', Number(words[4]))
      me.effect('host.haproxy.set_maxconn', `${machine.name}:${words[3]}`, { maxconn: Number(words[4]) })
      return '\n'
    }
    default:
      return 'Unknown command, but maybe one of the following ones is a better match:\n  show stat [desc|json|no-maint|typed|up]*: report counters for each proxy and server\n  show info [desc|json|typed|float]*      : report information about the running process\n\n'
  }
}

const current = (haproxy: Haproxy) => haproxy.proxies.reduce((sum, proxy) => sum + total(haproxy, proxy), 0)

const total = (haproxy: Haproxy, proxy: Frontend) =>
  proxy.servers.reduce((sum, server) => sum + haproxy.status(proxy, server).sessions, 0)

function stat(machine: Machine, haproxy: Haproxy, only: string | undefined): string {
  const rows = haproxy.proxies
    .filter(({ name }) => only === undefined || /^(json|typed|-1)$/.test(only) || name === only)
    .flatMap((proxy, index) => rowsOf(machine, haproxy, proxy, index + 2))
  return [
    `# ${columns.join(',')},`,
    ...rows.map((row) => `${columns.map((column) => row[column] ?? '').join(',')},`),
    '',
  ].join('\n')
}

function rowsOf(machine: Machine, haproxy: Haproxy, proxy: Frontend, id: number): Row[] {
  const sum = total(haproxy, proxy)
  const states = proxy.servers.map((server) => haproxy.status(proxy, server))
  const waiting = states.reduce((all, state) => all + state.waiting, 0)
  const up = (backup: boolean) =>
    proxy.servers.filter((server, at) => server.backup === backup && states[at]?.status.startsWith('UP')).length
  const mode = proxy.name === 'galera' ? 'tcp' : 'http'
  const common = {
    pxname: proxy.name,
    pid: 1,
    iid: id,
    mode,
    bin: 81_223_101,
    bout: 912_331_223,
    rate: 3,
    rate_max: 44,
  }
  const change = Math.floor((machine.now() - (machine.units.find('haproxy')?.since ?? 0)) / 1000)
  return [
    {
      ...common,
      svname: 'FRONTEND',
      scur: sum,
      smax: Math.round(sum * 1.3),
      slim: proxy.slim,
      stot: 91_223,
      dreq: 0,
      dresp: 0,
      ereq: 0,
      status: 'OPEN',
      sid: 0,
      type: 0,
    },
    ...proxy.servers.map((server, at): Row => {
      const { status = 'DOWN', check = 'L4CON', sessions = 0 } = states[at] ?? {}
      return {
        ...common,
        svname: server.name,
        qcur: 0,
        qmax: 0,
        scur: sessions,
        smax: haproxy.most.get(`${proxy.name}/${server.name}`) ?? 0,
        slim: haproxy.limitOf(proxy, server),
        stot: sessions * 140,
        dresp: 0,
        econ: 0,
        eresp: 0,
        wretr: 0,
        wredis: 0,
        status,
        weight: 1,
        act: server.backup ? 0 : 1,
        bck: server.backup ? 1 : 0,
        chkfail: status === 'DOWN' ? 3 : 0,
        chkdown: status === 'DOWN' ? 1 : 0,
        lastchg: change,
        downtime: 0,
        sid: at + 1,
        lbtot: sessions * 140,
        type: 2,
        check_status: status === 'MAINT' ? '' : check,
        check_code: status === 'MAINT' ? '' : check === 'L7OK' ? 200 : check === 'L7STS' ? 503 : '',
        check_duration: 2,
        check_rise: 2,
        check_fall: 3,
        check_health: status === 'UP' ? 4 : status === 'UP 1/2' ? 3 : 0,
        addr: `${haproxyAddress(machine, server)}:${server.port}`,
      }
    }),
    {
      ...common,
      svname: 'BACKEND',
      qcur: waiting,
      qmax: waiting,
      scur: sum,
      smax: Math.round(sum * 1.3),
      slim: Math.round(proxy.slim / 10),
      stot: 91_223,
      dreq: 0,
      dresp: 0,
      econ: 0,
      eresp: 0,
      wretr: 0,
      wredis: 0,
      status: up(false) + up(true) > 0 ? 'UP' : 'DOWN',
      weight: up(false),
      act: up(false),
      bck: up(true),
      chkdown: 0,
      lastchg: change,
      downtime: 0,
      sid: 0,
      lbtot: 91_223,
      type: 1,
    },
  ]
}

const haproxyAddress = (machine: Machine, server: Backend) => {
  const hosts = machine.files.find('/etc/hosts') ? machine.files.text('/etc/hosts') : ''
  return new RegExp(`^(\\S+)\\s+${server.name}$`, 'm').exec(hosts)?.[1] ?? server.name
}

function serversState(machine: Machine, haproxy: Haproxy, only: string | undefined): string {
  const header =
    '# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port'
  const lines = haproxy.proxies
    .filter(({ name }) => only === undefined || name === only)
    .flatMap((proxy, index) =>
      proxy.servers.map((server, at) => {
        const { status } = haproxy.status(proxy, server)
        const admin = { maint: 1, drain: 8, none: 0 }[haproxy.admin.get(`${proxy.name}/${server.name}`) ?? 'none']
        return `${index + 2} ${proxy.name} ${at + 1} ${server.name} ${haproxyAddress(machine, server)} ${status.startsWith('UP') || status === 'DRAIN' ? 2 : 0} ${admin} 1 1 77 15 3 4 6 0 0 0 - ${server.port} - 0 0 - - 0`
      }),
    )
  return ['1', header, ...lines, ''].join('\n')
}

function find(haproxy: Haproxy, path: string): { proxy: Frontend; server: Backend } | undefined {
  const [backend, name] = path.split('/')
  const proxy = haproxy.proxies.find((each) => each.name === backend)
  const server = proxy?.servers.find((each) => each.name === name)
  return proxy && server && { proxy, server }
}

function setServer(haproxy: Haproxy, machine: Machine, words: readonly string[], me: Process): string {
  const [, , path = '', what, state] = words
  if (!find(haproxy, path)) return 'No such server.\n\n'
  if (what !== 'state') return '\n'
  if (state !== 'maint' && state !== 'drain' && state !== 'ready')
    return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.\n\n"
  if (state === 'ready') {
    if (haproxy.admin.delete(path)) haproxy.readyAt.set(path, machine.now())
  } else haproxy.admin.set(path, state)
  me.effect('host.haproxy.set_server', `${machine.name}:${path}`, { state })
  return '\n'
}
