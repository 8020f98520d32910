-- What this cluster knows of its installation.
BEGIN
  SELECT m.installation, m.epoch, r.prefix INTO installation, epoch, prefix FROM writ.marker m CROSS JOIN writ.rule r;
  SELECT count(*) FILTER (WHERE s.credential IS NULL), count(*) INTO slots_free, slots FROM writ.slot s;
  SELECT coalesce(array_agg(a.name::text ORDER BY a.name), '{}') INTO allowed FROM writ.allowed_group a;
  RETURN NEXT;
END
