/* Chooses the engine and the kernels for this processor; gives the native engine its table. */
#include "engine/kernels.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <hillock/tensor.h>
#include "core/base.h"

#define KERNELS_OF(isa, ...) &hki_kernels_##isa,
#define LISTED(isa, ...) ", " #isa
static const char *const names[HK_ISA_COUNT] = HK_ISA_NAMES;
static const hki_kernels *const kernels[HK_ISA_COUNT] = {HK_EACH_ISA(KERNELS_OF, )};
static _Atomic int allowed = -1; /* by the processor and HILLOCK_ISA; -1: not yet looked up */
static _Atomic int cap = HK_ISA_COUNT;

hk_isa hki_isa(void)
{
    if (allowed < 0) {
        const bool has[HK_ISA_COUNT] = HK_ISA_PRESENT;
        const char *wanted = secure_getenv("HILLOCK_ISA");
        int isa = HK_BASELINE;
        while (isa + 1 < HK_ISA_COUNT && has[isa + 1] &&
               !(wanted && strcmp(wanted, names[isa]) == 0))
            isa++;
        allowed = isa;
    }
    return (hk_isa)(allowed < cap ? allowed : cap);
}

const char *hki_isa_name(hk_isa isa)
{
    return (unsigned)isa < HK_ISA_COUNT ? names[isa] : "unknown";
}

void hki_isa_cap(hk_isa isa)
{
    cap = (int)isa;
}

const hki_kernels *hki_kernels_active(void)
{
    return kernels[hki_isa()];
}

static const hki_engine native = {
    .name = "native",
    .conv_scratch = hki_native_conv_scratch,
    .conv_forward = hki_native_conv_forward,
    .conv_streams = hki_native_conv_streams,
    .depthwise_prepare = hki_depthwise_prepare,
    .depthwise_lines = hki_depthwise_lines,
    .conv_packed_bytes = hki_native_conv_packed_bytes,
    .conv_pack = hki_native_conv_pack,
    .conv_backward_data = hki_native_conv_backward_data,
    .conv_backward_weight = hki_native_conv_backward_weight,
    .gemm_scratch = hki_native_gemm_scratch,
    .gemm = hki_native_gemm,
    .column_sums_scratch = hki_native_column_sums_scratch,
    .column_sums = hki_native_column_sums,
    .max_pool_forward = hki_native_max_pool_forward,
    .max_pool_backward = hki_native_max_pool_backward,
    .avg_pool_forward = hki_native_avg_pool_forward,
    .avg_pool_backward = hki_native_avg_pool_backward,
};

#ifdef HILLOCK_ONEDNN
extern const hki_engine hki_onednn;
static const hki_engine *const engines[] = {&native, &hki_onednn};
#define KNOWN "native, onednn"
#else
static const hki_engine *const engines[] = {&native};
#define KNOWN "native"
#endif

const hki_engine *hki_engine_find(const char *name)
{
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++)
        if (strcmp(engines[i]->name, name) == 0)
            return engines[i];
    return NULL;
}

hk_status hk_engine_check(void)
{
    const char *isa = secure_getenv("HILLOCK_ISA"), *wanted = secure_getenv("HILLOCK_ENGINE");
    bool known = !isa;
    for (int i = 0; i < HK_ISA_COUNT && !known; i++)
        known = strcmp(isa, names[i]) == 0;
    if (!known)
        return hki_fail(HK_UNKNOWN_NAME, "HILLOCK_ISA: no instruction set \"%.64s\"; known: %s",
                        isa, &(HK_EACH_ISA(LISTED, ))[2]);
    if (wanted && !hki_engine_find(wanted))
        return hki_fail(HK_UNKNOWN_NAME,
                        "HILLOCK_ENGINE: this build has no engine \"%.64s\"; known: " KNOWN,
                        wanted);
    return HK_OK;
}

const hki_engine *hki_engine_active(void)
{
    static const hki_engine *_Atomic chosen;
    if (!chosen) {
        const char *wanted = secure_getenv("HILLOCK_ENGINE");
        const hki_engine *found = wanted ? hki_engine_find(wanted) : NULL;
        chosen = found ? found : &native;
    }
    return chosen;
}

const char *hk_engine_name(void)
{
    return hki_engine_active()->name;
}

const char *hk_isa_name(void)
{
    return hki_isa_name(hki_isa());
}
