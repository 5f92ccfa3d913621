/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_encoders - base64.encode and base64.decode (standard alphabet; padding may be left out).
 */
#include "engine/cel/fn.h"

#include "engine/base/base64.h"

cel_value cel_fn_base64_encode(cel_activation *act, const cel_value *args, uint32_t count)
{
    buf b;
    buf_init(&b);
    base64_put(&b, BASE64_STANDARD, cel_text(args[0]).ptr, cel_text(args[0]).len);
    return cel_take_text(act, &b);
}

cel_value cel_fn_base64_decode(cel_activation *act, const cel_value *args, uint32_t count)
{
    mandate_slice bytes;
    uint32_t bad;
    if (!base64_read_loosely(&bytes, act->memory, cel_text(args[0]), &bad))
        return cel_error(act->memory, "illegal base64 data at input byte %u", bad);
    return bytes.ptr ? cel_bytes(bytes) : cel_out_of_memory();
}
