/* The library's way of writing files: beside the old one, synced, renamed. */
#include "page/draft.h"
#include "io/io.h"
#include "output.h"
#include "memory.h"
#include "output_file.h"

#include <stdlib.h>

void page_draft_open(draft *d)
{
    *d = (draft){0};
    d->to = tool_memory_stream(&d->text, &d->size);
}

int page_draft_save(draft *d, const char *path)
{
    fclose(d->to);
    int status = tool_output_check(path, tool_output_kind(d->text, d->size));
    if (!status && hki_file_write(path, &(hki_piece){d->text, d->size}, 1) != HK_OK)
        status = tool_failed();
    free(d->text);
    return status;
}
