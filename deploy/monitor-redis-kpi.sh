#!/usr/bin/env bash
# Shows on one screen how the cache's server is: memory, hits, keys, queues and the live generations.
set -euo pipefail

usage() {
  cat <<'EOF'
usage: monitor-redis-kpi.sh [--env FILE] [--watch [SECONDS]]

  --env FILE         file with the line REDIS_URL=... (default: /etc/kpi/redis-pipeline.env)
  --watch [SECONDS]  show it again every so many seconds (default: 5) until Ctrl-C

Exit codes: 0 shown, 1 the server does not answer, 2 usage error.
EOF
}

fail() { printf 'monitor-redis-kpi.sh: %s\n' "$1" >&2; exit "${2:-1}"; }

env=/etc/kpi/redis-pipeline.env watch=''
while [ $# -gt 0 ]; do
  case $1 in
    --env) [ $# -ge 2 ] || fail "--env needs a file" 2; env=$2; shift 2 ;;
    --watch)
      watch=5; shift
      if [ $# -gt 0 ] && [[ $1 =~ ^[0-9]+$ ]]; then watch=$1; shift; fi ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "unknown option $1" 2 ;;
  esac
done

client=$(command -v valkey-cli || command -v redis-cli || true)
[ -n "$client" ] || fail "neither valkey-cli nor redis-cli is installed (Debian packages valkey-tools, redis-tools)"
[ -r "$env" ] || fail "$env cannot be read: run as root, or name the file by --env"
url=$(sed -n 's/^REDIS_URL=//p' "$env")
[[ $url =~ ^(rediss?)://([^:]*):([^@]*)@([^/]+):([0-9]+) ]] || fail "$env holds no REDIS_URL with user, password, host and port"
user=${BASH_REMATCH[2]} host=${BASH_REMATCH[4]} port=${BASH_REMATCH[5]} tls=()
# Not as an argument, which everybody on the machine may read.
export REDISCLI_AUTH=${BASH_REMATCH[3]}
if [ "${BASH_REMATCH[1]}" = rediss ]; then
  tls=(--tls --sni "$host")
  if [[ $url =~ ssl_ca_certs=([^&]+) ]]; then tls+=(--cacert "${BASH_REMATCH[1]}"); fi
fi

# ask DATABASE COMMAND...
ask() {
  local database=$1
  shift
  "$client" -h "$host" -p "$port" "${tls[@]}" --user "$user" --no-auth-warning -n "$database" "$@"
}

megabytes() { awk -v bytes="$1" 'BEGIN { printf "%.1f MB", bytes / 1048576 }'; }

show() {
  local info
  info=$(ask 0 INFO | tr -d '\r') || fail "the server at $host:$port does not answer"
  [[ $info == *redis_version* ]] || fail "the server at $host:$port refuses: $info"
  of() { sed -n "s/^$1://p" <<<"$info"; }
  local used max share hits misses
  used=$(of used_memory) max=$(of maxmemory) hits=$(of keyspace_hits) misses=$(of keyspace_misses)
  share=$(awk -v used="$used" -v max="$max" 'BEGIN { if (max > 0) printf "%.0f %% of %.0f MB", 100 * used / max, max / 1048576; else print "no limit" }')
  printf 'server       %s %s at %s:%s, up %s days\n' "$(of server_name | grep . || echo redis)" \
    "$(of valkey_version | grep . || of redis_version)" "$host" "$port" "$(of uptime_in_days)"
  printf 'memory       %s (%s), peak %s, fragmentation %s, policy %s\n' "$(megabytes "$used")" "$share" \
    "$(megabytes "$(of used_memory_peak)")" "$(of mem_fragmentation_ratio)" "$(of maxmemory_policy)"
  printf 'hits         %s of %s lookups\n' \
    "$(awk -v h="$hits" -v m="$misses" 'BEGIN { if (h + m) printf "%.1f %%", 100 * h / (h + m); else print "none" }')" "$((hits + misses))"
  printf 'evicted      %s   expired %s   refused connections %s\n' "$(of evicted_keys)" "$(of expired_keys)" "$(of rejected_connections)"
  printf 'append file  %s, last write %s, delayed %s times\n' "$(of aof_enabled | sed 's/1/on/;s/0/OFF/')" \
    "$(of aof_last_write_status)" "$(of aof_delayed_fsync)"
  printf 'clients      %s   commands a second %s\n' "$(of connected_clients)" "$(of instantaneous_ops_per_sec)"
  printf 'keys         %s in the cache, %s in the queues\n' "$(ask 0 DBSIZE)" "$(ask 1 DBSIZE)"
  printf 'requests     %s in the stream\n' "$(ask 0 XLEN kpi:requests)"
  for queue in kpis dashboard background; do
    printf 'queue        %s: %s runs wait\n' "$queue" "$(ask 1 LLEN "$queue")"
  done
  printf 'generations  %s kept, %s month ends\n' \
    "$(ask 0 --scan --pattern 'kpi:g:*' | grep -vc ':retired$' || true)" "$(ask 0 HLEN kpi:history)"
  local product generation
  for product in $(ask 0 HKEYS kpi:manifest | sort); do
    generation=$(ask 0 HGET kpi:manifest "$product" | sed -n 's/.*"generation":"\([^"]*\)".*/\1/p')
    printf '  %-11s%s: %s keys, expires in %s s\n' "$product" "$generation" \
      "$(ask 0 SCARD "kpi:g:$generation")" "$(ask 0 TTL "kpi:g:$generation")"
  done
}

if [ -z "$watch" ]; then
  show
  exit 0
fi
while true; do
  screen=$(show) || exit 1
  printf '\033[H\033[2J%s\n\n%s\n' "$(date '+%F %T')" "$screen"
  sleep "$watch"
done
