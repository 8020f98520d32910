-- Makes one task's user. Nothing of it stays if any check fails.
DECLARE
  v_rule record;
  v_bad text;
  v_expires timestamptz;
  v_slot integer;
  v_sql text;
  v_role oid;
  v_groups oid[];
  v_up oid[];
  v_above oid[];
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'WR010', MESSAGE = 'open works in READ COMMITTED only';
  END IF;
  IF num_nulls(p_installation, p_epoch, p_credential, p_user, p_verifier, p_groups, p_expires, p_connections) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = 'an argument is missing';
  END IF;

  -- Shared with mark, which waits for every open in flight.
  SELECT m.installation, m.epoch, r.prefix, r.ttl_seconds_max, r.connections_max INTO v_rule
    FROM writ.marker m CROSS JOIN writ.rule r FOR SHARE OF m;
  IF NOT FOUND OR v_rule.installation <> p_installation THEN
    RAISE EXCEPTION USING ERRCODE = 'WR020', MESSAGE = 'this cluster is another installation''s';
  END IF;
  IF v_rule.epoch <> p_epoch THEN
    RAISE EXCEPTION USING ERRCODE = 'WR021', MESSAGE = format('the epoch here is %s, not %s', v_rule.epoch, p_epoch);
  END IF;

  -- \A and \Z: a newline at the end is no end.
  IF p_credential !~ '\Acrd_[0-9a-f]{32}\Z' THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = 'that is no credential id';
  END IF;
  IF octet_length(p_user) > 63 OR left(p_user, length(v_rule.prefix)) <> v_rule.prefix OR p_user !~ '\A[a-z][a-z0-9_]+\Z'
     OR length(p_user) = length(v_rule.prefix) THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = format('a user''s name starts with %s and has only a-z, 0-9 and _', v_rule.prefix);
  END IF;
  -- What is not a whole verifier, PostgreSQL would take for a plain password.
  IF p_verifier !~ '\ASCRAM-SHA-256\$[1-9][0-9]{0,5}:[A-Za-z0-9+/]{22}==\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=\Z' THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = 'that is no SCRAM-SHA-256 verifier';
  END IF;
  v_expires := timestamptz 'epoch' + p_expires * interval '1 microsecond';
  IF v_expires <= clock_timestamp() OR v_expires > clock_timestamp() + v_rule.ttl_seconds_max * interval '1 second' THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = format('the end is past, or more than %s seconds away', v_rule.ttl_seconds_max);
  END IF;
  IF p_connections < 1 OR p_connections > v_rule.connections_max THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = format('a user has 1 to %s connections', v_rule.connections_max);
  END IF;
  IF array_ndims(p_groups) IS DISTINCT FROM 1 OR cardinality(p_groups) > 16 OR array_position(p_groups, NULL) IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = 'a user has 1 to 16 groups';
  END IF;

  SELECT array_agg(r.oid) INTO v_groups
    FROM writ.allowed_group a JOIN pg_roles r ON r.rolname = a.name WHERE a.name::text = ANY (p_groups);
  IF cardinality(v_groups) IS DISTINCT FROM cardinality(p_groups) THEN
    SELECT g INTO v_bad FROM unnest(p_groups) AS g
      WHERE NOT EXISTS (SELECT 1 FROM writ.allowed_group a WHERE a.name::text = g) LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION USING ERRCODE = 'WR031', MESSAGE = format('the group %s is not on the list of this cluster', left(quote_ident(v_bad), 80));
    END IF;
    RAISE EXCEPTION USING ERRCODE = 'WR031', MESSAGE = 'a group does not exist, or is named twice';
  END IF;
  -- A group reaches what the groups above it reach; none of them may hold a right over the cluster, nor own anything
  -- that a member could change while it acts as the group. Steps and not one query: each is an index lookup, however
  -- many roles there are.
  v_up := v_groups;
  LOOP
    SELECT array_agg(DISTINCT m.roleid) INTO v_above FROM pg_auth_members m WHERE m.member = ANY (v_up) AND m.roleid <> ALL (v_up);
    EXIT WHEN v_above IS NULL;
    v_up := v_up || v_above;
  END LOOP;
  IF EXISTS (
       SELECT 1 FROM pg_roles r WHERE r.oid = ANY (v_up)
          AND (r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls OR r.rolcanlogin OR r.oid < 16384))
     OR EXISTS (SELECT 1 FROM pg_shdepend d WHERE d.refclassid = 1260 AND d.refobjid = ANY (v_up) AND d.deptype = 'o')
     OR EXISTS (SELECT 1 FROM pg_db_role_setting s WHERE s.setrole = ANY (v_up))
     OR EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = ANY (v_up) AND m.admin_option) THEN
    RAISE EXCEPTION USING ERRCODE = 'WR032', MESSAGE =
      'a group is, or reaches, a role that can log in, has rights over the cluster, has settings, owns something, or may give a membership on';
  END IF;

  -- The lock that block takes too: one of both comes first, and a tombstone is never passed.
  INSERT INTO writ.credential (id, name, expires, groups)
    SELECT p_credential, p_user, v_expires, v_groups WHERE NOT EXISTS (SELECT 1 FROM writ.tombstone t WHERE t.id = p_credential)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'WR040', MESSAGE = 'this credential or its user was made or ended before';
  END IF;
  UPDATE writ.slot SET credential = p_credential
   WHERE number = (SELECT s.number FROM writ.slot s WHERE s.credential IS NULL LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING number INTO v_slot;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'WR041', MESSAGE = 'this cluster has as many task users as its list allows';
  END IF;

  -- The date in one form, whatever DateStyle the caller has set.
  v_sql := format('CREATE ROLE %I LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L',
    p_user, p_connections, p_verifier, to_char(v_expires AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
  IF current_setting('server_version_num')::integer >= 160000 THEN
    EXECUTE v_sql;
    FOREACH v_bad IN ARRAY p_groups LOOP
      EXECUTE format('GRANT %I TO %I WITH INHERIT TRUE, SET FALSE', v_bad, p_user);
    END LOOP;
  ELSE
    EXECUTE v_sql || ' IN ROLE ' || (SELECT string_agg(quote_ident(g), ', ') FROM unnest(p_groups) AS g);
  END IF;
  UPDATE writ.credential SET role = (SELECT r.oid FROM pg_roles r WHERE r.rolname = p_user), slot = v_slot
   WHERE id = p_credential RETURNING role INTO STRICT v_role;
  RETURN v_role::bigint;
END
