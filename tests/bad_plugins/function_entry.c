/* The entry is a function, as in older designs; it must not be called. */
void hk_bundle_entry(void);
void hk_bundle_entry(void)
{
    __builtin_trap();
}
