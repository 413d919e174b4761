/* Checks the tables of one plugin before anything of it is called, so that the rest of the
 * framework can use them without asking again: names are names, tables end, ranges contain their
 * defaults, and the functions that a kind cannot do without are there. */
#include "plugin/loader.h"

#include <math.h>
#include <string.h>

#define LETTERS "abcdefghijklmnopqrstuvwxyz"

bool hki_name_is_valid(const char *text, size_t length)
{
    if (length < 1 || length > HKI_MAX_PLUGIN_NAME || !strchr(LETTERS, text[0]))
        return false;
    for (size_t i = 0; i < length; i++)
        if (!text[i] || !strchr(LETTERS "0123456789_", text[i]))
            return false;
    return true;
}

/* Which plugin of which file: for messages. */
typedef struct place {
    const char *file, *plugin;
} place;

/* Fields that a later 1.n may have given a meaning, which this one does not know. */
static bool has_later(const uint64_t later[2])
{
    return later[0] || later[1];
}

#define BAD(place, format, ...)                                                                    \
    hki_refuse("\"%s\" " format, (place)->file, (place)->plugin, __VA_ARGS__)

/* Whether the word stands in the list before this place. */
static bool has_word(const char *list, char end, const char *at, size_t length)
{
    size_t other;
    for (const char *word = hki_next_word(list, end, &other); word && word < at;
         word = hki_next_word(word + other, end, &other))
        if (other == length && memcmp(word, at, length) == 0)
            return true;
    return false;
}

static hk_status check_words(const place *at, const char *list, const char *what)
{
    size_t length;
    for (const char *word = hki_next_word(list, ',', &length); word;
         word = hki_next_word(word + length, ',', &length))
        if (!hki_name_is_valid(word, length))
            return BAD(at, "has the %s \"%.*s\", which is no valid name (P13)", what,
                       (int)(length < 64 ? length : 64), word);
        else if (has_word(list, ',', word, length) ||
                 (*what == 'a' && strlen(at->plugin) == length &&
                  memcmp(at->plugin, word, length) == 0))
            return BAD(at, "has the %s \"%.*s\" twice, or as its name (P13)", what, (int)length,
                       word);
    return HK_OK;
}

/* The values of a choice are distinct names, and the default is the index of one. */
static hk_status check_choices(const place *at, const hk_param *param)
{
    size_t length;
    int count = 0;
    for (const char *word = hki_next_word(param->choices, '|', &length); word;
         word = hki_next_word(word + length, '|', &length), count++)
        if (!hki_name_is_valid(word, length))
            return BAD(at, "has a parameter \"%s\" whose choices \"%s\" are not first|second (P15)",
                       param->name, param->choices);
        else if (has_word(param->choices, '|', word, length))
            return BAD(at, "has a parameter \"%s\" with the choice \"%.*s\" twice (P15)",
                       param->name, (int)length, word);
    if (count == 0)
        return BAD(at, "has a parameter \"%s\" without choices (P15)", param->name);
    if (!(param->value >= 0 && param->value < count) || param->value != floor(param->value))
        return BAD(at, "has a default %g of parameter \"%s\", which has %d choices (P15)",
                   param->value, param->name, count);
    return HK_OK;
}

static hk_status check_number(const place *at, const hk_param *param)
{
    char range[HKI_RANGE_SIZE];
    if (isnan(param->low) || isnan(param->high) || param->low > param->high ||
        param->flags & ~(uint32_t)(HK_LOW_OPEN | HK_HIGH_OPEN))
        return BAD(at, "has a parameter \"%s\" whose range is contradictory (P15)", param->name);
    if (!isfinite(param->value) || !hki_param_allows(param, param->value))
        return BAD(at, "has a default %g of parameter \"%s\" outside %s (P15)", param->value,
                   param->name, hki_range_text(param, range));
    return HK_OK;
}

static hk_status check_params(const place *at, const hk_param *params)
{
    for (int i = 0; params && params[i].name; i++) {
        if (i == HK_MAX_PARAMS)
            return BAD(
                at,
                "has more than %d parameters, or its table lacks the empty row at the end (P10)",
                HK_MAX_PARAMS);
        if (has_later(params[i].later))
            return BAD(
                at, "has a parameter \"%.64s\" with a field that this hillock does not know (P11)",
                params[i].name);
        if (!hki_name_is_valid(params[i].name, strlen(params[i].name)))
            return BAD(at, "has a parameter \"%.64s\", which is no valid name (P13)",
                       params[i].name);
        for (int k = 0; k < i; k++)
            if (strcmp(params[k].name, params[i].name) == 0)
                return BAD(at, "has two parameters \"%s\" (P15)", params[i].name);
        hk_status status = HK_OK;
        switch (params[i].type) {
        case HK_REAL:
        case HK_INTEGER: status = check_number(at, &params[i]); break;
        case HK_CHOICE: status = check_choices(at, &params[i]); break;
        default:
            status = BAD(at, "has a parameter \"%s\" of unknown type %u (P15)", params[i].name,
                         params[i].type);
        }
        if (status != HK_OK)
            return status;
    }
    return HK_OK;
}

static hk_status check_slot(const place *at, const hk_plugin *plugin, const hk_slot *slot)
{
    if (slot == plugin->slots + HK_MAX_SLOTS)
        return BAD(at, "has more than %d slots, or its table lacks the empty row at the end (P10)",
                   HK_MAX_SLOTS);
    if (!hki_name_is_valid(slot->name, strlen(slot->name)))
        return BAD(at, "has a slot \"%.64s\", which is no valid name (P13)", slot->name);
    for (const hk_slot *other = plugin->slots; other < slot; other++)
        if (strcmp(other->name, slot->name) == 0)
            return BAD(at, "has two slots \"%s\" (P15)", slot->name);
    for (const hk_param *other = plugin->params; other && other->name; other++)
        if (strcmp(other->name, slot->name) == 0)
            return BAD(at, "has a parameter and a slot \"%s\" (P15)", slot->name);
    if (slot->role != HK_LEARNED && slot->role != HK_STATE)
        return BAD(at, "has a slot \"%s\" of unknown role %u (P15)", slot->name, slot->role);
    if (slot->extent < HK_PER_CHANNEL || slot->extent > HK_FIXED)
        return BAD(at, "has a slot \"%s\" of unknown extent %u (P15)", slot->name, slot->extent);
    if (slot->extent == HK_PER_ROW && plugin->kind != HK_NORMALIZATION)
        return BAD(
            at, "has a slot \"%s\" per row, which only normalizations of a weight can have (P15)",
            slot->name);
    if (slot->extent == HK_FIXED && (slot->count < 1 || slot->count > HK_MAX_FIXED))
        return BAD(at, "has a slot \"%s\" of %u floats, 1 to %d are possible (P15)", slot->name,
                   slot->count, HK_MAX_FIXED);
    if (has_later(slot->later))
        return BAD(at, "has a slot \"%s\" with a field that this hillock does not know (P11)",
                   slot->name);
    if (slot->flags & ~(uint32_t)HK_NO_DECAY)
        return BAD(at, "has a slot \"%s\" with unknown flags %#x (P11)", slot->name, slot->flags);
    if (!isfinite(slot->value) || isnan(slot->low) || isnan(slot->high) ||
        (slot->low < slot->high && (slot->value < slot->low || slot->value > slot->high)) ||
        slot->low > slot->high)
        return BAD(at, "has a slot \"%s\" that starts at %g, outside [%g, %g] (P15)", slot->name,
                   slot->value, slot->low, slot->high);
    return HK_OK;
}

static hk_status check_kept(const place *at, const char *what, uint32_t floats)
{
    return floats <= HK_MAX_KEPT
               ? HK_OK
               : BAD(at, "has %s of %u, at most %d are possible (P10)", what, floats, HK_MAX_KEPT);
}

static hk_status check_activation(const place *at, const hk_activation *act)
{
    const uint32_t traits = HK_IN_PLACE | HK_STOCHASTIC | HK_ROWWISE | HK_SURROGATE;
    if (!act->kernels[HK_BASELINE].forward || !act->kernels[HK_BASELINE].backward)
        return BAD(at, "has no base kernel %s (P10)",
                   act->kernels[HK_BASELINE].forward ? "backward" : "forward");
    if (act->traits & ~traits)
        return BAD(at, "requires traits %#x that this hillock does not know (P11)",
                   act->traits & ~traits);
    if (act->reads & ~(uint32_t)(HK_READS_X | HK_READS_Y))
        return BAD(at, "reads %#x, which this hillock does not know (P11)", act->reads);
    if (!act->value != !act->slope)
        return BAD(at, "has %s without %s; the reference needs both (P10)",
                   act->value ? "value()" : "slope()", act->value ? "slope()" : "value()");
    const hk_status status = check_kept(at, "aux_floats", act->aux_floats);
    return status ? status : check_kept(at, "n_sums", act->n_sums);
}

/* Two families, each whole or absent: coefficients for sets, kernels for rows and weights. */
static hk_status check_normalization(const place *at, const hk_normalization *norm)
{
    bool affine = norm->coefficients && norm->gradient && norm->n_coef >= 2;
    bool kernels = norm->kernels[HK_BASELINE].forward && norm->kernels[HK_BASELINE].backward;
    if (!norm->domain)
        return BAD(at, "lacks %s (P10)", "domain()");
    if (!affine && (norm->coefficients || norm->gradient))
        return BAD(at, "lacks %s (P10)",
                   !norm->coefficients ? "coefficients()"
                   : !norm->gradient   ? "gradient()"
                                       : "coefficients: n_coef is below 2");
    if (!kernels && (norm->kernels[HK_BASELINE].forward || norm->kernels[HK_BASELINE].backward))
        return BAD(at, "has no base kernel %s (P10)",
                   norm->kernels[HK_BASELINE].forward ? "backward" : "forward");
    if (!affine && !kernels)
        return BAD(at, "has neither coefficients() and gradient() nor %s (P10)", "base kernels");
    const hk_status status = check_kept(at, "aux_floats", norm->aux_floats);
    return status ? status : check_kept(at, "n_coef", norm->n_coef);
}

/* Without slots: what a model learns, its layers keep. */
static hk_status check_model(const place *at, const hk_plugin *plugin)
{
    const hk_model *model = plugin->model;
    if (!model->build)
        return BAD(at, "lacks %s (P10)", "build()");
    if (plugin->slots || plugin->start)
        return BAD(at, "has %s, which no model can have (P15)",
                   plugin->slots ? "slots" : "start()");
    if (model->height < 1 || model->width < 1 || model->channels < 1 || model->smallest < 0)
        return BAD(at, "is for images of %d x %d x %d, at least %d x %d (P15)", model->height,
                   model->width, model->channels, model->smallest, model->smallest);
    for (const hk_recipe *r = model->recipes; r && r->data; r++)
        if (has_later(r->later))
            return BAD(
                at, "has a recipe for \"%.64s\" with a field that this hillock does not know (P11)",
                r->data);
        else if (r->most < 0 || r->epochs < 0 || r->batch < 0 || r->least_steps < 0)
            return BAD(at, "has a recipe for \"%.64s\" with a number below 0 (P15)", r->data);
    return HK_OK;
}

/* The struct of its kind, alone and of a size that some 1.n has had. */
static hk_status check_kind(const place *at, const hk_plugin *plugin)
{
    const void *const tables[] = {plugin->activation, plugin->normalization, plugin->initializer,
                                  plugin->model};
    const hk_kind kind = (hk_kind)plugin->kind;
    const hki_table_size known = hki_table_size_of(kind);
    if (!known.now)
        return BAD(at, "has kind %u, which is unknown here (P12)", plugin->kind);
    if (plugin->size < known.first || plugin->size > known.now)
        return BAD(at, "has a table of %u bytes, %u to %u are possible for %s (P10)", plugin->size,
                   known.first, known.now, hki_kind_phrase(kind));
    for (uint32_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (!tables[i] == (i == plugin->kind - 1))
            return BAD(at, "%s the table of %s (P10)", tables[i] ? "also has" : "lacks",
                       hki_kind_phrase((hk_kind)(i + 1)));
    return HK_OK;
}

hk_status hki_table_check(const char *file, const hk_plugin *plugin)
{
    place at = {file, plugin->name};
    hk_status status = hki_reach_check(file, plugin);
    if (status != HK_OK)
        return status;
    if (!plugin->name || !hki_name_is_valid(plugin->name, strlen(plugin->name)))
        return hki_refuse("\"%.64s\" is no valid name (a letter, then at "
                          "most 31 of a-z 0-9 _) (P13)",
                          file, plugin->name ? plugin->name : "");
    status = check_words(&at, plugin->aliases, "alias");
    if (status == HK_OK)
        status = check_words(&at, plugin->tags, "tag");
    if (status == HK_OK)
        status = check_kind(&at, plugin);
    if (status == HK_OK)
        status = check_params(&at, plugin->params);
    for (const hk_slot *slot = plugin->slots; status == HK_OK && slot && slot->name; slot++)
        status = check_slot(&at, plugin, slot);
    if (status != HK_OK)
        return status;
    switch (plugin->kind) {
    case HK_ACTIVATION: return check_activation(&at, plugin->activation);
    case HK_NORMALIZATION: return check_normalization(&at, plugin->normalization);
    case HK_MODEL: return check_model(&at, plugin);
    default: break;
    }
    return plugin->initializer->fill ? HK_OK : BAD(&at, "lacks %s (P10)", "fill()");
}
