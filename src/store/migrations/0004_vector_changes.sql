-- What changed among the vectors that searches ask: the index in memory (space/vector_index.h) reads what is above the
-- number it saw last, whichever program wrote it. `item` has a new vector, or none any more. Only the newest are kept;
-- who is further behind reads all vectors again.

CREATE TABLE vector_changes (
    row  INTEGER PRIMARY KEY AUTOINCREMENT,
    item INTEGER NOT NULL
) STRICT;
CREATE TRIGGER vectors_inserted AFTER INSERT ON vectors
WHEN new.embedder = (SELECT row FROM embedders WHERE current = 1) BEGIN
    INSERT INTO vector_changes (item) VALUES (new.item);
END;
CREATE TRIGGER vectors_updated AFTER UPDATE OF vector ON vectors
WHEN new.embedder = (SELECT row FROM embedders WHERE current = 1) BEGIN
    INSERT INTO vector_changes (item) VALUES (new.item);
END;
CREATE TRIGGER vectors_deleted AFTER DELETE ON vectors
WHEN old.embedder = (SELECT row FROM embedders WHERE current = 1) BEGIN
    INSERT INTO vector_changes (item) VALUES (old.item);
END;
