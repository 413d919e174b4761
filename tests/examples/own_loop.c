#include <hillock/hillock.h>
#include <stdio.h>

/* Fits y = sin(3 x) on [-1, 1] with a loss and a loop of one's own. */
int main(void)
{
    hk_net *net = hk_net_new(.activation = "tanh", .initializer = "lecun_normal", .seed = 1);
    hk_tensor *x = hk_input(net, 1), *target = hk_input(net, 1);
    hk_tensor *y = hk_linear(hk_act(hk_linear(hk_act(hk_linear(x, 32)), 32)), 1);

    /* mean of e^2 / (1 + e^2): large errors count no more than 1 */
    const float one = 1;
    hk_tensor *square = hk_pow(hk_sub(y, target), 2);
    hk_tensor *loss =
        hk_mean(hk_div(square, hk_add(square, hk_constant(net, HK_SHAPE(1), &one))), HK_ALL_AXES);

    hk_plan *plan = NULL;
    hk_optimizer *optimizer = NULL;
    if (!loss || hk_optimizer_new(net, "adam:lr=0.01", &optimizer) ||
        hk_plan_new(net, &(hk_plan_options){.batch = 64, .training = 1, .loss = loss}, &plan))
        return fprintf(stderr, "%s\n", hk_message()), 1;

    for (int step = 0; step < 500; step++) {
        for (int i = 0; i < 64; i++) {
            float v = (float)(2 * i - 63) / 63;
            hk_plan_value(plan, x)[i] = v;
            /* sin(3 v) by its first terms */
            float u = 3 * v, s = u * u;
            hk_plan_value(plan, target)[i] =
                u * (1 - s / 6 * (1 - s / 20 * (1 - s / 42 * (1 - s / 72 * (1 - s / 110)))));
        }
        hk_plan_forward(plan, 64);
        hk_plan_backward(plan);
        hk_optimizer_step(optimizer, plan, 1, 0);
    }
    printf("loss %.5f\n", (double)*hk_plan_value(plan, loss));
    hk_plan_free(plan);
    hk_optimizer_free(optimizer);
    hk_net_free(net);
    return 0;
}
