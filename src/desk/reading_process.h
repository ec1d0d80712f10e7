/* Reading process: what a reader's child does. main() calls this first: in a process that
 * den_reading_run() spawned it reads one file and never returns; in any other it returns at once.
 *
 * Its descriptors: 3 is the file, 4 a pipe that takes lines of JSON as input/document.h describes
 * them. Where members of archives and mails are to be read, 5 is a file in memory into which a
 * member's bytes go before its line, and 6 a socket from which a struct den_reading_answer comes
 * back. Its arguments: den reader MODE FORMAT FIRST SCALE NAME. */
#ifndef DEN_DESK_READING_PROCESS_H
#define DEN_DESK_READING_PROCESS_H

void den_reading_serve_if_asked(int argc, char **argv);

#endif
