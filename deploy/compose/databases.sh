#!/bin/bash
# Run by PostgreSQL's image when its volume is new: a database for each service that keeps one, and a role that owns it.
set -euo pipefail

for name in notifier ticket_api; do
  psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres -v name="$name" <<SQL
\set password \`cat /run/secrets/${name}_password\`
CREATE ROLE :"name" LOGIN PASSWORD :'password';
CREATE DATABASE :"name" OWNER :"name";
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
