/* SPDX-License-Identifier: Apache-2.0 */
/* frame - see frame.h. */
#include "connectors/signer/frame.h"

void frame_put(buf *out, char kind, mandate_slice bytes)
{
    uint32_t n = (uint32_t)bytes.len;
    char head[FRAME_HEAD] = {(char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n, kind};

    buf_put(out, head, sizeof(head));
    buf_put_slice(out, bytes);
}

bool frame_head(const char head[FRAME_HEAD], char *kind, uint32_t *len)
{
    const unsigned char *h = (const unsigned char *)head;

    *len = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3];
    *kind = head[4];
    return *len <= FRAME_MAX && strchr("KSLC012", *kind) && *kind;
}
