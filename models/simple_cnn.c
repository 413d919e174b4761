/* A small convolutional network whose second convolution has an activation of its own: prelu, He,
 * Zhang, Ren, Sun 2015, arXiv:1502.01852, unless the net's choice names conv2.
 * norm: before each activation; dropout: of fc1. */
#include "networks.h"

hk_tensor *hki_simple_cnn(hk_tensor *x, const hk_model_values *values, int classes)
{                                                    /* input     28 x 28 x   1 */
    x = hk_act(hki_norm(hk_conv(x, 32, 3), values)); /* conv1     28 x 28 x  32 */
    x = hk_maxpool(x, 2, .padding = HK_VALID);       /*           14 x 14 x  32 */
    x = hki_norm(hk_conv(x, 64, 3), values);         /* conv2     14 x 14 x  64 */
    x = hk_act(x, .use = "prelu");
    x = hk_maxpool(x, 2, .padding = HK_VALID);         /*            7 x  7 x  64 */
    x = hk_act(hki_norm(hk_linear(x, 128), values));   /* fc1                 128 */
    return hk_linear(hki_dropout(x, values), classes); /* fc2                  10 */
}
