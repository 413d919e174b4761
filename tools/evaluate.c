/* hillock evaluate: a saved net on the test data. */
#include "network.h"
#include "report.h"

static int evaluate(const network *it, const options *given, const hk_data *test)
{
    hk_evaluation evaluation;
    int status = EXIT_DONE;
    if (hk_evaluate(it->logits, test, &evaluation) != HK_OK)
        return failed();
    if (given->json) {
        json_t *result = json_pack("{s:o, s:s, s:o, s:I}", "file", json_text(given->operands[0]),
                                   "model", it->model->name, "data", json_text(hk_data_spec(test)),
                                   "parameters", (json_int_t)hk_net_parameters(it->net));
        report_evaluation_json(result, test, &evaluation);
        status = json_print(result);
    } else {
        report_evaluation(stdout, test, &evaluation);
    }
    hk_evaluation_clear(&evaluation);
    return status;
}

int run_evaluate(options *given)
{
    hk_data *test = NULL;
    network it = {0};
    int status = open_data(given, NULL, &test);
    if (!status)
        status = network_open(given->operands[0], hk_data_shape_of(test), &it);
    if (!status)
        status = evaluate(&it, given, test);
    network_free(&it);
    hk_data_free(test);
    return status;
}
