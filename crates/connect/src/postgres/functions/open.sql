-- Makes one task's user. Nothing of it stays if any check fails.
DECLARE
  v_rule record;
  v_expires timestamptz;
  v_group text;
  v_groups oid[];
  v_up oid[] := '{}';
  v_step integer := 1;
  v_reach record;
  v_from integer;
  v_slot integer;
  v_sql text;
  v_role oid;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'WR010', MESSAGE = 'open works in READ COMMITTED only';
  END IF;
  IF num_nulls(p_installation, p_epoch, p_credential, p_user, p_verifier, p_groups, p_expires, p_connections) > 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = 'an argument is missing';
  END IF;

  -- Opens share this lock until they have committed, and mark takes the table for itself: it waits for every open in
  -- flight, and an open that waited for it reads what it left. A lock of the row would be a write in each open.
  LOCK TABLE writ.marker IN ROW SHARE MODE;
  SELECT m.installation, m.epoch, r.prefix, r.ttl_seconds_max, r.connections_max, r.users_max INTO v_rule
    FROM writ.marker m CROSS JOIN writ.rule r;
  IF NOT FOUND OR v_rule.installation <> p_installation THEN
    RAISE EXCEPTION USING ERRCODE = 'WR020', MESSAGE = 'this cluster is another installation''s';
  END IF;
  IF v_rule.epoch <> p_epoch THEN
    RAISE EXCEPTION USING ERRCODE = 'WR021', MESSAGE = format('the epoch here is %s, not %s', v_rule.epoch, p_epoch);
  END IF;

  -- \A and \Z: a newline at the end is no end. Lengths are compared beside the expressions: a count of 43 within one costs
  -- as much as making the role.
  IF p_credential !~ '\Acrd_[0-9a-f]+\Z' OR octet_length(p_credential) <> 36 THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = 'that is no credential id';
  END IF;
  IF octet_length(p_user) > 63 OR left(p_user, length(v_rule.prefix)) <> v_rule.prefix OR p_user !~ '\A[a-z][a-z0-9_]+\Z'
     OR length(p_user) = length(v_rule.prefix) THEN
    RAISE EXCEPTION USING ERRCODE = 'WR030', MESSAGE = format('a user''s name starts with %s and has only a-z, 0-9 and _', v_rule.prefix);
  END IF;
  -- What is not a whole verifier, PostgreSQL would take for a plain password.
  IF p_verifier !~ '\ASCRAM-SHA-256\$[1-9][0-9]{0,5}:[A-Za-z0-9+/]+==\$[A-Za-z0-9+/]+=:[A-Za-z0-9+/]+=\Z'
     OR p_verifier NOT LIKE '%:______________________==$___________________________________________=:___________________________________________=' THEN
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

  FOREACH v_group IN ARRAY p_groups LOOP
    v_role := to_regrole(quote_ident(v_group));
    IF v_role = ANY (v_up) THEN
      RAISE EXCEPTION USING ERRCODE = 'WR031', MESSAGE = format('the group %s is named twice', v_role::regrole);
    END IF;
    v_up := v_up || v_role;
  END LOOP;
  v_groups := v_up;
  -- A group reaches what the groups above it reach; none of them may hold a right over the cluster, nor own anything
  -- that a member could change while it acts as the group. One role at a time, so that each question is an index lookup
  -- however many roles there are: the plan is made while there are few, and for a list of roles it would read them all.
  WHILE v_step <= cardinality(v_up) LOOP
    v_role := v_up[v_step];
    SELECT EXISTS (SELECT 1 FROM writ.allowed_group a WHERE a.name = r.rolname) AS listed,
           r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication OR r.rolbypassrls OR r.rolcanlogin OR r.oid < 16384
           OR EXISTS (SELECT 1 FROM pg_shdepend d WHERE d.refclassid = 1260 AND d.refobjid = v_role AND d.deptype = 'o')
           OR EXISTS (SELECT 1 FROM pg_db_role_setting s WHERE s.setrole = v_role)
           OR EXISTS (SELECT 1 FROM pg_auth_members m WHERE m.member = v_role AND m.admin_option) AS powerful,
           ARRAY(SELECT m.roleid FROM pg_auth_members m WHERE m.member = v_role AND m.roleid <> ALL (v_up)) AS above
      INTO v_reach FROM pg_roles r WHERE r.oid = v_role;
    IF v_step <= cardinality(v_groups) AND v_reach.listed IS DISTINCT FROM true THEN
      RAISE EXCEPTION USING ERRCODE = 'WR031', MESSAGE = format('the group %s is not on the list of this cluster', left(quote_ident(p_groups[v_step]), 80));
    END IF;
    IF v_reach.powerful IS DISTINCT FROM false THEN
      RAISE EXCEPTION USING ERRCODE = 'WR032', MESSAGE =
        'a group is, or reaches, a role that can log in, has rights over the cluster, has settings, owns something, or may give a membership on';
    END IF;
    v_up := v_up || v_reach.above;
    v_step := v_step + 1;
  END LOOP;

  IF to_regrole(p_user) IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'WR040', MESSAGE = 'this credential or its user was made or ended before';
  END IF;
  -- From anywhere on, then from the start: those who look at the same time then seldom look at the same slots, nor pass
  -- all that were taken lately.
  FOREACH v_from IN ARRAY ARRAY[(random() * v_rule.users_max)::integer, 0] LOOP
    UPDATE writ.slot SET credential = p_credential
     WHERE number = (SELECT s.number FROM writ.slot s WHERE s.credential IS NULL AND s.number >= v_from
                      ORDER BY s.number LIMIT 1 FOR UPDATE SKIP LOCKED)
      RETURNING number INTO v_slot;
    EXIT WHEN FOUND;
  END LOOP;
  IF v_slot IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'WR041', MESSAGE = 'this cluster has as many task users as its list allows';
  END IF;

  -- The date in one form, whatever DateStyle the caller has set.
  v_sql := format('CREATE ROLE %I LOGIN INHERIT NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS CONNECTION LIMIT %s PASSWORD %L VALID UNTIL %L',
    p_user, p_connections, p_verifier, to_char(v_expires AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'));
  IF current_setting('server_version_num')::integer >= 160000 THEN
    EXECUTE v_sql || format('; GRANT %s TO %I WITH INHERIT TRUE, SET FALSE', array_to_string(v_groups::regrole[], ', '), p_user);
  ELSE
    EXECUTE v_sql || ' IN ROLE ' || array_to_string(v_groups::regrole[], ', ');
  END IF;
  v_role := to_regrole(p_user);

  -- The lock that block takes too: one of both comes first, and a tombstone is never passed. Where block came first,
  -- nothing of the user stays.
  INSERT INTO writ.credential (id, name, role, expires, groups, slot)
    SELECT p_credential, p_user, v_role, v_expires, v_groups, v_slot
     WHERE NOT EXISTS (SELECT 1 FROM writ.tombstone t WHERE t.id = p_credential)
    ON CONFLICT DO NOTHING;
  IF NOT FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'WR040', MESSAGE = 'this credential or its user was made or ended before';
  END IF;
  RETURN v_role::bigint;
END
