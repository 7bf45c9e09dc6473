#!/usr/bin/env bash
# Makes passwords for both Redis users: the server's file of users, and the address that each user connects to.
# Passwords that exist stay. Used by setup_redis_kpi.sh and by compose_secrets.sh.
set -euo pipefail
umask 077

usage() {
  cat <<'EOF'
usage: make_secrets.sh --users FILE --folder FOLDER --url URL [--renew]

  --users FILE     write the server's file of users (aclfile) here
  --folder FOLDER  write redis-pipeline.env and redis-serving.env here, mode 0600
  --url URL        the server's address without a user, such as redis://127.0.0.1:6380/0
  --renew          replace passwords that exist
EOF
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
users='' folder='' url='' renew=no
while [ $# -gt 0 ]; do
  case $1 in
    --users) users=$2; shift 2 ;;
    --folder) folder=$2; shift 2 ;;
    --url) url=$2; shift 2 ;;
    --renew) renew=yes; shift ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done
if [ -z "$users" ] || [ -z "$folder" ] || [ -z "$url" ]; then
  usage >&2
  exit 2
fi

# The password of a user in the file of its address, or a new one: 192 random bits that need no escaping.
password() {
  local name=$1 file=$2 known=''
  if [ "$renew" = no ] && [ -r "$file" ]; then
    known=$(sed -n "s|^[A-Z_]*=[a-z]*://$name:\([^@]*\)@.*|\1|p" "$file")
  fi
  if [ -n "$known" ]; then
    printf '%s' "$known"
  else
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n'
  fi
}

# Replaces a file whole, and only if its text differs.
replace() {
  local file=$1 text=$2
  if [ -e "$file" ] && [ "$(cat "$file")" = "$text" ]; then
    chmod 600 "$file"
    return
  fi
  printf '%s\n' "$text" >"$file.part"
  mv "$file.part" "$file"
}

digest() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }

mkdir -p "$folder"
pipeline=$(password pipeline "$folder/redis-pipeline.env")
serving=$(password serving "$folder/redis-serving.env")
scheme=${url%%://*} server=${url#*://}
replace "$folder/redis-pipeline.env" "REDIS_URL=$scheme://pipeline:$pipeline@$server"
replace "$folder/redis-serving.env" "REDIS_SERVING_URL=$scheme://serving:$serving@$server"
# The rights are those of the embedded server: `make docs` writes redis-users.acl from their declaration.
replace "$users" "$(sed -e "s/PIPELINE_SHA256/$(digest "$pipeline")/" -e "s/SERVING_SHA256/$(digest "$serving")/" \
  "$here/redis-users.acl")"
