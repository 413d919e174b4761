/* Command lines, word by word. */
#include "compare/line.h"

void compare_line_add(line *to, const char *option, const char *value)
{
    if (!value)
        return;
    to->words[to->n++] = (char *)option;
    to->words[to->n++] = (char *)value;
}

line compare_line_new(const options *given, const char *formula, const char *name,
                      const char *source)
{
    line it = {{"new", "activation", (char *)name}, 3};
    compare_line_add(&it, "--formula", formula);
    compare_line_add(&it, "--derivative", given->derivative);
    compare_line_add(&it, "--surrogate", given->surrogate);
    for (int i = 0; i < given->params.n; i++)
        compare_line_add(&it, "--param", given->params.items[i]);
    compare_line_add(&it, "--out", source);
    return it;
}

line compare_line_build(const char *source, const char *plugin)
{
    line it = {{"build", (char *)source}, 2};
    compare_line_add(&it, "--out", plugin);
    return it;
}
