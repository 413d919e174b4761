/* Questions go through a pool of workers, as runs do later, and come back as events. */
#include "compare/ask.h"
#include "output.h"
#include "compare/message.h"

#include <math.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SECONDS = 60 };

typedef struct asking {
    const options *given;
    plan *of;
    pool *workers;
} asking;

static bool is_usage(const char *failure)
{
    return strcmp(failure, "argument") == 0 || strcmp(failure, "name") == 0 ||
           strcmp(failure, "shape") == 0;
}

static pool *new_pool(const options *given, int jobs)
{
    pool_limits limits = compare_plan_limits(given);
    limits.jobs = jobs;
    limits.deadline = fmin(MOST_SECONDS, limits.deadline);
    return worker_pool_new(&limits);
}

json_t *compare_ask_plugins(const options *given)
{
    json_t *paths = json_array();
    for (int i = 0; i < given->plugins.n; i++)
        json_array_append_new(paths, tool_json_text(given->plugins.items[i]));
    return paths;
}

int compare_ask_list(const options *given, hk_kind kind, const char *text, char **out)
{
    pool *workers = new_pool(given, 1);
    json_t *request = json_pack("{s:s, s:i, s:o}", "list", text, "kind", (int)kind, "plugins",
                                compare_ask_plugins(given));
    int status = !workers  ? EXIT_FAILED
                 : request ? compare_message_request(workers, 0, request)
                           : tool_no_memory();
    while (!status && !*out) {
        const pool_event event = worker_pool_next(workers, 1);
        if (event.kind == POOL_OK &&
            !(*out = strdup(json_string_value(json_object_get(event.message, "text")))))
            status = tool_no_memory();
        else if (event.kind == POOL_FAILED || event.kind == POOL_TIMEOUT)
            status = tool_fail(is_usage(event.failure) ? EXIT_USAGE : EXIT_BAD_DATA, "%s: %s", text,
                               event.reason);
        else if (tool_progress_interrupted())
            status = EXIT_INTERRUPTED;
    }
    json_decref(request);
    worker_pool_free(workers);
    return status;
}

static bool take_text(char **to, const json_t *from, const char *key)
{
    char *copy = strdup(json_string_value(json_object_get(from, key)));
    free(*to);
    return (*to = copy);
}

/* What trains the row, as resolved: its own part; clip, smoothing and validation are the sweep's. */
static char *recipe_text(const json_t *recipe, int64_t samples)
{
    json_t *all = json_copy((json_t *)recipe);
    const int64_t epochs = json_integer_value(json_object_get(recipe, "epochs"));
    int64_t batch = json_integer_value(json_object_get(recipe, "batch"));
    batch = batch < 1 ? 1 : batch < samples ? batch : samples;
    json_object_set_new(all, "samples", json_integer(samples));
    json_object_set_new(all, "steps", json_integer(epochs * ((samples + batch - 1) / batch)));
    char *text = tool_json_written(all, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(all);
    return text;
}

/* Everything that its runs depend on is said from now on, so that what a worker takes for granted does
 * not matter. */
static int take_description(row_record *row, plan_row *beside, const json_t *message)
{
    json_t *recipe = json_object_get(message, "recipe");
    if (!recipe || json_object_update(beside->request, recipe) != 0)
        return tool_no_memory();
    free(row->recipe);
    row->recipe = recipe_text(recipe, beside->images.n);
    beside->has_norm = json_is_true(json_object_get(message, "has_norm"));
    snprintf(beside->norm_remedy, sizeof beside->norm_remedy, "%s",
             json_string_value(json_object_get(message, "norm_remedy")));
    row->parameters = json_integer_value(json_object_get(message, "parameters"));
    row->multiply_adds = json_integer_value(json_object_get(message, "multiply_adds"));
    return row->recipe && take_text(&row->specs[AXIS_MODEL], message, "model") &&
                   take_text(&row->specs[AXIS_ACT], message, "act") &&
                   take_text(&row->specs[AXIS_NORM], message, "norm") &&
                   take_text(&row->specs[AXIS_INIT], message, "init") &&
                   take_text(&row->specs[AXIS_WEIGHT_NORM], message, "weight_norm") &&
                   take_text(&row->specs[AXIS_OPTIMIZER], recipe, "optimizer") &&
                   take_text(&row->plugin_digests, message, "plugins")
               ? EXIT_DONE
               : tool_no_memory();
}

/* A row that cannot be described is told from another by the files that the user named. */
static int digest_files(const options *given, row_record *row)
{
    SHA2_CTX sum;
    char path[4096], digest[SHA256_DIGEST_STRING_LENGTH], all[SHA256_DIGEST_STRING_LENGTH + 16];
    SHA256Init(&sum);
    for (axis a = AXIS_MODEL; a <= AXIS_WEIGHT_NORM; a++) {
        snprintf(path, sizeof path, "%.*s", (int)strcspn(row->specs[a], ":"), row->specs[a]);
        if (strchr(path, '/') && SHA256File(path, digest))
            SHA256Update(&sum, (const uint8_t *)digest, sizeof digest);
    }
    for (int i = 0; i < given->plugins.n; i++)
        if (SHA256File(given->plugins.items[i], digest))
            SHA256Update(&sum, (const uint8_t *)digest, sizeof digest);
    SHA256End(&sum, digest);
    snprintf(all, sizeof all, "files %s", digest);
    return (row->plugin_digests = strdup(all)) ? EXIT_DONE : tool_no_memory();
}

static int take_failure(const asking *a, int i, const pool_event *event)
{
    row_record *row = &a->of->asked->rows[i];
    if (is_usage(event->failure))
        return tool_fail(EXIT_USAGE, "%s", event->reason);
    if (strcmp(event->failure, "plugin") == 0)
        return tool_fail(EXIT_BAD_DATA, "%s", event->reason);
    if (!compare_message_take_failure(&a->of->rows[i].asking, event))
        return tool_no_memory();
    tool_note("%s %s %s %s: a worker that loaded it ended: %s", row->specs[AXIS_MODEL],
              row->specs[AXIS_ACT], row->specs[AXIS_NORM], row->specs[AXIS_INIT], event->reason);
    return digest_files(a->given, row);
}

static int ask_about(const asking *a, int i)
{
    plan_row *beside = &a->of->rows[i];
    json_t *request = json_copy(beside->request);
    const hk_data_shape images = beside->images;
    json_object_set_new(
        request, "images",
        json_pack("[i, i, i, i]", images.height, images.width, images.channels, images.classes));
    json_object_set_new(request, "samples", json_integer(images.n));
    beside->asking.attempts++;
    int status = compare_message_request(a->workers, i, request);
    json_decref(request);
    return status;
}

int compare_ask_rows(const options *given, plan *of)
{
    const int n = of->asked->n_rows;
    asking a = {given, of, new_pool(given, compare_plan_limits(given).jobs)};
    int next = 0, status = a.workers ? EXIT_DONE : EXIT_FAILED;
    while (!status && (next < n || worker_pool_running(a.workers))) {
        while (!status && next < n && worker_pool_has_room(a.workers))
            status = ask_about(&a, next++);
        if (!status) {
            const pool_event event = worker_pool_next(a.workers, 1);
            const int i = (int)event.id;
            if (event.kind == POOL_OK)
                status = take_description(&of->asked->rows[i], &of->rows[i], event.message);
            else if (event.kind == POOL_FAILED || event.kind == POOL_TIMEOUT)
                status = compare_message_may_retry(&of->rows[i].asking, &event)
                             ? ask_about(&a, i)
                             : take_failure(&a, i, &event);
            else if (tool_progress_interrupted())
                status = EXIT_INTERRUPTED;
        }
    }
    worker_pool_free(a.workers);
    return status;
}
