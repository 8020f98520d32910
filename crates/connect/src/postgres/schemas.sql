-- The sweeper must see into every schema that a task can write to, to clean there.
DO $writ$
DECLARE
  v_schema name;
BEGIN
  FOR v_schema IN SELECT n.nspname FROM pg_namespace n WHERE n.nspname !~ '^(pg_|information_schema$|writ$)' LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO writ_sweeper', v_schema);
  END LOOP;
END
$writ$;
