-- Workspaces, their documents, what was read from them, what is searched, and the work that is queued.
-- Times are Unix milliseconds. `row` numbers are inner; ids are what the outside sees.

CREATE TABLE workspaces (
    row        INTEGER PRIMARY KEY AUTOINCREMENT,
    id         TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    created    INTEGER NOT NULL,
    updated    INTEGER NOT NULL,
    model      TEXT NOT NULL DEFAULT '',
    system     TEXT NOT NULL DEFAULT '',
    parameters TEXT NOT NULL DEFAULT '{}', -- JSON object, as a thread's
    retrieval  TEXT NOT NULL DEFAULT '{}', -- JSON object, desk/workspaces.h
    tags       TEXT NOT NULL DEFAULT '[]'  -- JSON array of texts
) STRICT;
CREATE UNIQUE INDEX workspaces_by_name ON workspaces (name COLLATE NOCASE);

-- One person for now, who is in none of these rows and may do everything.
CREATE TABLE members (
    workspace INTEGER NOT NULL REFERENCES workspaces (row) ON DELETE CASCADE,
    person    TEXT NOT NULL,
    role      TEXT NOT NULL CHECK (role IN ('owner', 'editor', 'reader')),
    PRIMARY KEY (workspace, person)
) STRICT, WITHOUT ROWID;

ALTER TABLE threads ADD COLUMN workspace INTEGER REFERENCES workspaces (row) ON DELETE SET NULL;
CREATE INDEX threads_of_workspace ON threads (workspace) WHERE workspace IS NOT NULL;

-- What an answer stood on: {"passages": [...], "citations": [...]}, desk/grounding.h.
ALTER TABLE messages ADD COLUMN sources TEXT;

-- Files as they came, in $DEN_HOME/originals under their SHA-256.
CREATE TABLE originals (
    hash    TEXT PRIMARY KEY, -- 64 lower-case hexadecimal digits
    bytes   INTEGER NOT NULL,
    created INTEGER NOT NULL
) STRICT;

CREATE TABLE documents (
    row             INTEGER PRIMARY KEY AUTOINCREMENT,
    id              TEXT NOT NULL UNIQUE,
    original        TEXT NOT NULL REFERENCES originals (hash),
    name            TEXT NOT NULL,             -- of the file, with the folders it came in: "letters/2024/may.pdf"
    origin          TEXT NOT NULL CHECK (origin IN ('upload', 'file', 'folder', 'web')),
    address         TEXT NOT NULL DEFAULT '',  -- path or web address it was read from; '': it was uploaded
    media_type      TEXT NOT NULL DEFAULT '',
    format          TEXT NOT NULL DEFAULT '',  -- "pdf", "word" ...: input/format.h
    title           TEXT NOT NULL DEFAULT '',
    author          TEXT NOT NULL DEFAULT '',
    tags            TEXT NOT NULL DEFAULT '[]',
    bytes           INTEGER NOT NULL,
    modified        INTEGER,                   -- the file's own time, where it has one
    created         INTEGER NOT NULL,          -- added here
    updated         INTEGER NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('waiting', 'reading', 'embedding', 'ready', 'failed')),
    error_code      TEXT,
    error_message   TEXT,
    note            TEXT NOT NULL DEFAULT '',  -- what was left out in reading: "pages 3 and 4 were not readable"
    parts           INTEGER NOT NULL DEFAULT 0,
    items           INTEGER NOT NULL DEFAULT 0,
    tokens          INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX documents_of_original ON documents (original);
CREATE INDEX documents_at_address ON documents (address) WHERE address <> '';
CREATE INDEX documents_unfinished ON documents (state) WHERE state <> 'ready';

CREATE TABLE workspace_documents (
    workspace INTEGER NOT NULL REFERENCES workspaces (row) ON DELETE CASCADE,
    document  INTEGER NOT NULL REFERENCES documents (row) ON DELETE CASCADE,
    added     INTEGER NOT NULL,
    pinned    INTEGER NOT NULL DEFAULT 0, -- its whole text goes into every prompt
    PRIMARY KEY (workspace, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX workspaces_of_document ON workspace_documents (document);

CREATE TABLE thread_documents (
    thread   INTEGER NOT NULL REFERENCES threads (row) ON DELETE CASCADE,
    document INTEGER NOT NULL REFERENCES documents (row) ON DELETE CASCADE,
    added    INTEGER NOT NULL,
    PRIMARY KEY (thread, document)
) STRICT, WITHOUT ROWID;
CREATE INDEX threads_of_document ON thread_documents (document);

-- A page, sheet, slide, chapter or mail, with its text and how that lies on it (input/document.h).
CREATE TABLE parts (
    row      INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (row) ON DELETE CASCADE,
    ordinal  INTEGER NOT NULL,         -- 0, 1 ...
    kind     TEXT NOT NULL,            -- "page", "sheet", "slide", "section", "mail", "file"
    number   INTEGER NOT NULL,         -- as people count: from 1
    label    TEXT NOT NULL DEFAULT '', -- "Sheet1", "iv", "Re: invoice"
    width    REAL NOT NULL DEFAULT 0,  -- of a page, in points; 0: it has none
    height   REAL NOT NULL DEFAULT 0,
    scanned  INTEGER NOT NULL DEFAULT 0,
    text     TEXT NOT NULL,
    blocks   TEXT NOT NULL DEFAULT '[]', -- JSON
    words    TEXT NOT NULL DEFAULT '[]', -- JSON: where words lie on the page
    UNIQUE (document, ordinal)
) STRICT;

-- What is searched: passages of text today; pictures and sounds later.
CREATE TABLE items (
    row      INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents (row) ON DELETE CASCADE,
    part     INTEGER NOT NULL REFERENCES parts (row) ON DELETE CASCADE,
    ordinal  INTEGER NOT NULL,                     -- in the document: neighbours are one more and one less
    modality TEXT NOT NULL DEFAULT 'text',
    kind     TEXT NOT NULL DEFAULT 'paragraph',    -- of its first block
    start    INTEGER NOT NULL,                     -- bytes of the part's text
    stop     INTEGER NOT NULL,
    heading  TEXT NOT NULL DEFAULT '',             -- the path of headings above it: "Terms > Payment"
    text     TEXT NOT NULL,
    tokens   INTEGER NOT NULL                      -- of the embedder
) STRICT;
CREATE UNIQUE INDEX items_in_order ON items (document, ordinal);
CREATE INDEX items_of_part ON items (part);

CREATE TABLE embedders (
    row     INTEGER PRIMARY KEY AUTOINCREMENT,
    name    TEXT NOT NULL UNIQUE, -- of the model, with what tells its versions apart
    width   INTEGER NOT NULL,
    created INTEGER NOT NULL,
    current INTEGER NOT NULL DEFAULT 0 -- the one that searches ask; others are being filled, or are old
) STRICT;

CREATE TABLE vectors (
    embedder INTEGER NOT NULL REFERENCES embedders (row) ON DELETE CASCADE,
    item     INTEGER NOT NULL REFERENCES items (row) ON DELETE CASCADE,
    vector   BLOB NOT NULL, -- (width) f16, unit length
    PRIMARY KEY (embedder, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX vectors_of_item ON vectors (item);

-- Words: English stems, and pairs of Chinese characters (store/full_text.h makes the tokens).
CREATE VIRTUAL TABLE items_text USING fts5 (heading, text, content = 'items', content_rowid = 'row', tokenize = 'den');
CREATE TRIGGER items_inserted AFTER INSERT ON items BEGIN
    INSERT INTO items_text (rowid, heading, text) VALUES (new.row, new.heading, new.text);
END;
CREATE TRIGGER items_deleted AFTER DELETE ON items BEGIN
    INSERT INTO items_text (items_text, rowid, heading, text) VALUES ('delete', old.row, old.heading, old.text);
END;

-- Work that outlives the program. A job is what a user asked for; its tasks are files, one each.
CREATE TABLE jobs (
    row       INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL UNIQUE,
    kind      TEXT NOT NULL,             -- "add", "watch", "embed", "summary", "table" ...
    title     TEXT NOT NULL DEFAULT '',
    fields    TEXT NOT NULL DEFAULT '{}', -- JSON: what was asked for
    result    TEXT,                       -- JSON: what came of it
    state     TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'paused', 'done', 'failed', 'cancelled')),
    error     TEXT,
    created   INTEGER NOT NULL,
    started   INTEGER,
    ended     INTEGER
) STRICT;
CREATE INDEX jobs_unfinished ON jobs (state) WHERE state IN ('waiting', 'running', 'paused');

CREATE TABLE tasks (
    row           INTEGER PRIMARY KEY AUTOINCREMENT,
    job           INTEGER NOT NULL REFERENCES jobs (row) ON DELETE CASCADE,
    document      INTEGER REFERENCES documents (row) ON DELETE SET NULL,
    name          TEXT NOT NULL,             -- of the file
    address       TEXT NOT NULL DEFAULT '',  -- where it is read from; '': the document's original is there already
    bytes         INTEGER NOT NULL DEFAULT 0,
    state         TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'skipped', 'failed', 'cancelled')),
    tries         INTEGER NOT NULL DEFAULT 0,
    error_code    TEXT,
    error_message TEXT
) STRICT;
CREATE INDEX tasks_of_job ON tasks (job, state);

CREATE TABLE watched_folders (
    row       INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL UNIQUE,
    path      TEXT NOT NULL,
    workspace INTEGER REFERENCES workspaces (row) ON DELETE CASCADE,
    created   INTEGER NOT NULL,
    scanned   INTEGER,
    error     TEXT,
    UNIQUE (path, workspace)
) STRICT;

-- Facts about the user, which are off until they are switched on.
CREATE TABLE memories (
    row       INTEGER PRIMARY KEY AUTOINCREMENT,
    id        TEXT NOT NULL UNIQUE,
    workspace INTEGER REFERENCES workspaces (row) ON DELETE CASCADE, -- NULL: everywhere
    text      TEXT NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('proposed', 'kept')),
    thread    INTEGER REFERENCES threads (row) ON DELETE SET NULL,   -- where it was said
    created   INTEGER NOT NULL
) STRICT;
