-- Leaves the tombstone, then takes from the user all that lets it in. The tombstone stays even where the rest fails.
DECLARE
  v_own text;
  v_prefix text;
  v_credential record;
  v_role record;
  v_member record;
  v_sweeper oid;
  v_modern boolean := current_setting('server_version_num')::integer >= 160000;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'WR010', MESSAGE = 'block works in READ COMMITTED only';
  END IF;
  SELECT m.installation INTO v_own FROM writ.marker m;
  IF v_own IS DISTINCT FROM p_installation THEN
    RAISE EXCEPTION USING ERRCODE = 'WR020', MESSAGE = 'this cluster is another installation''s';
  END IF;
  SELECT r.prefix INTO STRICT v_prefix FROM writ.rule r;
  IF p_credential IS NULL OR p_user IS NULL OR p_credential !~ '\Acrd_[0-9a-f]{32}\Z' OR octet_length(p_user) > 63
     OR left(p_user, length(v_prefix)) <> v_prefix OR p_user !~ '\A[a-z][a-z0-9_]+\Z' THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = format('a user''s name starts with %s and has only a-z, 0-9 and _', v_prefix);
  END IF;

  -- The lock that open takes too. What was never opened gets its row here, so that a late open finds it.
  INSERT INTO writ.credential (id, name) VALUES (p_credential, p_user) ON CONFLICT DO NOTHING;
  SELECT c.name, c.role, c.dropped INTO v_credential FROM writ.credential c WHERE c.id = p_credential FOR UPDATE;
  IF NOT FOUND OR v_credential.name <> p_user THEN
    RAISE EXCEPTION USING ERRCODE = 'WR042', MESSAGE = 'that user belongs to another credential';
  END IF;
  INSERT INTO writ.tombstone (id, name, lsn) VALUES (p_credential, p_user, pg_current_wal_insert_lsn()) ON CONFLICT DO NOTHING;

  role_id := coalesce(v_credential.role, 0)::bigint;
  complete := true;
  notes := '{}';
  SELECT r.oid, r.rolname, r.rolcanlogin OR r.rolconnlimit <> 0 AS open INTO v_role FROM pg_roles r WHERE r.oid = v_credential.role;
  IF NOT FOUND THEN
    IF v_credential.role IS NULL THEN
      notes := notes || 'never opened here'::text;
      IF EXISTS (SELECT 1 FROM pg_roles r WHERE r.rolname = p_user) THEN
        complete := false;
        notes := notes || 'a role of that name exists that these functions did not make: left alone'::text;
      END IF;
    END IF;
    lsn := pg_current_wal_insert_lsn()::text;
    RETURN NEXT;
    RETURN;
  END IF;

  -- Three sub-blocks, because an agent that holds a lock on its own row must not keep the other two from happening.
  BEGIN
    IF v_role.open THEN
      EXECUTE format('ALTER ROLE %I NOLOGIN PASSWORD NULL CONNECTION LIMIT 0', v_role.rolname);
    END IF;
  EXCEPTION WHEN OTHERS THEN
    complete := false;
    notes := notes || format('login not blocked yet: %s', SQLSTATE);
  END;
  FOR v_member IN
    SELECT g.rolname AS granted, r.rolname AS holder, a.rolname AS grantor
      FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
      LEFT JOIN pg_roles a ON a.oid = m.grantor
     WHERE m.member = v_role.oid
    UNION ALL
    SELECT g.rolname, r.rolname, a.rolname
      FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid JOIN pg_roles r ON r.oid = m.member
      LEFT JOIN pg_roles a ON a.oid = m.grantor
     WHERE m.roleid = v_role.oid AND r.rolname NOT IN ('writ_sweeper', 'writ_owner')
  LOOP
    BEGIN
      IF v_modern THEN
        EXECUTE format('REVOKE %I FROM %I GRANTED BY %I CASCADE', v_member.granted, v_member.holder, v_member.grantor);
      ELSE
        EXECUTE format('REVOKE %I FROM %I', v_member.granted, v_member.holder);
      END IF;
    EXCEPTION WHEN OTHERS THEN
      complete := complete AND v_modern;
      notes := notes || format('membership of %I in %I not revoked: %s', v_member.holder, v_member.granted, SQLSTATE);
    END;
  END LOOP;
  SELECT r.oid INTO STRICT v_sweeper FROM pg_roles r WHERE r.rolname = 'writ_sweeper';
  BEGIN
    -- From here on the sweeper may end this user's sessions, and nobody else's.
    IF NOT EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.roleid = v_role.oid AND m.member = v_sweeper) THEN
      EXECUTE format('GRANT %I TO writ_sweeper', v_role.rolname);
    END IF;
  EXCEPTION WHEN OTHERS THEN
    complete := false;
    notes := notes || format('sweeper not granted yet: %s', SQLSTATE);
  END;
  lsn := pg_current_wal_insert_lsn()::text;
  RETURN NEXT;
END
