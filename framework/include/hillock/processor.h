/* hillock/processor.h - all that Hillock has to know of a processor: its instruction sets, its
 * floating-point mode, and what a signal handler learns of a fault. Included by plugin.h.
 *
 * Another processor is one more branch here. An instruction set with kernels of its own is a row of
 * HK_EACH_ISA and a file framework/engine/engine_NAME.c. Without a branch there is one set, "baseline",
 * what the compiler builds for; changes of the mode are not seen then, and faults have no place.
 *
 *     HK_EACH_ISA(F, ...)        F(name, attribute, has, ...) for each member of hk_isa, in order: the
 *                                attribute of a function that uses the set, whether this machine has it
 *     hk_float_mode()            the control bits of this thread: rounding, denormals, traps; no flags
 *     hk_set_float_mode(bits)    with HK_FLUSH_DENORMALS, operands and results that are denormal are 0
 *     HK_FAULT_PLACE(context)    the instruction's address, of a handler's ucontext_t *; 0: not known
 *     HK_FAULT_WROTE(context)    whether a forbidden access was a write; true where that is not known
 *     HK_IS_RETURN(address)      the fault of a return to an impossible address is at the return itself
 *     HK_STEP(context, on)       in a handler: SIGTRAP comes after each instruction, or no more; and
 *     hk_isa_of_instruction(at)  the lowest set that an instruction can belong to; without a branch neither */
#pragma once
#include <stdint.h>

#if defined __x86_64__
typedef enum hk_isa { HK_BASELINE = 0, HK_AVX2, HK_AVX512, HK_ISA_COUNT } hk_isa;
#define HK_AVX512_TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#define HK_HAS_AVX2 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define HK_HAS_AVX512                                                                              \
    (HK_HAS_AVX2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&     \
     __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
#define HK_EACH_ISA(F, ...)                                                                        \
    F(baseline, , 1, __VA_ARGS__)                                                                  \
    F(avx2, __attribute__((target("avx2"))), HK_HAS_AVX2, __VA_ARGS__)                             \
    F(avx512, HK_AVX512_TARGET, HK_HAS_AVX512, __VA_ARGS__)

enum { HK_FLUSH_DENORMALS = 0x8040 }; /* flush to zero, denormals are zero */

static inline uint32_t hk_float_mode(void) /* that of SSE; above it that of x87 */
{
    uint16_t x87;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    return (__builtin_ia32_stmxcsr() & 0xFFC0u) | (uint32_t)x87 << 16;
}

static inline void hk_set_float_mode(uint32_t bits) /* x87 stays as it is */
{
    __builtin_ia32_ldmxcsr((__builtin_ia32_stmxcsr() & 0x3Fu) | (bits & 0xFFC0u));
}

#define HK_FAULT_PLACE(context) ((uintptr_t)(context)->uc_mcontext.gregs[REG_RIP])
#define HK_FAULT_WROTE(context) (((context)->uc_mcontext.gregs[REG_ERR] & 2) != 0)
#define HK_IS_RETURN(address) (*(const uint8_t *)(address) == 0xC3)
#define HK_STEP(context, on)                                                                       \
    ((context)->uc_mcontext.gregs[REG_EFL] =                                                       \
         ((context)->uc_mcontext.gregs[REG_EFL] & ~0x100ll) | ((on) ? 0x100ll : 0))

/* In 64-bit mode the prefixes of AVX-512 (EVEX) and AVX (VEX) are no other instruction; the maps 0F 38 and
 * 0F 3A and popcnt came after SSE2 (Intel, Software Developer's Manual, volume 2, chapter 2). */
static inline hk_isa hk_isa_of_instruction(const uint8_t *at)
{
    int repeats = 0;
    while (*at == 0x66 || *at == 0xF2 || *at == 0xF3 || *at == 0x2E || *at == 0x3E || *at == 0x64 ||
           *at == 0x65 || *at == 0x67 || *at == 0xF0 || (*at & 0xF0) == 0x40)
        repeats |= *at++ == 0xF3;
    const int is_later =
        at[0] == 0x0F && (at[1] == 0x38 || at[1] == 0x3A || (repeats && at[1] == 0xB8));
    return *at == 0x62 ? HK_AVX512 : *at == 0xC4 || *at == 0xC5 || is_later ? HK_AVX2 : HK_BASELINE;
}

#elif defined __aarch64__
typedef enum hk_isa { HK_NEON = 0, HK_ISA_COUNT, HK_BASELINE = HK_NEON } hk_isa;
#define HK_EACH_ISA(F, ...) F(neon, , 1, __VA_ARGS__)

enum { HK_FLUSH_DENORMALS = 1 << 24 }; /* FPCR.FZ */

static inline uint32_t hk_float_mode(void)
{
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return (uint32_t)control;
}

static inline void hk_set_float_mode(uint32_t bits)
{
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)bits));
}

/* Records of a magic number and a size follow the registers; that of the syndrome has the fault's, whose
 * bit 6 is set for a write (Arm, DDI 0487, ESR_EL1 of a data abort). */
static inline int hk_fault_wrote(const void *records)
{
    const uint32_t *at = (const uint32_t *)records;
    while (at[0] != 0x45535201u && at[0] && at[1])
        at += at[1] / sizeof *at;
    return at[0] != 0x45535201u || (at[2] & 1u << 6);
}

#define HK_FAULT_PLACE(context) ((uintptr_t)(context)->uc_mcontext.pc)
#define HK_FAULT_WROTE(context) hk_fault_wrote((context)->uc_mcontext.__reserved)
#define HK_IS_RETURN(address) 0

#else
typedef enum hk_isa { HK_BASELINE = 0, HK_ISA_COUNT } hk_isa;
#define HK_EACH_ISA(F, ...) F(baseline, , 1, __VA_ARGS__)

enum { HK_FLUSH_DENORMALS = 0 };

static inline uint32_t hk_float_mode(void)
{
    return 0;
}

static inline void hk_set_float_mode(uint32_t bits)
{
    (void)bits;
}

#define HK_FAULT_PLACE(context) ((void)(context), (uintptr_t)0)
#define HK_FAULT_WROTE(context) ((void)(context), 1)
#define HK_IS_RETURN(address) 0
#endif

/* Arrays of HK_ISA_COUNT: {"baseline", "avx2", ...}, and whether this machine has each. */
#define HK_ISA_NAME(isa, ...) #isa,
#define HK_ISA_HAS(isa, attribute, has, ...) has,
#define HK_ISA_NAMES                                                                               \
    {                                                                                              \
        HK_EACH_ISA(HK_ISA_NAME, )                                                                 \
    }
#define HK_ISA_PRESENT                                                                             \
    {                                                                                              \
        HK_EACH_ISA(HK_ISA_HAS, )                                                                  \
    }
