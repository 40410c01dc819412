#!/bin/bash
# down.sh [--hard] [--wipe]
#   (none)   lb1 off, then the database hosts off one after the other, db1 last (it alone is then safe_to_bootstrap); disks stay
#   --hard   power cut on all four at once       --wipe   throw the disks away as well (the layers stay)
# Touches only db1 db2 db3 lb1, by way of ../hosts/down.sh.
set -uo pipefail
HERE=$(cd "$(dirname "$0")" && pwd)
. "$HERE/../lab.sh"
for a in "$@"; do case $a in --hard|--wipe) ;; *) echo "unknown: $a" >&2; exit 2 ;; esac; done
known=(); for n in lb1 db3 db2 db1; do grep -q "^$n	" "$HOSTS/hosts.tsv" 2>/dev/null && known+=("$n"); done
for n in "${known[@]}"; do "$HERE/../hosts/down.sh" "$@" "$n"; done
exit 0
