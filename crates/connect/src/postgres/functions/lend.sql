-- Lends a tombstoned user to the connector, which alone can so roll back what the user has prepared.
DECLARE
  v_role record;
BEGIN
  SELECT r.oid, r.rolname, r.rolcanlogin INTO v_role
    FROM writ.tombstone t JOIN writ.credential c ON c.id = t.id JOIN pg_roles r ON r.oid = c.role
   WHERE t.id = p_credential;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'WR050', MESSAGE = 'only what is blocked can be lent';
  END IF;
  -- A user in no group has nothing but its own. One that can still log in holds a lock by what it has prepared: no
  -- other way leads to its end.
  IF EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = v_role.oid) THEN
    RAISE EXCEPTION USING ERRCODE = 'WR051', MESSAGE = 'that user is still in a group';
  END IF;
  IF NOT EXISTS (SELECT 1 FROM pg_prepared_xact() p WHERE p.ownerid = v_role.oid) THEN
    RAISE EXCEPTION USING ERRCODE = 'WR051', MESSAGE = 'that user has prepared nothing';
  END IF;
  IF NOT v_role.rolcanlogin AND EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.usesysid = v_role.oid) THEN
    RAISE EXCEPTION USING ERRCODE = 'WR051', MESSAGE = 'that user still has sessions';
  END IF;
  IF current_setting('server_version_num')::integer >= 160000 THEN
    EXECUTE format('GRANT %I TO writ_connector WITH INHERIT FALSE, SET TRUE', v_role.rolname);
  ELSE
    EXECUTE format('GRANT %I TO writ_connector', v_role.rolname);
  END IF;
END
