#!/bin/sh
# Run once by the image of PostgreSQL, over its socket, before it listens: a user without special rights, who owns one
# database. Its password comes from a file and stands in no list of processes.
set -e
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set password `cat "${JIENENG_DATABASE_PASSWORD_FILE:-/run/jieneng/database/password}"`
CREATE ROLE jieneng LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE DATABASE jieneng OWNER jieneng ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE jieneng FROM PUBLIC;
SQL
