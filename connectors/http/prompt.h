/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prompt - a listener's thread wants the processor soon and not for long: it asks the scheduler for short slices.
 *
 * Without that a check that arrives while other threads keep all processors busy waits until one of them has used up a slice, some
 * milliseconds. Who asks for shorter slices gets no more time, and gets it sooner (Linux 6.12 and later; before, and where it is
 * refused, nothing changes).
 */
#ifndef MANDATE_CONNECTORS_HTTP_PROMPT_H
#define MANDATE_CONNECTORS_HTTP_PROMPT_H

/* The calling thread, from here on. */
void http_be_prompt(void);

#endif
