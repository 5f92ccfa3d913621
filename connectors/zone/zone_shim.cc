/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_shim - Abseil's time zones behind zone_files.h.
 *
 * Abseil remembers every name it is asked for, found or not, so it is asked only for files that are there. In front of
 * it stands a table of the zones that were loaded, to which entries are only added: looking one up takes no lock.
 */
#include "connectors/zone/zone_files.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>

#include <unistd.h>

#include <absl/time/time.h>

namespace
{
struct zone {
    char name[ZONE_NAME_MAX + 1];
    absl::TimeZone rules;
};

/* tzdata has about 600 names. When the table is full, further zones are found the slow way. */
constexpr size_t table_size = 2048, probes_max = 64;
std::atomic<const zone *> table[table_size];

bool sound(mandate_slice name)
{
    if (name.len == 0 || name.len > ZONE_NAME_MAX || name.ptr[0] == '/' || name.ptr[name.len - 1] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool plain =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '+' || c == '-';
        if (!plain && (c != '/' || name.ptr[i + 1] == '/'))
            return false;
    }
    return !mandate_slice_is(name, "localtime") && !mandate_slice_is(name, "posixrules");
}

size_t place(mandate_slice name)
{
    uint64_t h = 1469598103934665603u;
    for (size_t i = 0; i < name.len; i++)
        h = (h ^ static_cast<unsigned char>(name.ptr[i])) * 1099511628211u;
    return static_cast<size_t>(h ^ h >> 29) % table_size;
}

const zone *find(mandate_slice name)
{
    for (size_t i = 0, at = place(name); i < probes_max; i++, at = (at + 1) % table_size) {
        const zone *z = table[at].load(std::memory_order_acquire);
        if (!z)
            return nullptr;
        if (mandate_slice_is(name, z->name))
            return z;
    }
    return nullptr;
}

/* Keeps a zone, or frees it when another thread was faster or there is no room. */
void keep(zone *z)
{
    mandate_slice name = mandate_slice_str(z->name);
    for (size_t i = 0, at = place(name); i < probes_max; i++, at = (at + 1) % table_size) {
        const zone *there = nullptr;
        if (table[at].compare_exchange_strong(there, z, std::memory_order_acq_rel))
            return;
        if (mandate_slice_is(name, there->name))
            break;
    }
    delete z;
}

bool load(absl::TimeZone *rules, const std::string &name)
{
    const char *folder = std::getenv("TZDIR");
    std::string path = std::string(folder && *folder ? folder : "/usr/share/zoneinfo") + "/" + name;
    return access(path.c_str(), R_OK) == 0 && absl::LoadTimeZone(name, rules);
}

int32_t offset_at(const absl::TimeZone &rules, int64_t seconds) { return rules.At(absl::FromUnixSeconds(seconds)).offset; }
} // namespace

bool zone_files_offset(mandate_slice name, int64_t seconds, int32_t *offset_s)
try {
    const zone *known = find(name);
    absl::TimeZone rules;
    if (known) {
        *offset_s = offset_at(known->rules, seconds);
        return true;
    }
    if (!sound(name) || !load(&rules, std::string(name.ptr, name.len)))
        return false;
    *offset_s = offset_at(rules, seconds);
    if (zone *z = new (std::nothrow) zone{{}, rules}) {
        std::memcpy(z->name, name.ptr, name.len);
        keep(z);
    }
    return true;
} catch (const std::bad_alloc &) {
    return false;
}
