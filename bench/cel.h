/* SPDX-License-Identifier: Apache-2.0 */
/* cel - `mandate-bench cel`: prints what evaluation, compilation and a unit of cost take. */
#ifndef MANDATE_BENCH_CEL_H
#define MANDATE_BENCH_CEL_H

int bench_cel(int argc, char **argv);

#endif
