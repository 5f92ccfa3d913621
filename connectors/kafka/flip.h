/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip - a flip of a watch as the world reads it: schemas/watch.schema.json.
 *
 * One flip, one sequence of bytes, on any retry and any machine, as with transitions.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_FLIP_H
#define MANDATE_CONNECTORS_KAFKA_FLIP_H

#include "engine/mandate/watch.h"

#define FLIP_TYPE "dev.mandated.watch.flipped.v1" /* CloudEvents */

/* One JSON object on one line; source and topic of the origin in words, or empty. */
MANDATE_CHECK mandate_status flip_json(buf *b, const watch_flip *f, mandate_slice source, mandate_slice topic,
                                       mandate_error *err);

#endif
