/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_encoders - base64.encode and base64.decode (standard alphabet; padding may be left out).
 */
#include "engine/cel/fn.h"

cel_value cel_fn_base64_encode(cel_activation *act, const cel_value *args, uint32_t count)
{
    buf b;
    buf_init(&b);
    cel_base64(&b, cel_text(args[0]));
    return cel_take_text(act, &b);
}

cel_value cel_fn_base64_decode(cel_activation *act, const cel_value *args, uint32_t count)
{
    mandate_slice bytes;
    uint32_t bad;
    if (!cel_base64_read(&bytes, act->memory, cel_text(args[0]), &bad))
        return cel_error(act->memory, "illegal base64 data at input byte %u", bad);
    return bytes.ptr ? cel_bytes(bytes) : cel_out_of_memory();
}
