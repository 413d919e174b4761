/* Tables: what other programs write is read, what is wrong is told, classes are split evenly. */
#include "data_files.h"

static hk_status parse(const char *text, hki_csv_options options, hk_data **out)
{
    options.label = options.label ? options.label : "last";
    options.drop = options.drop ? options.drop : "";
    options.channels = options.channels ? options.channels : 1;
    return hki_csv_parse("t.csv", (const uint8_t *)text, strlen(text), &options, out);
}

/* A table that is read, and what is said of it: `about` stands in the line. */
static hk_data *parse_csv(const char *text, hki_csv_options options, const char *about)
{
    hk_data *data;
    hk_status status = parse(text, options, &data);
    CHECK((status == HK_OK) == (data != NULL));
    CHECK_TEXT(status ? hk_message() : "", "");
    if (data)
        CHECK_CONTAINS(data->about, about);
    return data;
}

static void check_csv_refused(const char *text, const char *word, const char *other)
{
    hk_data *data;
    size_t before = hki_live_blocks();
    CHECK_EQUAL(parse(text, (hki_csv_options){0}, &data), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), word);
    CHECK_CONTAINS(hk_message(), other);
    CHECK_EQUAL(hki_live_blocks(), before);
}

static void csv_is_read(void)
{
    hk_data *data = parse_csv(
        "\xef\xbb\xbfwidth, height ,kind\r\n1.5, -2e1,0\r\n\r\n 3,4 , 2", (hki_csv_options){0},
        "2 rows, 2 features, 3 classes (0 1, 1 0, 2 1), label: kind, header skipped, delimiter ,");
    if (data) {
        hk_data_shape s = data->shape;
        CHECK(s.n == 2 && s.height == 1 && s.width == 1 && s.channels == 2 && s.classes == 3);
        CHECK(data->floats[0] == 1.5f && data->floats[1] == -20 && data->floats[3] == 4);
        CHECK(data->labels[0] == 0 && data->labels[1] == 2);
        CHECK_TEXT(hk_data_class_name(data, 2), "2");
        CHECK(data->features != NULL);
        CHECK_TEXT(data->features ? data->features[1] : NULL, "height");
    }
    hk_data_free(data);
    data = parse_csv("1,5,6\n0,7,8\n", (hki_csv_options){.label = "first"},
                     "label: column 1, no header");
    if (data) {
        CHECK(data->labels[0] == 1 && data->labels[1] == 0);
        CHECK(data->floats[0] == 5 && data->floats[3] == 8);
    }
    hk_data_free(data);
}

static void csv_labels_may_be_names(void)
{
    hk_data *data =
        parse_csv("1,virginica\n2,setosa\n3,virginica\n4,7\n", (hki_csv_options){0}, "3 classes");
    if (data) {
        CHECK_EQUAL(data->shape.classes, 3);
        CHECK_TEXT(hk_data_class_name(data, 0), "7");
        CHECK_TEXT(hk_data_class_name(data, 1), "setosa");
        CHECK(data->labels[0] == 2 && data->labels[1] == 1 && data->labels[3] == 0);
    }
    hk_data_free(data);
}

static void csv_faults_are_told(void)
{
    check_csv_refused("", "an empty file", "CSV");
    check_csv_refused("<html></html>", "an HTML page", "CSV");
    check_csv_refused("\x01\x02\x03", "no text", "CSV");
    check_csv_refused("1,\"a\n2,b\n", "line 1: a quote begins", "does not end");
    check_csv_refused("a,b\n", "line 1: \"a\" in column 1", "a number");
    check_csv_refused("a,b\n\n", "t.csv", "a number");
    check_csv_refused("\n\n", "no records", "t.csv");
    check_csv_refused("5\n6\n", "1 field", "a feature beside the label");
    check_csv_refused("1,2,0\n3,4,0\n5,0\n", "line 3 has 2 fields", "expected 3");
    check_csv_refused("1,2,0\n3,x,0\n", "line 2: \"x\" in column 2", "a number");
    check_csv_refused("1,x,0\n", "line 1: \"x\" in column 2", "a number"); /* half a header */
    check_csv_refused("1,2,0\n3,,0\n", "line 2: \"\" in column 2", "a number");
    check_csv_refused("1,0\n1e39,0\n", "line 2: \"1e39\"", "a number");
    check_csv_refused("1,0\nnan,0\n", "line 2: \"nan\"", "a number");
    check_csv_refused("1,0\n0x10,0\n", "line 2: \"0x10\"", "a number");
    check_csv_refused("1,0\n2,1.5\n", "column 2 holds real numbers such as 1.5", "whole numbers");
    check_csv_refused("1,a\n2,\n", "line 2: \"\" in column 2", "a label");
}

static void check_column(const char *text, hki_csv_options options, float x, const char *name,
                         const char *about)
{
    hk_data *data = parse_csv(text, options, about);
    if (data) {
        CHECK_NEAR(data->floats[0], x, 1e-6);
        CHECK_TEXT(hk_data_class_name(data, data->labels[0]), name);
    }
    hk_data_free(data);
}

/* RFC 4180 and what spreadsheets and data frames make of it. */
static void csv_of_other_programs_is_read(void)
{
    const hki_csv_options last = {0};
    check_column("a,b\n\"1.5\",\"say \"\"no\"\"\"\n2,x\n", last, 1.5f, "say \"no\"",
                 "header skipped");
    check_column("7,\"two\nlines\"\n8,b\n", last, 7, "two\nlines", "no header");
    check_column("a;b\n1,5;x\n2,5;y\n", last, 1.5f, "x", "delimiter ;");
    check_column("a\tb\n1.5\tx\n", (hki_csv_options){.header = HKI_HEADER_YES}, 1.5f, "x",
                 "delimiter tab");
    check_column("1|x\n2|y\n", last, 1, "x", "delimiter |");
    check_column("\"1,5\",x\n\"2,5\",y\n", last, 1.5f, "x", "delimiter ,");
    check_column("0,1,2\n5.1,3.5,1\n4.9,3.0,0\n", last, 5.1f, "1", "header skipped");
    check_column("0,1,2\n1,2,3\n", last, 0, "2", "no header"); /* as much a count as the first */
    check_column("id,x,kind\n1,9,u\n2,8,v\n", (hki_csv_options){.drop = "id"}, 9, "u",
                 "1 features");
    check_column("kind,x\nu,9\nv,8\n", (hki_csv_options){.label = "kind"}, 9, "u", "label: kind");
}

static void csv_of_many_classes_names_ten(void)
{
    hk_data *data = parse_csv("1,0\n1,1\n1,2\n1,3\n1,4\n1,5\n1,6\n1,7\n1,8\n1,9\n1,10\n1,11\n",
                              (hki_csv_options){0}, "12 classes (0 1, ");
    if (data)
        CHECK_CONTAINS(data->about, ", 9 1, ...)");
    hk_data_free(data);
}

static void csv_labels_may_be_any_numbers(void)
{
    hk_data *data = parse_csv("1,-1\n2,1\n3,-1\n", (hki_csv_options){0}, "2 classes (-1 2, 1 1)");
    if (data)
        CHECK(data->labels[0] == 0 && data->labels[1] == 1);
    hk_data_free(data);
    data = parse_csv("1,1\n2,3\n3,2\n", (hki_csv_options){0}, "3 classes (1 1, 2 1, 3 1)");
    hk_data_free(data);
    data = parse_csv("1,a\n2,a\n", (hki_csv_options){0}, "all rows are of one class");
    hk_data_free(data);
    data = parse_csv("1,2\n3,4\n", (hki_csv_options){.label = "none"}, "2 features, no labels");
    hk_data_free(data);
    data =
        parse_csv("i,x,k\n0,5,a\n1,5,b\n2,6,a\n3,5,b\n4,5,a\n5,5,b\n6,1,a\n7,5,b\n8,5,a\n9,5,b\n",
                  (hki_csv_options){0}, "i counts the rows, drop=i leaves it out");
    hk_data_free(data);
}

static void csv_of_pixels_are_images(void)
{
    const hki_csv_options size = {.label = "label", .height = 2, .width = 2};
    hk_data *data =
        parse_csv("label,p0,p1,p2,p3\n7,0,255,3,4\n0,1,2,3,4\n", size, "images of 2 x 2 x 1");
    if (data) {
        CHECK(data->bytes && data->bytes[1] == 255 && data->shape.height == 2 &&
              data->shape.channels == 1);
        CHECK_TEXT(hk_data_class_name(data, data->labels[0]), "7");
    }
    hk_data_free(data);
    data = parse_csv("label,p0,p1,p2,p3\n7,0,255,3,4\n0,1,2,.5,4\n", size, "images of 2 x 2 x 1");
    CHECK(data && data->floats);
    hk_data_free(data);
    CHECK_EQUAL(parse("1,2,3,a\n", (hki_csv_options){.height = 2, .width = 2}, &data), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "3 features, expected 2 x 2 x 1 = 4");
    CHECK_EQUAL(parse("x,k\n1,a\n", (hki_csv_options){.label = "kid"}, &data), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "no column \"kid\"; known: first, last, 1..2, x, k");
}

/* 40 records of class 0, 20 of class 1, 10 of class 2; the first column counts them. */
static void put_table(void)
{
    char text[4096];
    size_t used = 0;
    for (int i = 0; i < 70; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%d,%d,%d\n", i, 1000 + i * i,
                                 i < 40   ? 0
                                 : i < 60 ? 1
                                          : 2);
    put("table.csv", text, used);
}

static void count_classes(const hk_data *data, int64_t *counts)
{
    memset(counts, 0, 3 * sizeof *counts);
    for (int64_t i = 0; i < data->shape.n; i++)
        counts[data->labels[i]]++;
}

static void csv_too_small_to_split_is_refused(void)
{
    put_text("a.csv", "1,a\n");
    check_refused(spec_of("csv", "a.csv"), "1 samples, too few", "a.csv");
    remove_all();
}

static void csv_is_split_by_class(void)
{
    hk_data *train, *test, *again, *other;
    char spec[512];
    put_table();
    CHECK_EQUAL(hk_data_open(spec_of("csv", "table.csv"), &train, &test), HK_OK);
    snprintf(spec, sizeof spec, "%s,test=0.2,label=last", spec_of("csv", "table.csv"));
    CHECK_EQUAL(hk_data_open(spec, NULL, NULL), HK_BAD_ARGUMENT);
    CHECK_EQUAL(hk_data_open(spec, NULL, &again), HK_OK);
    CHECK(again && test && hk_data_shape_of(again).n == hk_data_shape_of(test).n);
    hk_data_free(again);
    CHECK_EQUAL(hk_data_open(spec, &again, NULL), HK_OK);
    snprintf(spec, sizeof spec, "%s,seed=2,test=0.4", spec_of("csv", "table.csv"));
    CHECK_EQUAL(hk_data_open(spec, &other, NULL), HK_OK);
    if (train && test && again && other) {
        int64_t n[3];
        count_classes(train, n);
        CHECK(n[0] == 32 && n[1] == 16 && n[2] == 8);
        count_classes(test, n);
        CHECK(n[0] == 8 && n[1] == 4 && n[2] == 2);
        count_classes(other, n);
        CHECK(n[0] == 24 && n[1] == 12 && n[2] == 6);
        CHECK(memcmp(train->floats, again->floats, 56 * 2 * sizeof(float)) == 0);
        CHECK(memcmp(train->floats, other->floats, 42 * 2 * sizeof(float)) != 0);
        CHECK_TEXT(hk_data_spec(again), spec_of("csv", "table.csv"));
        snprintf(spec, sizeof spec, "%s,test=0.40000000000000002,seed=2",
                 spec_of("csv", "table.csv"));
        CHECK_TEXT(hk_data_spec(other), spec);
        double sum[2] = {0}, squares[2] = {0};
        for (uint32_t i = 0; i < 56; i++) {
            float x[2];
            int32_t label;
            hk_data_read(train, &i, 1, x, &label);
            for (int c = 0; c < 2; c++) {
                sum[c] += (double)x[c] / 56;
                squares[c] += (double)(x[c] * x[c]) / 56;
            }
        }
        CHECK_NEAR(sum[0], 0, 1e-6);
        CHECK_NEAR(sum[1], 0, 1e-6);
        CHECK_NEAR(squares[0], 1, 1e-5);
        CHECK_NEAR(squares[1], 1, 1e-5);
    }
    hk_data_free(train);
    hk_data_free(test);
    hk_data_free(again);
    hk_data_free(other);
    remove_all();
}

/* What a net of two features learned from without a header: those columns again, with the label or
 * without it. */
static void csv_columns_are_known_by_their_place(void)
{
    const hk_card card = {.channels = 2,
                          .classes = 2,
                          .class_names = (const char *const[]){"no", "yes"},
                          .label = "column 1"};
    const hki_csv_options options = {.card = &card, .channels = 2};
    hk_data *data = parse_csv("yes,5,6\nno,7,8\n", options, "2 features");
    if (data) {
        CHECK(data->labels[0] == 1 && data->labels[1] == 0);
        CHECK(data->floats[0] == 5 && data->floats[3] == 8);
    }
    hk_data_free(data);
    data = parse_csv("5,6\n7,8\n", options, "no labels");
    if (data)
        CHECK(data->labels[0] == -1 && data->floats[0] == 5 && data->floats[3] == 8);
    hk_data_free(data);
    CHECK_EQUAL(parse("5\n7\n", options, &data), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "1 columns, the net learned from 2");
    CHECK_EQUAL(parse("yes,5,6,7\n", options, &data), HK_BAD_DATA);
    CHECK_CONTAINS(hk_message(), "4 columns, the net learned from 2");
}

static void csv_test_set_may_be_a_file(void)
{
    hk_data *train = NULL, *test = NULL;
    char spec[512];
    put_text("a,b.csv", "x,k\n1,b\n2,a\n3,c\n");
    put_text("new.csv", "x,k\n9,c\n8,b\n");
    snprintf(spec, sizeof spec, "csv:\"%s\",test=%s", at("a,b.csv"), at("new.csv"));
    CHECK_EQUAL(hk_data_open(spec, &train, &test), HK_OK);
    if (train && test) {
        CHECK(train->shape.n == 3 && test->shape.n == 2 && test->shape.classes == 3);
        CHECK_TEXT(hk_data_class_name(test, test->labels[0]), "c");
        CHECK_TEXT(hk_data_spec(train), spec);
    }
    hk_data_free(train);
    hk_data_free(test);
    put_text("new.csv", "x,k\n9,d\n");
    check_refused(spec, "line 2: \"d\" in k", "a class of the training set");
    snprintf(spec, sizeof spec, "csv:\"%s\",test=2", at("a,b.csv"));
    CHECK_EQUAL(open_status(spec), HK_BAD_ARGUMENT);
    snprintf(spec, sizeof spec, "csv:\"%s\",label=k,target=x", at("a,b.csv"));
    CHECK_EQUAL(open_status(spec), HK_BAD_ARGUMENT);
    CHECK_CONTAINS(hk_message(), "label= and target= exclude each other");
    remove_all();
}

static void refused_memory_is_survived(void)
{
    put_table();
    put_text("names.csv", "1,a\n2,b\n3,a\n4,b\n5,a\n6,b\n");
    check_allocations(act_open, spec_of("csv", "table.csv"), 15);
    check_allocations(act_open, spec_of("csv", "names.csv"), 16);
    remove_all();
}

int main(void)
{
    make_folder();
    RUN(csv_is_read);
    RUN(csv_labels_may_be_names);
    RUN(csv_faults_are_told);
    RUN(csv_of_other_programs_is_read);
    RUN(csv_of_many_classes_names_ten);
    RUN(csv_labels_may_be_any_numbers);
    RUN(csv_of_pixels_are_images);
    RUN(csv_columns_are_known_by_their_place);
    RUN(csv_test_set_may_be_a_file);
    RUN(csv_too_small_to_split_is_refused);
    RUN(csv_is_split_by_class);
    RUN(refused_memory_is_survived);
    rmdir(folder);
    return check_result();
}
