/* record.h - a single training kept in a file of results, as a comparison of one row and one run, which
 * hillock report shows. Functions print why they fail, and return an exit status. */
#pragma once
#include "compare/results.h"
#include "compare/store.h"
#include "net/network.h"
#include "output.h"

typedef struct net_record {
    store *db;
    run_record run; /* its epochs, as they come */
} net_record;

/* Opens or makes the file, which is held until the record is closed. */
int net_record_open(const char *file, net_record **out);
/* An epoch of so many images; histograms are kept where `histograms`. */
int net_record_epoch(net_record *it, const hk_epoch_report *report, int64_t images,
                     bool histograms);

typedef struct net_recorded {
    const options *given;
    const network *net;
    const hk_data *train, *test;
    const hk_recipe *recipe;
    const hk_evaluation *evaluation;
    const hk_epoch_report *last;
    const char *digest;
} net_recorded;
/* Writes all, under --name or one made from the time. */
int net_record_write(net_record *it, const net_recorded *of);
void net_record_close(net_record *it); /* NULL: nothing */
