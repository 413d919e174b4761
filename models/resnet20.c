/* ResNet-20 for CIFAR: He, Zhang, Ren, Sun 2016, arXiv:1512.03385, section 4.2, table 6.
 * Departure: where the shape changes, the shortcut is a normalized 1 x 1 convolution (option B)
 * instead of zero padding (option A). dropout, which the paper has not: of the dense layer's input. */
#include "networks.h"

enum { BLOCKS = 9 };

/* How many blocks there are so far, and what the last one's rate of dropped samples is. */
typedef struct depth {
    int blocks;
    double drop_path;
} depth;

static hk_tensor *block(hk_tensor *x, int filters, int stride, hk_tensor *shortcut, depth *at)
{
    /* Deeper branches are missed more often: Huang et al. 2016, arXiv:1603.09382, equation 4. */
    double rate = at->drop_path * ++at->blocks / BLOCKS;
    x = hk_act(hk_norm(hk_conv(x, filters, 3, .stride = stride, .pad = 1)));
    x = hk_norm(hk_conv(x, filters, 3, .pad = 1));
    return hk_act(hk_add(rate > 0 ? hk_drop_path(x, rate) : x, shortcut));
}

/* Three blocks; the first one changes the shape. */
static hk_tensor *stage(hk_tensor *x, int filters, int stride, depth *at)
{
    hk_tensor *projection = x;
    if (stride > 1)
        projection = hk_norm(hk_conv(x, filters, 1, .stride = stride, .padding = HK_VALID));
    x = block(x, filters, stride, projection, at);
    x = block(x, filters, 1, x, at);
    return block(x, filters, 1, x, at);
}

hk_tensor *hki_resnet20(hk_tensor *x, const hk_model_values *values, int classes)
{ /* input     32 x 32 x   3 */
    depth at = {0, values->drop_path};
    x = hk_act(hk_norm(hk_conv(x, 16, 3))); /*           32 x 32 x  16 */
    x = stage(x, 16, 1, &at);               /*           32 x 32 x  16 */
    x = stage(x, 32, 2, &at);               /*           16 x 16 x  32 */
    x = stage(x, 64, 2, &at);               /*            8 x  8 x  64 */
    x = hk_global_avgpool(x);               /*                      64 */
    x = hki_dropout(x, values);
    return hk_linear(x, classes); /*                      10 */
}
