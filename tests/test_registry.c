/* Loading: every broken file is refused with its sentence, every sound one is found. */
#include "plugin/loader.h"

#include <fenv.h>
#include <pthread.h>
#include "check.h"
#include "bad_plugins/build.h"

/* The file is refused, with this sentence, and leaves nothing behind. */
static void refused(const char *path, const char *sentence)
{
    size_t live = hki_live_blocks();
    CHECK(path != NULL);
    if (!path)
        return;
    CHECK_EQUAL(hk_plugin_load(path), HK_BAD_PLUGIN);
    CHECK_CONTAINS(hk_message(), "plugin \"");
    CHECK_CONTAINS(hk_message(), path);
    CHECK_CONTAINS(hk_message(), sentence);
    CHECK_EQUAL(hki_live_blocks(), live);
}

static void copy_file(const char *from, const char *to, size_t bytes)
{
    char command[1200];
    snprintf(command, sizeof command, "head -c %zu '%s' > '%s'", bytes, from, to);
    CHECK(system(command) == 0);
}

static void patch_file(const char *path, long place, unsigned char value)
{
    FILE *file = fopen(path, "r+b");
    CHECK(file && fseek(file, place, SEEK_SET) == 0 && fputc(value, file) == value);
    if (file)
        fclose(file);
}

static long size_of(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 ? (long)about.st_size : -1;
}

/* ---- Sound files ----------------------------------------------------------------------------- */

static void loads_by_path(void)
{
    const hk_plugin *half = NULL, *again = NULL;
    const char *path = build("half", "half.c", "-DFAULT=',.aliases=\"halve,by_two\"'");
    CHECK(path != NULL);
    CHECK_EQUAL(hk_plugin_load(path), HK_OK);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "half", &half), HK_OK);
    CHECK(half && half->activation);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "by_two", &again), HK_OK);
    CHECK(again == half);
    CHECK_CONTAINS(hk_plugin_describe(half).file, "/half.so");
    CHECK(hk_plugin_describe(half).warning == NULL);
    CHECK(hki_slot_count(half) == 2);
    CHECK(hki_forward(half) && hki_backward(half));
}

static void same_file_twice_is_one(void)
{
    size_t live = hki_live_blocks();
    CHECK(symlink(path_of("half.so"), path_of("link.so")) == 0);
    CHECK(link(path_of("half.so"), path_of("hard.so")) == 0);
    CHECK_EQUAL(hk_plugin_load(path_of("half.so")), HK_OK);
    CHECK_EQUAL(hk_plugin_load(path_of("link.so")), HK_OK);
    CHECK_EQUAL(hk_plugin_load(path_of("hard.so")), HK_OK);
    CHECK_EQUAL(hki_live_blocks(), live);
    unlink(path_of("link.so"));
    unlink(path_of("hard.so"));
}

static void constructor_is_fine(void)
{
    char source[1024];
    snprintf(source, sizeof source, "-DNAME='\"built\"' '%s/bad_plugins/constructor.c'",
             HILLOCK_TESTS_DIR);
    CHECK_EQUAL(hk_plugin_load(build("built", "half.c", source)), HK_OK);
}

/* One bad plugin does not remove the others; finding it says why it is not there. */
static void bundle_keeps_the_good(void)
{
    const hk_plugin *found = NULL;
    CHECK_EQUAL(hk_plugin_load(build("bundle", "bundle.c", "")), HK_OK);
    CHECK_CONTAINS(hk_message(), "\"bundle_bad\" lacks fill() (P10)");
    CHECK_EQUAL(hk_plugin_find(HK_INITIALIZER, "bundle_last", &found), HK_OK);
    CHECK_CONTAINS(hk_plugin_describe(found).warning, "\"bundle_bad\" lacks fill() (P10)");
    CHECK_EQUAL(hk_plugin_find(HK_INITIALIZER, "nothing", &found), HK_OK);
    CHECK_TEXT(found->name, "bundle");
    CHECK_EQUAL(hk_plugin_find(HK_INITIALIZER, "bundle_bad", &found), HK_UNKNOWN_NAME);
    CHECK(found == NULL);
}

/* ---- Broken files ---------------------------------------------------------------------------- */

static void missing_files(void)
{
    refused(path_of("absent.so"), "not found: No such file or directory (P01)");
    CHECK_EQUAL(hk_plugin_load("half.so"), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "write \"./half.so\"");
    CHECK_EQUAL(hk_plugin_load(NULL), HK_BAD_ARGUMENT);
    refused(built_in, "is not a regular file (P03)");
    CHECK(mkfifo(path_of("fifo.so"), 0600) == 0);
    refused(path_of("fifo.so"), "is not a regular file (P03)");
    unlink(path_of("fifo.so"));
}

static void files_that_are_no_plugins(void)
{
    FILE *text = fopen(path_of("text.so"), "w");
    CHECK(text && fprintf(text, "%0200d\n", 1) > 0);
    if (text)
        fclose(text);
    refused(path_of("text.so"), "is not a shared object (P03)");
    CHECK_EQUAL(hk_plugin_load("/proc/self/mem"),
                HK_IO); /* a regular file whose first byte fails */
    CHECK_CONTAINS(hk_message(), "cannot be read: Input/output error");
    copy_file("/proc/self/exe", path_of("empty.so"), 0);
    refused(path_of("empty.so"), "it has only 0 bytes (P03)");
    refused(build("no_entry", "no_entry.c", ""), "exports no hk_bundle_entry");
    refused(build("function_entry", "function_entry.c", ""), "is a function");
    refused(build("small_entry", "small_entry.c", ""),
            "hk_bundle_entry has 8 bytes, 32 are wanted");
    refused(build("undefined", "undefined.c", ""), "cannot be loaded: ");
    CHECK_CONTAINS(hk_message(), "nobody_has_this (P04)");
    refused(build("object", "half.c", "-c -r"), "(P03)");
}

static void other_machines(void)
{
    copy_file(path_of("half.so"), path_of("machine.so"), (size_t)size_of(path_of("half.so")));
    patch_file(path_of("machine.so"), 18, 243);
    patch_file(path_of("machine.so"), 19, 0);
    refused(path_of("machine.so"), "is for riscv (243), this hillock is for ");
    patch_file(path_of("machine.so"), 4, 1);
    refused(path_of("machine.so"), "is for 32-bit programs");
}

/* No prefix may reach the system's loader, which would die of the missing pages. */
static void truncated_files(void)
{
    long whole = size_of(path_of("half.so"));
    int refusals = 0, others = 0;
    for (long bytes = 0; bytes < whole; bytes += 509) {
        copy_file(path_of("half.so"), path_of("cut.so"), (size_t)bytes);
        hk_status status = hk_plugin_load(path_of("cut.so"));
        const char *why = hk_message();
        if (status == HK_BAD_PLUGIN && (strstr(why, "truncated") || strstr(why, "bytes (P03)")))
            refusals++;
        else if (!strstr(why, "(P14)")) /* only the unused section headers are missing */
            others++;
    }
    CHECK(refusals > 10);
    CHECK_EQUAL(others, 0);
}

static void wrong_entries(void)
{
    refused(build("magic", "half.c", "-DENTRY=',.magic=1'"), "lacks the HKLP mark (P08)");
    refused(build("major", "half.c", "-DENTRY=',.major=7'"),
            "is built for plugin ABI 7.0, this hillock has ABI 1.0;");
    refused(build("minor", "half.c", "-DENTRY=',.minor=1'"),
            "needs plugin ABI 1.1, this hillock has ABI 1.0;");
    refused(build("news", "half.c", "-DENTRY=',.minor=1,.needs=\"hk_tile.mask\"'"),
            "needs plugin ABI 1.1, for hk_tile.mask, this hillock has ABI 1.0;");
    refused(build("later", "half.c", "-DPARAM=',.later={1}'"),
            "with a field that this hillock does not know (P11)");
    refused(build("later_slot", "half.c", "-DSLOT=',.later={0,1}'"),
            "with a field that this hillock does not know (P11)");
    refused(build("size", "half.c", "-DENTRY=',.size=40'"), "has plugin tables of 40 bytes, ");
    refused(build("none", "half.c", "-DENTRY=',.count=0'"), "lists 0 plugins, 1 to 256");
    refused(build("null", "half.c", "-DENTRY=',.plugins=0'"), "lists 0 plugins, 1 to 256");
    refused(build("crowd", "half.c", "-DENTRY=',.count=999999'"), "lists 999999 plugins");
    refused(build("nowhere", "half.c", "-DENTRY=',.plugins=(void*)4096'"),
            "its list of plugins cannot be read");
}

static void wrong_tables(void)
{
    static const struct {
        const char *fault, *sentence;
    } cases[] = {
        {"-DNAME='\"9lives\"'", "\"9lives\" is no valid name (a letter, then at most 31 of"},
        {"-DNAME='\"Half\"'", "\"Half\" is no valid name"},
        {"-DNAME='\"abcdefghijklmnopqrstuvwxyz0123456\"'", "is no valid name"},
        {"-DNAME=0", "\"\" is no valid name"},
        {"-DFAULT=',.aliases=\"a,b/c\"'", "has the alias \"b/c\", which is no valid name (P13)"},
        {"-DFAULT=',.tags=\"core,@b\"'", "has the tag \"@b\", which is no valid name (P13)"},
        {"-DFAULT=',.kind=9'", "has kind 9, which is unknown here (P12)"},
        {"-DFAULT=',.size=16'", "has a table of 16 bytes, "},
        {"-DFAULT=',.activation=0'", "lacks the table of an activation (P10)"},
        {"-DFAULT=',.initializer=(void*)slots'", "also has the table of an initializer (P10)"},
        {"-DACT=',.kernels={{forward,0}}'", "has no base kernel backward (P10)"},
        {"-DACT=',.kernels={{0,backward},{forward,0}}'", "has no base kernel forward (P10)"},
        {"-DACT=',.traits=64'", "requires traits 0x40 that this hillock does not know (P11)"},
        {"-DACT=',.reads=8'", "reads 0x8, which"},
        {"-DACT=',.slope=0'", "has value() without slope()"},
        {"-DPARAM=',.value=2'", "has a default 2 of parameter \"extra\" outside [0, 1] (P15)"},
        {"-DPARAM=',.value=0,.flags=HK_LOW_OPEN'", "outside (0, 1] (P15)"},
        {"-DPARAM=',.low=2'", "\"extra\" whose range is contradictory"},
        {"-DPARAM=',.low=0.0/0.0'", "\"extra\" whose range is contradictory"},
        {"-DPARAM=',.value=1e999,.low=0,.high=0'", "has a default inf of parameter \"extra\""},
        {"-DPARAM=',.type=HK_INTEGER'", "has a default 0.5 of parameter \"extra\""},
        {"-DPARAM=',.type=HK_CHOICE'", "\"extra\" without choices"},
        {"-DPARAM=',.type=HK_CHOICE,.choices=\"a||b\",.value=1'", "are not first|second"},
        {"-DPARAM=',.type=HK_CHOICE,.choices=\"a|b\",.value=2'", "\"extra\", which has 2 choices"},
        {"-DPARAM=',.type=17'", "\"extra\" of unknown type 17"},
        {"-DPARAM=',.name=\"a b\"'", "has a parameter \"a b\", which is no valid name"},
        {"-DPARAM=',.name=\"steps\"'", "has two parameters \"steps\""},
        {"-DPARAM='},{ROW_OF_PARAM,.name=\"p6\"},{ROW_OF_PARAM,.name=\"p7\"},"
         "{ROW_OF_PARAM,.name=\"p8\"},{ROW_OF_PARAM,.name=\"p9\"'",
         "has more than 8 parameters"},
        {"-DSLOT=',.role=3'", "has a slot \"more\" of unknown role 3"},
        {"-DSLOT=',.extent=9'", "has a slot \"more\" of unknown extent 9"},
        {"-DSLOT=',.extent=HK_PER_ROW'", "has a slot \"more\" per row"},
        {"-DSLOT=',.extent=HK_FIXED'", "has a slot \"more\" of 0 floats, 1 to 1024"},
        {"-DSLOT=',.flags=2'", "has a slot \"more\" with unknown flags 0x2"},
        {"-DSLOT=',.value=3,.high=1'", "has a slot \"more\" that starts at 3, outside [0, 1]"},
        {"-DSLOT=',.name=\"offset\"'", "has two slots \"offset\""},
        {"-DSLOT=',.name=\"A\"'", "has a slot \"A\", which is no valid name"},
        {"-DSLOT=',.low=2,.high=1,.value=1.5'", "has a slot \"more\" that starts at 1.5"},
        {"-DSLOT=',.name=\"steps\"'", "has a parameter and a slot \"steps\""},
        {"-DPARAM=',.type=HK_CHOICE,.choices=\"a|b|a\",.value=1'", "the choice \"a\" twice"},
        {"-DFAULT=',.aliases=\"half\"'", "has the alias \"half\" twice, or as its name"},
        {"-DFAULT=',.aliases=\"b,c,b\"'", "has the alias \"b\" twice, or as its name"},
        {"-DACT=',.n_sums=-1'", "has n_sums of 4294967295, at most 1024"},
        {"-DACT=',.aux_floats=1025'", "has aux_floats of 1025, at most 1024"},
        {"-DFAULT=',.summary=\"\\xC3(\"'", "its summary is not UTF-8 (P13)"},
        {"-DFAULT=',.summary=\"\\xED\\xA0\\x80\"'", "its summary is not UTF-8 (P13)"},
        {"-DFAULT=',.source=(char*)8'", "its source cannot be read: its address is none (P13)"},
        {"-DFAULT=',.name=(char*)-1l'", "its name cannot be read"},
        {"-DFAULT=',.activation=(void*)4096'", "its table of an activation cannot be read"},
        {"-DFAULT=',.params=(void*)4096'", "its table of parameters cannot be read"},
        {"-DFAULT=',.slots=(void*)4096'", "its table of slots cannot be read"},
        {"-DPARAM=',.doc=(char*)8'", "its parameter\047s doc cannot be read"},
        {"-DSLOT=',.name=(char*)8'", "its slot\047s name cannot be read"},
        {"-DACT=',.channels_out=(void*)4096'",
         "\"half\" has a function at an address that is none"},
        {"-DFAULT=',.start=(void*)4096'", "\"half\" has a function at an address that is none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[32];
        snprintf(name, sizeof name, "table%zu", i);
        refused(build(name, "half.c", cases[i].fault), cases[i].sentence);
    }
}

static void wrong_normalizations(void)
{
    static const struct {
        const char *fault, *sentence;
    } cases[] = {
        {",.domain=0", "lacks domain() (P10)"},
        {",.gradient=0", "lacks gradient() (P10)"},
        {",.coefficients=0", "lacks coefficients() (P10)"},
        {",.n_coef=1", "n_coef is below 2 (P10)"},
        {",.coefficients=0,.gradient=0", "has neither coefficients() and gradient() nor base"},
        {",.kernels={{(hk_block*)domain,0}}", "has no base kernel backward (P10)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char name[32], arguments[256];
        snprintf(name, sizeof name, "norm%zu", i);
        snprintf(arguments, sizeof arguments, "-DNAME='\"norm\"' -DFAULT='%s'", cases[i].fault);
        refused(build(name, "normalization.c", arguments), cases[i].sentence);
    }
    CHECK_EQUAL(hk_plugin_load(build("norm", "normalization.c", "-DNAME='\"norm\"' -DFAULT=")),
                HK_OK);
}

static void taken_names(void)
{
    const hk_plugin *half, *after;
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "half", &half), HK_OK);
    refused(build("second", "half.c", ""), "activation \"half\" already comes from ");
    refused(build("third", "half.c", "-DNAME='\"third\"' -DFAULT=',.aliases=\"x1,halve\"'"),
            "activation \"halve\" already comes from ");
    CHECK_CONTAINS(hk_message(), "/half.so; rename it (P14)");
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "half", &after), HK_OK);
    CHECK(after == half);
    /* Another kind is another name space. */
    CHECK_EQUAL(hk_plugin_load(build("other", "normalization.c", "-DNAME='\"half\"' -DFAULT=")),
                HK_OK);
}

static void foreign_entries(void)
{
    char arguments[600];
    CHECK(build("lender", "half.c", "-DNAME='\"lender\"'") != NULL);
    snprintf(arguments, sizeof arguments, "-Wl,--no-as-needed '%s'", path_of("lender.so"));
    refused(build("borrower", "no_entry.c", arguments), "its hk_bundle_entry belongs to another");
    CHECK_CONTAINS(hk_message(), "lender.so (P08)");
}

static void brings_openmp(void)
{
    const char *path = build("parallel", "half.c",
                             "-DNAME='\"parallel\"' -fopenmp "
                             "-Wl,--no-as-needed -fopenmp");
    if (!path)
        SKIP("this compiler has no OpenMP");
    refused(path, "brings an OpenMP runtime, lib");
    CHECK_CONTAINS(hk_message(), "(P16)");
}

/* ---- The floating-point mode ----------------------------------------------------------------- */

static void flush_to_zero_is_refused(void)
{
    char source[1024];
    snprintf(source, sizeof source, "-DNAME='\"fast\"' -DFLUSH '%s/bad_plugins/constructor.c'",
             HILLOCK_TESTS_DIR);
    const char *path = build("fast", "half.c", source);
    if (!HK_FLUSH_DENORMALS)
        SKIP("this processor's floating-point mode is not known");
    uint32_t before = hk_float_mode();
    for (int turn = 0; turn < 2; turn++) { /* it is not forgotten the second time */
        refused(path, "changed the floating-point mode while loading (");
        CHECK_CONTAINS(hk_message(), "build it without -ffast-math and -Ofast (P05)");
        CHECK_EQUAL(hk_float_mode(), before);
    }
    volatile float tiny = 0x1p-126f;
    CHECK(tiny / 2 > 0);
}

static void rounding_is_refused(void)
{
    char arguments[1024];
    snprintf(arguments, sizeof arguments,
             "-DNAME='\"rounding\"' -DROUND_UP '%s/bad_plugins/constructor.c' -lm",
             HILLOCK_TESTS_DIR);
    refused(build("rounding", "half.c", arguments), "(P05)");
    CHECK_EQUAL(fegetround(), FE_TONEAREST);
}

/* ---- Directories ----------------------------------------------------------------------------- */

static void names_are_found_in_the_path(void)
{
    const hk_plugin *found = NULL;
    char twice[1200];
    CHECK(mkdir(path_of("one"), 0755) == 0 && mkdir(path_of("two"), 0755) == 0);
    CHECK(build("one/searched", "half.c", "-DNAME='\"searched\"'") != NULL);
    setenv("HILLOCK_PLUGIN_PATH", path_of("two"), 1);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "searched", &found), HK_UNKNOWN_NAME);
    snprintf(twice, sizeof twice, "%s::/does/not/exist:%s:%s", path_of("two"), path_of("one"),
             path_of("one"));
    setenv("HILLOCK_PLUGIN_PATH", twice, 1);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "searched", &found), HK_OK);
    CHECK(found && hk_plugin_describe(found).warning == NULL);
}

static void aliases_are_found_in_the_path(void)
{
    const hk_plugin *found = NULL;
    CHECK(build("one/long_name", "half.c",
                "-DNAME='\"long_name\"' -DFAULT=',.aliases=\"short_name\"'") != NULL);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "short_name", &found), HK_OK);
    CHECK_TEXT(found ? found->name : "", "long_name");
}

static void two_files_of_one_name(void)
{
    const hk_plugin *found = NULL;
    CHECK(build("one/rival", "half.c", "-DNAME='\"rival\"'") != NULL);
    CHECK(build("two/rival", "half.c", "-DNAME='\"rival\"'") != NULL);
    for (int turn = 0; turn < 2; turn++) {
        CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "rival", &found), HK_BAD_PLUGIN);
        CHECK_CONTAINS(hk_message(), "\"rival\" already comes from ");
    }
    unlink(path_of("two/rival.so"));
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "rival", &found), HK_OK);
}

static void broken_file_of_a_name(void)
{
    const hk_plugin *found = NULL;
    CHECK(build("one/broken", "half.c", "-DNAME='\"broken\"' -DENTRY=',.major=7'") != NULL);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "broken", &found), HK_BAD_PLUGIN);
    CHECK_CONTAINS(hk_message(), "plugin ABI 7.0");
    /* Rebuilt, it is loaded: failures are not kept. */
    CHECK(build("one/broken", "half.c", "-DNAME='\"broken\"'") != NULL);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "broken", &found), HK_OK);
    /* The file is sound but for the plugin that is asked for. */
    CHECK(symlink(path_of("bundle.so"), path_of("one/bundle_bad.so")) == 0);
    CHECK_EQUAL(hk_plugin_find(HK_INITIALIZER, "bundle_bad", &found), HK_BAD_PLUGIN);
    CHECK_CONTAINS(hk_message(), "\"bundle_bad\" lacks fill() (P10)");
    unlink(path_of("one/bundle_bad.so"));
}

static void relative_entries_are_refused(void)
{
    const hk_plugin *found;
    char before[1200];
    snprintf(before, sizeof before, "%s", getenv("HILLOCK_PLUGIN_PATH"));
    setenv("HILLOCK_PLUGIN_PATH", "plugins", 1);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "unheard", &found), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "takes absolute directories only, not \"plugins\"");
    setenv("HILLOCK_PLUGIN_PATH", before, 1);
}

static void current_directory_is_not_searched(void)
{
    const hk_plugin *found;
    char before[1024];
    CHECK(build("local", "half.c", "-DNAME='\"local\"'") != NULL);
    CHECK(getcwd(before, sizeof before) && chdir(built_in) == 0);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "local", &found), HK_UNKNOWN_NAME);
    CHECK_EQUAL(hk_plugin_load("./local.so"), HK_OK);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "local", &found), HK_OK);
    CHECK(hk_plugin_describe(found).file[0] == '/');
    CHECK(chdir(before) == 0);
}

static void user_directory_is_searched(void)
{
    const hk_plugin *found;
    char command[1200];
    snprintf(command, sizeof command, "mkdir -p '%s/data/hillock/plugins-1'", built_in);
    CHECK(system(command) == 0);
    CHECK(build("data/hillock/plugins-1/mine", "half.c", "-DNAME='\"mine\"'") != NULL);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "mine", &found), HK_OK);
}

/* ---- Trust ----------------------------------------------------------------------------------- */

static void others_must_not_write(void)
{
    const hk_plugin *found;
    CHECK(build("one/open", "half.c", "-DNAME='\"open\"'") != NULL);
    CHECK(chmod(path_of("one/open.so"), 0666) == 0);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "open", &found), HK_BAD_PLUGIN);
    CHECK_CONTAINS(hk_message(), "is writable by any other user; fix it with \"chmod o-w ");
    CHECK(chmod(path_of("one/open.so"), 0644) == 0 && chmod(path_of("one"), 0777) == 0);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "open", &found), HK_BAD_PLUGIN);
    CHECK_CONTAINS(hk_message(), "/one\" (P02)");
    CHECK(chmod(path_of("one"), 01777) == 0);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "open", &found), HK_OK);
    CHECK(chmod(path_of("one"), 0755) == 0);
}

static void links_do_not_help(void)
{
    const hk_plugin *found;
    CHECK(mkdir(path_of("wide"), 0755) == 0 && chmod(path_of("wide"), 0777) == 0);
    CHECK(build("wide/linked", "half.c", "-DNAME='\"linked\"'") != NULL);
    CHECK(symlink(path_of("wide/linked.so"), path_of("one/linked.so")) == 0);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "linked", &found), HK_BAD_PLUGIN);
    CHECK_CONTAINS(hk_message(), "/wide\" is writable by any other user");
}

static void third_users_are_refused(void)
{
    const hk_plugin *found;
    if (geteuid() != 0)
        SKIP("only root can give files away");
    CHECK(build("one/foreign", "half.c", "-DNAME='\"foreign\"'") != NULL);
    CHECK(chown(path_of("one/foreign.so"), 12345, 12345) == 0);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "foreign", &found), HK_BAD_PLUGIN);
    CHECK_CONTAINS(hk_message(), "belongs to another user (12345) (P02)");
    unlink(path_of("one/foreign.so"));
}

static void typed_paths_only_warn(void)
{
    const hk_plugin *found;
    CHECK_EQUAL(hk_plugin_load(path_of("wide/linked.so")), HK_OK);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "linked", &found), HK_OK);
    CHECK_CONTAINS(hk_plugin_describe(found).warning, "is writable by any other user");
}

/* ---- Finding and listing --------------------------------------------------------------------- */

static void unknown_names_list_the_known(void)
{
    const hk_plugin *found = NULL;
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "hafl", &found), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "no activation named \"hafl\"; did you mean \"half\"? known: ");
    CHECK_CONTAINS(hk_message(), "half, ");
    CHECK_EQUAL(hk_plugin_find(HK_INITIALIZER, "completely_else", &found), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "no initializer named \"completely_else\"; known: ");
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "bundle_last", &found), HK_BAD_ARGUMENT);
    CHECK_TEXT(hk_message(), "\"bundle_last\" is an initializer, an activation is wanted here");
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "wave.so", &found), HK_UNKNOWN_NAME);
    CHECK_CONTAINS(hk_message(), "a file has a slash: ./wave.so");
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "../half", &found), HK_UNKNOWN_NAME);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, NULL, &found), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_plugin_find((hk_kind)9, "half", &found), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_plugin_find(HK_ACTIVATION, "half", NULL), HK_BAD_ARGUMENT);
}

typedef struct seen {
    int count, sorted, bad;
    char last[64], reasons[4096];
} seen;

static void see(const hk_plugin_info *info, void *user)
{
    seen *so_far = user;
    so_far->sorted &= strcmp(so_far->last, info->plugin->name) < 0;
    so_far->sorted &= hk_plugin_describe(info->plugin).file == info->file; /* no lock is held */
    snprintf(so_far->last, sizeof so_far->last, "%s", info->plugin->name);
    so_far->count++;
}

static void hear(const char *file, const char *reason, void *user)
{
    seen *so_far = user;
    size_t used = strlen(so_far->reasons);
    so_far->bad++;
    snprintf(so_far->reasons + used, sizeof so_far->reasons - used, "%s: %s\n", file, reason);
}

static void lists_everything(void)
{
    seen all = {.sorted = 1}, some = {.sorted = 1};
    char path[1200];
    snprintf(path, sizeof path, "relative:%s", path_of("one"));
    setenv("HILLOCK_PLUGIN_PATH", path, 1);
    CHECK(build("one/unusable", "no_entry.c", "") != NULL);
    CHECK_EQUAL(hk_plugin_each(HK_ACTIVATION, see, hear, &all), HK_OK);
    CHECK(all.count >= 7);
    CHECK(all.sorted);
    CHECK_CONTAINS(all.reasons, "relative: HILLOCK_PLUGIN_PATH takes absolute directories only");
    CHECK_CONTAINS(all.reasons, "/one/unusable.so: plugin \"");
    CHECK_EQUAL(hk_plugin_each(HK_INITIALIZER, see, NULL, &some), HK_OK);
    CHECK(some.count >= 2 && some.sorted);
    CHECK_EQUAL(hk_plugin_each(HK_INITIALIZER, NULL, NULL, NULL), HK_BAD_ARGUMENT);
    unlink(path_of("one/unusable.so"));
    setenv("HILLOCK_PLUGIN_PATH", path_of("one"), 1);
}

/* ---- Threads --------------------------------------------------------------------------------- */

static void *find_many(void *user)
{
    const hk_plugin **found = user;
    for (int turn = 0; turn < 20; turn++)
        if (hk_plugin_find(HK_ACTIVATION, "shared", &found[0]) != HK_OK ||
            hk_plugin_find(HK_ACTIVATION, "half", &found[1]) != HK_OK)
            break;
    return NULL;
}

static void threads_find_the_same(void)
{
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    const hk_plugin *found[THREADS][2] = {{NULL}};
    CHECK(build("one/shared", "half.c", "-DNAME='\"shared\"'") != NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, find_many, found[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < THREADS; i++)
        CHECK(found[i][0] && found[i][0] == found[0][0] && found[i][1] == found[0][1]);
}

/* ---- Refused memory -------------------------------------------------------------------------- */

static int allowed; /* allocations until memory is refused */

static void *counted_allocate(void *user, size_t bytes)
{
    (void)user;
    return allowed-- > 0 ? aligned_alloc(64, (bytes + 63) / 64 * 64) : NULL;
}

static void counted_release(void *user, void *block)
{
    (void)user;
    free(block);
}

/* Lets every allocation of an operation fail once; its last status. */
static hk_status with_refusals(hk_status (*operation)(void))
{
    const hk_allocator counted = {counted_allocate, counted_release, NULL};
    hk_status status = HK_NO_MEMORY;
    int refusals = 0;
    for (; status == HK_NO_MEMORY && refusals < 1000; refusals++) {
        size_t live = hki_live_blocks();
        hk_set_allocator(&counted);
        allowed = refusals;
        status = operation();
        hk_set_allocator(NULL);
        if (status == HK_NO_MEMORY) {
            CHECK_EQUAL(hki_live_blocks(), live);
            CHECK_CONTAINS(hk_message(), "out of memory");
        }
    }
    CHECK(refusals > 1);
    return status;
}

static const char *subject;

static hk_status load_subject(void)
{
    return hk_plugin_load(subject);
}

static hk_status find_unknown(void)
{
    const hk_plugin *found;
    return hk_plugin_find(HK_ACTIVATION, "unheard", &found);
}

static hk_status find_subject(void)
{
    const hk_plugin *found;
    return hk_plugin_find(HK_ACTIVATION, subject, &found);
}

static hk_status list_all(void)
{
    seen all = {.sorted = 1};
    return hk_plugin_each(0, see, NULL, &all);
}

static void refused_memory_is_a_status(void)
{
    char path[512];
    snprintf(path, sizeof path, "%s", build("scarce", "bundle.c", ""));
    subject = path; /* all names are taken: refused after everything was allocated */
    CHECK_EQUAL(with_refusals(load_subject), HK_BAD_PLUGIN);
    snprintf(path, sizeof path, "%s", build("scarcer", "half.c", "-DNAME='\"scarcer\"'"));
    CHECK(chmod(built_in, 0777) == 0);
    CHECK_EQUAL(with_refusals(load_subject), HK_OK); /* with a warning */
    CHECK(chmod(built_in, 0700) == 0);
    CHECK(build("one/scarcest", "half.c", "-DNAME='\"scarcest\"'") != NULL);
    subject = "scarcest";
    CHECK_EQUAL(with_refusals(find_subject), HK_OK);
    CHECK_EQUAL(with_refusals(find_unknown), HK_UNKNOWN_NAME);
    CHECK_EQUAL(with_refusals(list_all), HK_OK);
}

int main(void)
{
    if (!begin_builds())
        return 1;
    umask(022);
    setenv("XDG_DATA_HOME", path_of("data"), 1);
    unsetenv("HILLOCK_PLUGIN_PATH");
    RUN(loads_by_path);
    RUN(same_file_twice_is_one);
    RUN(constructor_is_fine);
    RUN(bundle_keeps_the_good);
    RUN(missing_files);
    RUN(files_that_are_no_plugins);
    RUN(other_machines);
    RUN(truncated_files);
    RUN(wrong_entries);
    RUN(wrong_tables);
    RUN(wrong_normalizations);
    RUN(taken_names);
    RUN(foreign_entries);
    RUN(brings_openmp);
    RUN(flush_to_zero_is_refused);
    RUN(rounding_is_refused);
    RUN(names_are_found_in_the_path);
    RUN(aliases_are_found_in_the_path);
    RUN(two_files_of_one_name);
    RUN(broken_file_of_a_name);
    RUN(relative_entries_are_refused);
    RUN(current_directory_is_not_searched);
    RUN(user_directory_is_searched);
    RUN(others_must_not_write);
    RUN(links_do_not_help);
    RUN(third_users_are_refused);
    RUN(typed_paths_only_warn);
    RUN(unknown_names_list_the_known);
    RUN(lists_everything);
    RUN(threads_find_the_same);
    RUN(refused_memory_is_a_status);
    end_builds();
    return check_result();
}
