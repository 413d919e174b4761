/* doctor.h - the parts of hillock doctor: the examination (doctor.c), its page (doctor_page.c) and
 * treatments (treat.c). */
#pragma once
#include <hillock/doctor.h>
#include "net/network.h"
#include "net/trial.h"
#include "output.h"

/* Training images that are looked at: enough to distinguish dead units from rarely active ones. */
enum { NET_MOST_EXAMINED = 10000 };

/* What an examination found, and on what. */
typedef struct findings {
    const network *it;
    const options *given;
    const hk_data *data;
    const hk_record *record; /* NULL: the file holds a net alone */
    const hk_examination *found;
    const hk_quantisation *quantised; /* NULL: not asked for */
    const trial *tried;               /* NULL: likewise */
} findings;

/* "2 of 226 units do not learn", or that all do. */
const char *net_doctor_verdict(const hk_examination *found, char *text, size_t size);
/* What is known of treatments where none was tried on this net. */
const char *net_doctor_experience(const hk_examination *found);
/* The command that tries the treatments or, after a trial, does the one that came first, as a shell would want
 * it; nothing where none did. */
void net_doctor_put_command(FILE *to, const findings *c, const char *before);
/* Writes the page to given->report. */
int net_doctor_page(const findings *c);

/* hillock doctor FILE --treat METHODS --out FILE2. */
int net_treat(options *given);
/* "  fc1: 12 of 120 units dead, 12 treated", one line per layer. */
void net_treat_print(FILE *to, const hk_treatment *done);
json_t *net_treat_json(const hk_treatment *done);
