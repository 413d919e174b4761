#include <hillock/hillock.h>
#include <stdio.h>

int main(void)
{
    hk_data *train, *test;
    hk_epoch_report report;
    if (hk_data_open("glyphs", &train, &test))
        return fprintf(stderr, "%s\n", hk_message()), 1;

    hk_net *net = hk_net_new(.activation = "mish", .seed = 1);
    hk_tensor *x = hk_input(net, 28, 28, 1);      /* 28 x 28 x  1 */
    x = hk_maxpool(hk_act(hk_conv(x, 8, 5)), 2);  /* 14 x 14 x  8 */
    x = hk_maxpool(hk_act(hk_conv(x, 16, 5)), 2); /*  7 x  7 x 16 */
    x = hk_act(hk_linear(x, 64));                 /* 64           */
    x = hk_linear(x, 10);                         /* 10 logits    */

    if (hk_fit(x, &report, .train = train, .test = test, .epochs = 3, .optimizer = "adam:lr=0.002"))
        return fprintf(stderr, "%s\n", hk_message()), 1;
    printf("test accuracy %.1f %%\n", 100 * report.test.accuracy);

    hk_net_free(net);
    hk_data_free(train);
    hk_data_free(test);
    return 0;
}
