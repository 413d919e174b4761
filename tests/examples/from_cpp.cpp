// From C++: the functions behind the macros, with a struct of options.
#include <hillock/hillock.h>
#include <cstdio>
#include <cstring>
#include <vector>

static hk_tensor *conv(hk_tensor *x, int filters, int kernel)
{
    hk_conv_options o = {};
    o.x = x, o.filters = filters, o.kernel = kernel;
    return hk_conv_with(o);
}

static hk_tensor *norm(hk_tensor *x)
{
    hk_norm_options o = {};
    o.x = x;
    return hk_norm_with(o);
}

static hk_tensor *act(hk_tensor *x)
{
    hk_act_options o = {};
    o.x = x;
    return hk_act_with(o);
}

static hk_tensor *linear(hk_tensor *x, int units)
{
    hk_linear_options o = {};
    o.x = x, o.units = units;
    return hk_linear_with(o);
}

static int fail()
{
    return std::fprintf(stderr, "%s\n", hk_message()), 1;
}

int main()
{
    const int batch = 8;
    hk_net_options choices = {};
    choices.activation = "mish";
    hk_net *net = hk_net_create(choices);
    hk_tensor *x = hk_input(net, 8, 8, 1), *labels = hk_labels(net);
    hk_tensor *logits = linear(hk_global_avgpool(act(norm(conv(x, 4, 3)))), 2);

    hk_plan_options wanted = {};
    wanted.batch = batch, wanted.training = 1;
    wanted.loss = hk_cross_entropy(logits, labels, 0);
    hk_plan *plan = nullptr;
    hk_optimizer *optimizer = nullptr;
    if (hk_plan_new(net, &wanted, &plan) || hk_optimizer_new(net, "sgd:lr=0.1", &optimizer))
        return fail();

    std::vector<float> images(batch * 64), classes(batch);
    for (std::size_t i = 0; i < images.size(); i++)
        images[i] = static_cast<float>((i * 7 + i / 64) % 11) / 11 + static_cast<float>(i / 64 % 2);
    for (std::size_t i = 0; i < classes.size(); i++)
        classes[i] = static_cast<float>(i % 2);
    std::memcpy(hk_plan_value(plan, x), images.data(), images.size() * sizeof(float));
    std::memcpy(hk_plan_value(plan, labels), classes.data(), classes.size() * sizeof(float));

    float first = 0, last = 0;
    for (int step = 0; step < 20; step++) {
        if (hk_plan_forward(plan, batch) || hk_plan_backward(plan))
            return fail();
        last = *hk_plan_value(plan, wanted.loss);
        first = step ? first : last;
        hk_optimizer_step(optimizer, plan, 1, 0);
    }
    std::printf("Hillock %s: loss %.3f, after 20 steps %.3f\n", hk_version(),
                static_cast<double>(first), static_cast<double>(last));
    hk_optimizer_free(optimizer);
    hk_plan_free(plan);
    hk_net_free(net);
    return last < first ? 0 : 1;
}
