-- What a watched folder held when it was last looked at, and the way from a document to its tasks.

-- `modified` is in nanoseconds of Unix time: a file that was written twice within a millisecond differs.
CREATE TABLE watched_files (
    folder   INTEGER NOT NULL REFERENCES watched_folders (row) ON DELETE CASCADE,
    path     TEXT NOT NULL, -- below the folder
    document INTEGER REFERENCES documents (row) ON DELETE SET NULL, -- NULL: it was not readable, or was deleted here
    modified INTEGER NOT NULL,
    bytes    INTEGER NOT NULL,
    PRIMARY KEY (folder, path)
) STRICT, WITHOUT ROWID;
CREATE INDEX watched_files_of_document ON watched_files (document) WHERE document IS NOT NULL;

CREATE INDEX tasks_of_document ON tasks (document) WHERE document IS NOT NULL;
