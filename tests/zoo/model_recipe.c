/* recipes, "the recipe for "glyphs": no optimizer named "adm"": a recipe that nobody can follow */
#include "model.h"

static hk_tensor *build(hk_tensor *x, int classes, const double *p)
{
    (void)p;
    return hk_linear(x, classes);
}

HK_RECIPES({.data = "glyphs", .optimizer = "adm:lr=0.1"});
MODEL(.recipes = recipes);
