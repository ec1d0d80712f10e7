-- Conversations: threads, their messages as trees, folders; prompt templates; settings.
-- Times are Unix milliseconds. `row` numbers are inner and ascend in the order of creation; ids are what the
-- outside sees. JSON is text in SQLite's eyes; desk/ alone reads and writes it.

CREATE TABLE folders (
    id      TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE threads (
    row        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    title      TEXT NOT NULL DEFAULT '',
    renamed    INTEGER NOT NULL DEFAULT 0, -- the title is a person's, not made from the first question
    folder     TEXT REFERENCES folders (id) ON DELETE SET NULL,
    pinned     INTEGER NOT NULL DEFAULT 0,
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    deleted    INTEGER,                    -- since when it is in the bin; NULL: it is not
    model      TEXT NOT NULL DEFAULT '',
    system     TEXT NOT NULL DEFAULT '',
    parameters TEXT NOT NULL DEFAULT '{}', -- JSON object
    head       TEXT,                       -- id of the message last looked at
    preview    TEXT NOT NULL DEFAULT ''
) STRICT;
CREATE INDEX threads_in_order ON threads (pinned DESC, updated DESC, row DESC) WHERE deleted IS NULL;
CREATE INDEX threads_of_folder ON threads (folder) WHERE folder IS NOT NULL;
CREATE INDEX threads_in_bin ON threads (deleted) WHERE deleted IS NOT NULL;

-- No cascade from a message to its children: a chain of thousands would pass SQLite's depth of triggers.
CREATE TABLE messages (
    row           INTEGER PRIMARY KEY AUTOINCREMENT,
    thread        INTEGER NOT NULL REFERENCES threads (row) ON DELETE CASCADE,
    id            TEXT NOT NULL,
    parent        INTEGER REFERENCES messages (row),
    role          TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    content       TEXT NOT NULL DEFAULT '',
    reasoning     TEXT NOT NULL DEFAULT '',
    created       INTEGER NOT NULL,
    model         TEXT NOT NULL DEFAULT '',
    finish        TEXT,                        -- NULL: the answer is being written
    error_code    TEXT,
    error_message TEXT,
    measures      TEXT,                        -- JSON object
    attachments   TEXT NOT NULL DEFAULT '[]',  -- JSON array of {name, text}
    seq           INTEGER NOT NULL DEFAULT 0,
    UNIQUE (thread, id)
) STRICT;
CREATE INDEX messages_of_parent ON messages (parent);
CREATE INDEX messages_running ON messages (thread) WHERE finish IS NULL;

-- Full text. Pieces of three characters need no word boundaries, so that Chinese is found as well as parts of words.
-- The index holds no text of its own; an answer enters it when it is finished, not at each of its many writes.
CREATE VIRTUAL TABLE messages_text USING fts5 (content, content = 'messages', content_rowid = 'row', tokenize = 'trigram');
CREATE TRIGGER messages_inserted AFTER INSERT ON messages WHEN new.finish IS NOT NULL BEGIN
    INSERT INTO messages_text (rowid, content) VALUES (new.row, new.content);
END;
CREATE TRIGGER messages_deleted AFTER DELETE ON messages WHEN old.finish IS NOT NULL BEGIN
    INSERT INTO messages_text (messages_text, rowid, content) VALUES ('delete', old.row, old.content);
END;
CREATE TRIGGER messages_updated AFTER UPDATE OF content, finish ON messages BEGIN
    INSERT INTO messages_text (messages_text, rowid, content)
        SELECT 'delete', old.row, old.content WHERE old.finish IS NOT NULL;
    INSERT INTO messages_text (rowid, content) SELECT new.row, new.content WHERE new.finish IS NOT NULL;
END;

CREATE VIRTUAL TABLE threads_text USING fts5 (title, content = 'threads', content_rowid = 'row', tokenize = 'trigram');
CREATE TRIGGER threads_inserted AFTER INSERT ON threads BEGIN
    INSERT INTO threads_text (rowid, title) VALUES (new.row, new.title);
END;
CREATE TRIGGER threads_deleted AFTER DELETE ON threads BEGIN
    INSERT INTO threads_text (threads_text, rowid, title) VALUES ('delete', old.row, old.title);
END;
CREATE TRIGGER threads_retitled AFTER UPDATE OF title ON threads BEGIN
    INSERT INTO threads_text (threads_text, rowid, title) VALUES ('delete', old.row, old.title);
    INSERT INTO threads_text (rowid, title) VALUES (new.row, new.title);
END;

CREATE TABLE prompts (
    id      TEXT PRIMARY KEY,
    name    TEXT NOT NULL,
    text    TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL -- JSON
) STRICT;
