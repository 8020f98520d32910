-- Blocks and cuts what is past its end, without the server. Called again and again by a timer beside the database.
DECLARE
  v_credential record;
  v_now timestamptz := least(p_now, clock_timestamp());
BEGIN
  reaped := 0;
  FOR v_credential IN
    SELECT c.id, c.name, m.installation FROM writ.credential c CROSS JOIN writ.marker m
     WHERE c.expires <= v_now AND c.role IS NOT NULL AND c.dropped IS NULL
  LOOP
    BEGIN
      PERFORM writ.block(v_credential.installation, v_credential.id, v_credential.name::text);
      PERFORM writ.cut(v_credential.id);
      reaped := reaped + 1;
    EXCEPTION WHEN lock_not_available THEN
      NULL;  -- the next call tries again
    END;
  END LOOP;
  RETURN NEXT;
END
