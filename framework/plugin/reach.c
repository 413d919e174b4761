/* Whether a plugin's tables are there. Their pointers are a stranger's: the system copies what they lead
 * to and says no where the program itself would die. */
#include "plugin/loader.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

bool hki_is_readable(const void *at, size_t size)
{
    char copy[1024];
    for (size_t done = 0, piece; done < size; done += piece) {
        piece = size - done < sizeof copy ? size - done : sizeof copy;
        const struct iovec to = {copy, piece}, from = {(char *)at + done, piece};
        const ssize_t n = process_vm_readv(getpid(), &to, 1, &from, 1, 0);
        if (n < 0 && errno != EFAULT) /* a system that forbids the question */
            return true;
        if (n != (ssize_t)piece)
            return false;
    }
    return true;
}

/* RFC 3629, all bytes of one character: shortest form, no surrogates, at most U+10FFFF; 0: none. */
static size_t character_length(const unsigned char *at)
{
    const unsigned char second = at[0] < 0x80 ? 0 : at[1];
    const size_t n = at[0] < 0x80                     ? 1
                     : at[0] >= 0xC2 && at[0] <= 0xDF ? 2
                     : (at[0] & 0xF0) == 0xE0         ? 3
                     : at[0] >= 0xF0 && at[0] <= 0xF4 ? 4
                                                      : 0;
    for (size_t i = 1; i < n; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    const bool wrong = (at[0] == 0xE0 && second < 0xA0) || (at[0] == 0xED && second > 0x9F) ||
                       (at[0] == 0xF0 && second < 0x90) || (at[0] == 0xF4 && second > 0x8F);
    return wrong ? 0 : n;
}

const char *hki_text_fault(const char *text)
{
    enum { PAGE = 4096 };
    size_t length = 0, known = 0; /* bytes that can be read */
    for (; text && length <= HKI_MAX_TEXT; length++) {
        if (length == known) {
            known += PAGE - (uintptr_t)(text + length) % PAGE;
            if (!hki_is_readable(text + length, 1))
                return "cannot be read: its address is none";
        }
        if (!text[length])
            break;
    }
    if (length > HKI_MAX_TEXT)
        return "is too long, or does not end";
    for (size_t i = 0, n; i < length; i += n)
        if (!(n = character_length((const unsigned char *)text + i)))
            return "is not UTF-8";
    return NULL;
}

static hk_status check_text(const char *file, const char *what, const char *text)
{
    const char *fault = hki_text_fault(text);
    return fault ? hki_refuse("its %s %s (P13)", file, what, fault) : HK_OK;
}

static hk_status check_texts(const char *file, const hk_plugin *plugin)
{
    const struct {
        const char *what, *text;
    } texts[] = {{"name", plugin->name},       {"list of aliases", plugin->aliases},
                 {"summary", plugin->summary}, {"formula", plugin->formula},
                 {"source", plugin->source},   {"list of tags", plugin->tags}};
    hk_status status = HK_OK;
    for (size_t i = 0; i < sizeof texts / sizeof *texts && !status; i++)
        status = check_text(file, texts[i].what, texts[i].text);
    return status;
}

static hk_status check_params(const char *file, const hk_param *params)
{
    hk_status status = HK_OK;
    for (int i = 0; params && i <= HK_MAX_PARAMS && !status; i++) {
        if (!hki_is_readable(&params[i], sizeof *params))
            return hki_refuse(
                "its table of parameters cannot be read, or lacks the empty row at the "
                "end (P10)",
                file);
        if (!params[i].name)
            break;
        status = check_text(file, "parameter's name", params[i].name);
        if (!status)
            status = check_text(file, "parameter's doc", params[i].doc);
        if (!status && params[i].type == HK_CHOICE)
            status = check_text(file, "parameter's list of choices", params[i].choices);
    }
    return status;
}

static hk_status check_slots(const char *file, const hk_slot *slots)
{
    hk_status status = HK_OK;
    for (int i = 0; slots && i <= HK_MAX_SLOTS && !status; i++) {
        if (!hki_is_readable(&slots[i], sizeof *slots))
            return hki_refuse(
                "its table of slots cannot be read, or lacks the empty row at the end (P10)", file);
        if (!slots[i].name)
            break;
        status = check_text(file, "slot's name", slots[i].name);
        if (!status)
            status = check_text(file, "slot's doc", slots[i].doc);
    }
    return status;
}

/* A function must be somewhere; NULL is. */
static hk_status check_functions(const char *file, const hk_plugin *plugin)
{
    const hk_activation *act = plugin->activation;
    const hk_normalization *norm = plugin->normalization;
    uintptr_t all[16] = {(uintptr_t)plugin->start};
    int n = 1;
    const hk_kernels *kernels = hki_kernels_of(plugin);
    for (int isa = 0; isa < HK_ISA_COUNT && kernels; isa++) {
        all[n++] = (uintptr_t)kernels[isa].forward;
        all[n++] = (uintptr_t)kernels[isa].backward;
    }
    const uintptr_t of_act[] = {act ? (uintptr_t)act->channels_out : 0,
                                act ? (uintptr_t)act->update : 0, act ? (uintptr_t)act->value : 0,
                                act ? (uintptr_t)act->slope : 0,
                                act ? (uintptr_t)act->gradient : 0};
    const uintptr_t of_norm[] = {
        norm ? (uintptr_t)norm->domain : 0, norm ? (uintptr_t)norm->coefficients : 0,
        norm ? (uintptr_t)norm->frozen : 0, norm ? (uintptr_t)norm->gradient : 0,
        norm ? (uintptr_t)norm->update : 0};
    for (int i = 0; i < 5; i++)
        all[n++] = act ? of_act[i] : of_norm[i];
    all[n++] = plugin->initializer ? (uintptr_t)plugin->initializer->fill : 0;
    all[n++] = plugin->model ? (uintptr_t)plugin->model->build : 0;
    for (int i = 0; i < n; i++)
        if (all[i] && !hki_is_readable((const void *)all[i], 1))
            return hki_refuse("\"%s\" has a function at an address that is none (P10)", file,
                              plugin->name ? plugin->name : "");
    return HK_OK;
}

hk_status hki_reach_check(const char *file, const hk_plugin *plugin)
{
    hk_status status = check_texts(file, plugin);
    if (!status)
        status = check_params(file, plugin->params);
    if (!status)
        status = check_slots(file, plugin->slots);
    return status ? status : check_functions(file, plugin);
}
