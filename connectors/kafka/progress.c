/* SPDX-License-Identifier: Apache-2.0 */
/*
 * progress - the rate is that of the last interval: what was read long ago says nothing about now.
 */
#include "connectors/kafka/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void put_grouped(buf *line, int64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof(digits), "%" PRId64, n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            buf_put_char(line, ',');
        buf_put_char(line, digits[i]);
    }
}

static void put_duration(buf *line, double seconds)
{
    int64_t s = (int64_t)ceil(seconds);
    if (s >= 3600)
        buf_printf(line, "%" PRId64 "h%02" PRId64 "m", s / 3600, s % 3600 / 60);
    else if (s >= 60)
        buf_printf(line, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
    else
        buf_printf(line, "%" PRId64 "s", s);
}

void progress_put(buf *line, const progress *before, const progress *now)
{
    put_grouped(line, now->done);
    buf_put_str(line, " records");
    if (now->left < 0) {
        buf_put_str(line, ", how many are to come is not known yet");
        return;
    }
    buf_put_str(line, ", ");
    put_grouped(line, now->left);
    buf_put_str(line, " to go");
    double elapsed = before ? now->at_seconds - before->at_seconds : 0;
    if (elapsed <= 0 || now->done < before->done) /* no second look yet, or the server was started anew */
        return;
    double rate = (double)(now->done - before->done) / elapsed;
    buf_put_str(line, ", ");
    put_grouped(line, (int64_t)rate);
    buf_put_str(line, "/s");
    if (now->left && rate >= 1) {
        buf_put_str(line, ", ");
        put_duration(line, (double)now->left / rate);
        buf_put_str(line, " left");
    }
}
