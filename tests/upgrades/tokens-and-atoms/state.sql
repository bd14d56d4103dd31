BEGIN TRANSACTION;
CREATE TABLE api_tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  hash BLOB NOT NULL,
  permissions TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
) STRICT
;
INSERT INTO "api_tokens" VALUES('4fe320ea0a41ab3b','publisher',X'4D4056AB66C8E82BE2A1B8BA92B953811C8F344C6F33E76CF43F74239DB384D2','["kv:write"]',1764000000,4000000000);
CREATE TABLE atoms (
  space TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  PRIMARY KEY (space, key)
) STRICT
;
INSERT INTO "atoms" VALUES('codes','c','used',4000000000000);
CREATE INDEX atoms_by_expiry ON atoms (expires_at_ms);
COMMIT;
PRAGMA application_id = 0;
PRAGMA user_version = 0;
