/* The library's way of writing files: beside the old one, synced, renamed. */
#include "report/save.h"

#include "io/io.h"
#include "output.h"

int save_file(const char *path, const char *bytes, size_t size)
{
    return hki_file_write(path, &(hki_piece){bytes, size}, 1) == HK_OK ? 0 : failed();
}
