-- The roles. Nobody logs in as the first three.
DO $writ$
DECLARE
  v_role text;
BEGIN
  FOREACH v_role IN ARRAY ARRAY['writ_owner', 'writ_sweeper', 'writ_orphans', 'writ_connector', 'writ_timer'] LOOP
    IF NOT EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = v_role) THEN
      EXECUTE format('CREATE ROLE %I', v_role);
    END IF;
  END LOOP;
END
$writ$;
-- Makes, blocks and drops users.
ALTER ROLE writ_owner WITH NOLOGIN NOSUPERUSER NOCREATEDB CREATEROLE NOREPLICATION NOBYPASSRLS;
-- Ends sessions and cleans; a member of a task's user only once that is blocked.
ALTER ROLE writ_sweeper WITH NOLOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
-- Owns what dead tasks leave.
ALTER ROLE writ_orphans WITH NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;
-- The server's login: it calls the functions and can do nothing else.
ALTER ROLE writ_connector WITH LOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 40;
ALTER ROLE writ_connector SET search_path = pg_catalog;
ALTER ROLE writ_connector SET idle_in_transaction_session_timeout = '5s';
ALTER ROLE writ_connector SET statement_timeout = '30s';
-- A timer beside the database calls reap; it has no way in until somebody gives it one.
ALTER ROLE writ_timer WITH NOLOGIN NOINHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT 2;
ALTER ROLE writ_timer SET search_path = pg_catalog;
GRANT pg_read_all_stats, writ_orphans TO writ_sweeper;
