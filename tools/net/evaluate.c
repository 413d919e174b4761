/* hillock evaluate: a saved net on the test data. */
#include "net/network.h"
#include "net/summary.h"

static int evaluate(const network *it, const options *given, const hk_data *test)
{
    hk_evaluation evaluation;
    int status = EXIT_DONE;
    if (hk_evaluate(it->logits, test, &evaluation) != HK_OK)
        return tool_failed();
    if (given->json) {
        json_t *result =
            json_pack("{s:o, s:s, s:o, s:I}", "file", tool_json_text(given->operands[0]), "model",
                      it->name, "data", tool_json_text(hk_data_spec(test)), "parameters",
                      (json_int_t)hk_net_parameters(it->net));
        net_summary_evaluation_json(result, it->logits, test, &evaluation);
        status = tool_json_print(result);
    } else {
        net_summary_evaluation(stdout, test, &evaluation);
    }
    net_summary_constant(it->logits, test, &evaluation.total);
    hk_evaluation_clear(&evaluation);
    return status;
}

int net_evaluate_command(options *given)
{
    return net_run_on_saved(given, evaluate);
}
