/* SPDX-License-Identifier: Apache-2.0 */
/* placeholder until below */
#include "bench/command.h"
int cmd_produce(int argc, char **argv) { return argc > 100000 && argv; }
int cmd_consume(int argc, char **argv) { return argc > 100000 && argv; }
