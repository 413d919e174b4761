/* engine/blocks_32.h - the register blocks of processors with 32 vector registers: see kernels_template.h. */
#pragma once
#define FEW_ROWS 6
#define MOST_ROWS_OF 1, 16, 14, 9, 6
/* clang-format off */
#define EACH_BLOCK(F)                                                                              \
    F(1, 1) F(2, 1) F(3, 1) F(4, 1) F(5, 1) F(6, 1) F(7, 1) F(8, 1)                                \
    F(9, 1) F(10, 1) F(11, 1) F(12, 1) F(13, 1) F(14, 1) F(15, 1) F(16, 1)                         \
    F(1, 2) F(2, 2) F(3, 2) F(4, 2) F(5, 2) F(6, 2) F(7, 2)                                        \
    F(8, 2) F(9, 2) F(10, 2) F(11, 2) F(12, 2) F(13, 2) F(14, 2)                                   \
    F(1, 3) F(2, 3) F(3, 3) F(4, 3) F(5, 3) F(6, 3) F(7, 3) F(8, 3) F(9, 3)                        \
    F(1, 4) F(2, 4) F(3, 4) F(4, 4) F(5, 4) F(6, 4)
/* clang-format on */
