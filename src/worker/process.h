/* Process: what a worker process does. main() calls this first: in a process that a front spawned
 * as a worker it serves the wire and never returns; in any other it returns at once. */
#ifndef DEN_WORKER_PROCESS_H
#define DEN_WORKER_PROCESS_H

void den_worker_serve_if_asked(int argc, char **argv);

#endif
