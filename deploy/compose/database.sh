#!/bin/sh
# Run once by the image of PostgreSQL, over its socket, before it listens: a user without special rights, who owns one
# database, and one who may read there what he is granted later, which is nothing yet. Their passwords come from files
# and stand in no list of processes.
set -e
JIENENG_DATABASE_PASSWORD_FILE="${JIENENG_DATABASE_PASSWORD_FILE:-/run/jieneng/database/password}"
JIENENG_READER_PASSWORD_FILE="${JIENENG_READER_PASSWORD_FILE:-/run/jieneng/reader/jieneng-reader}"
export JIENENG_DATABASE_PASSWORD_FILE JIENENG_READER_PASSWORD_FILE
for file in "$JIENENG_DATABASE_PASSWORD_FILE" "$JIENENG_READER_PASSWORD_FILE"; do
    test -s "$file" || { echo "$file: is missing or empty; jieneng prepare --password makes it" >&2; exit 1; }
done
psql --no-psqlrc --quiet -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set password `cat "$JIENENG_DATABASE_PASSWORD_FILE"`
\set reader `cat "$JIENENG_READER_PASSWORD_FILE"`
CREATE ROLE jieneng LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'password';
CREATE ROLE jieneng_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE PASSWORD :'reader';
CREATE DATABASE jieneng OWNER jieneng ENCODING 'UTF8' TEMPLATE template0;
REVOKE CONNECT ON DATABASE jieneng FROM PUBLIC;
GRANT CONNECT ON DATABASE jieneng TO jieneng_reader;
SQL
