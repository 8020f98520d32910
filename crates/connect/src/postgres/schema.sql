-- The schema, which nobody but the functions' callers may look into.
DO $writ$
BEGIN
  IF current_setting('is_superuser') <> 'on' THEN
    RAISE EXCEPTION 'this script is run by a superuser: it makes roles and gives their functions away';
  END IF;
  IF current_setting('server_version_num')::integer < 150000 THEN
    RAISE EXCEPTION 'this needs PostgreSQL 15 or later';
  END IF;
  IF EXISTS (SELECT 1 FROM pg_namespace n JOIN pg_roles r ON r.oid = n.nspowner WHERE n.nspname = 'writ' AND NOT r.rolsuper) THEN
    RAISE EXCEPTION 'the schema writ exists and is not a superuser''s';
  END IF;
END
$writ$;
CREATE SCHEMA IF NOT EXISTS writ;
