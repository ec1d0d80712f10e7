/* What can be said of a client's conversation before a model is asked: that there is one, and not
 * too long. Each message is checked where its model's template is known (text/chat_messages.c),
 * and a fault comes back with the field's name. */
#include "desk/desk.h"

enum den_status den_desk_check_messages(const json_t *messages, struct den_error *err)
{
    size_t count = json_array_size(messages);

    if (!messages || json_is_null(messages))
        return den_fail(err, DEN_INVALID, "'messages' is missing; it must be a list of messages");
    if (!json_is_array(messages))
        return den_fail(err, DEN_INVALID, "'messages' must be a list of messages");
    if (count == 0)
        return den_fail(err, DEN_INVALID, "'messages' is empty; it needs at least one message");
    if (count > DEN_MESSAGES_MAX)
        return den_fail(err, DEN_TOO_LARGE, "'messages' has %zu messages; at most %d are possible",
                        count, DEN_MESSAGES_MAX);
    return DEN_OK;
}
