/* engine/contract.h - lets the compiler turn a * b + c into one FMA in the rest of the file, and
 * spells its unroll pragma. The build has contraction off everywhere else.
 * UNCHECKED: clang takes minutes over the register blocks when it adds a sanitizer's checks; gcc,
 * which does not, checks them. */
#pragma once
#define PRAGMA(text) _Pragma(#text)
#ifdef __clang__
#pragma clang fp contract(fast)
#define UNROLL(n) PRAGMA(clang loop unroll(full))
#define ROLLED PRAGMA(clang loop unroll(disable))
#define UNCHECKED __attribute__((no_sanitize("address", "undefined")))
#else
#pragma GCC optimize("fp-contract=fast")
#define UNROLL(n) PRAGMA(GCC unroll n)
#define ROLLED PRAGMA(GCC unroll 1)
#define UNCHECKED
#endif
