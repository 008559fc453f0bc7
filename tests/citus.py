"""A stand-in for Citus, in a database of a real PostgreSQL: its functions check what Citus' documentation says, and
note that they were called. Nothing is distributed: all rows stay where they are.

It shows that what is asked of Citus is what its documentation asks for; it cannot show that Citus does what its
documentation says (https://docs.citusdata.com/en/stable/develop/api_udf.html, .../reference_ddl.html).
"""

from __future__ import annotations

from tests.postgresql import PostgresServer

# As Citus does, functions and tables lie in pg_catalog; the extension is entered by hand, so that no file is needed in
# the folder of a server that others may use.
_EXTENSION = """
SET allow_system_table_mods = on;
INSERT INTO pg_extension (oid, extname, extowner, extnamespace, extrelocatable, extversion)
    SELECT 16000, 'citus', 10, oid, false, 'stand-in' FROM pg_namespace WHERE nspname = 'pg_catalog';
CREATE TABLE pg_catalog.pg_dist_partition (
    logicalrelid regclass PRIMARY KEY, partmethod "char" NOT NULL, partkey text, colocationid integer NOT NULL);
CREATE TABLE pg_catalog.stand_in_calls (id serial PRIMARY KEY, said text NOT NULL);

CREATE FUNCTION pg_catalog.stand_in_note(said text) RETURNS void LANGUAGE sql
    AS $$ INSERT INTO pg_catalog.stand_in_calls (said) VALUES (said) $$;

CREATE FUNCTION pg_catalog.stand_in_name(named regclass) RETURNS text LANGUAGE sql
    AS $$ SELECT nspname || '.' || relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
        WHERE c.oid = named $$;

CREATE FUNCTION pg_catalog.stand_in_wrote() RETURNS trigger LANGUAGE plpgsql
    AS $$ BEGIN PERFORM set_config('stand_in.wrote', 'yes', true); RETURN NULL; END $$;

CREATE FUNCTION pg_catalog.stand_in_may_be_distributed(named regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM pg_dist_partition WHERE logicalrelid = named) THEN
        RAISE EXCEPTION 'table "%" is already distributed', named;
    END IF;
    IF (SELECT relpersistence FROM pg_class WHERE oid = named) = 't' THEN
        RAISE EXCEPTION 'cannot distribute a temporary table';
    END IF;
    IF (SELECT relkind FROM pg_class WHERE oid = named) NOT IN ('r', 'p') THEN
        RAISE EXCEPTION '% is not a regular, foreign or partitioned table', named;
    END IF;
END $$;

-- Primary keys and unique constraints must include the distribution column; every partition is distributed with its
-- parent, and one that is distributed must be asked for by the parent.
CREATE FUNCTION pg_catalog.create_distributed_table(
    table_name regclass, distribution_column text, colocate_with text DEFAULT 'default',
    shard_count integer DEFAULT NULL
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    number smallint; "with" integer;
BEGIN
    PERFORM stand_in_may_be_distributed(table_name);
    SELECT attnum INTO number FROM pg_attribute
        WHERE attrelid = table_name AND attname = distribution_column AND NOT attisdropped;
    IF number IS NULL THEN
        RAISE EXCEPTION 'column "%" of relation "%" does not exist', distribution_column, table_name;
    END IF;
    IF EXISTS (SELECT FROM pg_index WHERE indrelid = table_name AND indisunique AND NOT number = ANY (indkey)) THEN
        RAISE EXCEPTION 'cannot create constraint on "%"', table_name
            USING DETAIL = 'Unique constraints of distributed tables must include the distribution column.';
    END IF;
    IF shard_count IS NOT NULL AND colocate_with <> 'none' THEN
        RAISE EXCEPTION 'cannot use colocate_with with a table and shard_count at the same time';
    END IF;
    IF (SELECT relispartition FROM pg_class WHERE oid = table_name) THEN
        RAISE EXCEPTION 'cannot distribute relation "%" which is a partition; distribute its parent', table_name;
    END IF;
    SELECT colocationid INTO "with" FROM pg_dist_partition WHERE colocate_with NOT IN ('default', 'none')
        AND logicalrelid = colocate_with::regclass AND partmethod = 'h';
    IF "with" IS NULL AND colocate_with NOT IN ('default', 'none') THEN
        RAISE EXCEPTION 'relation % is not distributed', colocate_with;
    END IF;
    INSERT INTO pg_dist_partition SELECT relid, 'h', distribution_column,
        coalesce("with", (SELECT coalesce(max(colocationid), 0) + 1 FROM pg_dist_partition))
        FROM pg_partition_tree(table_name)
        UNION SELECT table_name, 'h', distribution_column,
        coalesce("with", (SELECT coalesce(max(colocationid), 0) + 1 FROM pg_dist_partition));
    EXECUTE format('CREATE TRIGGER stand_in_wrote AFTER INSERT OR UPDATE OR DELETE ON %s '
        'FOR EACH STATEMENT EXECUTE FUNCTION stand_in_wrote()', table_name);
    PERFORM stand_in_note(
        format('distributed %s by %s with %s', stand_in_name(table_name), distribution_column, colocate_with));
END $$;

CREATE FUNCTION pg_catalog.create_reference_table(table_name regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM stand_in_may_be_distributed(table_name);
    INSERT INTO pg_dist_partition VALUES (table_name, 'n', NULL, 0);
    PERFORM stand_in_note(format('on every server: %s', stand_in_name(table_name)));
END $$;

-- A new partition of a distributed table is distributed, too. That it may be made in a transaction that has written
-- rows is not said anywhere: here it may not.
CREATE FUNCTION pg_catalog.stand_in_partition() RETURNS event_trigger LANGUAGE plpgsql AS $$
DECLARE
    made record; above pg_dist_partition;
BEGIN
    FOR made IN SELECT objid FROM pg_event_trigger_ddl_commands() WHERE object_type = 'table' LOOP
        SELECT p.* INTO above FROM pg_inherits i JOIN pg_dist_partition p ON p.logicalrelid = i.inhparent
            WHERE i.inhrelid = made.objid;
        IF above IS NULL THEN
            CONTINUE;
        END IF;
        IF current_setting('stand_in.wrote', true) = 'yes' THEN
            RAISE EXCEPTION 'a partition is made in a transaction that has written rows';
        END IF;
        INSERT INTO pg_dist_partition VALUES (made.objid, above.partmethod, above.partkey, above.colocationid);
    END LOOP;
END $$;
CREATE EVENT TRIGGER stand_in_partitions ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
    EXECUTE FUNCTION pg_catalog.stand_in_partition();
"""


class CitusStandIn:
    """A database in which the stand-in lies."""

    def __init__(self, server: PostgresServer, database: str) -> None:
        self._server, self.database = server, database
        server.sql(_EXTENSION, database)

    @property
    def address(self) -> str:
        return self._server.address(self.database)

    @property
    def calls(self) -> list[str]:
        """What was asked of it, in order."""
        return self._server.sql("SELECT said FROM stand_in_calls ORDER BY id", self.database).splitlines()

    def sql(self, statement: str) -> str:
        return self._server.sql(statement, self.database)
