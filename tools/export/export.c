/* hillock export: a saved net as a model, a source file or arrays that others read. */
#include "export/export.h"
#include "net/network.h"
#include "options.h"
#include "output.h"

#include <stdio.h>

static void describe(const network *it, const char *file, char *title, size_t size)
{
    hk_saved saved;
    const bool known = hk_net_peek(file, &saved) == HK_OK && *saved.activation;
    snprintf(title, size, "%s%s%s", it->name, known ? ", " : "", known ? saved.activation : "");
}

/* What computes the net again. */
static int write_programs(const options *given, const network *it, const char *title)
{
    export_program program;
    int status = EXIT_DONE;
    if (!given->onnx && !given->c_source)
        return EXIT_DONE;
    if (!export_program_of(it->logits, title, &program))
        status = EXIT_USAGE;
    if (!status && given->onnx)
        status = export_write_onnx(&program, given->onnx);
    if (!status && given->c_source)
        status = export_write_c(&program, given->c_source);
    export_program_free(&program);
    return status;
}

/* What holds its numbers alone. */
static int write_arrays(const options *given, const network *it, const char *title)
{
    export_arrays arrays;
    if (!given->torch && !given->npz)
        return EXIT_DONE;
    int status = export_arrays_of(it->logits, &arrays);
    if (!status && given->torch)
        status = export_write_safetensors(&arrays, given->torch);
    if (!status && given->torch)
        export_put_torch(it->logits, title, given->torch, stdout);
    if (!status && given->npz)
        status = export_write_npz(&arrays, given->npz);
    export_arrays_free(&arrays);
    return status;
}

int export_command(options *given)
{
    char title[HK_MAX_SPEC + 80];
    network it = {0};
    if (!given->onnx && !given->c_source && !given->torch && !given->npz)
        return tool_fail(
            EXIT_USAGE,
            "export: expected --onnx, --c, --torch or --npz; see hillock export --help");
    int status = net_open(given->operands[0], &it);
    if (!status) {
        describe(&it, given->operands[0], title, sizeof title);
        status = write_programs(given, &it, title);
    }
    if (!status)
        status = write_arrays(given, &it, title);
    net_free(&it);
    return status;
}
