-- Answers of the responses API that a client may go on from. `content` is a JSON object: the response, the items that
-- it was asked with, and all items before it. `created` is Unix time in seconds.

CREATE TABLE responses (
    id      TEXT PRIMARY KEY,
    created INTEGER NOT NULL,
    content TEXT NOT NULL
) STRICT;
CREATE INDEX responses_by_age ON responses (created);
