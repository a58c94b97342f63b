-- Packet steering (XPS) as it was before sluice emptied it, to be put back by cleanup.
CREATE TABLE shaper_steering (
  device TEXT    NOT NULL,
  queue  INTEGER NOT NULL,
  cpus   TEXT    NOT NULL,
  rxqs   TEXT    NOT NULL,
  PRIMARY KEY (device, queue)
) STRICT, WITHOUT ROWID;
