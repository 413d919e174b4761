/* The entry is shorter than a bundle. */
#include <hillock/plugin.h>

extern const uint32_t hk_bundle_entry[2];
const uint32_t hk_bundle_entry[2] = {HK_MAGIC, HK_ABI_MINOR << 16 | HK_ABI_MAJOR};
