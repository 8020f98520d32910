-- Takes back what lend gave.
DECLARE
  v_name name;
BEGIN
  SELECT r.rolname INTO v_name
    FROM writ.tombstone t JOIN writ.credential c ON c.id = t.id JOIN pg_roles r ON r.oid = c.role
   WHERE t.id = p_credential;
  IF FOUND THEN
    EXECUTE format('REVOKE %I FROM writ_connector', v_name);
  END IF;
END
