/* LeNet-5: LeCun, Bottou, Bengio, Haffner 1998, Proc. IEEE 86(11), figure 2.
 * Departures: 28 x 28 images padded by the first layer instead of 32 x 32; plain maximum pooling;
 * every map of C3 sees every map of S2 instead of table I; logits for softmax instead of radial
 * basis functions; the activation under test.
 * norm: before each activation; dropout: of C5 and F6. The paper, older than both, has neither. */
#include "networks.h"

static hk_tensor *unit(hk_tensor *x, const hk_model_values *values)
{
    return hk_act(hki_norm(x, values));
}

hk_tensor *hki_lenet5(hk_tensor *x, const hk_model_values *values, int classes)
{                                                             /* input     28 x 28 x   1 */
    x = unit(hk_conv(x, 6, 5), values);                       /* C1        28 x 28 x   6 */
    x = hk_maxpool(x, 2, .padding = HK_VALID);                /* S2        14 x 14 x   6 */
    x = unit(hk_conv(x, 16, 5, .padding = HK_VALID), values); /* C3        10 x 10 x  16 */
    x = hk_maxpool(x, 2, .padding = HK_VALID);                /* S4         5 x  5 x  16 */
    x = unit(hk_linear(x, 120), values);                      /* C5                  120 */
    x = hki_dropout(x, values);
    x = unit(hk_linear(x, 84), values); /* F6                   84 */
    x = hki_dropout(x, values);
    return hk_linear(x, classes); /* output               10 */
}
