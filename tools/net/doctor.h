/* doctor.h - the parts of hillock doctor: the examination (doctor.c) and its page
 * (net/doctor_page.c). */
#pragma once
#include <hillock/doctor.h>
#include "net/network.h"

typedef struct consultation {
    const network *it;
    const options *given;
    const hk_data *data;
    const hk_record *record; /* NULL: the file holds a net alone */
    const hk_examination *found;
} consultation;

/* "2 of 226 units do not learn", or that all do. */
const char *net_doctor_verdict(const hk_examination *found, char *text, size_t size);
/* Writes the page to given->report. */
int net_doctor_page(const consultation *c);
