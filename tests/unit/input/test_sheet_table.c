/* Cells to table blocks with their ranges. */
#include "test.h"

#include <string.h>

#include "collect.h"
#include "input/sheet_table.h"

static void names_cells(void **state)
{
    static const char *const names[] = { "A1", "Z9", "AA10", "XFD1048576" };
    size_t column, row, i;
    char name[16];

    for (i = 0; i < 4; i++) {
        assert_true(den_cell_parse(names[i], &column, &row));
        den_cell_name(column, row, name);
        assert_string_equal(name, names[i]);
    }
    assert_true(den_cell_parse("XFD1", &column, &row) && column == 16383);
    assert_false(den_cell_parse("XFE1", &column, &row));
    assert_false(den_cell_parse("A0", &column, &row));
    assert_false(den_cell_parse("A", &column, &row));
    assert_false(den_cell_parse("1A", &column, &row));
    assert_false(den_cell_parse("A1x", &column, &row));
    assert_false(den_cell_parse("A99999999999", &column, &row));
}

static void keeps_columns(void **state)
{
    static struct collect collect;
    struct den_document_sink sink = { .context = &collect,
                                      .part = collect_part,
                                      .facts = collect_facts };
    struct den_sheet_table table;
    struct den_writer writer;

    den_writer_init(&writer, &sink, 1);
    den_writer_part_begin(&writer, DEN_PART_SHEET, 1, "S");
    den_sheet_begin(&table, &writer, 2);
    den_sheet_cell(&table, 3, 2, "a", 1);
    den_sheet_cell(&table, 3, 5, "b", 1);
    den_sheet_cell(&table, 3, 6, " \n", 2); /* nothing */
    den_sheet_cell(&table, 4, 3, "c", 1);
    den_sheet_cell(&table, 3, 2, "back", 4); /* rows go forward */
    den_sheet_cell(&table, 6, 0, "left", 4); /* of what the sheet said its first column is */
    den_sheet_end(&table);
    den_writer_finish(&writer);
    assert_false(den_writer_failed(&writer));
    assert_block(&collect.parts[0], 0, "table", "a\t\t\tb\n\tc");
    assert_string_equal(collect.parts[0].blocks[0].range, "C3:F4");
    assert_block(&collect.parts[0], 1, "table", "left");
    assert_string_equal(collect.parts[0].blocks[1].range, "A6:A6");
    collect_free(&collect);
    den_writer_deinit(&writer);
}

int input_test_sheet_table(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_cells),
        cmocka_unit_test(keeps_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
