/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - the model's world as a schema, and the model's changes and mandates as the engine's inputs. Shared by the tests
 * that run the engine against the model.
 */
#ifndef MANDATE_TESTS_ENGINE_WORLD_H
#define MANDATE_TESTS_ENGINE_WORLD_H

#include "engine/step.h"
#include "tests/model/model.h"

#define WORLD_ISSUER "https://issuer.example"
#define WORLD_SECOND INT64_C(1000000)

schema *world_schema(void);
engine *world_engine(const schema *s);
/* All memory from `a`. */
/* Changes of one source, as one record. */
engine_input world_record(arena *a, const m_change *ch, int count, int64_t offset);
engine_input world_issue(arena *a, const m_mandate *m, const char *id, const char *parent);
engine_input world_command(engine_command_kind kind, const char *id);
engine_input world_watch(arena *a, const m_condition *c, const char *id);
engine_input world_source(int source, bool down);
/* A random change; event times now and then, sometimes late. */
void world_random_change(m_change *ch, uint64_t *rng, int64_t now);

#endif
