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
INSERT INTO "api_tokens" VALUES('aba0c3526beef47a','publisher',X'A02FA78B422F45681CD79C22ED4B957147A21FD2CE291694668C49816FA4818E','["kv:write"]',1764000000,4000000000);
CREATE TABLE atoms (
        space TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        expires_at_ms INTEGER NOT NULL,
        PRIMARY KEY (space, key)
    ) STRICT
    ;
INSERT INTO "atoms" VALUES('codes','c','used',4000000000000);
CREATE TABLE document_changes (space TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
INSERT INTO "document_changes" VALUES('access',1);
CREATE TABLE documents (
        revision INTEGER PRIMARY KEY AUTOINCREMENT,
        space TEXT NOT NULL,
        kind TEXT NOT NULL,
        id TEXT NOT NULL,
        value TEXT NOT NULL,
        expires_at INTEGER,
        UNIQUE (space, kind, id)
    ) STRICT
    ;
INSERT INTO "documents" VALUES(1,'access','application','a','{"name": "Shop"}',NULL);
CREATE INDEX atoms_by_expiry ON atoms (expires_at_ms);
CREATE INDEX documents_by_expiry ON documents (expires_at) WHERE expires_at IS NOT NULL;
CREATE TRIGGER document_put AFTER INSERT ON documents BEGIN
        INSERT INTO document_changes VALUES (NEW.space, 1) ON CONFLICT (space) DO UPDATE SET count = count + 1;
    END;
CREATE TRIGGER document_deleted AFTER DELETE ON documents BEGIN
        INSERT INTO document_changes VALUES (OLD.space, 1) ON CONFLICT (space) DO UPDATE SET count = count + 1;
    END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('documents',1);
COMMIT;
PRAGMA application_id = 1163350868;
PRAGMA user_version = 2;
