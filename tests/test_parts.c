/* A batch in parts: the same bits for any number of processes and threads, the mathematics of the whole
 * batch, and failures that are told. Processes are threads here, each with a net of its own, that exchange
 * through a table of who offers what. */
#include <hillock/hillock.h>
#include <pthread.h>
#include "check.h"
#include "graph/plan.h"

enum { PARTS = 8 };

/* ---- A team of threads ------------------------------------------------------------------------------- */

typedef struct offer {
    int to; /* -1: none */
    const void *out;
    size_t bytes;
} offer;

typedef struct meeting {
    pthread_mutex_t mutex;
    pthread_cond_t change;
    offer offers[PARTS];
    size_t bytes; /* that travelled, of all */
    int left;     /* process that has gone; -1: none */
} meeting;

typedef struct member {
    meeting *at;
    hk_team team;
    char digest[65];
    double loss;
    hk_status status;
    char message[200];
} member;

static const char *exchange(void *user, int partner, const void *out, size_t out_bytes, void *in,
                            size_t in_bytes)
{
    const member *m = user;
    meeting *at = m->at;
    offer *own = &at->offers[m->team.rank], *theirs = &at->offers[partner];
    bool gone;
    pthread_mutex_lock(&at->mutex);
    *own = (offer){partner, out, out_bytes};
    pthread_cond_broadcast(&at->change);
    while (theirs->to != m->team.rank && at->left != partner)
        pthread_cond_wait(&at->change, &at->mutex);
    gone = theirs->to != m->team.rank;
    if (!gone) {
        CHECK_EQUAL(theirs->bytes, in_bytes);
        memcpy(in, theirs->out, in_bytes);
        at->bytes += in_bytes;
        theirs->to = -1; /* taken */
        pthread_cond_broadcast(&at->change);
        while (own->to != -1 && at->left != partner)
            pthread_cond_wait(&at->change, &at->mutex);
    }
    pthread_mutex_unlock(&at->mutex);
    return gone ? "it is gone" : NULL;
}

static void run_team(meeting *at, member *members, int ranks, void *(*work)(void *))
{
    pthread_t threads[PARTS];
    *at = (meeting){.left = -1};
    pthread_mutex_init(&at->mutex, NULL);
    pthread_cond_init(&at->change, NULL);
    for (int r = 0; r < PARTS; r++)
        at->offers[r].to = -1;
    for (int r = 0; r < ranks; r++) {
        members[r] = (member){.at = at, .team = {r, ranks, exchange, &members[r]}};
        CHECK(pthread_create(&threads[r], NULL, work, &members[r]) == 0);
    }
    for (int r = 0; r < ranks; r++)
        pthread_join(threads[r], NULL);
    pthread_mutex_destroy(&at->mutex);
    pthread_cond_destroy(&at->change);
}

/* ---- The same bits ------------------------------------------------------------------------------------ */

static hk_data *train_set;
static int own_statistics;
static const double *class_weights;

/* Statistics of the batch, of a sample and of a weight, state, noise, a residual, a shared weight. */
static hk_tensor *busy_net(void)
{
    hk_net *net = hk_net_new(.activation = "prelu+conv2=lgb+fc1=rrelu", .seed = 3);
    hk_tensor *x = hk_input(net, 14, 14, 1), *y;
    x = hk_maxpool(hk_act(hk_norm(hk_conv(x, 8, 3))), 2);
    y = hk_channel_dropout(hk_act(hk_norm(hk_conv(x, 8, 3))), 0.1);
    y = hk_norm(hk_conv(y, 8, 3, .weight_norm = "weight_norm"), .use = "group_norm:groups=2");
    x = hk_drop_path(hk_act(hk_add(x, y)), 0.1);
    x = hk_dropout(hk_act(hk_linear(x, 8)), 0.2);
    hk_tensor *shared = hk_parameter(net, "shared", HK_SHAPE(8, 8), "he_normal");
    x = hk_act(hk_matmul(hk_act(hk_matmul(x, shared)), shared));
    return hk_linear(x, 10, .drop_connect = 0.1);
}

static void *train_one(void *user)
{
    member *m = user;
    hk_tensor *logits = busy_net();
    hk_epoch_report report;
    m->status = hk_fit(logits, &report, .train = train_set, .epochs = 2, .batch = 24,
                       .augment = "crop=1,flip", .parts = PARTS, .team = &m->team,
                       .own_statistics = own_statistics, .class_weights = class_weights, .clip = 1,
                       .no_probes = 1);
    snprintf(m->message, sizeof m->message, "%s", m->status ? hk_message() : "");
    m->loss = report.train_loss;
    hk_net_digest(hk_tensor_net(logits), m->digest);
    hk_net_free(hk_tensor_net(logits));
    return NULL;
}

/* Batches of 24, and a last one of 5: some parts, and of 8 processes some, have no sample of it. */
static void same_bits(void)
{
    meeting at;
    member one, members[PARTS];
    hk_set_threads(1);
    run_team(&at, &one, 1, train_one);
    CHECK_EQUAL(one.status, HK_OK);
    hk_set_threads(3);
    for (int ranks = 1; ranks <= PARTS; ranks *= 2) {
        run_team(&at, members, ranks, train_one);
        for (int r = 0; r < ranks; r++) {
            CHECK_TEXT(members[r].digest, one.digest);
            CHECK_TEXT(members[r].message, "");
            CHECK(members[r].loss == one.loss);
        }
        CHECK((at.bytes > 0) == (ranks > 1));
    }
    hk_set_threads(0);
}

static void same_bits_for_any_number_of_processes(void)
{
    same_bits();
}

static void same_bits_with_own_statistics(void)
{
    own_statistics = 1;
    same_bits();
    own_statistics = 0;
}

static void same_bits_with_class_weights(void)
{
    class_weights = (const double[]){1, 2, 1, 0.5, 1, 1, 3, 1, 1, 1};
    same_bits();
    class_weights = NULL;
}

/* ---- The mathematics of the whole batch --------------------------------------------------------------- */

static hk_tensor *smooth_net(void)
{
    hk_net *net = hk_net_new(.activation = "swish", .seed = 5); /* swish has a learned slot */
    hk_tensor *x = hk_act(hk_norm(hk_conv(hk_input(net, 14, 14, 1), 8, 3, .stride = 2)));
    x = hk_act(hk_add(x, hk_norm(hk_conv(x, 8, 3))));
    return hk_linear(hk_act(hk_linear(x, 12)), 10);
}

/* The most that any gradient differs between parts and none, of the largest of its tensor. */
typedef struct comparison {
    hk_plan *whole, *parts;
    double worst;
} comparison;

static void compare_gradients(hk_tensor *a, void *user)
{
    comparison *c = user;
    const float *x = hk_plan_gradient(c->whole, a);
    const hk_tensor *b = hk_net_tensor(c->parts->net, hk_tensor_name(a));
    const float *y = hk_plan_gradient(c->parts, b);
    double most = 0, apart = 0;
    for (int64_t i = 0; x && i < hki_count(&a->shape, 1); i++) {
        most = fmax(most, fabs((double)x[i]));
        apart = fmax(apart, fabs((double)x[i] - (double)y[i]));
    }
    if (most > 1e-6)
        c->worst = fmax(c->worst, apart / most);
}

static hk_plan *stepped(hk_tensor *logits, int parts)
{
    hk_net *net = hk_tensor_net(logits);
    hk_tensor *labels = hk_labels(net), *loss = hk_cross_entropy(logits, labels, 0.1);
    hk_plan *plan;
    hk_plan_options options = {.batch = 30, .training = 1, .loss = loss, .parts = parts};
    hk_loader *loader;
    CHECK_EQUAL(hk_plan_new(net, &options, &plan), HK_OK);
    CHECK_EQUAL(hk_loader_new(train_set, &(hk_loader_options){.batch = 30}, &loader), HK_OK);
    hk_loader_start(loader, 0);
    hk_batch batch = hk_loader_next(loader);
    memcpy(hk_plan_value(plan, hk_tensor_input(logits)), batch.x,
           sizeof(float) * 14 * 14 * (size_t)batch.n);
    for (int64_t i = 0; i < batch.n; i++)
        hk_plan_value(plan, labels)[i] = (float)batch.labels[i];
    CHECK_EQUAL(hk_plan_forward(plan, batch.n), HK_OK);
    CHECK_EQUAL(hk_plan_backward(plan), HK_OK);
    hk_loader_free(loader);
    return plan;
}

static void parts_are_the_whole(void)
{
    hk_tensor *a = smooth_net(), *b = smooth_net();
    comparison c = {stepped(a, 1), stepped(b, PARTS), 0};
    hk_net_each_tensor(hk_tensor_net(a), compare_gradients, &c);
    CHECK(c.worst > 0); /* sums in another order */
    CHECK_NEAR(c.worst, 0, 2e-5);
    /* averages after a commit, too */
    hk_plan_commit(c.whole);
    hk_plan_commit(c.parts);
    float means[2][8];
    CHECK_EQUAL(hk_tensor_read((hk_tensor *)hk_net_tensor(c.whole->net, "conv1.norm.running_var"),
                               means[0]),
                HK_OK);
    CHECK_EQUAL(hk_tensor_read((hk_tensor *)hk_net_tensor(c.parts->net, "conv1.norm.running_var"),
                               means[1]),
                HK_OK);
    for (int i = 0; i < 8; i++)
        CHECK_NEAR(means[0][i] / means[1][i], 1, 1e-5);
    hk_plan_free(c.whole);
    hk_plan_free(c.parts);
    hk_net_free(hk_tensor_net(a));
    hk_net_free(hk_tensor_net(b));
}

/* ---- Failures ----------------------------------------------------------------------------------------- */

static void refused_options_are_told(void)
{
    hk_tensor *logits = smooth_net(), *loss = hk_mean(logits, HK_ALL_AXES);
    hk_net *net = hk_tensor_net(logits);
    hk_team team = {.rank = 0, .ranks = 4, .exchange = exchange};
    hk_plan *plan;
    struct {
        hk_plan_options options;
        const char *sentence;
    } rows[] = {
        {{.loss = loss, .parts = 6}, "6 parts on 1 processes: each must be a power of two"},
        {{.loss = loss, .parts = -8}, "-8 parts on 1 processes"},
        {{.loss = loss, .parts = 2, .team = &team}, "4 processes cannot share 2 parts"},
        {{.loss = loss, .parts = 4}, "over the whole batch, which cannot be computed in parts"},
        {{.output = logits,
          .parts = 4,
          .team = &(hk_team){.rank = 4, .ranks = 4, .exchange = exchange}},
         "a team has process 4 of 4"},
        {{.output = logits, .parts = 4, .team = &(hk_team){.ranks = 4}}, "exchange is NULL"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_EQUAL(hk_plan_new(net, &rows[i].options, &plan), HK_BAD_ARGUMENT);
        CHECK_CONTAINS(hk_message(), rows[i].sentence);
        CHECK(plan == NULL);
    }
    hk_net_free(net);
}

/* Process 1 of 2 leaves after some steps. */
static int leave(const hk_progress *progress, void *user)
{
    member *m = user;
    if (m->team.rank == 0 || progress->done < 48)
        return 0;
    pthread_mutex_lock(&m->at->mutex);
    m->at->left = 1;
    pthread_cond_broadcast(&m->at->change);
    pthread_mutex_unlock(&m->at->mutex);
    return 1;
}

static void *train_and_leave(void *user)
{
    member *m = user;
    hk_tensor *logits = busy_net();
    m->status = hk_fit(logits, NULL, .train = train_set, .batch = 24, .parts = 2, .team = &m->team,
                       .progress = leave, .user = m, .no_probes = 1);
    snprintf(m->message, sizeof m->message, "%s", hk_message());
    hk_net_free(hk_tensor_net(logits));
    return NULL;
}

static void lost_process_is_told(void)
{
    meeting at;
    member members[2];
    run_team(&at, members, 2, train_and_leave);
    CHECK_EQUAL(members[0].status, HK_IO);
    CHECK_TEXT(members[0].message, "process 0 of 2 lost process 1: it is gone");
    CHECK_EQUAL(members[1].status, HK_STOPPED);
}

int main(void)
{
    CHECK_EQUAL(hk_data_open("glyphs:train=101,test=40,size=14", &train_set, NULL), HK_OK);
    RUN(same_bits_for_any_number_of_processes);
    RUN(same_bits_with_own_statistics);
    RUN(same_bits_with_class_weights);
    RUN(parts_are_the_whole);
    RUN(refused_options_are_told);
    RUN(lost_process_is_told);
    hk_data_free(train_set);
    return check_result();
}
