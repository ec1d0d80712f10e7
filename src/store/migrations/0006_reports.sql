-- The steps of reports (jobs of the kinds "summary", "comparison" and "table"): each asks the model once, and what came of it is
-- kept, so that a report goes on where it was. desk/report_parts.h says what `kind` and the two JSON columns hold.

CREATE TABLE report_steps (
    row      INTEGER PRIMARY KEY AUTOINCREMENT,
    job      INTEGER NOT NULL REFERENCES jobs (row) ON DELETE CASCADE,
    kind     TEXT NOT NULL,             -- "piece", "merge", "whole", "point", "cell"
    document TEXT NOT NULL DEFAULT '',  -- id, which may be of one that is gone; '': of several
    level    INTEGER NOT NULL DEFAULT 0, -- of a tree of summaries, from 0; the number of a column
    input    TEXT NOT NULL,             -- JSON
    output   TEXT                       -- JSON; NULL: not done yet
) STRICT;
CREATE INDEX report_steps_of_job ON report_steps (job, row);
CREATE INDEX report_steps_waiting ON report_steps (job) WHERE output IS NULL;
