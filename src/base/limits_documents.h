/* The limits of documents, part of base/limits.h: what is read, kept and searched. */
#ifndef DEN_BASE_LIMITS_DOCUMENTS_H
#define DEN_BASE_LIMITS_DOCUMENTS_H

/* --- library --- */
#define DEN_DOCUMENT_NAME_BYTES_MAX 1024 /* of a file with its folders; Linux allows 255 a part */
#define DEN_DOCUMENT_TAGS_MAX       64   /* of one document; shown in one line */
#define DEN_DOCUMENTS_TOLD_MAX      64   /* documents that an event each is sent of, a tick */
#define DEN_PAGE_DOCUMENTS_MAX      200  /* of one answer of the list */
#define DEN_JOBS_KEPT_MAX           200  /* ended ones; the oldest go */
#define DEN_JOB_TASKS_MAX           1000000 /* files of one job: a whole disk is no library */
#define DEN_JOB_TASKS_SHOWN_MAX     1000    /* failed ones that a job names */
#define DEN_JOB_PASSED_SHOWN_MAX    20      /* passed over, of each reason, that it names */
#define DEN_JOB_PATHS_MAX           1000    /* files and folders that one request names */
#define DEN_TASK_BATCH              500     /* files listed in one transaction */
#define DEN_INGEST_READERS          2       /* documents read at once, besides what is embedded */
#define DEN_INGEST_EMBED_BATCH      64      /* passages embedded, then kept, at a time */
#define DEN_WATCHED_MAX             64      /* folders; each is looked through when it changes */
#define DEN_FOLDER_DEPTH_MAX        64      /* folders in folders that are looked through */

/* --- reports --- */
#define DEN_REPORTS_MAX               1000 /* kept; people remove what they have read */
#define DEN_REPORTS_WAITING_MAX       100  /* unfinished; one runs at a time */
#define DEN_REPORT_DOCUMENTS_MAX      1000 /* of one report: rows that somebody reads */
#define DEN_REPORT_COLUMNS_MAX        32   /* of a table; a screen shows ten */
#define DEN_REPORT_STEPS_MAX          20000 /* each asks the model: a day on a small machine */
#define DEN_REPORT_QUESTION_BYTES_MAX 2048  /* what matters most, in a sentence or two */
#define DEN_REPORT_COMPARED_MAX       2000  /* sentences or passages of each of two documents */
#define DEN_PAGE_REPORTS_MAX          200   /* of one answer of the list */

/* --- reading --- */
#define DEN_READING_LINE_BYTES_MAX                                                                 \
    (64u << 20) /* a part as JSON: its text, and 60 bytes for each word's place */
#define DEN_READING_MEMBER_BYTES_MAX                                                               \
    (256u << 20) /* of a PDF or picture in an archive or mail, which stands in memory */
#define DEN_READING_SILENT_SECONDS  60  /* a reader that says nothing for so long hangs */
#define DEN_READING_CPU_SECONDS_MAX 600 /* of one child: a thousand times an ordinary file's */
#define DEN_READING_MEMORY_BYTES    (1u << 30) /* of one child's address space */
#define DEN_PROGRAM_OUTPUT_BYTES_MAX                                                               \
    (256u << 20) /* what poppler or tesseract may print: 32 pages of words, a page as picture */
#define DEN_PROGRAM_MEMORY_BYTES (2ull << 30) /* tesseract's models and a page of 40 megapixels */
#define DEN_PDF_PAGES_MAX        20000 /* beyond it, pages are left out and the note says so */
#define DEN_PDF_STRETCH_PAGES    32    /* read by one run of pdftotext, so that memory is bounded */
#define DEN_PDF_PAGE_SECONDS_MAX 60    /* for one page; recognising takes 2 to 10 */
#define DEN_PICTURE_PIXELS_MAX   40000000 /* of a rendered page: A3 at 450 dots per inch */
#define DEN_PICTURE_BYTES_MAX    (64u << 20)
#define DEN_WEB_PAGE_BYTES_MAX   (64u << 20) /* a document from the web */
#define DEN_WEB_PAGE_SECONDS_MAX 120
#define DEN_WEB_ROBOTS_BYTES_MAX (500u << 10) /* as RFC 9309 asks to read at least */

/* --- documents --- */
#define DEN_DOCUMENT_BYTES_MAX (2ull << 30) /* of one file; scans of 2,000 pages stay below it */
#define DEN_DOCUMENT_PART_TEXT_MAX                                                                 \
    (8u << 20) /* of one part, which is handed over whole; a longer one becomes several */
#define DEN_DOCUMENT_PARTS_MAX       100000       /* pages, mails, members; libraries have fewer */
#define DEN_DOCUMENT_PART_BLOCKS_MAX 65536        /* then the part is continued in another */
#define DEN_DOCUMENT_PART_WORDS_MAX  65536        /* with boxes; the densest page seen has 4,000 */
#define DEN_DOCUMENT_LABEL_BYTES_MAX 1024         /* of labels, ranges, anchors, titles, authors */
#define DEN_DOCUMENT_NOTE_BYTES_MAX  4096         /* what was left out: a sentence for each kind */
#define DEN_DOCUMENT_DECODED_MAX     (256u << 20) /* text that is not in UTF-8, made so at once */
#define DEN_DOCUMENT_HTML_MAX        (128u << 20) /* one page of HTML; it is parsed from memory */
#define DEN_DOCUMENT_STRINGS_MAX     (256u << 20) /* a workbook's shared strings, held at once */
#define DEN_DOCUMENT_INFLATED_MAX    (4ull << 30) /* out of one zip, all members together ... */
#define DEN_DOCUMENT_RATIO_MAX       200          /* ... and from each byte, text having 5 to 20 */
#define DEN_DOCUMENT_RATIO_BYTES_MIN (64u << 20)  /* small files of zeros are no danger */
#define DEN_DOCUMENT_XML_DEPTH_MAX   256          /* Word files have 30 */
#define DEN_DOCUMENT_HTML_DEPTH_MAX  4096         /* of tags that nobody closed */
#define DEN_DOCUMENT_NESTING_MAX     2            /* archives in archives, mails in mails */
#define DEN_DOCUMENT_MEMBERS_MAX     10000 /* PDFs and pictures in one file, each a program's run */
#define DEN_DOCUMENT_MEMBER_PICTURE_MIN                                                            \
    2048 /* bytes of a picture in an archive or mail; smaller ones are icons without words */
#define DEN_DOCUMENT_ROWS_MAX        4000000      /* of one sheet: Excel's 1,048,576 and to spare */
#define DEN_DOCUMENT_COLUMNS_MAX     16384        /* Excel's own limit */
#define DEN_DOCUMENT_CELL_BYTES_MAX  (1u << 20)   /* Excel's own limit is 32,767 characters */
#define DEN_DOCUMENT_CHUNKS_MAX      (1u << 20)   /* of one part */
#define DEN_FORMAT_SNIFF_BYTES       65536        /* a zip's first members lie in it */

/* --- space --- */
#define DEN_SPACE_ITEMS_MAX      (1u << 30) /* rows of the index have 32-bit numbers */
#define DEN_SPACE_WIDTH_MAX      16384      /* of a vector; the widest known embedder has 8,192 */
#define DEN_SPACE_CANDIDATES_MAX 2000       /* of one list; each is read from the database */
#define DEN_SPACE_COUNT_MAX      500        /* hits of one search */
#define DEN_SPACE_TERMS_MAX      48    /* of a question; each costs a walk through its postings */
#define DEN_SPACE_WORD_BYTES_MAX 96    /* longer ones are no words that somebody looks for */
#define DEN_SPACE_CHANGES_KEPT   65536 /* an index further behind reads everything again */
#define DEN_SPACE_FILTERS_KEPT   16    /* sets of items kept for the next search; an MB each */
#define DEN_SPACE_LIST_MAX       4096  /* ids in one list of a filter */

/* --- portability: a workspace or everything as one file --- */
#define DEN_BUNDLE_ENTRIES_MAX                                                                     \
    2000000 /* a document has one; a library of a whole disk stays below */
#define DEN_BUNDLE_JSON_BYTES_MAX    (4u << 20)  /* manifest.json, workspace.json: some KiB */
#define DEN_BUNDLE_LINE_BYTES_MAX    (96u << 20) /* a part as a reader's line, or a conversation */
#define DEN_BUNDLE_LINES_BYTES_MAX   (64ull << 30) /* of one file of lines: a bomb is no library */
#define DEN_BUNDLE_BYTES_MAX         (4ull << 40)  /* received over HTTP; the disk is full before */
#define DEN_RESTORE_WAIT_SECONDS_MAX 120           /* for an answer or a reading that is to end */

#endif
