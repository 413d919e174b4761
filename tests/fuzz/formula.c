/* Formulas: "FORMULA", or "FORMULA\nDERIVATIVE", of x, a parameter k and a learned one b. What is
 * accepted becomes C without a line that is no number. */
#include "fuzz.h"

#include "plugin/formula/formula.h"

static const parameter parameters[] = {{.name = "k", .value = 0.5, .low = 0, .high = 2},
                                       {.name = "b", .value = 1, .learned = true}};

static bool occurs(const char *text, char name)
{
    return strchr(text, name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    formula_notes notes;
    formula_error error;
    char *text = fuzz_text(data, size), *derivative = strchr(text, '\n');
    if (derivative)
        *derivative++ = '\0';
    const int first = occurs(text, 'k') ? 0 : 1, n = (first ? 0 : 1) + occurs(text, 'b');
    char *c = formula_to_c(&(formula_request){.name = "tried",
                                              .formula = text,
                                              .derivative = derivative,
                                              .parameters = parameters + first,
                                              .n_parameters = n},
                           &notes, &error);
    REQUIRE(c ? strstr(c, "HK_VALUE(") && !error.sentence[0] : error.sentence[0]);
    REQUIRE(notes.n >= 0 && notes.n <= FORMULA_NOTES);
    if (!c && error.text)
        REQUIRE(error.column >= 1 && (size_t)error.column <= strlen(error.text) + 1);
    free(c);
    free(text);
    return 0;
}
