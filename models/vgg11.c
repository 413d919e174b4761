/* VGG-11 for 32 x 32 images: Simonyan, Zisserman 2015, arXiv:1409.1556, table 1, column A.
 * Departures: a normalization after every convolution unless norm=0; one dense layer instead of three,
 * so that the dropout of their inputs, which is 0.5 in section 3.1, is that of one. */
#include "networks.h"

static hk_tensor *unit(hk_tensor *x, int filters, const hk_model_values *values)
{
    return hk_act(hki_norm(hk_conv(x, filters, 3), values));
}

static hk_tensor *pool(hk_tensor *x)
{
    return hk_maxpool(x, 2, .padding = HK_VALID);
}

hk_tensor *hki_vgg11(hk_tensor *x, const hk_model_values *values, int classes)
{ /* input     32 x 32 x   3 */
    const hk_model_values *v = values;
    x = pool(unit(x, 64, v));                     /*           16 x 16 x  64 */
    x = pool(unit(x, 128, v));                    /*            8 x  8 x 128 */
    x = pool(unit(unit(x, 256, v), 256, v));      /*            4 x  4 x 256 */
    x = pool(unit(unit(x, 512, v), 512, v));      /*            2 x  2 x 512 */
    x = pool(unit(unit(x, 512, v), 512, v));      /*            1 x  1 x 512 */
    return hk_linear(hki_dropout(x, v), classes); /*                      10 */
}
