-- Moves the fence: from here on only this epoch opens. Waits for opens in flight.
DECLARE
  v_mark record;
BEGIN
  IF current_setting('transaction_isolation') <> 'read committed' THEN
    RAISE EXCEPTION USING ERRCODE = 'WR010', MESSAGE = 'mark works in READ COMMITTED only';
  END IF;
  -- Not against who only reads: block never waits for this.
  LOCK TABLE writ.marker IN EXCLUSIVE MODE;
  SELECT m.installation, m.epoch INTO v_mark FROM writ.marker m;
  IF NOT FOUND OR v_mark.installation IS DISTINCT FROM p_installation THEN
    RAISE EXCEPTION USING ERRCODE = 'WR020', MESSAGE = 'this cluster is another installation''s';
  END IF;
  IF p_epoch IS NULL OR v_mark.epoch > p_epoch THEN
    RAISE EXCEPTION USING ERRCODE = 'WR021', MESSAGE = format('the epoch here is %s already', v_mark.epoch);
  END IF;
  IF v_mark.epoch < p_epoch THEN
    UPDATE writ.marker SET epoch = p_epoch;
  END IF;
  RETURN v_mark.epoch;
END
