/* GET /metrics: what was asked before is counted, and every model has its state. */
#include "test.h"

#include "http_client.h"

static void tells_what_was_asked(void **state)
{
    uint16_t port = ((struct fixture *)*state)->port;

    http_expect(port, "GET /metrics HTTP/1.1", NULL, 200, "llamacpp:prompt_tokens_total 0\n");
    http_expect(port, "GET /nothing HTTP/1.1", NULL, 404, NULL);
    http_expect(port, CHAT, "{\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]}", 200, NULL);
    http_expect(port, CHAT, "{}", 400, NULL);
    http_expect(port, "GET /metrics HTTP/1.1", NULL, 200,
                "den_http_requests_total{route=\"/v1/chat/completions\",status=\"400\"} 1\n");
    http_expect(port, "GET /metrics HTTP/1.1", NULL, 200,
                "den_http_requests_total{route=\"none\",status=\"404\"} 1\n");
    http_expect(port, "GET /metrics HTTP/1.1", NULL, 200,
                "den_worker_state{model=\"fake\",state=\"ready\"} 1\n");
    http_expect(port, "GET /metrics HTTP/1.1", NULL, 200, "text/plain; version=0.0.4");
}

int api_test_api_metrics(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_was_asked),
    };

    return cmocka_run_group_tests(tests, start_server, stop_server);
}
