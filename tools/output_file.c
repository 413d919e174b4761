/* A file's kind by its first bytes, as the library's readers recognise theirs. */
#include "output_file.h"
#include "io/io.h"
#include "output.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char tool_saved_net[] = "a saved net", tool_shared_object[] = "a shared object";

static bool starts_with(const char *bytes, size_t size, const char *start)
{
    return size >= strlen(start) && memcmp(bytes, start, strlen(start)) == 0;
}

const char *tool_output_kind(const char *bytes, size_t size)
{
    const char *kind = hki_recognise((const uint8_t *)bytes, size);
    return starts_with(bytes, size,
                       "\x7f"
                       "ELF")
               ? tool_shared_object
           : starts_with(bytes, size, "SQLite format 3")        ? "a database"
           : size > 8 && bytes[8] == '{' && memchr(bytes, 0, 8) ? tool_saved_net /* safetensors */
           : kind                                               ? kind
                                                                : "another file";
}

int tool_output_check(const char *path, const char *kind)
{
    char head[512];
    struct stat about;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return EXIT_DONE; /* who writes it says why it cannot */
    const bool regular = fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
    const ssize_t n = regular ? pread(fd, head, sizeof head, 0) : 0;
    close(fd);
    const char *there = n > 0 ? tool_output_kind(head, (size_t)n) : kind;
    return strcmp(there, kind) == 0
               ? EXIT_DONE
               : tool_fail(
                     EXIT_USAGE,
                     "%s is %s, and %s would replace it; remove it first, or name another file",
                     path, there, kind);
}

int tool_output_check_options(const command *of, const options *given)
{
    const struct {
        int commands;
        const char *path, *kind;
    } outputs[] = {{TRAIN | DOCTOR, given->out, tool_saved_net},
                   {BUILD, given->out, tool_shared_object},
                   {TRAIN | DOCTOR, given->report, "an HTML page"}};
    int status = EXIT_DONE;
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs && !status; i++)
        if (of->bit & outputs[i].commands && outputs[i].path)
            status = tool_output_check(outputs[i].path, outputs[i].kind);
    return status;
}
