/* ResNet-20 for CIFAR: He, Zhang, Ren, Sun 2016, arXiv:1512.03385, section 4.2, table 6.
 * Departure: where the shape changes, the shortcut is a normalized 1 x 1 convolution (option B)
 * instead of zero padding (option A). */
#include "networks.h"

static hk_tensor *block(hk_tensor *x, int filters, int stride, hk_tensor *shortcut)
{
    x = hk_act(hk_norm(hk_conv(x, filters, 3, .stride = stride, .pad = 1)));
    x = hk_norm(hk_conv(x, filters, 3, .pad = 1));
    return hk_act(hk_add(x, shortcut));
}

/* Three blocks; the first one changes the shape. */
static hk_tensor *stage(hk_tensor *x, int filters, int stride)
{
    hk_tensor *projection = x;
    if (stride > 1)
        projection = hk_norm(hk_conv(x, filters, 1, .stride = stride, .padding = HK_VALID));
    x = block(x, filters, stride, projection);
    x = block(x, filters, 1, x);
    return block(x, filters, 1, x);
}

hk_tensor *hki_resnet20(hk_tensor *x, const hk_model_values *values, int classes)
{                                                /* input     32 x 32 x   3 */
    (void)values;
    x = hk_act(hk_norm(hk_conv(x, 16, 3)));      /*           32 x 32 x  16 */
    x = stage(x, 16, 1);                         /*           32 x 32 x  16 */
    x = stage(x, 32, 2);                         /*           16 x 16 x  32 */
    x = stage(x, 64, 2);                         /*            8 x  8 x  64 */
    x = hk_global_avgpool(x);                    /*                      64 */
    return hk_linear(x, classes);                /*                      10 */
}
