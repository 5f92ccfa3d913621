/* SPDX-License-Identifier: Apache-2.0 */
/* topic - what `topic tail` and `topic send` share: where the topic is. */
#ifndef MANDATE_CONNECTORS_CLI_TOPIC_H
#define MANDATE_CONNECTORS_CLI_TOPIC_H

#include "connectors/cli/args.h"
#include "connectors/cli/command.h"
#include "connectors/kafka/tool.h"

/* --bootstrap, $MANDATED_BOOTSTRAP, 127.0.0.1:9092. */
const char *topic_bootstrap(const char *given);
/* Says the error and gives its exit code. */
exit_code topic_failed(const mandate_error *err);
/* One record as a line of JSON: {"topic","partition","offset","timestamp","key","headers","value"}.
 */
void topic_json(buf *line, arena *a, const record *r);
/* One record for people; a transition of a mandate as what it says. */
void topic_text(buf *line, arena *a, const record *r);

#endif
