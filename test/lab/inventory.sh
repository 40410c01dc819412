#!/bin/bash
# inventory.sh   writes $RUNBOOK_LAB/inventory.yaml: every host of the lab, as `runbook --inventory` reads it
set -euo pipefail
. "$(dirname "$0")/lab.sh"
names() { awk -v kind="$1" '$1 ~ "^" kind "[0-9]+$" { printf "%s%s", comma, $1; comma = ", " }' "$HOSTS/hosts.tsv"; }
{
  echo 'apiVersion: runbook/v1'
  echo 'cloud: lab-admin'
  echo "ssh: { user: root, identity_file: $HOSTS/id_lab, known_hosts: $HOSTS/known_hosts, config: /dev/null }"
  echo 'hosts:'
  awk '{ print "  " $1 ": { address: " $2 " }" }' "$HOSTS/hosts.tsv"
  echo 'groups:'
  for group in computes:cmp databases:db ceph:ceph plain:h; do
    echo "  ${group%:*}: { hosts: [$(names "${group#*:}")] }"
  done
} >"$RUNBOOK_LAB/inventory.yaml.new"
mv "$RUNBOOK_LAB/inventory.yaml.new" "$RUNBOOK_LAB/inventory.yaml"
