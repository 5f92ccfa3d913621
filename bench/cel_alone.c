/* SPDX-License-Identifier: Apache-2.0 */
/* cel_alone - the program `mandate-bench-cel`, until `mandate-bench` has its table of commands. */
#include "bench/cel.h"

int main(int argc, char **argv) { return bench_cel(argc, argv); }
