-- Rules of the relay that were added while sluice ran; those of the configuration are not here. The rule is as the API has it.
CREATE TABLE relay_rule (
  id       TEXT NOT NULL PRIMARY KEY,
  added_at TEXT NOT NULL,
  rule     TEXT NOT NULL CHECK (json_valid(rule))
) STRICT, WITHOUT ROWID;
