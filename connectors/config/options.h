/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - the one table of the daemon's configuration.
 *
 * A row says everything there is to know about a key; parsing (config.c), --help-config, docs/configuration.md and
 * schemas/config.schema.json (options_print.c) are derived from it. To add a key: a field in config.h and a row.
 */
#ifndef MANDATE_CONNECTORS_CONFIG_OPTIONS_H
#define MANDATE_CONNECTORS_CONFIG_OPTIONS_H

#include "connectors/config/config.h"

typedef enum option_type {
    OPTION_STRING,     /* const char * */
    OPTION_PATH,       /* const char *, relative to the configuration file's folder */
    OPTION_FILES,      /* config_list, the same, globs expanded */
    OPTION_STRINGS,    /* config_list; one text or a list */
    OPTION_BOOL,       /* bool */
    OPTION_COUNT,      /* uint32_t within min..max */
    OPTION_DURATION,   /* int64_t microseconds within min..max */
    OPTION_WORD,       /* enum: index in `words` */
    OPTION_PROPERTIES, /* config_properties */
    OPTION_TYPE_COUNT
} option_type;

enum {
    OPTION_REQUIRED = 1,
    OPTION_EXPAND = 2, /* ${NAME} and file:path are replaced */
    OPTION_SECRET = 4  /* the same, and never printed */
};

typedef struct option {
    const char *key; /* "kafka.bootstrap_servers"; at most one dot */
    option_type type;
    size_t offset;
    const char *fallback;     /* as it would be written; NULL: none */
    int64_t min, max;         /* COUNT, DURATION */
    const char *const *words; /* WORD, NULL-terminated */
    uint32_t flags;
    const char *doc;
} option;

extern const option options[];
extern const size_t option_count;
/* "duration", "list of files", ... */
const char *option_type_name(option_type type);

#endif
