/* See html_blocks.h. */
#include "input/html_blocks.h"

#include <ctype.h>
#include <libxml/HTMLparser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

enum {
    PRESCAN_BYTES = 4096,
    CHARSET_BYTES = 40,
    TITLE_BYTES_MAX = 1024,
    MAIN_BYTES_MIN = 140, /* less is no text, whatever it is called */
    TABLES_MAX = 1 << 20
};

enum tag {
    TAG_INLINE,
    TAG_SKIP,
    TAG_BLOCK,
    TAG_HEADING,
    TAG_ITEM,
    TAG_PRE,
    TAG_TABLE,
    TAG_ROW,
    TAG_CELL,
    TAG_BREAK,
    TAG_TITLE,
    TAG_MAIN,
    TAG_ARTICLE
};

struct table_facts {
    unsigned cells, cells_max; /* of its longest row */
    bool layout;
};

struct html {
    struct den_writer *writer; /* NULL in the first pass */
    const struct den_html_options *options;
    xmlParserCtxtPtr parser;
    unsigned char stack[DEN_DOCUMENT_HTML_DEPTH_MAX]; /* of enum tag */
    size_t depth;
    bool too_deep, no_memory;
    size_t skipping, pres, items, mains, articles; /* how many are open */
    size_t text_bytes, main_bytes, article_bytes;
    enum { WHOLE, MAIN, ARTICLES } extent;
    struct table_facts *tables; /* in the order of the page */
    size_t table_count, table_capacity, table_at;
    size_t open_tables[64];
    size_t open_count, table_depth; /* table_depth: data tables that are open */
    int heading;
    bool item_begun, row_begun, cell_begun;
    char anchor[256];
    struct den_buffer title;
    bool in_title;
};

/* --- tags --- */

static enum tag tag_of(const char *name)
{
    static const struct {
        const char *name;
        enum tag tag;
    } tags[] = {
        { "address", TAG_BLOCK },    { "article", TAG_ARTICLE },  { "aside", TAG_BLOCK },
        { "blockquote", TAG_BLOCK }, { "body", TAG_BLOCK },       { "br", TAG_BREAK },
        { "button", TAG_SKIP },      { "canvas", TAG_SKIP },      { "caption", TAG_BLOCK },
        { "center", TAG_BLOCK },     { "dd", TAG_BLOCK },         { "details", TAG_BLOCK },
        { "div", TAG_BLOCK },        { "dl", TAG_BLOCK },         { "dt", TAG_BLOCK },
        { "fieldset", TAG_BLOCK },   { "figcaption", TAG_BLOCK }, { "figure", TAG_BLOCK },
        { "footer", TAG_BLOCK },     { "form", TAG_BLOCK },       { "h1", TAG_HEADING },
        { "h2", TAG_HEADING },       { "h3", TAG_HEADING },       { "h4", TAG_HEADING },
        { "h5", TAG_HEADING },       { "h6", TAG_HEADING },       { "header", TAG_BLOCK },
        { "hr", TAG_BLOCK },         { "iframe", TAG_SKIP },      { "li", TAG_ITEM },
        { "main", TAG_MAIN },        { "nav", TAG_SKIP },         { "noscript", TAG_SKIP },
        { "object", TAG_SKIP },      { "ol", TAG_BLOCK },         { "p", TAG_BLOCK },
        { "pre", TAG_PRE },          { "script", TAG_SKIP },      { "section", TAG_BLOCK },
        { "select", TAG_SKIP },      { "style", TAG_SKIP },       { "summary", TAG_BLOCK },
        { "svg", TAG_SKIP },         { "table", TAG_TABLE },      { "td", TAG_CELL },
        { "template", TAG_SKIP },    { "textarea", TAG_SKIP },    { "th", TAG_CELL },
        { "title", TAG_TITLE },      { "tr", TAG_ROW },           { "ul", TAG_BLOCK },
    };
    size_t low = 0, high = sizeof tags / sizeof tags[0];

    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, tags[middle].name);

        if (order == 0)
            return tags[middle].tag;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return TAG_INLINE;
}

static bool is_hidden(const xmlChar **attributes)
{
    for (; attributes && attributes[0]; attributes += 2) {
        const char *name = (const char *)attributes[0];
        const char *value = attributes[1] ? (const char *)attributes[1] : "";

        if (strcmp(name, "hidden") == 0 ||
            (strcmp(name, "aria-hidden") == 0 && strcmp(value, "true") == 0) ||
            (strcmp(name, "role") == 0 && strcmp(value, "navigation") == 0) ||
            (strcmp(name, "style") == 0 &&
             (strstr(value, "display:none") || strstr(value, "display: none"))))
            return true;
    }
    return false;
}

static void take_anchor(struct html *html, const xmlChar **attributes)
{
    for (; attributes && attributes[0]; attributes += 2)
        if ((strcmp((const char *)attributes[0], "id") == 0 ||
             strcmp((const char *)attributes[0], "name") == 0) &&
            attributes[1]) {
            size_t length = strnlen((const char *)attributes[1], sizeof html->anchor - 1);

            memcpy(html->anchor, attributes[1], length);
            html->anchor[length] = '\0';
        }
}

/* --- tables --- */

static void begin_table(struct html *html)
{
    size_t index = html->table_at++;
    size_t i;

    if (html->open_count < sizeof html->open_tables / sizeof html->open_tables[0])
        html->open_tables[html->open_count] = index;
    html->open_count++;
    if (html->writer) {
        if (html->table_depth > 0 || (index < html->table_count && !html->tables[index].layout))
            html->table_depth++;
        if (html->table_depth == 1) {
            den_writer_block_begin(html->writer, DEN_BLOCK_TABLE, 0);
            den_writer_anchor(html->writer, html->anchor);
            html->anchor[0] = '\0';
            html->row_begun = html->cell_begun = false;
        }
        return;
    }
    if (html->table_count == html->table_capacity && html->table_count < TABLES_MAX) {
        size_t wanted = html->table_capacity ? html->table_capacity * 2 : 64;
        struct table_facts *grown = realloc(html->tables, wanted * sizeof *grown);

        if (!grown) {
            html->no_memory = true;
            return;
        }
        html->tables = grown;
        html->table_capacity = wanted;
    }
    if (html->table_count < html->table_capacity)
        html->tables[html->table_count++] = (struct table_facts){ 0 };
    for (i = 0; i + 1 < html->open_count && i < 64; i++)
        if (html->open_tables[i] < html->table_count)
            html->tables[html->open_tables[i]].layout = true; /* what holds a table is none */
}

static struct table_facts *inner_table(struct html *html)
{
    size_t last = html->open_count;

    if (last == 0 || last > 64 || html->open_tables[last - 1] >= html->table_count)
        return NULL;
    return &html->tables[html->open_tables[last - 1]];
}

static void end_table(struct html *html)
{
    struct table_facts *facts = inner_table(html);

    if (!html->writer && facts)
        facts->layout = facts->layout || facts->cells_max < 2;
    if (html->open_count > 0)
        html->open_count--;
    if (html->writer && html->table_depth > 0 && --html->table_depth == 0)
        den_writer_block_end(html->writer);
}

static void measure_table(struct html *html, enum tag tag)
{
    struct table_facts *facts = inner_table(html);

    if (!facts)
        return;
    if (tag == TAG_ROW)
        facts->cells = 0;
    if (tag == TAG_CELL && ++facts->cells > facts->cells_max)
        facts->cells_max = facts->cells;
    if (tag == TAG_HEADING)
        facts->layout = true;
}

/* --- elements --- */

static bool is_written(const struct html *html)
{
    if (!html->writer || html->skipping > 0)
        return false;
    return html->extent == WHOLE || (html->extent == MAIN ? html->mains : html->articles) > 0;
}

/* Ends the open block, or in a table what stands for it. */
static void end_flow(struct html *html)
{
    if (!html->writer)
        return;
    if (html->table_depth > 0)
        den_writer_space(html->writer);
    else
        den_writer_block_end(html->writer);
}

static void write_table_tag(struct html *html, enum tag tag)
{
    if (tag == TAG_ROW) {
        if (html->row_begun)
            den_writer_break(html->writer, '\n');
        html->row_begun = true;
        html->cell_begun = false;
    } else {
        if (html->cell_begun)
            den_writer_break(html->writer, '\t');
        html->cell_begun = true;
    }
}

static void enter(struct html *html, enum tag tag, const char *name)
{
    html->pres += tag == TAG_PRE;
    html->items += tag == TAG_ITEM;
    html->mains += tag == TAG_MAIN;
    html->articles += tag == TAG_ARTICLE;
    if (tag == TAG_TITLE)
        html->in_title = true;
    if (html->skipping > 0)
        return;
    if (!html->writer)
        measure_table(html, tag);
    if (tag == TAG_TABLE) {
        end_flow(html);
        begin_table(html);
    } else if (html->writer && html->table_depth == 1 && (tag == TAG_ROW || tag == TAG_CELL)) {
        write_table_tag(html, tag);
    } else if (tag == TAG_BREAK) {
        if (html->writer && html->table_depth == 0)
            den_writer_break(html->writer, '\n');
        else if (html->writer)
            den_writer_space(html->writer);
    } else if (tag != TAG_INLINE && tag != TAG_TITLE) {
        end_flow(html);
        if (tag == TAG_HEADING)
            html->heading = name[1] - '0';
        html->item_begun = html->item_begun || tag == TAG_ITEM;
    }
}

static void leave(struct html *html, enum tag tag)
{
    html->pres -= tag == TAG_PRE;
    html->items -= tag == TAG_ITEM;
    html->mains -= tag == TAG_MAIN;
    html->articles -= tag == TAG_ARTICLE;
    if (tag == TAG_TITLE)
        html->in_title = false;
    if (tag == TAG_SKIP || html->skipping > 0)
        return;
    if (tag == TAG_TABLE)
        end_table(html);
    else if (tag != TAG_INLINE && tag != TAG_TITLE && tag != TAG_BREAK)
        end_flow(html);
    if (tag == TAG_HEADING)
        html->heading = 0;
    if (tag == TAG_ITEM)
        html->item_begun = false;
}

static void start_element(void *context, const xmlChar *name, const xmlChar **attributes)
{
    struct html *html = context;
    enum tag tag = tag_of((const char *)name);

    if (html->depth >= DEN_DOCUMENT_HTML_DEPTH_MAX ||
        (html->writer && den_writer_failed(html->writer))) {
        html->too_deep = html->depth >= DEN_DOCUMENT_HTML_DEPTH_MAX;
        xmlStopParser(html->parser);
        return;
    }
    if (tag != TAG_BREAK && is_hidden(attributes))
        tag = TAG_SKIP;
    html->stack[html->depth++] = (unsigned char)tag;
    if (tag == TAG_SKIP)
        html->skipping++;
    if (html->skipping == 0)
        take_anchor(html, attributes);
    enter(html, tag, (const char *)name);
}

static void end_element(void *context, const xmlChar *name)
{
    struct html *html = context;
    enum tag tag;

    (void)name; /* the parser calls in pairs */
    if (html->depth == 0)
        return;
    tag = (enum tag)html->stack[--html->depth];
    leave(html, tag);
    if (tag == TAG_SKIP)
        html->skipping--;
}

/* --- text --- */

static bool is_blank(const char *text, size_t length)
{
    size_t i;

    for (i = 0; i < length; i++)
        if (!strchr(" \t\r\n\f", text[i]))
            return false;
    return true;
}

static void begin_block(struct html *html)
{
    struct den_writer *writer = html->writer;

    if (html->heading > 0) {
        den_writer_block_begin(writer, DEN_BLOCK_HEADING, html->heading);
    } else if (html->pres > 0) {
        den_writer_block_begin_verbatim(writer, DEN_BLOCK_CODE, 0);
    } else if (html->items > 0) {
        if (writer->block_count > 0 &&
            writer->blocks[writer->block_count - 1].kind == DEN_BLOCK_LIST)
            den_writer_gap(writer, 1);
        den_writer_block_begin(writer, DEN_BLOCK_LIST, 0);
        if (html->item_begun)
            den_writer_string(writer, "- ");
        html->item_begun = false;
    } else {
        den_writer_block_begin(writer, DEN_BLOCK_PARAGRAPH, 0);
    }
    den_writer_anchor(writer, html->anchor);
    html->anchor[0] = '\0';
}

static void characters(void *context, const xmlChar *text, int length)
{
    struct html *html = context;
    const char *bytes = (const char *)text;
    size_t count = length > 0 ? (size_t)length : 0;

    if (html->in_title) {
        if (!html->writer && html->title.length + count < TITLE_BYTES_MAX)
            den_buffer_append(&html->title, bytes, count);
        return;
    }
    if (html->skipping > 0)
        return;
    if (!html->writer) {
        html->text_bytes += count;
        html->main_bytes += html->mains > 0 ? count : 0;
        html->article_bytes += html->articles > 0 ? count : 0;
        return;
    }
    if (!is_written(html))
        return;
    if (!html->writer->in_block) {
        if (html->table_depth > 0 || is_blank(bytes, count))
            return;
        begin_block(html);
    }
    if (html->table_depth == 1 && !html->cell_begun && is_blank(bytes, count))
        return;
    den_writer_text(html->writer, bytes, count);
}

/* --- the two passes --- */

static void prepare_handler(xmlSAXHandler *handler)
{
    *handler = (xmlSAXHandler){ 0 };
    handler->startElement = start_element;
    handler->endElement = end_element;
    handler->characters = characters;
    handler->ignorableWhitespace = characters;
}

static enum den_status parse(struct html *html, const char *text, size_t length,
                             struct den_error *err)
{
    static const char encoding[] = "UTF-8";
    xmlSAXHandler handler, *own;
    xmlCharEncodingHandlerPtr converter;

    html->parser = htmlCreateMemoryParserCtxt(text, (int)length);
    if (!html->parser)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", html->options->name);
    prepare_handler(&handler);
    own = html->parser->sax;
    html->parser->sax = &handler;
    html->parser->userData = html;
    htmlCtxtUseOptions(html->parser, HTML_PARSE_RECOVER | HTML_PARSE_NOERROR |
                                         HTML_PARSE_NOWARNING | HTML_PARSE_NONET |
                                         HTML_PARSE_IGNORE_ENC);
    prepare_handler(&handler); /* the options brought defaults back */
    converter = xmlFindCharEncodingHandler(encoding);
    if (converter)
        xmlSwitchToEncoding(html->parser, converter);
    html->depth = html->skipping = html->pres = html->items = html->mains = html->articles = 0;
    html->table_at = html->open_count = 0;
    htmlParseDocument(html->parser);
    html->parser->sax = own;
    htmlFreeParserCtxt(html->parser);
    if (html->too_deep)
        return den_fail(err, DEN_TOO_LARGE, "%s: elements in each other more than %d deep",
                        html->options->name, DEN_DOCUMENT_HTML_DEPTH_MAX);
    if (html->no_memory)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", html->options->name);
    return DEN_OK;
}

static enum den_status write_both(struct html *html, struct den_writer *writer, const char *text,
                                  size_t length, struct den_error *err)
{
    if (parse(html, text, length, err) != DEN_OK)
        return err->status;
    if (html->options->only_main && html->main_bytes >= MAIN_BYTES_MIN)
        html->extent = MAIN;
    else if (html->options->only_main && html->article_bytes >= MAIN_BYTES_MIN &&
             html->article_bytes * 3 > html->text_bytes)
        html->extent = ARTICLES;
    if (html->options->title)
        den_writer_title(writer, html->title.data);
    html->writer = writer;
    if (parse(html, text, length, err) != DEN_OK)
        return err->status;
    den_writer_block_end(writer);
    return den_writer_status(writer, err);
}

/* The charset that the page names in its first bytes; false: none. */
static bool find_charset(const char *bytes, size_t length, char out[CHARSET_BYTES])
{
    const char *at = bytes, *end = bytes + (length < PRESCAN_BYTES ? length : PRESCAN_BYTES);
    size_t used = 0;

    while (end - at > 8 && strncasecmp(at, "charset=", 8) != 0 &&
           strncasecmp(at, "encoding=", 9) != 0)
        at++;
    if (end - at <= 9)
        return false;
    at = (const char *)memchr(at, '=', (size_t)(end - at)) + 1;
    while (at < end && (*at == '"' || *at == '\'' || *at == ' '))
        at++;
    while (at < end && used < CHARSET_BYTES - 1 &&
           (isalnum((unsigned char)*at) || *at == '-' || *at == '_'))
        out[used++] = *at++;
    out[used] = '\0';
    return used > 0;
}

/* Strays and zero bytes stop the parser, or make it guess another encoding. */
static enum den_status clean_text(const struct den_decoded *decoded, struct den_buffer *out,
                                  struct den_error *err)
{
    size_t at = 0;

    while (at < decoded->length) {
        uint32_t code;
        char bytes[4];

        at += den_utf8_decode(decoded->text + at, decoded->length - at, &code);
        den_buffer_append(out, bytes, den_utf8_encode(code ? code : DEN_UTF8_REPLACEMENT, bytes));
    }
    return den_buffer_status(out, "HTML", err);
}

enum den_status den_html_write(struct den_writer *writer, const char *bytes, size_t length,
                               const struct den_html_options *options, struct den_error *err)
{
    struct html *html = calloc(1, sizeof *html);
    struct den_decoded decoded;
    struct den_buffer clean;
    char charset[CHARSET_BYTES];
    const char *named = options->charset;

    if (!html)
        return den_fail(err, DEN_NO_MEMORY, "%s: out of memory", options->name);
    if (length > DEN_DOCUMENT_HTML_MAX) {
        free(html);
        return den_fail(err, DEN_TOO_LARGE, "%s: %zu bytes of HTML; at most %u can be read",
                        options->name, length, DEN_DOCUMENT_HTML_MAX);
    }
    if (!named && find_charset(bytes, length, charset))
        named = charset;
    html->options = options;
    den_buffer_init(&html->title, TITLE_BYTES_MAX);
    den_buffer_init(&clean, 3 * (size_t)DEN_DOCUMENT_DECODED_MAX);
    if (den_decode(bytes, length, named, &decoded, err) == DEN_OK) {
        bool is_clean = den_utf8_is_valid(decoded.text, decoded.length) &&
                        !memchr(decoded.text, '\0', decoded.length);

        if (is_clean)
            write_both(html, writer, decoded.text, decoded.length, err);
        else if (clean_text(&decoded, &clean, err) == DEN_OK)
            write_both(html, writer, clean.data, clean.length, err);
        den_decoded_free(&decoded);
    }
    if (options->label && err->status == DEN_OK)
        den_writer_label(writer, html->title.data);
    den_buffer_deinit(&clean);
    den_buffer_deinit(&html->title);
    free(html->tables);
    free(html);
    return err->status;
}
