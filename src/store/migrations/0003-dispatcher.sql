-- What is loaded and attached (src/dispatcher/model.ts). Times are RFC 3339 in UTC; JSON where nothing is ever searched.

-- Object files by their SHA-256: what programs were loaded from, and are loaded from again by another engine.
CREATE TABLE bytecode (
  digest TEXT NOT NULL PRIMARY KEY,
  image  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Programs by the kernel's id. The boot tells rows of an earlier life of the machine, whose ids mean something else by now.
CREATE TABLE program (
  id              INTEGER NOT NULL PRIMARY KEY CHECK (id > 0),
  boot            TEXT    NOT NULL,
  name            TEXT    NOT NULL,
  type            TEXT    NOT NULL CHECK (type IN
    ('xdp', 'tc', 'tcx', 'tracepoint', 'kprobe', 'kretprobe', 'uprobe', 'uretprobe', 'fentry', 'fexit')),
  attach_function TEXT,
  section         TEXT    NOT NULL,
  license         TEXT    NOT NULL,
  gpl_compatible  INTEGER NOT NULL CHECK (gpl_compatible IN (0, 1)),
  source          TEXT    NOT NULL CHECK (json_valid(source)),
  bytecode        TEXT    NOT NULL REFERENCES bytecode (digest) ON DELETE RESTRICT,
  globals         TEXT    NOT NULL CHECK (json_valid(globals)),
  metadata        TEXT    NOT NULL CHECK (json_valid(metadata)),
  owner           TEXT,
  map_set         INTEGER NOT NULL,
  shared_maps     TEXT    NOT NULL CHECK (json_valid(shared_maps)),
  frags           INTEGER NOT NULL CHECK (frags IN (0, 1)),
  tail_calls      INTEGER NOT NULL CHECK (tail_calls IN (0, 1)),
  loaded_at       TEXT    NOT NULL,
  -- The instructions as the kernel took them, and where in them the maps of the set go: what fused dispatchers are made of.
  code            BLOB    NOT NULL,
  map_references  TEXT    NOT NULL CHECK (json_valid(map_references))
) STRICT;

CREATE INDEX program_bytecode ON program (bytecode);

-- One per hook of an interface of a network namespace (its inode number).
CREATE TABLE dispatcher (
  hook       TEXT    NOT NULL CHECK (hook IN ('xdp', 'tc-ingress', 'tc-egress')),
  nsid       INTEGER NOT NULL,
  ifindex    INTEGER NOT NULL,
  boot       TEXT    NOT NULL,
  device     TEXT    NOT NULL,
  netns      TEXT,
  revision   INTEGER NOT NULL CHECK (revision > 0),
  engine     TEXT    NOT NULL CHECK (engine IN ('freplace', 'fused')),
  program    INTEGER NOT NULL UNIQUE,
  via        TEXT    NOT NULL CHECK (via IN ('xdp', 'tcx', 'clsact')),
  -- The kernel's link, or the filter's handle.
  holder     INTEGER NOT NULL,
  xdp_mode   TEXT    CHECK (xdp_mode IN ('auto', 'native', 'generic')),
  PRIMARY KEY (hook, nsid, ifindex),
  CHECK ((hook = 'xdp') = (via = 'xdp')),
  CHECK ((via = 'xdp') = (xdp_mode IS NOT NULL))
) STRICT, WITHOUT ROWID;

-- Links by ids of our own, which are never given twice. Members of a dispatcher have its key and their rank.
CREATE TABLE link (
  id          INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
  program     INTEGER NOT NULL REFERENCES program (id) ON DELETE CASCADE,
  kind        TEXT    NOT NULL CHECK (kind IN
    ('xdp', 'tc', 'tcx', 'tracepoint', 'kprobe', 'uprobe', 'fentry', 'fexit')),
  kernel_link INTEGER,
  hook        TEXT,
  nsid        INTEGER,
  ifindex     INTEGER,
  position    INTEGER CHECK (position BETWEEN 0 AND 9),
  details     TEXT    NOT NULL CHECK (json_valid(details)),
  metadata    TEXT    NOT NULL CHECK (json_valid(metadata)),
  created_at  TEXT    NOT NULL,
  FOREIGN KEY (hook, nsid, ifindex) REFERENCES dispatcher (hook, nsid, ifindex) ON DELETE CASCADE,
  UNIQUE (hook, nsid, ifindex, position),
  CHECK ((kind IN ('xdp', 'tc')) = (position IS NOT NULL)),
  CHECK ((position IS NULL) = (hook IS NULL))
) STRICT;

CREATE INDEX link_program ON link (program);

-- By which path a network namespace was last reached: of one without a name, the only way back to what a run that died
-- left on its hooks.
CREATE TABLE namespace (
  nsid INTEGER NOT NULL PRIMARY KEY,
  path TEXT    NOT NULL,
  boot TEXT    NOT NULL
) STRICT;

-- Interfaces whose clsact qdisc is ours to remove.
CREATE TABLE clsact (
  nsid    INTEGER NOT NULL,
  ifindex INTEGER NOT NULL,
  boot    TEXT    NOT NULL,
  PRIMARY KEY (nsid, ifindex)
) STRICT, WITHOUT ROWID;
