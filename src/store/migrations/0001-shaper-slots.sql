-- Who has which class number and transmit queue (src/shaper/allocation.ts). Grants are in bit/s, null for circuits.
CREATE TABLE shaper_slot (
  key            TEXT    NOT NULL PRIMARY KEY,
  queue          INTEGER NOT NULL,
  parent         INTEGER NOT NULL,
  number         INTEGER NOT NULL,
  grant_download INTEGER,
  grant_upload   INTEGER
) STRICT, WITHOUT ROWID;
