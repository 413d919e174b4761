/* The library's way of writing files: beside the old one, synced, renamed. */
#include "page/draft.h"
#include "io/io.h"
#include "options.h"
#include "output.h"

#include <stdlib.h>

bool page_draft_open(draft *d)
{
    *d = (draft){0};
    d->to = open_memstream(&d->text, &d->size);
    return d->to != NULL;
}

int page_draft_save(draft *d, const char *path)
{
    bool whole = !ferror(d->to); /* memory is all that can lack */
    int status = EXIT_DONE;
    if (fclose(d->to) != 0 || !whole)
        status = tool_no_memory();
    else if (hki_file_write(path, &(hki_piece){d->text, d->size}, 1) != HK_OK)
        status = tool_failed();
    free(d->text);
    return status;
}
