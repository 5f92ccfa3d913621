# SPDX-License-Identifier: Apache-2.0
"""Avro in single-object encoding, as much of it as the CRM's one schema needs: records, enums, unions with null, strings,
longs and booleans. Reading is mandated's business; this only writes what the demo sends.
"""
import json

EMPTY = 0xC15D213AA4D7A795
PRIMITIVE = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"}


def canonical(schema, namespace=""):
    """Parsing Canonical Form."""
    if isinstance(schema, str):
        return json.dumps(schema if schema in PRIMITIVE or "." in schema or not namespace else namespace + "." + schema)
    if isinstance(schema, list):
        return "[" + ",".join(canonical(s, namespace) for s in schema) + "]"
    kind = schema["type"]
    if kind not in ("record", "enum"):
        return canonical(kind, namespace)
    namespace = schema.get("namespace", namespace)
    name = json.dumps(namespace + "." + schema["name"] if namespace else schema["name"])
    if kind == "enum":
        return '{"name":%s,"type":"enum","symbols":%s}' % (name, json.dumps(schema["symbols"], separators=(",", ":")))
    fields = ",".join('{"name":%s,"type":%s}' % (json.dumps(f["name"]), canonical(f["type"], namespace))
                      for f in schema["fields"])
    return '{"name":%s,"type":"record","fields":[%s]}' % (name, fields)


def fingerprint(text):
    """CRC-64-AVRO."""
    crc = EMPTY
    for byte in text.encode():
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (EMPTY if crc & 1 else 0)
    return crc


def _long(n):
    n = (n << 1) ^ (n >> 63)
    out = bytearray()
    while n > 0x7F:
        out.append((n & 0x7F) | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def encode(schema, value):
    if isinstance(schema, list):
        index = schema.index("null") if value is None else next(i for i, s in enumerate(schema) if s != "null")
        return _long(index) + encode(schema[index], value)
    kind = schema if isinstance(schema, str) else schema["type"]
    if kind == "null":
        return b""
    if kind == "record":
        return b"".join(encode(f["type"], value[f["name"]]) for f in schema["fields"])
    if kind == "enum":
        return _long(schema["symbols"].index(value))
    if kind in ("int", "long"):
        return _long(value)
    if kind == "boolean":
        return bytes([bool(value)])
    if kind == "string":
        raw = value.encode()
        return _long(len(raw)) + raw
    raise ValueError("the demo writes no %r" % kind)


def single_object(schema, value):
    return b"\xc3\x01" + fingerprint(canonical(schema)).to_bytes(8, "little") + encode(schema, value)
