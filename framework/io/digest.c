/* SHA-256 (FIPS 180-4) of bytes that lie in pieces, by libmd. */
#include "io/io.h"

#include <sha256.h>

void hki_sha256_hex(const hki_piece *pieces, size_t count, char out[65])
{
    SHA256_CTX context;
    SHA256_Init(&context);
    for (size_t i = 0; i < count; i++)
        SHA256_Update(&context, pieces[i].bytes, pieces[i].size);
    SHA256_End(&context, out);
}
