/* LeNet-5: LeCun, Bottou, Bengio, Haffner 1998, Proc. IEEE 86(11), figure 2.
 * Departures: 28 x 28 images padded by the first layer instead of 32 x 32; plain maximum pooling;
 * every map of C3 sees every map of S2 instead of table I; logits for softmax instead of radial
 * basis functions; the activation under test. */
#include "networks.h"

hk_tensor *hki_lenet5(hk_tensor *x, const hk_model_values *values, int classes)
{ /* input     28 x 28 x   1 */
    (void)values;
    x = hk_act(hk_conv(x, 6, 5));                       /* C1        28 x 28 x   6 */
    x = hk_maxpool(x, 2, .padding = HK_VALID);          /* S2        14 x 14 x   6 */
    x = hk_act(hk_conv(x, 16, 5, .padding = HK_VALID)); /* C3        10 x 10 x  16 */
    x = hk_maxpool(x, 2, .padding = HK_VALID);          /* S4         5 x  5 x  16 */
    x = hk_act(hk_linear(x, 120));                      /* C5                  120 */
    x = hk_act(hk_linear(x, 84));                       /* F6                   84 */
    return hk_linear(x, classes);                       /* output               10 */
}
