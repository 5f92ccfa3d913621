/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scalar - values as operators write them: durations, and texts that may take a secret from elsewhere.
 *
 * `${NAME}` is replaced by an environment variable; a whole value `file:path` by the first line of a file. Only where a
 * key says that it is a secret or may be expanded; a missing variable or file is an error, never an empty text. What
 * was read is never put into an error.
 */
#ifndef MANDATE_CONNECTORS_CONFIG_SCALAR_H
#define MANDATE_CONNECTORS_CONFIG_SCALAR_H

#include "connectors/config/yaml.h"

enum { SECRET_MAX = 64 << 10 };

/* Microseconds of "15m"; not negative. A bare 0 is fine, any other bare number has no unit and is refused. */
MANDATE_CHECK bool yaml_duration_us(const yaml_node *n, int64_t *out);
/* Expanded copy in `a`; problems go to `p` at the node. NULL on failure. */
const char *yaml_expand(arena *a, problems *p, const yaml_doc *doc, const yaml_node *n, const char *folder);
/* `name` itself when absolute, else below `folder`. */
const char *path_join(arena *a, const char *folder, mandate_slice name);
/* Everything before the last '/', or ".". */
const char *path_folder(arena *a, const char *path);
/* Shortest text of a duration: "15m", "1h30m", "250ms". */
void put_duration(buf *b, int64_t us);

#endif
