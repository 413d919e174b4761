/* A multilayer perceptron: Rumelhart, Hinton, Williams 1986, Nature 323, "Learning representations
 * by back-propagating errors", with the activation under test and logits for softmax.
 * norm: before each activation, Ioffe & Szegedy 2015, arXiv:1502.03167, section 3.2.
 * dropout: of hidden units, Srivastava et al. 2014, JMLR 15. */
#include "networks.h"

hk_tensor *hki_mlp(hk_tensor *x, const hk_model_values *values, int classes)
{
    int no_bias = !values->bias;
    for (int i = 0; i < values->depth; i++) {     /* input     784 */
        x = hk_linear(x, values->width, no_bias); /* fc1, fc2  128 */
        x = hki_dropout(hk_act(hki_norm(x, values)), values);
    }
    return hk_linear(x, classes, no_bias); /* fc3        10 */
}
