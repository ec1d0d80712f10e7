-- What an answer was told about the user: a JSON array of {id, text}; null: nothing.

ALTER TABLE messages ADD COLUMN memories TEXT;
CREATE INDEX messages_told ON messages (row) WHERE memories IS NOT NULL;
