-- Ends the sessions of a tombstoned user, by role OID, and logins in flight that may become one.
DECLARE
  v_role oid;
  v_pid integer;
BEGIN
  SELECT c.role INTO v_role FROM writ.tombstone t JOIN writ.credential c ON c.id = t.id WHERE t.id = p_credential;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'WR050', MESSAGE = 'only what is blocked can be cut';
  END IF;
  signalled := 0;
  refused := 0;
  IF v_role IS NOT NULL THEN
    PERFORM pg_stat_clear_snapshot();
    FOR v_pid IN
      SELECT a.pid FROM pg_stat_activity a WHERE a.usesysid = v_role AND a.pid <> pg_backend_pid()
      UNION
      SELECT l.pid FROM pg_locks l
       WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid IS NOT NULL AND l.pid <> pg_backend_pid()
         AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a
                          WHERE a.pid = l.pid AND (a.usesysid IS NOT NULL OR a.backend_type <> 'client backend'))
    LOOP
      BEGIN
        IF pg_terminate_backend(v_pid) THEN
          signalled := signalled + 1;
        END IF;
      EXCEPTION WHEN insufficient_privilege THEN
        -- Somebody else's login, or one that has not said yet who it is.
        refused := refused + 1;
      END;
    END LOOP;
  END IF;
  RETURN NEXT;
END
