/* Lists, data sets and settings become rows with requests. */
#include "compare/plan.h"
#include "net/network.h"
#include "output.h"
#include "compare/ask.h"
#include "compare/message.h"
#include "compare/provenance.h"
#include "compare/store.h"
#include "memory.h"

#include <math.h>
#include <sha256.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_ACTIVATIONS "relu,leaky_relu,prelu,elu,silu,gelu,mish,lgb_relu"

typedef struct data_set {
    char spec[1024], digest[65];
    hk_data_shape shape;
} data_set;

typedef struct planning {
    const options *given;
    data_set sets[MAX_TEXTS];
    int n_sets;
    char **specs[AXES]; /* of all but the data */
    size_t counts[AXES];
    plan *out;
} planning;

pool_limits compare_plan_limits(const options *given)
{
    pool_limits it = {.threads = given->threads ? (int)given->threads : 1,
                      .deadline = given->deadline > 0 ? given->deadline : 3600};
    it.jobs = given->jobs ? (int)given->jobs : given->threads ? 1 : worker_processors();
    return it;
}

/* ---- The axes -------------------------------------------------------------------------------- */

static int split_lists(planning *m)
{
    const options *given = m->given;
    const struct {
        axis axis;
        hk_kind kind;
        const char *text, *by_default;
    } lists[] = {{AXIS_MODEL, 0, given->model, "lenet5"},
                 {AXIS_ACT, HK_ACTIVATION, given->act, DEFAULT_ACTIVATIONS},
                 {AXIS_NORM, HK_NORMALIZATION, given->norm, "batch_norm"},
                 {AXIS_INIT, HK_INITIALIZER, given->init, "he_normal"},
                 {AXIS_WEIGHT_NORM, HK_NORMALIZATION, given->weight_norm, "none"},
                 {AXIS_DOCTOR, 0, given->doctor, "none"},
                 {AXIS_OPTIMIZER, 0, given->optimizer, OPTIMIZER_OF_MODEL}};
    int status = EXIT_DONE;
    for (size_t i = 0; i < sizeof lists / sizeof *lists && !status; i++) {
        const axis a = lists[i].axis;
        const char *text = lists[i].text ? lists[i].text : lists[i].by_default;
        char *expanded = NULL; /* its sets, @core, are */
        if (lists[i].kind && strchr(text, '@'))
            status = compare_ask_list(given, lists[i].kind, text, &expanded);
        if (!status && hk_spec_list(lists[i].kind, expanded ? expanded : text, &m->specs[a],
                                    &m->counts[a]) != HK_OK)
            status = tool_failed();
        free(expanded);
    }
    return status;
}

/* A stream is judged while it is learned. */
static double validation_share(const options *given)
{
    return given->val > 0 || given->stream ? given->val : 0.1;
}

static int open_set(planning *m, const char *spec)
{
    hk_data *train = NULL, *test = NULL, *kept = NULL;
    data_set *to = &m->sets[m->n_sets++];
    int status = hk_data_open(spec, &train, &test) == HK_OK ? EXIT_DONE : tool_failed();
    if (!status && strlen(hk_data_spec(train)) >= sizeof to->spec)
        status = tool_fail(EXIT_USAGE, "compare: the data's name is too long: %s", spec);
    if (!status)
        snprintf(to->spec, sizeof to->spec, "%s", hk_data_spec(train));
    if (!status && !compare_provenance_of_data(train, test, to->digest))
        status = tool_no_memory();
    if (!status && validation_share(m->given) > 0 &&
        hk_data_split(train, validation_share(m->given), 1, &kept) != HK_OK)
        status = tool_failed();
    if (!status)
        status = net_open_stream(m->given, train, kept, test);
    if (!status)
        to->shape = hk_data_shape_of(train);
    hk_data_free(train);
    hk_data_free(test);
    hk_data_free(kept);
    return status;
}

static int open_sets(planning *m)
{
    static const text_list by_default = {.items = {"glyphs"}, .n = 1};
    const text_list *asked = m->given->data_sets.n ? &m->given->data_sets : &by_default;
    int status = EXIT_DONE;
    for (int i = 0; i < asked->n && !status; i++)
        status = open_set(m, asked->items[i]);
    m->counts[AXIS_DATA] = (size_t)m->n_sets;
    return status;
}

/* lr=LO:HI:N becomes N rates at equal ratios. */
static int read_rates(planning *m)
{
    const options *given = m->given;
    plan *out = m->out;
    double low, high;
    int n, end = 0;
    if (!given->tune)
        return EXIT_DONE;
    if (sscanf(given->tune, "lr=%lf:%lf:%d%n", &low, &high, &n, &end) != 3 || given->tune[end] ||
        !(low > 0 && high > low && high < 1e6) || n < 2 || n > MAX_RATES)
        return tool_fail(
            EXIT_USAGE,
            "compare: --tune is \"%s\", expected lr=LO:HI:N with 0 < LO < HI and N from "
            "2 to %d: lr=1e-4:1e-1:7",
            given->tune, MAX_RATES);
    for (int i = 0; i < n; i++)
        out->rates[i] = i == n - 1 ? high : low * pow(high / low, (double)i / (n - 1));
    out->n_rates = n;
    return EXIT_DONE;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* The model's recipe is still to come, from who describes the row. */
static json_t *make_request(const planning *m, const row_record *row)
{
    options asked = *m->given;
    asked.data = row->specs[AXIS_DATA];
    asked.model = row->specs[AXIS_MODEL];
    asked.act = row->specs[AXIS_ACT];
    asked.norm = row->specs[AXIS_NORM];
    asked.init = row->specs[AXIS_INIT];
    asked.weight_norm = row->specs[AXIS_WEIGHT_NORM];
    asked.doctor = strcmp(row->specs[AXIS_DOCTOR], "none") ? row->specs[AXIS_DOCTOR] : NULL;
    asked.optimizer = m->given->optimizer ? row->specs[AXIS_OPTIMIZER] : NULL;
    asked.val = validation_share(m->given);
    json_t *it = compare_message_of_options(&asked);
    json_object_set_new(it, "probes", json_boolean(!asked.no_probes));
    json_object_set_new(it, "plugins", compare_ask_plugins(&asked));
    return it;
}

static int make_row(planning *m, const size_t *choice)
{
    const data_set *data = &m->sets[choice[AXIS_DATA]];
    row_record *row = compare_results_add_row(m->out->asked);
    if (!row)
        return tool_no_memory();
    plan_row *extra = &m->out->rows[m->out->asked->n_rows - 1];
    row->specs[AXIS_DATA] = strdup(data->spec);
    row->data_digest = strdup(data->digest);
    for (axis a = AXIS_MODEL; a < AXES; a++)
        row->specs[a] = strdup(m->specs[a][choice[a]]);
    for (axis a = 0; a < AXES; a++)
        if (!row->specs[a] || !row->data_digest)
            return tool_no_memory();
    extra->images = data->shape;
    extra->request = make_request(m, row);
    return extra->request ? EXIT_DONE : tool_no_memory();
}

/* How many rows the lists make: of each data set every combination, or the first of every list and what
 * differs from that in one. */
static size_t count_rows(const planning *m)
{
    size_t all = m->counts[AXIS_DATA], others = 1;
    for (axis a = AXIS_DATA + 1; a < AXES; a++) {
        all = all > MAX_ROWS ? all : all * m->counts[a];
        others += m->counts[a] - 1;
    }
    return m->given->one_at_a_time ? m->counts[AXIS_DATA] * others : all;
}

/* What the i-th row takes of each list. */
static void choose(const planning *m, size_t i, size_t choice[AXES])
{
    const size_t each = count_rows(m) / m->counts[AXIS_DATA];
    memset(choice, 0, AXES * sizeof *choice);
    choice[AXIS_DATA] = i / each;
    size_t rest = i % each;
    for (axis a = AXIS_DATA + 1; m->given->one_at_a_time && a < AXES && rest; a++) {
        choice[a] = rest < m->counts[a] ? rest : 0;
        rest -= choice[a] ? rest : m->counts[a] - 1;
    }
    for (int a = AXES - 1; !m->given->one_at_a_time && a > AXIS_DATA; a--) {
        choice[a] = rest % m->counts[a];
        rest /= m->counts[a];
    }
}

static int make_rows(planning *m)
{
    const size_t n = count_rows(m);
    int status = EXIT_DONE;
    if (n > MAX_ROWS)
        return tool_fail(EXIT_USAGE, "compare: the lists make more than %d combinations", MAX_ROWS);
    m->out->rows = calloc(n, sizeof *m->out->rows);
    if (!m->out->rows)
        return tool_no_memory();
    for (size_t i = 0; i < n && !status; i++) {
        size_t choice[AXES];
        choose(m, i, choice);
        status = make_row(m, choice);
    }
    return status;
}

static bool same_row(const row_record *a, const row_record *b)
{
    bool same = strcmp(a->plugin_digests, b->plugin_digests) == 0 &&
                strcmp(a->data_digest, b->data_digest) == 0;
    for (axis i = 0; i < AXES && same; i++)
        same = strcmp(a->specs[i], b->specs[i]) == 0;
    return same;
}

static void plan_row_clear(plan_row *row)
{
    json_decref(row->request);
    compare_run_clear(&row->asking);
}

/* Two rows of the command line are one. */
static void note_same(const planning *m, int kept, int dropped)
{
    const plan_row *rows = m->out->rows;
    const row_record *row = &m->out->asked->rows[kept];
    const char *a = json_string_value(json_object_get(rows[kept].request, "act"));
    const char *b = json_string_value(json_object_get(rows[dropped].request, "act"));
    if (strcmp(a, b) == 0)
        tool_note("%s is listed twice", a);
    else
        tool_note("%s and %s are one row: %s runs %s for both", a, b, row->specs[AXIS_MODEL],
                  row->specs[AXIS_ACT]);
}

/* Each model once. */
static void note_models_without_norm(const plan *it)
{
    const char *last = "";
    for (int i = 0; i < it->asked->n_rows; i++) {
        const char *model = it->asked->rows[i].specs[AXIS_MODEL];
        if (!it->rows[i].has_norm && !it->rows[i].asking.failure && strcmp(model, last) != 0)
            tool_note("model %s has no normalization layers%s: --norm changes nothing there",
                      last = model, it->rows[i].norm_remedy);
    }
}

/* What the rows are; then two words for one plugin are one row. */
static int describe_rows(planning *m)
{
    plan *it = m->out;
    results *asked = it->asked;
    int kept = 0, status = compare_ask_rows(m->given, it);
    if (status)
        return status;
    if (m->given->norm)
        note_models_without_norm(it);
    for (int i = 0; i < asked->n_rows; i++) {
        row_record *row = &asked->rows[i];
        int same = 0;
        while (same < kept && !same_row(&asked->rows[same], row))
            same++;
        if (same < kept) {
            note_same(m, same, i);
            compare_row_clear(row);
            plan_row_clear(&it->rows[i]);
            continue;
        }
        asked->rows[kept] = *row;
        it->rows[kept++] = it->rows[i];
    }
    asked->n_rows = kept;
    return EXIT_DONE;
}

/* As rows have it: the command line may say it by path. NULL: it is none of them. */
static const char *activation_called(const planning *m, const char *name)
{
    const results *asked = m->out->asked;
    for (int i = 0; i < asked->n_rows; i++) {
        const char *typed = json_string_value(json_object_get(m->out->rows[i].request, "act"));
        if (strcmp(name, typed) == 0 || strcmp(name, asked->rows[i].specs[AXIS_ACT]) == 0)
            return asked->rows[i].specs[AXIS_ACT];
    }
    return NULL;
}

/* The first row with the baseline's activation, for each data set and model. A list that begins with a set,
 * @core, says nothing by its order, the alphabet's: then it is relu where that is in it. */
static int choose_baselines(planning *m)
{
    results *asked = m->out->asked;
    const char *given = m->given->baseline;
    const bool is_set = m->given->act && *m->given->act == '@';
    const char *wanted = activation_called(m, given ? given : is_set ? "relu" : "");
    if (!wanted && given)
        return tool_fail(EXIT_USAGE, "compare: the baseline %s is none of the activations compared",
                         given);
    if (!wanted)
        wanted = asked->rows[0].specs[AXIS_ACT];
    bool have = false;
    for (int i = 0; i < asked->n_rows; i++) {
        row_record *row = &asked->rows[i], *before = &asked->rows[i ? i - 1 : 0];
        have = have && strcmp(row->specs[AXIS_DATA], before->specs[AXIS_DATA]) == 0 &&
               (m->given->one_at_a_time ||
                strcmp(row->specs[AXIS_MODEL], before->specs[AXIS_MODEL]) == 0);
        row->is_baseline =
            !have && (m->given->one_at_a_time || strcmp(row->specs[AXIS_ACT], wanted) == 0);
        have = have || row->is_baseline;
    }
    return EXIT_DONE;
}

/* ---- Settings, name, command ------------------------------------------------------------------- */

/* The object, which ends here, as text. */
static char *written(json_t *it, size_t flags)
{
    char *text = tool_json_written(it, flags);
    json_decref(it);
    return text;
}

/* More seeds, activations, weight norms and treatments belong to the same sweep; other settings, models, data
 * do not. */
static char *default_name(const planning *m, const char *settings)
{
    SHA2_CTX sum;
    char digest[SHA256_DIGEST_STRING_LENGTH], name[32];
    SHA256Init(&sum);
    SHA256Update(&sum, (const uint8_t *)settings, strlen(settings));
    for (axis a = 0; a < AXES; a++)
        for (size_t i = 0;
             a != AXIS_ACT && a != AXIS_DOCTOR && a != AXIS_WEIGHT_NORM && i < m->counts[a]; i++) {
            const char *spec = a == AXIS_DATA ? m->sets[i].spec : m->specs[a][i];
            SHA256Update(&sum, (const uint8_t *)spec, strlen(spec) + 1);
        }
    SHA256End(&sum, digest);
    snprintf(name, sizeof name, "sweep-%.8s", digest);
    return strdup(name);
}

/* compare takes no operands, so that their place in argv holds the words as they were typed. All parts
 * of a sweep are of one command. */
static char *command_text(const options *given)
{
    char *text = NULL;
    FILE *to = tool_memory_stream(&text, NULL);
    fputs("hillock compare", to);
    for (char **word = given->operands; *word; word++) {
        if (strncmp(*word, "--part", 6) == 0) {
            word += given->part == word[1];
            continue;
        }
        putc(' ', to);
        tool_put_word(to, *word);
    }
    fclose(to);
    return text;
}

static int set_name_and_settings(planning *m)
{
    const options *given = m->given;
    results *asked = m->out->asked;
    const pool_limits limits = compare_plan_limits(given);
    asked->seeds = given->seeds ? given->seeds : 3;
    asked->most = !given->until_decided ? 0 : given->most ? given->most : 50;
    asked->epochs = given->epochs;
    /* What results depend on, apart from their row; a sweep has one of each. */
    asked->settings = written(
        json_pack(
            "{s:I, s:I, s:f, s:f, s:f, s:b, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:s*, s:s*, s:s*}",
            "epochs", (json_int_t)given->epochs, "batch", (json_int_t)given->batch, "clip",
            given->clip, "smoothing", given->smoothing, "validation", validation_share(given),
            "probes", !given->no_probes, "schedule", tool_json_text(given->schedule), "augment",
            tool_json_text(given->augment), "weight_norm",
            json_null() /* an axis since, its place in names kept */, "tune",
            tool_json_text(given->tune), "instruction_set", hk_isa_name(), "engine",
            hk_engine_name(), "version", hk_version(), "stream", given->stream, "quantise",
            given->quantise, "rows", given->one_at_a_time ? ONE_AT_A_TIME : NULL),
        JSON_SORT_KEYS | JSON_COMPACT);
    asked->command = command_text(given);
    asked->provenance = written(compare_provenance_json(limits.threads, limits.jobs), JSON_COMPACT);
    if (asked->settings)
        asked->name = given->name ? strdup(given->name) : default_name(m, asked->settings);
    return asked->name && asked->command && asked->provenance ? EXIT_DONE : tool_no_memory();
}

/* --part K/N, or which task of how many this one is of an array of Slurm's jobs. */
static int read_part(planning *m)
{
    static const char *const tasks[] = {"SLURM_ARRAY_TASK_ID", "SLURM_ARRAY_TASK_MIN",
                                        "SLURM_ARRAY_TASK_COUNT"};
    const char *given = m->given->part;
    long long part = 0, parts = 0;
    int end = 0;
    if (!given)
        return EXIT_DONE;
    if (m->given->until_decided || m->given->canonical)
        return tool_fail(EXIT_USAGE,
                         "compare: --part does not go with --until-decided or --canonical, which "
                         "need the whole sweep: merge the parts first");
    if (*given) {
        if (sscanf(given, "%9lld/%9lld%n", &part, &parts, &end) != 2 || given[end])
            part = parts = 0;
    } else {
        long long task[3] = {0};
        for (int i = 0; i < 3; i++) {
            const char *value = getenv(tasks[i]);
            if (!value || sscanf(value, "%9lld%n", &task[i], &end) != 1 || value[end])
                return tool_fail(EXIT_USAGE,
                                 "compare: --part without K/N is for a task of a Slurm job array, "
                                 "but %s is %s",
                                 tasks[i], value ? value : "not set");
        }
        part = task[0] - task[1] + 1;
        parts = task[2];
        given = "of this task";
    }
    if (part < 1 || part > parts || parts > MAX_PARTS)
        return tool_fail(EXIT_USAGE, "compare: --part is \"%s\", expected K/N, 1 <= K <= N <= %d",
                         given, MAX_PARTS);
    m->out->part = (int)part;
    m->out->parts = (int)parts;
    return EXIT_DONE;
}

/* Workers are asked in JSON, which leaves out what is not UTF-8: that would be another run. */
static int check_texts(planning *m)
{
    const options *given = m->given;
    const text_list one = {.items = {given->act, given->norm, given->init, given->weight_norm,
                                     given->optimizer, given->schedule, given->augment,
                                     given->model, given->stream, given->doctor},
                           .n = 10};
    const text_list *const lists[] = {&one, &given->data_sets, &given->plugins};
    for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
        for (int i = 0; i < lists[k]->n; i++) {
            const char *text = lists[k]->items[i];
            json_t *json = tool_json_text(text);
            const bool fits = !text || json_is_string(json);
            json_decref(json);
            if (!fits)
                return tool_fail(EXIT_USAGE, "compare: \"%s\" is not UTF-8", text);
        }
    return EXIT_DONE;
}

int compare_plan_make(const options *given, plan *out)
{
    planning m = {.given = given, .out = out};
    *out = (plan){.asked = calloc(1, sizeof *out->asked)};
    int (*const steps[])(planning *) = {read_rates,    read_part,        check_texts,
                                        split_lists,   open_sets,        make_rows,
                                        describe_rows, choose_baselines, set_name_and_settings};
    int status = out->asked ? EXIT_DONE : tool_no_memory();
    for (size_t i = 0; i < sizeof steps / sizeof *steps && !status; i++)
        status = steps[i](&m);
    for (axis a = 0; a < AXES; a++)
        hk_spec_list_free(m.specs[a], m.counts[a] * (a != AXIS_DATA));
    return status;
}

void compare_plan_clear(plan *it)
{
    for (int i = 0; it->rows && i < it->asked->n_rows; i++)
        plan_row_clear(&it->rows[i]);
    free(it->rows);
    compare_results_free(it->asked);
}
