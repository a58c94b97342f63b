-- What the daemon remembers (src/daemon/store). Times are RFC 3339 in UTC; each table is trimmed to a bound as it grows.

-- Configurations that were carried out: the last is the last good one.
CREATE TABLE configuration (
  id        INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  loaded_at TEXT    NOT NULL,
  digest    TEXT    NOT NULL,
  who       TEXT    NOT NULL
) STRICT;

-- Their files, compressed (zlib).
CREATE TABLE configuration_file (
  configuration INTEGER NOT NULL REFERENCES configuration (id) ON DELETE CASCADE,
  role          TEXT    NOT NULL CHECK (role IN ('sluice.toml', 'network', 'devices')),
  path          TEXT    NOT NULL,
  bytes         INTEGER NOT NULL,
  content       BLOB    NOT NULL,
  PRIMARY KEY (configuration, role)
) STRICT, WITHOUT ROWID;

-- Which configuration the kernel is held to, and whether somebody went back to it on purpose: one row or none.
CREATE TABLE active_configuration (
  one           INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  configuration INTEGER NOT NULL REFERENCES configuration (id) ON DELETE RESTRICT,
  pinned        INTEGER NOT NULL CHECK (pinned IN (0, 1))
) STRICT;

-- Plans that were carried out or failed. Actions are a JSON array, of a large plan its beginning.
CREATE TABLE applied_plan (
  id            INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  time          TEXT    NOT NULL,
  who           TEXT    NOT NULL,
  domain        TEXT    NOT NULL,
  configuration INTEGER,
  added         INTEGER NOT NULL,
  changed       INTEGER NOT NULL,
  removed       INTEGER NOT NULL,
  result        TEXT    NOT NULL CHECK (result IN ('applied', 'failed')),
  milliseconds  INTEGER NOT NULL,
  reason        TEXT,
  actions       TEXT    NOT NULL CHECK (json_valid(actions)),
  omitted       INTEGER NOT NULL
) STRICT;

-- What happened.
CREATE TABLE event (
  id       INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  time     TEXT    NOT NULL,
  kind     TEXT    NOT NULL,
  severity TEXT    NOT NULL CHECK (severity IN ('error', 'warning', 'info')),
  message  TEXT    NOT NULL,
  details  TEXT    NOT NULL CHECK (json_valid(details))
) STRICT;
