/* Counters and histograms of requests, by route; that the text is Prometheus's is checked with its
 * own parser in tests/api/test_llama_server.py. */
#include "test.h"

#include <string.h>

#include "api/metrics.h"

static void expect_line(const struct den_buffer *text, const char *line)
{
    const char *at = strstr(text->data, line);

    if (!at || (at > text->data && at[-1] != '\n') || at[strlen(line)] != '\n')
        fail_msg("no line '%s' in\n%s", line, text->data);
}

static void counts_by_route_and_status(void **state)
{
    struct den_metrics *metrics = den_metrics_create();
    const struct den_route *first = den_route_at(0);
    struct den_buffer text;

    assert_non_null(metrics);
    den_buffer_init(&text, 1 << 20);
    den_metrics_count(metrics, first, 200, 0.0005);
    den_metrics_count(metrics, first, 200, 0.04);
    den_metrics_count(metrics, first, 401, 1000);
    den_metrics_count(metrics, NULL, 404, 0);
    den_metrics_count(metrics, first, 0, 2);
    den_metrics_count(metrics, first, 418, 2);
    den_metrics_write(metrics, &text);
    expect_line(&text, "den_http_requests_total{route=\"/health\",status=\"200\"} 2");
    expect_line(&text, "den_http_requests_total{route=\"/health\",status=\"401\"} 1");
    expect_line(&text, "den_http_requests_total{route=\"/health\",status=\"gone\"} 1");
    expect_line(&text, "den_http_requests_total{route=\"/health\",status=\"other\"} 1");
    expect_line(&text, "den_http_requests_total{route=\"none\",status=\"404\"} 1");
    expect_line(&text, "den_http_request_seconds_bucket{route=\"/health\",le=\"0.001\"} 1");
    expect_line(&text, "den_http_request_seconds_bucket{route=\"/health\",le=\"0.05\"} 2");
    expect_line(&text, "den_http_request_seconds_bucket{route=\"/health\",le=\"300\"} 4");
    expect_line(&text, "den_http_request_seconds_bucket{route=\"/health\",le=\"+Inf\"} 5");
    expect_line(&text, "den_http_request_seconds_sum{route=\"/health\"} 1004.040500");
    expect_line(&text, "den_http_request_seconds_count{route=\"/health\"} 5");
    den_buffer_deinit(&text);
    den_metrics_destroy(metrics);
}

static void escapes_labels(void **state)
{
    struct den_buffer text;

    den_buffer_init(&text, 100);
    den_metrics_label("a\"b\\c\nd", &text);
    assert_string_equal(text.data, "a\\\"b\\\\c\\nd");
    den_buffer_deinit(&text);
}

int api_test_metrics(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_by_route_and_status),
        cmocka_unit_test(escapes_labels),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
