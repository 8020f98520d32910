-- Cleans one database of what a blocked user owns or was granted there. Installed in every database; the tombstone lies
-- in the first, so what is asked for here is what only block makes: no login, and the sweeper as a member.
DECLARE
  v_object record;
  v_worked boolean := true;
BEGIN
  done := false;
  notes := '{}';
  IF p_user IS NULL OR p_role IS NULL OR p_keep IS NULL OR p_user ~ '\Awrit_(owner|sweeper|orphans|connector|timer)\Z' OR p_role < 16384
     OR NOT EXISTS (
       SELECT 1 FROM pg_roles r JOIN pg_auth_members m ON m.roleid = r.oid JOIN pg_roles s ON s.oid = m.member
        WHERE r.oid = p_role::oid AND r.rolname = p_user AND NOT r.rolcanlogin AND r.rolconnlimit = 0 AND s.rolname = 'writ_sweeper')
     OR EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.usesysid = p_role::oid)
     OR EXISTS (SELECT 1 FROM pg_prepared_xact() p WHERE p.ownerid = p_role::oid) THEN
    RAISE EXCEPTION USING ERRCODE = 'WR050', MESSAGE = 'only what is blocked, and has no sessions, can be cleaned';
  END IF;

  IF p_keep THEN
    -- Code goes, with its triggers on other people's tables: nobody should run what a dead task left.
    FOR v_object IN SELECT p.oid::regprocedure AS called FROM pg_proc p WHERE p.proowner = p_role::oid LOOP
      BEGIN
        EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', v_object.called);
      EXCEPTION WHEN OTHERS THEN
        v_worked := false;
        notes := notes || format('a routine stays: %s', SQLSTATE);
      END;
    END LOOP;
    -- Data stays, for the orphans' role; what the task granted on it does not.
    FOR v_object IN
      SELECT DISTINCT c.oid::regclass AS relation, x.grantee
        FROM pg_class c
        CROSS JOIN LATERAL (
          SELECT e.grantee FROM aclexplode(c.relacl) e
          UNION
          SELECT e.grantee FROM pg_attribute a CROSS JOIN LATERAL aclexplode(a.attacl) e WHERE a.attrelid = c.oid) x
       WHERE c.relowner = p_role::oid AND c.relkind IN ('r', 'v', 'm', 'f', 'p', 'S') AND x.grantee <> p_role::oid
    LOOP
      BEGIN
        EXECUTE format('REVOKE ALL ON %s FROM %s CASCADE', v_object.relation,
          CASE WHEN v_object.grantee = 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(v_object.grantee)) END);
      EXCEPTION WHEN OTHERS THEN
        v_worked := false;
        notes := notes || format('a grant stays: %s', SQLSTATE);
      END;
    END LOOP;
    BEGIN
      EXECUTE format('REASSIGN OWNED BY %I TO writ_orphans', p_user);
    EXCEPTION WHEN OTHERS THEN
      v_worked := false;
      notes := notes || format('objects stay with the blocked user: %s', SQLSTATE);
    END;
  END IF;
  IF v_worked THEN
    BEGIN
      EXECUTE format('DROP OWNED BY %I CASCADE', p_user);
      done := true;
    EXCEPTION WHEN OTHERS THEN
      notes := notes || format('what is owned or granted stays: %s', SQLSTATE);
    END;
  END IF;
  RETURN NEXT;
END
