-- What an embedder's cosines are like: the highest between a question and a sentence that does not answer it, and that
-- between a question and its answer, both on average over a few fixed pairs (space/calibration.c). Null: not measured.

ALTER TABLE embedders ADD COLUMN unrelated REAL;
ALTER TABLE embedders ADD COLUMN related REAL;
