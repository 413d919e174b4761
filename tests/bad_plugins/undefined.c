/* Needs a function that nobody has. */
int nobody_has_this(void);
int something(void);
int something(void)
{
    return nobody_has_this();
}
