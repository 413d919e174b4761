/* hillock evaluate: a saved net on the test data, as it is, or in whole steps. */
#include "net/quantise.h"
#include "net/summary.h"

static int put(const network *it, const options *given, const hk_data *test,
               const hk_evaluation *evaluation, const hk_metrics *before,
               const hk_quantisation *quantised)
{
    if (given->json) {
        json_t *result =
            json_pack("{s:o, s:s, s:o, s:I}", "file", tool_json_text(given->operands[0]), "model",
                      it->name, "data", tool_json_text(hk_data_spec(test)), "parameters",
                      (json_int_t)hk_net_parameters(it->net));
        net_summary_evaluation_json(result, it->logits, test, evaluation);
        if (quantised) {
            json_t *of = net_quantise_json(given->quantise, quantised);
            json_object_set_new(of, "loss_before", tool_json_number(before->loss));
            json_object_set_new(
                of, before->regression ? "r2_before" : "accuracy_before",
                tool_json_number(before->regression ? before->r2 : before->accuracy));
            json_object_set_new(result, "quantised", of);
        }
        return tool_json_print(result);
    }
    net_summary_evaluation(stdout, test, evaluation);
    if (quantised) {
        net_quantise_print(stdout, given->quantise, quantised);
        fputs("before: ", stdout);
        net_summary_metrics(stdout, before);
        fputs("\nnow:    ", stdout);
        net_summary_metrics(stdout, &evaluation->total);
        putchar('\n');
    }
    return EXIT_DONE;
}

static int evaluate(const network *it, const options *given, const hk_data *test)
{
    hk_evaluation evaluation = {0};
    hk_metrics before = {0};
    hk_quantisation *quantised = NULL;
    int status = EXIT_DONE;
    if (hk_evaluate(it->logits, test, &evaluation) != HK_OK)
        return tool_failed();
    if (given->quantise) {
        before = evaluation.total;
        hk_evaluation_clear(&evaluation);
        status = net_quantise(it, given, &quantised);
        if (!status && hk_evaluate(it->logits, test, &evaluation) != HK_OK)
            status = tool_failed();
    }
    if (!status)
        status = put(it, given, test, &evaluation, &before, quantised);
    if (!status)
        net_summary_constant(it->logits, test, &evaluation.total);
    hk_evaluation_clear(&evaluation);
    hk_quantisation_free(quantised);
    return status;
}

int net_evaluate_command(options *given)
{
    return net_run_on_saved(given, false, evaluate);
}
