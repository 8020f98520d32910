-- What is left of a tombstoned user. The locks are read first: a login that is no session yet shows only there, and
-- one that becomes a session in between then shows in both.
DECLARE
  v_credential record;
  v_role record;
  v_starting text[];
  v_starting_pid integer[];
  v_known integer[];
BEGIN
  SELECT c.role, c.groups, c.opened INTO v_credential
    FROM writ.tombstone t JOIN writ.credential c ON c.id = t.id WHERE t.id = p_credential;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'WR050', MESSAGE = 'only what is blocked can be verified';
  END IF;

  SELECT coalesce(array_agg(l.pid || '/' || l.virtualxid), '{}'), coalesce(array_agg(l.pid), '{}') INTO v_starting, v_starting_pid
    FROM pg_locks l
   WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid IS NOT NULL AND l.pid <> pg_backend_pid();
  PERFORM pg_stat_clear_snapshot();
  SELECT coalesce(array_agg(a.pid) FILTER (WHERE a.usesysid = v_credential.role), '{}'),
         coalesce(array_agg(a.pid) FILTER (WHERE a.usesysid IS NOT NULL OR a.backend_type <> 'client backend'), '{}')
    INTO sessions, v_known
    FROM pg_stat_activity a;
  SELECT coalesce(array_agg(s.login), '{}') INTO in_flight
    FROM unnest(v_starting, v_starting_pid) AS s(login, pid) WHERE s.pid <> ALL (v_known);

  SELECT coalesce(array_agg(p.gid ORDER BY p.gid), '{}'), coalesce(array_agg(coalesce(d.datname, '') ORDER BY p.gid), '{}')
    INTO prepared, prepared_in
    FROM pg_prepared_xact() p LEFT JOIN pg_database d ON d.oid = p.dbid WHERE p.ownerid = v_credential.role;
  SELECT count(*) INTO prepared_by_group
    FROM pg_prepared_xact() p WHERE p.ownerid = ANY (v_credential.groups) AND p.prepared >= v_credential.opened;

  SELECT r.oid, r.rolcanlogin OR r.rolconnlimit <> 0 AS open INTO v_role FROM pg_roles r WHERE r.oid = v_credential.role;
  role_left := FOUND;
  blocked := NOT role_left OR (
    NOT v_role.open
    AND NOT (current_setting('server_version_num')::integer < 160000
             AND EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = v_role.oid))
    AND NOT EXISTS (
      SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
       WHERE m.roleid = v_role.oid AND r.rolname NOT IN ('writ_sweeper', 'writ_owner'))
    AND EXISTS (
      SELECT 1 FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.member
       WHERE m.roleid = v_role.oid AND r.rolname = 'writ_sweeper'));
  -- A standby keeps its own sessions, which nobody sees from here.
  SELECT count(*) INTO standbys FROM (
    SELECT r.pid::text AS standby FROM pg_stat_replication r
     WHERE NOT EXISTS (SELECT 1 FROM pg_replication_slots s WHERE s.active_pid = r.pid AND s.slot_type = 'logical')
    UNION ALL
    SELECT s.slot_name::text FROM pg_replication_slots s WHERE s.slot_type = 'physical' AND NOT s.active) AS seen;
  lsn := pg_current_wal_lsn()::text;
  RETURN NEXT;
END
