/* Lists of specs, "relu,lgb:k=4,rate=0.01,@gated", and the sets in them: @TAG stands for every
 * plugin that has the tag. */
#include "plugin/loader.h"

#include <stdio.h>
#include <string.h>

/* Texts that grow in number. */
typedef struct texts {
    char **items;
    size_t count, room;
} texts;

void hk_spec_list_free(char **list, size_t count)
{
    for (size_t i = 0; list && i < count; i++)
        hki_free(list[i]);
    hki_free(list);
}

/* Puts a text, which is freed on failure, at a place; NULL, a failed allocation, is passed on. */
static hk_status insert(texts *to, size_t place, char *text)
{
    const size_t size = sizeof *to->items;
    char **longer = text ? hki_reserve(to->items, to->count, &to->room, size) : NULL;
    if (!longer) {
        hki_free(text);
        return HK_NO_MEMORY;
    }
    to->items = longer;
    memmove(longer + place + 1, longer + place, (to->count++ - place) * size);
    longer[place] = text;
    return HK_OK;
}

/* Nothing is in the places of a result, as far as there are any. */
static void clear(char ***out, size_t *count)
{
    if (out)
        *out = NULL;
    if (count)
        *count = 0;
}

/* Hands the texts over, or frees them after a failure. */
static hk_status hand_over(hk_status status, texts *from, char ***out, size_t *count)
{
    if (status != HK_OK) {
        hk_spec_list_free(from->items, from->count);
        *from = (texts){NULL, 0, 0};
    }
    *out = from->items;
    *count = from->count;
    return status;
}

int hk_plugin_has_tag(const hk_plugin *plugin, const char *tag)
{
    return !hki_null(plugin, tag) && hki_has_word(plugin->tags, tag, strlen(tag));
}

/* What is collected from the plugins, one after the other. */
typedef struct collection {
    texts found;
    const char *tag; /* of the members that are wanted */
    bool any;        /* there was one */
    hk_status status;
} collection;

static void add_tags(const hk_plugin_info *info, void *user)
{
    collection *to = user;
    size_t length;
    for (const char *word = hki_next_word(info->plugin->tags, ',', &length);
         word && to->status == HK_OK; word = hki_next_word(word + length, ',', &length)) {
        char *tag = hki_format("%.*s", (int)length, word);
        size_t place = 0;
        while (tag && place < to->found.count && strcmp(to->found.items[place], tag) < 0)
            place++;
        if (tag && place < to->found.count && strcmp(to->found.items[place], tag) == 0)
            hki_free(tag);
        else
            to->status = insert(&to->found, place, tag);
    }
}

hk_status hk_plugin_tags(hk_kind kind, char ***out, size_t *count)
{
    collection tags = {.status = HK_OK};
    clear(out, count);
    if (hki_null(out, count))
        return HK_BAD_ARGUMENT;
    hk_status status = hk_plugin_each(kind, add_tags, NULL, &tags);
    return hand_over(status == HK_OK ? tags.status : status, &tags.found, out, count);
}

/* A member that the list has already is not added again. */
static void add_member(const hk_plugin_info *info, void *user)
{
    collection *to = user;
    if (to->status != HK_OK || !hk_plugin_has_tag(info->plugin, to->tag))
        return;
    to->any = true;
    for (size_t i = 0; i < to->found.count; i++)
        if (strcmp(to->found.items[i], info->plugin->name) == 0)
            return;
    to->status = insert(&to->found, to->found.count, hki_copy_text(info->plugin->name));
}

static hk_status add_set(hk_kind kind, const char *tag, texts *list)
{
    collection members = {.found = *list, .tag = tag, .status = HK_OK};
    char **tags, known[768] = "", set[HKI_MAX_PLUGIN_NAME + 2];
    size_t count;
    if (!kind)
        return hki_fail(HK_BAD_ARGUMENT, "\"@%.64s\" is a set of plugins, none is wanted here",
                        tag);
    hk_status status = hk_plugin_each(kind, add_member, NULL, &members);
    *list = members.found;
    if (status == HK_OK)
        status = members.status;
    if (status != HK_OK || members.any)
        return status;
    status = hk_plugin_tags(kind, &tags, &count);
    if (status != HK_OK)
        return status;
    for (size_t i = 0; i < count; i++) {
        snprintf(set, sizeof set, "@%s", tags[i]);
        hki_add_name(known, sizeof known, set);
    }
    const char *near = hki_nearest(tag, (const char *const *)tags, count);
    status = hki_fail(HK_UNKNOWN_NAME, "no %s is in a set \"@%.64s\"%s%s%s; known: %s",
                      hk_kind_name(kind), tag, near ? "; did you mean \"@" : "", near ? near : "",
                      near ? "\"?" : "", count ? known : "none");
    hk_spec_list_free(tags, count);
    return status;
}

/* An item key=value goes on with the spec before it. In "relu+conv2=prelu" what stands before
 * the '=' is a place in a network, in "./a=b.so" a path. */
static bool continues(const char *item)
{
    size_t key = strcspn(item, "=:+/@");
    return key > 0 && item[key] == '=';
}

/* A '+' within a number, 1e+5, starts no part. */
size_t hki_part_length(const char *spec)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyz0123456789_.";
    size_t length = strcspn(spec, "+");
    for (; spec[length]; length += 1 + strcspn(spec + length + 1, "+")) {
        const char *layer = spec + length + 1;
        const size_t n = strspn(layer, letters);
        if (n && layer[n] == '=' && (layer[0] < '0' || layer[0] > '9'))
            break;
    }
    return length;
}

/* The spec before an item key=value grows; `last` is NULL where there is none. */
static hk_status lengthen(char **last, const char *before, const char *item)
{
    if (before && before[0] == '@')
        return hki_fail(HK_BAD_ARGUMENT, "\"%s\" follows the set \"%s\"; only a plugin takes it",
                        item, before);
    if (!last)
        return hki_fail(HK_BAD_ARGUMENT, "\"%s\" follows no name; write name:%s", item, item);
    const char *part = *last; /* the last one counts, "relu:a=1+conv2=prelu" */
    for (size_t length = hki_part_length(part); part[length]; length = hki_part_length(part))
        part += length + 1;
    char *longer = hki_format("%s%c%s", *last, strchr(part, ':') ? ',' : ':', item);
    if (!longer)
        return HK_NO_MEMORY;
    hki_free(*last);
    *last = longer;
    return HK_OK;
}

static hk_status add_item(hk_kind kind, const char *before, const char *item, texts *list)
{
    if (!*item)
        return hki_fail(HK_BAD_ARGUMENT, "a list of specs has an empty item");
    if (strlen(item) >= HKI_MAX_SPEC)
        return hki_fail(HK_BAD_ARGUMENT, "spec \"%.64s..\" has %zu bytes, at most %d are possible",
                        item, strlen(item), HKI_MAX_SPEC - 1);
    if (continues(item))
        return lengthen(list->count ? &list->items[list->count - 1] : NULL, before, item);
    return item[0] == '@' ? add_set(kind, item + 1, list)
                          : insert(list, list->count, hki_copy_text(item));
}

hk_status hk_spec_list(hk_kind kind, const char *text, char ***out, size_t *count)
{
    texts list = {NULL, 0, 0};
    hk_status status = HK_OK;
    clear(out, count);
    if (hki_null(text, out, count))
        return HK_BAD_ARGUMENT;
    if (!*text)
        return hki_fail(HK_BAD_ARGUMENT, "a list of specs is empty");
    char *copy = hki_copy_text(text);
    if (!copy)
        return HK_NO_MEMORY;
    const char *before = NULL; /* the last item that was no key=value */
    for (char *rest = copy; rest && status == HK_OK;) {
        const char *item = strsep(&rest, ",");
        status = add_item(kind, before, item, &list);
        before = continues(item) ? before : item;
    }
    hki_free(copy);
    return hand_over(status, &list, out, count);
}
