#!/usr/bin/env bash
# Installs and configures Redis or Valkey on Debian as the service redis-kpi: the cache and the worker's queues.
# It may be run again: what is there already stays, passwords included, and the server is started again only if
# its configuration has changed.
set -euo pipefail
umask 077

usage() {
  cat <<'EOF'
usage: setup_redis_kpi.sh [options]

  --port PORT        port to listen on (default: 6380, beside Debian's own server)
  --bind ADDRESS     address to listen on (default: 127.0.0.1); any other one needs TLS
  --host NAME        name by which clients reach the server (default: the address)
  --maxmemory SIZE   memory for data, such as 2gb (the default); docs/production.md says how to choose it
  --tls-cert FILE    certificate; with --tls-key, connections are encrypted and others refused
  --tls-key FILE     its private key, readable by the user redis-kpi
  --tls-ca FILE      authority that clients check the certificate against (default: the system's)
  --renew            replace the passwords; restart the processes of kpi afterwards
  --prefix FOLDER    put all files below this folder (default: /)
  What these options say is remembered: without them, an earlier choice stays.
  --no-systemd       no unit and no user: the server runs in the background as who calls this script
  --dry-run          print what would be done and the files without passwords, and do nothing
  --uninstall        stop and remove the service; data, logs and passwords stay
  --purge            with --uninstall: remove these too
EOF
}

fail() { printf 'setup_redis_kpi.sh: %s\n' "$1" >&2; exit "${2:-1}"; }
say() { printf '%s\n' "$1"; }
act() { if [ "$dry_run" = yes ]; then say "would run: $*"; else "$@"; fi; }

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
prefix=''
for ((at = 1; at < $#; at++)); do
  following=$((at + 1))
  [ "${!at}" != --prefix ] || prefix=$(realpath -m "${!following}")
done
prefix=${prefix%/}
etc=$prefix/etc/redis-kpi chosen=$prefix/etc/redis-kpi/options

# The choice of an earlier call: one `name value` a line.
earlier() { sed -n "s/^$1 //p" "$chosen" 2>/dev/null || true; }

port=$(earlier port) bind=$(earlier bind) host=$(earlier host) maxmemory=$(earlier maxmemory)
cert=$(earlier cert) key=$(earlier key) ca=$(earlier ca)
port=${port:-6380} bind=${bind:-127.0.0.1} maxmemory=${maxmemory:-2gb}
renew=no systemd=yes dry_run=no uninstall=no purge=no
while [ $# -gt 0 ]; do
  case $1 in
    --port | --bind | --host | --maxmemory | --tls-cert | --tls-key | --tls-ca | --prefix)
      [ $# -ge 2 ] || fail "$1 needs a value" 2
      case $1 in
        --port) port=$2 ;;
        --bind) bind=$2 ;;
        --host) host=$2 ;;
        --maxmemory) maxmemory=$2 ;;
        --tls-cert) cert=$(realpath "$2") ;;
        --tls-key) key=$(realpath "$2") ;;
        --tls-ca) ca=$(realpath "$2") ;;
        --prefix) ;;
      esac
      shift 2 ;;
    --renew) renew=yes; shift ;;
    --no-systemd) systemd=no; shift ;;
    --dry-run) dry_run=yes; shift ;;
    --uninstall) uninstall=yes; shift ;;
    --purge) purge=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; fail "unknown option $1" 2 ;;
  esac
done
reached_at=${host:-$bind}

user=redis-kpi
data=$prefix/var/lib/redis-kpi logs=$prefix/var/log/redis-kpi
run=$prefix/run/redis-kpi secrets=$prefix/etc/kpi
unit=$prefix/etc/systemd/system/redis-kpi.service
conf=$etc/redis-kpi.conf pidfile=$run/redis-kpi.pid

[[ $port =~ ^[0-9]{1,5}$ ]] || fail "--port $port is not a port" 2
[[ $maxmemory =~ ^[0-9]+([kKmMgG][bB]?)?$ ]] || fail "--maxmemory $maxmemory is not a size such as 2gb" 2
[ -n "$cert" ] || [ -z "$key$ca" ] || fail "--tls-key and --tls-ca need --tls-cert" 2
[ -z "$cert" ] || [ -n "$key" ] || fail "--tls-cert needs --tls-key" 2
case $bind in
  127.* | ::1) ;;
  *) [ -n "$cert" ] || fail "--bind $bind needs --tls-cert and --tls-key: passwords and figures would cross the network in clear" 2 ;;
esac
[ "$purge" = no ] || [ "$uninstall" = yes ] || fail "--purge needs --uninstall" 2
if [ "$systemd" = yes ]; then
  [ "$dry_run" = yes ] || [ "$(id -u)" = 0 ] || fail "run as root, or with --no-systemd and --prefix"
  [ "$dry_run" = yes ] || [ -d /run/systemd/system ] || fail "systemd does not run here: use --no-systemd"
fi

# In a container, nobody may have taken note of the end of a process: it stays as a zombie.
is_alive() { kill -0 "$1" 2>/dev/null && ! grep -qs '^State:.*Z' "/proc/$1/status"; }
is_running() { [ -s "$pidfile" ] && is_alive "$(cat "$pidfile")"; }

# Ends the server that this script has started without systemd. It writes its data down first.
stop_server() {
  is_running || return 0
  local pid
  pid=$(cat "$pidfile")
  act kill -TERM "$pid"
  [ "$dry_run" = no ] || return 0
  for _ in $(seq 300); do
    is_alive "$pid" || return 0
    sleep 0.1
  done
  fail "the server (process $pid) does not stop: see $logs/redis-kpi.log"
}

if [ "$uninstall" = yes ]; then
  if [ "$systemd" = yes ]; then
    if [ -e "$unit" ]; then
      act systemctl disable --now redis-kpi.service
      act rm -f "$unit"
      act systemctl daemon-reload
    fi
  else
    stop_server
  fi
  act rm -rf "$etc" "$run"
  if [ "$purge" = yes ]; then
    act rm -rf "$data" "$logs"
    act rm -f "$secrets/redis-pipeline.env" "$secrets/redis-serving.env"
    if [ "$systemd" = yes ] && id -u "$user" >/dev/null 2>&1; then act userdel "$user"; fi
  else
    say "kept: $data, $logs and the passwords in $secrets (--purge removes them)"
  fi
  exit 0
fi

# --- The server and its client ---------------------------------------------------------------------------------

find_program() { command -v "valkey-$1" || command -v "redis-$1" || true; }

server=$(find_program server)
if [ -z "$server" ]; then
  [ "$systemd" = yes ] || fail "neither valkey-server nor redis-server is installed"
  package=redis-server
  if apt-cache show valkey-server >/dev/null 2>&1; then package=valkey-server; fi
  act apt-get update -qq
  act env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package"
  # The package starts a server of its own, without a password.
  act systemctl disable --now "$package.service"
  server=$(find_program server)
  [ -n "$server" ] || server=/usr/bin/$package
fi
if [ -x "$server" ]; then
  version=$("$server" --version | sed -n 's/.*v=\([0-9]*\)\..*/\1/p')
  [ "${version:-0}" -ge 7 ] || fail "$server is too old: Redis 7.0 or later, or Valkey, is needed"
fi
client=$(find_program cli)

# --- Files -----------------------------------------------------------------------------------------------------

changed=no
# put FILE MODE: writes the standard input there if the file differs.
put() {
  local file=$1 mode=$2 text
  text=$(cat)
  if [ -e "$file" ] && [ "$(cat "$file" 2>/dev/null)" = "$text" ]; then return 0; fi
  changed=yes
  if [ "$dry_run" = yes ]; then
    say "would write: $file"
    while IFS= read -r line; do say "  | $line"; done <<<"$text"
    return 0
  fi
  printf '%s\n' "$text" >"$file.part"
  chmod "$mode" "$file.part"
  mv "$file.part" "$file"
  say "wrote: $file"
}

configuration() {
  printf '# Written by setup_redis_kpi.sh: changes are overwritten when it runs again.\n'
  printf 'include "%s/redis-production.conf"\n' "$etc"
  printf 'bind %s\n' "$bind"
  if [ -n "$cert" ]; then
    printf 'port 0\ntls-port %s\ntls-cert-file "%s"\ntls-key-file "%s"\ntls-auth-clients no\n' "$port" "$cert" "$key"
    [ -z "$ca" ] || printf 'tls-ca-cert-file "%s"\n' "$ca"
  else
    printf 'port %s\n' "$port"
  fi
  printf 'maxmemory %s\ndir "%s"\naclfile "%s/users.acl"\n' "$maxmemory" "$data" "$etc"
  printf 'logfile "%s/redis-kpi.log"\npidfile "%s"\n' "$logs" "$pidfile"
  if [ "$systemd" = yes ]; then printf 'supervised systemd\n'; else printf 'daemonize yes\n'; fi
}

if [ -n "$cert" ]; then
  # The worker's client of the queues demands that the address says how certificates are checked.
  url="rediss://$reached_at:$port/0?ssl_cert_reqs=required${ca:+&ssl_ca_certs=$ca}"
else
  url="redis://$reached_at:$port/0"
fi

if [ "$systemd" = yes ] && ! id -u "$user" >/dev/null 2>&1; then
  act useradd --system --home-dir "$data" --no-create-home --shell /usr/sbin/nologin "$user"
fi
folders=("$etc" "$data" "$logs" "$secrets")
[ "$systemd" = yes ] || folders+=("$run")
for folder in "${folders[@]}"; do
  [ -d "$folder" ] || act mkdir -p "$folder"
done
# Passwords are read by systemd and by root; other users may pass through the folder to files of theirs.
act chmod 755 "$secrets"

before=$(cat "$etc/users.acl" 2>/dev/null || true)
renewal=()
[ "$renew" = no ] || renewal+=(--renew)
act "$here/make_secrets.sh" --users "$etc/users.acl" --folder "$secrets" --url "$url" "${renewal[@]}"
[ "$dry_run" = yes ] || [ "$before" = "$(cat "$etc/users.acl")" ] || changed=yes
put "$etc/redis-production.conf" 644 <"$here/redis-production.conf"
put "$conf" 644 < <(configuration)
options() {
  local name
  for name in port bind host maxmemory cert key ca; do printf '%s %s\n' "$name" "${!name}"; done
}
put "$chosen" 644 < <(options)
if [ "$systemd" = yes ]; then
  act chown "root:$user" "$etc"
  act chmod 750 "$etc"
  act chown "$user:$user" "$etc/users.acl" "$data" "$logs"
  put "$unit" 644 < <(sed -e "s|@SERVER@|$server|g" -e "s|@PREFIX@|$prefix|g" "$here/systemd/redis-kpi.service")
fi

# --- Start -----------------------------------------------------------------------------------------------------

if [ "$systemd" = yes ]; then
  act systemctl daemon-reload
  act systemctl enable redis-kpi.service
  if [ "$changed" = yes ]; then act systemctl restart redis-kpi.service; else act systemctl start redis-kpi.service; fi
else
  [ "$changed" = no ] || stop_server
  is_running || act "$server" "$conf"
fi
[ "$dry_run" = no ] || exit 0

# --- Check -----------------------------------------------------------------------------------------------------

# ask NAME COMMAND...: the server's answer to a user of the cache.
ask() {
  local name=$1 address password tls=()
  shift
  address=$(cut -d= -f2- "$secrets/redis-$name.env")
  password=${address#*://*:}
  [ -z "$cert" ] || tls=(--tls --sni "$reached_at")
  [ -z "$ca" ] || tls+=(--cacert "$ca")
  REDISCLI_AUTH=${password%%@*} "$client" -h "$reached_at" -p "$port" "${tls[@]}" --user "$name" --no-auth-warning "$@" 2>&1
}

if [ -n "$client" ]; then
  answer=''
  for _ in $(seq 300); do
    answer=$(ask pipeline PING || true)
    [ "$answer" != PONG ] || break
    sleep 0.1
  done
  [ "$answer" = PONG ] || fail "the server does not answer ($answer): see $logs/redis-kpi.log"
  case $(ask serving SET kpi:check 1 PX 1 || true) in
    *NOPERM*) ;;
    *) fail "the user serving can write: $etc/users.acl is not what the server uses" ;;
  esac
fi
say "redis-kpi answers at $reached_at:$port; addresses: $secrets/redis-pipeline.env and $secrets/redis-serving.env"
