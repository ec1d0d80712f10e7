-- Which version of its reader read a document (input/format.h): those that an older one read can be read again.

ALTER TABLE documents ADD COLUMN reader INTEGER NOT NULL DEFAULT 1;
