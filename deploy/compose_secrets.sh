#!/usr/bin/env bash
# Makes the folder `secrets` beside compose.yaml: passwords of Redis and PostgreSQL, and settings to edit. What
# exists stays.
set -euo pipefail
umask 077

usage() {
  cat <<'EOF'
usage: compose_secrets.sh [--folder FOLDER]

  --folder FOLDER  write there instead of `secrets` beside compose.yaml
EOF
}

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
folder=$here/secrets
while [ $# -gt 0 ]; do
  case $1 in
    --folder) [ $# -ge 2 ] || { usage >&2; exit 2; }; folder=$2; shift 2 ;;
    -h | --help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
done

mkdir -p "$folder"
chmod 700 "$folder"
"$here/make_secrets.sh" --users "$folder/users.acl" --folder "$folder" --url redis://valkey:6379/0
# Mounted into a container, where another user reads it. It holds digests only, and nobody else enters the folder.
chmod 644 "$folder/users.acl"
if [ ! -e "$folder/postgres.env" ]; then
  password=$(head -c 24 /dev/urandom | base64 | tr '+/' '-_' | tr -d '\n')
  {
    printf 'POSTGRES_USER=dagster\nPOSTGRES_DB=dagster\nPOSTGRES_PASSWORD=%s\n' "$password"
    printf 'DAGSTER_POSTGRES_URL=postgresql://dagster:%s@postgres:5432/dagster\n' "$password"
  } >"$folder/postgres.env"
fi
for name in kpi pipeline serving; do
  [ -e "$folder/$name.env" ] || cat "$here/env/$name.env" >"$folder/$name.env"
done
printf 'edit %s and %s, then: docker compose up --detach --build\n' "$folder/pipeline.env" "$folder/serving.env"
