/* Thread count: how many a model should run on. */
#ifndef DEN_SCHEDULE_THREAD_COUNT_H
#define DEN_SCHEDULE_THREAD_COUNT_H

/* `wanted`, or, for 0, one for each core that this process may use. A sandboxed process can't ask
 * the machine: who starts it does. */
int den_schedule_threads(int wanted);

#endif
