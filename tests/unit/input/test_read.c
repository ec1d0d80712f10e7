/* Files of every format, with what independent readers found in them (make_documents.py), and files
 * that were made to do harm. */
#include "test.h"

#include <fcntl.h>
#include <string.h>

#include "base/json.h"
#include "collect.h"

static struct collect collect;
static struct den_error err;

static void read_fixture(const char *name)
{
    if (collect_fixture(name, &collect, &err) != DEN_OK)
        fail_msg("%s: %s", name, err.message);
}

static const struct den_part *part_at(size_t index, const char *kind, size_t number,
                                      const char *label)
{
    assert_true(index < collect.count);
    assert_string_equal(den_part_kind_text(collect.parts[index].kind), kind);
    assert_int_equal(collect.parts[index].number, number);
    assert_string_equal(collect.parts[index].label, label);
    return &collect.parts[index];
}

static void agrees_with_other_readers(void **state)
{
    json_t *expected = NULL;
    const char *name;
    json_t *texts;
    struct den_error failure = { 0 };

    assert_int_equal(
        den_json_read_file(DEN_FIXTURES "/documents/expected.json", &expected, &failure), DEN_OK);
    assert_int_equal(json_object_size(expected), 9);
    json_object_foreach(expected, name, texts)
    {
        size_t part = 0, index;
        const char *at = NULL;
        json_t *text;

        read_fixture(name);
        assert_true(json_array_size(texts) >= 2);
        json_array_foreach(texts, index, text)
        {
            const char *wanted = json_string_value(text), *found = NULL;

            for (; part < collect.count && !found; part += found == NULL) {
                found = strstr(at ? at : collect.parts[part].text, wanted);
                at = found ? found + strlen(wanted) : NULL;
            }
            if (!found)
                fail_msg("%s: '%s' is not there, or not in its order", name, wanted);
        }
        collect_free(&collect);
    }
    json_decref(expected);
}

static void reads_word(void **state)
{
    const struct den_part *part;

    read_fixture("lease.docx");
    assert_int_equal(collect.count, 3);
    assert_string_equal(collect.title, "Lease of a flat");
    assert_string_equal(collect.author, "Ada Lovelace");
    assert_true(collect.created == 1709287200000);
    part_at(0, "section", 1, "Lease agreement");
    part = part_at(1, "section", 2, "Terms");
    assert_int_equal(part->blocks[0].level, 1);
    assert_block(part, 2, "heading", "Payment");
    assert_int_equal(part->blocks[2].level, 2);
    assert_block(part, 3, "list", "- by transfer");
    assert_block(part, 5, "table",
                 "cell 0.0 cell 0.1\t\tcell 0.2\ncell 1.0\tcell 1.1\tcell 1.2\n"
                 "cell 2.0\tcell 2.1\tcell 2.2");
    collect_free(&collect);
}

/* Pages as Word last saved them; a break that was set and its mark are one. */
static void reads_pages_of_word(void **state)
{
    const struct den_part *part;

    read_fixture("paged.docx");
    assert_int_equal(collect.count, 4);
    part = part_at(0, "section", 1, "Handbook, page 1 as last saved");
    assert_block(part, 1, "paragraph", "It begins on the first page and ends on the second.");
    part = part_at(1, "section", 2, "Handbook, page 2 as last saved");
    assert_block(part, 0, "paragraph", "This is on the second page.");
    part = part_at(2, "section", 3, "Handbook, page 3 as last saved");
    assert_block(part, 0, "paragraph", "This is on the third page.");
    part_at(3, "section", 4, "Index, page 3 as last saved");
    collect_free(&collect);
}

static void reads_sheets(void **state)
{
    const struct den_part *part;

    read_fixture("costs.xlsx");
    assert_int_equal(collect.count, 3);
    part = part_at(0, "sheet", 1, "Costs & more");
    assert_block(part, 0, "table",
                 "Name\tWhen\tSum\nRent\t2024-03-01\t0.3\nTwo lines\t2024-03-01 14:30:00\tTRUE");
    assert_string_equal(part->blocks[0].range, "B2:D4");
    assert_block(part, 1, "table", "later\t50%");
    assert_string_equal(part->blocks[1].range, "B8:C8");
    assert_block(part, 2, "table", "merged");
    assert_block(part, 3, "note", "B3: check this");
    part_at(1, "sheet", 2, "Secret");
    assert_string_equal(collect.note, "The hidden sheet 'Secret' was read too.");
    assert_int_equal(part_at(2, "sheet", 3, "Empty")->length, 0);
    collect_free(&collect);
}

static void reads_slides(void **state)
{
    const struct den_part *part;

    read_fixture("plan.pptx");
    assert_int_equal(collect.count, 2);
    part = part_at(0, "slide", 1, "Plan");
    assert_block(part, 0, "heading", "Plan");
    assert_block(part, 1, "list", "- first point");
    assert_block(part, 3, "note", "say this aloud");
    assert_block(part_at(1, "slide", 2, "A table"), 1, "table",
                 "slide cell 0.0\tslide cell 0.1\nslide cell 1.0\tslide cell 1.1");
    collect_free(&collect);
}

static void reads_open_documents(void **state)
{
    const struct den_part *part;

    read_fixture("chapters.odt");
    assert_int_equal(collect.count, 2);
    part = part_at(0, "section", 1, "First chapter");
    assert_block(part, 1, "paragraph", "Some bold   end");
    assert_block(part, 2, "note", "Note: the footnote");
    assert_block(part, 4, "list", "- pear");
    assert_block(part, 5, "table", "a1\tb1\na2\tb2");
    part_at(1, "section", 2, "Second chapter");
    collect_free(&collect);
    read_fixture("prices.ods");
    part = part_at(0, "sheet", 1, "Prices");
    assert_block(part, 0, "table", "Name\tOld\tDate\ntwice\ttwice\t2024-03-01");
    assert_string_equal(part->blocks[0].range, "A1:C2");
    assert_string_equal(part->blocks[1].range, "A1000003:A1000003");
    part_at(1, "sheet", 2, "Hidden");
    assert_string_equal(collect.note, "The hidden sheet 'Hidden' was read too.");
    collect_free(&collect);
    read_fixture("plan.odp");
    assert_block(part_at(0, "slide", 1, "The open plan"), 1, "paragraph", "an open point");
    collect_free(&collect);
}

static void reads_books(void **state)
{
    read_fixture("book.epub");
    assert_string_equal(collect.title, "A small book");
    assert_int_equal(collect.count, 2);
    assert_string_equal(part_at(0, "section", 1, "First")->blocks[0].anchor, "top");
    part_at(1, "section", 2, "Last");
    assert_non_null(strstr(collect.note, "missing"));
    collect_free(&collect);
}

static void reads_mails(void **state)
{
    const struct den_part *part;

    read_fixture("invoice.eml");
    assert_int_equal(collect.count, 1);
    part = &collect.parts[0];
    assert_int_equal(part->kind, DEN_PART_MAIL);
    assert_non_null(strstr(part->label, "Rechnung f\xC3\xBCr M\xC3\xA4rz"));
    assert_string_equal(part->label, collect.title);
    assert_true(collect.created == 1709283600000);
    assert_block(part, 2, "paragraph", "the invoice is due.\nPlease pay.");
    assert_block(part, 3, "note", "Attachments: Rechnung M\xC3\xA4rz.pdf");
    assert_null(strstr(part->text, "the HTML form"));
    assert_non_null(strstr(collect.note, "Rechnung M\xC3\xA4rz.pdf")); /* nobody can read it here */
    collect_free(&collect);
    read_fixture("box.mbox");
    assert_int_equal(collect.count, 3);
    assert_block(part_at(1, "mail", 2, "HTML only"), 1, "heading", "Offer");
    part = part_at(2, "mail", 3, "Fwd");
    assert_non_null(strstr(part->text, "see below"));
    assert_non_null(strstr(part->text, "Only HTML here"));
    collect_free(&collect);
}

/* Attachments follow their mail, each with numbers of its own; mails go on counting. */
static void reads_attachments(void **state)
{
    static const char box[] =
        "From a\nFrom: a@b\nTo: c@d\nSubject: Minutes\nContent-Type: multipart/mixed; "
        "boundary=x\n\n"
        "--x\nContent-Type: text/plain\n\nsee below\n"
        "--x\nContent-Type: text/markdown; name=\"agenda.md\"\nContent-Disposition: attachment\n"
        "Content-Transfer-Encoding: base64\n\nIyBBZ2VuZGEKCkJlZXMuCg==\n"
        "--x\nContent-Type: image/png; name=\"logo.png\"\nContent-ID: <1>\n\nPNG\n"
        "--x\nContent-Type: message/rfc822\nContent-Disposition: attachment; "
        "filename=\"old.eml\"\n\n"
        "From: e@f\nSubject: Older\n\nan older mail\n"
        "--x--\n\n"
        "From b\nSubject: Next\nFrom: a@b\n\nthe next mail\n";

    assert_int_equal(collect_bytes(box, strlen(box), "a.mbox", &collect, &err), DEN_OK);
    assert_int_equal(collect.count, 4);
    assert_block(part_at(0, "mail", 1, "Minutes"), 2, "note",
                 "Attachments: agenda.md, logo.png, old.eml");
    assert_block(part_at(1, "file", 1, "Minutes > agenda.md"), 0, "heading", "Agenda");
    assert_non_null(
        strstr(part_at(2, "mail", 1, "Minutes > old.eml > Older")->text, "an older mail"));
    part_at(3, "mail", 2, "Next");
    assert_string_equal(collect.note, "");
    collect_free(&collect);
}

static enum den_status take_member(void *context, const struct den_document_member *member,
                                   char out_note[DEN_MEMBER_NOTE_BYTES], struct den_error *problem)
{
    struct collect *seen = context;

    snprintf(seen->author, sizeof seen->author, "%s: %zu", member->path, member->length);
    if (seen->facts == 1)
        return den_fail(problem, DEN_BAD_FILE, "it is torn");
    snprintf(out_note, DEN_MEMBER_NOTE_BYTES, "page 3 could not be read.");
    return DEN_OK;
}

/* What only other programs can read is handed over; what they say of it goes into the note. */
static void hands_over_members(void **state)
{
    const struct den_document_sink sink = { .context = &collect,
                                            .part = collect_part,
                                            .member = take_member };
    struct den_reader_source source = { .name = "folder.zip" };
    int fails;

    err = (struct den_error){ 0 };
    for (fails = 0; fails < 2; fails++) {
        struct den_document_sink with_facts = sink;

        collect.facts = (size_t)fails;
        with_facts.facts = collect_facts;
        source.fd = open(DEN_FIXTURES "/documents/folder.zip", O_RDONLY);
        assert_true(source.fd >= 0);
        assert_int_equal(den_reader_read(&source, &with_facts, &err), DEN_OK);
        close(source.fd);
        assert_int_equal(collect.count, 5);
        assert_non_null(strstr(collect.note, fails ? "Left out: it is torn."
                                                   : "docs/scan.pdf: page 3 could not be read."));
        collect_free(&collect);
    }
}

static void reads_rtf(void **state)
{
    read_fixture("lease.rtf");
    assert_string_equal(collect.title, "The RTF lease");
    assert_block(&collect.parts[0], 0, "heading", "Heading");
    assert_block(&collect.parts[0], 1, "paragraph",
                 "Caf\xC3\xA9 \xE4\xBD\xA0\xE5\xA5\xBD \xF0\x9F\x98\x80 text");
    assert_block(&collect.parts[0], 2, "note", "Note: a note");
    assert_block(&collect.parts[0], 3, "table", "one\ttwo\nthree\tfour");
    assert_block(&collect.parts[0], 4, "paragraph", "after");
    collect_free(&collect);
}

static void reads_archives(void **state)
{
    read_fixture("folder.zip");
    assert_int_equal(collect.count, 5);
    assert_block(part_at(0, "file", 1, "etc/notes.txt"), 0, "paragraph", "text outside");
    assert_int_equal(collect.parts[0].blocks[0].source_end, 0);
    part_at(1, "file", 2, "var/readme.md");
    part_at(2, "file", 3, "docs/lease.rtf");
    part_at(3, "file", 4, "nested.zip > level1.txt");
    part_at(4, "file", 5, "nested.zip > inner1.zip > level2.txt");
    assert_non_null(strstr(collect.note, "docs/scan.pdf"));
    assert_non_null(strstr(collect.note, "data.bin"));
    assert_non_null(strstr(collect.note, "inner2.zip"));
    assert_string_equal(collect.title, "");
    collect_free(&collect);
    read_fixture("hostile/names.zip");
    assert_int_equal(collect.count, 5);
    part_at(0, "file", 1, "a/b.txt");
    part_at(1, "file", 2, "c:/windows/d.txt");
    part_at(2, "file", 3, "\xF0\x9F\x98\x80/\xE4\xBD\xA0.txt");
    assert_true(strlen(collect.parts[3].label) <= DEN_DOCUMENT_LABEL_BYTES_MAX);
    part_at(4, "file", 5, "e f.txt");
    collect_free(&collect);
}

static void refuses_what_does_harm(void **state)
{
    static const struct {
        const char *name, *why;
        enum den_status status;
    } cases[] = {
        { "hostile/bomb.docx", "unpacked", DEN_TOO_LARGE },
        { "hostile/overlap.zip", "unpacked", DEN_TOO_LARGE },
        { "hostile/long.docx", "10 MB", DEN_TOO_LARGE },
        { "hostile/laughs.docx", "word/document.xml", DEN_BAD_FILE },
        { "hostile/quadratic.docx", "entities of its own", DEN_BAD_FILE },
        { "hostile/external.docx", "entities of its own", DEN_BAD_FILE },
        { "hostile/deep.docx", "depth", DEN_BAD_FILE },
    };
    size_t i;

    for (i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(collect_fixture(cases[i].name, &collect, &err), cases[i].status);
        if (!strstr(err.message, cases[i].why) || !strstr(err.message, cases[i].name))
            fail_msg("%s: '%s'", cases[i].name, err.message);
        collect_free(&collect);
    }
    read_fixture("hostile/wide.docx"); /* 200,000 paragraphs in 1 KiB are no harm */
    assert_block(&collect.parts[0], 0, "paragraph", "at the end");
    collect_free(&collect);
    read_fixture("hostile/remote.docx"); /* nothing is fetched */
    collect_free(&collect);
    read_fixture("hostile/sparse.xlsx"); /* 20,000 cells, not 300 million */
    assert_true(collect.parts[0].length < (6u << 20));
    collect_free(&collect);
}

/* Whatever the length, there is an answer, and what was handed over passed its check. */
static void survives_truncation(void **state)
{
    static const char *const names[] = { "lease.docx", "costs.xlsx", "plan.pptx",   "chapters.odt",
                                         "prices.ods", "book.epub",  "invoice.eml", "box.mbox",
                                         "lease.rtf",  "hours.html", "folder.zip" };
    size_t i;

    for (i = 0; i < sizeof names / sizeof names[0]; i++) {
        size_t length, cut, step, failed = 0;
        char *bytes = fixture_read(names[i], &length);

        assert_non_null(bytes);
        step = length > 4000 ? length / 60 : length > 1000 ? 7 : 1;
        for (cut = 0; cut < length; cut += step) {
            enum den_status status = collect_bytes(bytes, cut, names[i], &collect, &err);

            failed += status != DEN_OK;
            assert_true(status == DEN_OK || status == DEN_BAD_FILE || status == DEN_UNSUPPORTED);
            assert_int_equal(status == DEN_OK, err.message[0] == '\0');
            collect_free(&collect);
        }
        assert_true(failed > 0);
        free(bytes);
    }
}

/* The bytes of one format under the name of another. */
static void goes_by_bytes(void **state)
{
    size_t length;
    char *bytes = fixture_read("lease.docx", &length);

    assert_int_equal(collect_bytes(bytes, length, "lease.txt", &collect, &err), DEN_OK);
    assert_int_equal(collect.count, 3);
    collect_free(&collect);
    free(bytes);
    assert_int_equal(collect_text("PK\3\4 this is no zip", "a.docx", &collect, &err), DEN_BAD_FILE);
    assert_non_null(strstr(err.message, "damaged"));
}

int input_test_read(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_other_readers),
        cmocka_unit_test(reads_word),
        cmocka_unit_test(reads_pages_of_word),
        cmocka_unit_test(reads_sheets),
        cmocka_unit_test(reads_slides),
        cmocka_unit_test(reads_open_documents),
        cmocka_unit_test(reads_books),
        cmocka_unit_test(reads_mails),
        cmocka_unit_test(reads_attachments),
        cmocka_unit_test(hands_over_members),
        cmocka_unit_test(reads_rtf),
        cmocka_unit_test(reads_archives),
        cmocka_unit_test(refuses_what_does_harm),
        cmocka_unit_test(survives_truncation),
        cmocka_unit_test(goes_by_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
