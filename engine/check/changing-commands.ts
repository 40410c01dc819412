/** Commands that are known to change something, as operators write them. Not complete: what is not known is not accused. */
const patterns: readonly RegExp[] = [
  /\bsystemctl\s+(?:--\S+\s+)*(?:start|stop|restart|reload|try-restart|enable|disable|mask|unmask|kill|isolate|reboot|poweroff|halt|daemon-reload|set-property|edit|reset-failed)\b/,
  /\bservice\s+\S+\s+(?:start|stop|restart|reload)\b/,
  /(?:^|[\s;&|(])(?:reboot|shutdown|poweroff|halt|init\s+[06])(?:\s|$|;)/,
  /(?:^|[\s;&|(])(?:rm(?!\s+status\b)|rmdir|mv|cp|ln|dd|truncate|shred|tee|install|touch|mkdir|chmod|chown|chgrp|setfacl|chattr|mkfs(?:\.\w+)?|wipefs\s+-a|fdisk|parted|sgdisk|mount|umount|swapoff|lvremove|vgremove|pvremove|lvcreate)\s/,
  /\bsed\s+(?:-\S+\s+)*(?:-i|--in-place)/,
  /(?:^|[\s;&|(])(?:kill|killall|pkill)\s/,
  /\b(?:apt|apt-get|yum|dnf|zypper)\s+(?:-\S+\s+)*(?:install|remove|purge|upgrade|update|dist-upgrade|autoremove)\b/,
  /\bceph\s+(?:-\S+(?:\s+json)?\s+)*osd\s+(?:out|in|down|destroy|purge|rm|crush\s+(?:remove|rm|reweight|add|set)|set|unset|reweight|pool\s+(?:create|delete|set))\b/,
  /\bceph\s+(?:-\S+(?:\s+json)?\s+)*(?:auth\s+(?:del|rm|add|caps|get-or-create)|orch\s+(?:apply(?!.*--dry-run)|rm|daemon|osd\s+rm(?!\s+status\b))|config\s+set|tell)\b/,
  /\bceph-volume\s+\S+\s+(?:zap|create|prepare|activate)\b/,
  /\brabbitmqctl\s+(?:-\S+\s+)*(?:stop|start_app|stop_app|reset|force_reset|forget_cluster_node|join_cluster|purge_queue|delete_queue|set_\w+|add_\w+|delete_\w+|clear_\w+)\b/,
  /\b(?:openstack|nova|neutron|cinder|glance)\s+\S+(?:\s+\S+)?\s+(?:create|delete|set|unset|add|remove|start|stop|reboot|migrate|evacuate|rebuild|enable|disable)\b/,
  /\bvirsh\s+(?:start|destroy|shutdown|reboot|undefine|migrate|suspend|resume|attach-\w+|detach-\w+)\b/,
  /\b(?:docker|podman)\s+(?:run|rm|stop|start|restart|kill|exec|rmi|pull)\b/,
  /\bip\s+(?:-\S+\s+)*(?:link|addr|address|route|neigh|rule)\s+(?:set|add|del|delete|flush|replace|change)\b/,
  /\b(?:iptables|ip6tables|nft)\s+(?:-\S+\s+\S+\s+)*(?:-[ADIFXP]\b|add|delete|flush)/,
  /\b(?:mysql|mariadb)\b.*\b(?:SET\s+GLOBAL|UPDATE|DELETE|INSERT|DROP|ALTER|CREATE|TRUNCATE|GRANT)\b/i,
  /\bovs-vsctl\s+(?:-\S+\s+)*(?:add|del|set|clear|remove)-?\w*\b/,
]

/** The first part of a command or script that is known to change something. */
export function changingCommand(text: string): { readonly start: number; readonly end: number } | undefined {
  const found = patterns
    .map((pattern) => pattern.exec(text))
    .filter((match) => match !== null)
    .toSorted((a, b) => a.index - b.index)[0]
  if (!found) return undefined
  const lead = /^[\s;&|(]*/.exec(found[0])?.[0].length ?? 0
  return { start: found.index + lead, end: found.index + found[0].trimEnd().length }
}
