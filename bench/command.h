/* SPDX-License-Identifier: Apache-2.0 */
/* command - the commands of mandate-bench, and the first record of every run. */
#ifndef MANDATE_BENCH_COMMAND_H
#define MANDATE_BENCH_COMMAND_H

int cmd_engine(int argc, char **argv);
int cmd_cel(int argc, char **argv);
int cmd_decode(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_verify(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_load(int argc, char **argv);
int cmd_cases(int argc, char **argv);
int cmd_peers(int argc, char **argv);
int cmd_produce(int argc, char **argv);
int cmd_consume(int argc, char **argv);
int cmd_e2e(int argc, char **argv);
int cmd_issue(int argc, char **argv);
int cmd_latency(int argc, char **argv);
int cmd_recover(int argc, char **argv);
int cmd_republish(int argc, char **argv);
int cmd_publish(int argc, char **argv);
int cmd_rows(int argc, char **argv);
int cmd_revoke_all(int argc, char **argv);

/* {"record":"run"}: machine, versions, command line. */
void print_run(const char *what, int argc, char **argv);

#endif
