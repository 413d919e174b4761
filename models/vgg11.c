/* VGG-11 for 32 x 32 images: Simonyan, Zisserman 2015, arXiv:1409.1556, table 1, column A.
 * Departures: a normalization after every convolution; one dense layer instead of three. */
#include "networks.h"

static hk_tensor *unit(hk_tensor *x, int filters)
{
    return hk_act(hk_norm(hk_conv(x, filters, 3)));
}

static hk_tensor *pool(hk_tensor *x)
{
    return hk_maxpool(x, 2, .padding = HK_VALID);
}

hk_tensor *hki_vgg11(hk_tensor *x, const hk_model_values *values, int classes)
{ /* input     32 x 32 x   3 */
    (void)values;
    x = pool(unit(x, 64));             /*           16 x 16 x  64 */
    x = pool(unit(x, 128));            /*            8 x  8 x 128 */
    x = pool(unit(unit(x, 256), 256)); /*            4 x  4 x 256 */
    x = pool(unit(unit(x, 512), 512)); /*            2 x  2 x 512 */
    x = pool(unit(unit(x, 512), 512)); /*            1 x  1 x 512 */
    return hk_linear(x, classes);      /*                      10 */
}
