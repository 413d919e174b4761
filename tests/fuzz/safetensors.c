/* Weight files: what is read can be touched to the last float, and lies where the format says. */
#include "fuzz.h"

#include "io/io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    hki_st_file file;
    size_t letters = 0, bytes = 0;
    if (hki_st_parse("FILE", data, size, &file) != HK_OK) {
        REQUIRE(!file.tensors && !file.meta && !file.data && !file.header && *hk_message());
        return 0;
    }
    for (size_t i = 0; i < file.n_tensors; i++) {
        const hki_st_tensor *t = &file.tensors[i];
        const char *name;
        float *x = malloc(4 * t->bytes + 1); /* of halves twice as much, of bytes four times */
        REQUIRE(x && t->bytes % hki_dtype_bytes(t->dtype, &name) == 0);
        if (hki_st_is_floats(t)) /* read, for a sanitizer to see */
            hki_st_floats(t, x);
        free(x);
        letters += strlen(t->name);
        bytes += t->bytes;
    }
    for (size_t i = 0; i < file.n_meta; i++)
        letters += strlen(file.meta[i].key) + strlen(file.meta[i].value);
    REQUIRE(bytes + letters < size);
    hki_st_clear(&file);
    return 0;
}
