-- Drops a blocked user without sessions and frees its slot. Says in which databases something holds it.
DECLARE
  v_credential record;
  v_role record;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'WR010', MESSAGE = 'drop works in READ COMMITTED only';
  END IF;
  dropped := false;
  held_in := '{}';
  held_elsewhere := 0;
  SELECT c.role, c.slot INTO v_credential
    FROM writ.credential c WHERE c.id = p_credential AND EXISTS (SELECT 1 FROM writ.tombstone t WHERE t.id = c.id) FOR UPDATE;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'WR050', MESSAGE = 'only what is blocked can be dropped';
  END IF;
  SELECT r.oid, r.rolname, r.rolcanlogin INTO v_role FROM pg_roles r WHERE r.oid = v_credential.role;
  IF FOUND THEN
    IF v_role.rolcanlogin OR EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.usesysid = v_role.oid)
       OR EXISTS (SELECT 1 FROM pg_prepared_xact() p WHERE p.ownerid = v_role.oid) THEN
      RAISE EXCEPTION USING ERRCODE = 'WR051', MESSAGE = 'that user can still log in, has sessions, or has prepared something';
    END IF;
    BEGIN
      EXECUTE format('DROP ROLE %I', v_role.rolname);
    EXCEPTION WHEN dependent_objects_still_exist OR lock_not_available THEN
      SELECT coalesce(array_agg(DISTINCT d.datname::text) FILTER (WHERE d.datname IS NOT NULL), '{}'),
             count(*) FILTER (WHERE d.datname IS NULL)
        INTO held_in, held_elsewhere
        FROM pg_shdepend s LEFT JOIN pg_database d ON d.oid = s.dbid
       WHERE s.refclassid = 'pg_authid'::regclass AND s.refobjid = v_role.oid;
      RETURN NEXT;
      RETURN;
    END;
  END IF;
  dropped := true;
  UPDATE writ.slot s SET credential = NULL WHERE s.number = v_credential.slot AND s.credential = p_credential;
  UPDATE writ.credential c SET dropped = clock_timestamp() WHERE c.id = p_credential AND c.dropped IS NULL;
  RETURN NEXT;
END
