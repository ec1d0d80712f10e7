/* Orphan: a child lives exactly as long as the process that made it. */
#ifndef DEN_TESTS_ESCAPE_ORPHAN_H
#define DEN_TESTS_ESCAPE_ORPHAN_H

int escape_orphan_run(void);
int escape_orphan_child(void);

#endif
