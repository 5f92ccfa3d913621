/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_calendar - the parts of a timestamp, in UTC or in a zone, and when a part of a moving one
 * changes.
 *
 * The next boundary of a part is where its local clock reaches the next whole unit. A zone may
 * change its offset before that; then the boundary is looked for by asking the zone: quarter-hour
 * steps around the expected moment, then halving. That is exact for any zone whose changes are a
 * quarter hour apart.
 */
#include "engine/base/text.h"
#include "engine/cel/certain.h"
#include "engine/cel/fn.h"
#include "engine/cel/zone.h"

typedef enum part {
    PART_YEAR,
    PART_MONTH,
    PART_DAY_OF_YEAR,
    PART_DAY_OF_MONTH,
    PART_DATE,
    PART_DAY_OF_WEEK,
    PART_HOURS,
    PART_MINUTES,
} part;

enum { DAY = 86400, HOUR = 3600, QUARTER = 900, CHANGE_MAX = 26 * HOUR, BOUNDARIES = 62 };

static int64_t part_of(part which, int64_t local)
{
    civil_time t;
    int64_t into = local % DAY;
    if (into < 0)
        into += DAY;
    if (which == PART_HOURS || which == PART_MINUTES)
        return which == PART_HOURS ? into / HOUR : into % HOUR / 60;
    civil_from_seconds(&t, local);
    switch (which) {
    case PART_YEAR:
        return t.year;
    case PART_MONTH:
        return t.month - 1;
    case PART_DAY_OF_YEAR:
        return t.year_day;
    case PART_DAY_OF_MONTH:
        return t.day - 1;
    case PART_DATE:
        return t.day;
    default:
        return t.weekday;
    }
}

static int64_t round_up(int64_t local, int64_t unit)
{
    int64_t into = local % unit;
    return local + unit - (into < 0 ? into + unit : into);
}

/* The local second at which the part next changes, if the offset stays. */
static int64_t next_local(part which, int64_t local)
{
    civil_time t;
    if (which == PART_YEAR || which == PART_MONTH)
        civil_from_seconds(&t, local);
    switch (which) {
    case PART_YEAR:
        return civil_to_days(t.year + 1, 1, 1) * DAY;
    case PART_MONTH:
        return civil_to_days(t.month == 12 ? t.year + 1 : t.year, t.month % 12 + 1, 1) * DAY;
    case PART_HOURS:
        return round_up(local, HOUR);
    case PART_MINUTES:
        return round_up(local, 60);
    default:
        return round_up(local, DAY);
    }
}

/* False when the zone stops answering. */
static bool part_at(part which, mandate_slice zone, int64_t at, int64_t *value)
{
    int32_t offset_s;
    if (!cel_zone_offset(zone, at, &offset_s))
        return false;
    *value = part_of(which, at + offset_s);
    return true;
}

/* First second after `low` and at most a quarter hour after `end` at which the part is not `now` any more; 0:
 * there is none; `low` itself if unsure. */
static int64_t scan(part which, mandate_slice zone, int64_t low, int64_t end, int64_t now)
{
    int64_t from = low, high, then = now;
    for (high = low + QUARTER; high <= end + QUARTER; high += QUARTER) {
        if (!part_at(which, zone, high, &then))
            return from;
        if (then != now)
            break;
        low = high;
    }
    if (then == now)
        return 0;
    while (high - low > 1) {
        int64_t middle = low + (high - low) / 2;
        if (!part_at(which, zone, middle, &then))
            return from;
        if (then != now)
            high = middle;
        else
            low = middle;
    }
    return high;
}

/* First second after `at` where the part differs from what it is at `at`; `at` itself if unsure. */
static int64_t next_change(part which, mandate_slice zone, int64_t at, int32_t offset_s)
{
    int64_t expected = next_local(which, at + offset_s) - offset_s, now, found;
    int64_t low = expected - CHANGE_MAX > at ? expected - CHANGE_MAX : at;
    int32_t near_s, after_s;
    if (cel_zone_is_fixed(zone))
        return expected;
    now = part_of(which, at + offset_s);
    if (low > at) { /* far off; but the clock may soon go back over the boundary just passed */
        if (!cel_zone_offset(zone, at + CHANGE_MAX, &near_s))
            return at;
        found = near_s != offset_s ? scan(which, zone, at, at + CHANGE_MAX, now) : 0;
        if (found)
            return found;
    }
    if (!cel_zone_offset(zone, low, &near_s))
        return at;
    expected += offset_s - near_s;
    if (!cel_zone_offset(zone, expected, &after_s))
        return at;
    if (near_s == after_s)
        return expected;
    found = scan(which, zone, low, expected + CHANGE_MAX, now);
    return found ? found : expected;
}

/* First second after `at` at which what `h` looks at (NULL: the part) may differ. Looks at most BOUNDARIES
 * changes ahead: a day of minutes, hours or weekdays, two months of days, five years of months. */
static int64_t next_flip(const cel_horizon *h, part which, mandate_slice zone, int64_t at, int32_t offset_s)
{
    int64_t value = part_of(which, at + offset_s), next = at;
    bool truth = h && cel_horizon_truth(h, value);
    for (int i = 0; i < BOUNDARIES; i++) {
        int64_t from = next;
        next = next_change(which, zone, from, offset_s);
        if (!h || next <= from || next > TIME_SECONDS_MAX || !cel_zone_offset(zone, next, &offset_s) ||
            cel_horizon_truth(h, part_of(which, next + offset_s)) != truth)
            break;
    }
    return next;
}

static cel_value get(cel_activation *act, const cel_value *args, uint32_t count, part which)
{
    cel_value t = args[0];
    mandate_slice zone = count > 1 ? cel_text(args[1]) : mandate_slice_of("", 0);
    int32_t offset_s;
    if (!cel_zone_offset(zone, t.i, &offset_s))
        return cel_error(act->memory, "unknown time zone %.*s", MANDATE_SLICE_ARG(zone));
    if (t.slope < 0) {
        cel_settle(act, t);
    } else if (t.slope > 0) {
        int64_t at = next_flip(act->prepared, which, zone, t.i, offset_s);
        cel_int128 ns = (cel_int128)(at - t.i) * 1000000000 - t.len;
        cel_int128 step = (cel_int128)t.slope * 1000;
        cel_until(act, (ns + step - 1) / step);
    }
    return cel_int(part_of(which, t.i + offset_s));
}

#define GET(name, which)                                                                    \
    cel_value cel_fn_get_##name(cel_activation *act, const cel_value *args, uint32_t count) \
    {                                                                                       \
        return get(act, args, count, PART_##which);                                         \
    }

GET(year, YEAR)
GET(month, MONTH)
GET(day_of_year, DAY_OF_YEAR)
GET(day_of_month, DAY_OF_MONTH)
GET(date, DATE)
GET(day_of_week, DAY_OF_WEEK)
GET(hours, HOURS)
GET(minutes, MINUTES)

/* Offsets are whole seconds: below a second, zones do not matter; they must only exist. */
static cel_value get_below(cel_activation *act, const cel_value *args, uint32_t count, int64_t unit_ns, int64_t modulus,
                           cel_value result)
{
    int32_t offset_s;
    if (count > 1 && !cel_zone_offset(cel_text(args[1]), args[0].i, &offset_s))
        return cel_error(act->memory, "unknown time zone %.*s", MANDATE_SLICE_ARG(cel_text(args[1])));
    cel_until_cycle(act, act->prepared, args[0], unit_ns, modulus);
    return result;
}

cel_value cel_fn_get_milliseconds(cel_activation *act, const cel_value *args, uint32_t count)
{
    return get_below(act, args, count, 1000000, 1000, cel_int(args[0].len / 1000000));
}

cel_value cel_fn_get_seconds(cel_activation *act, const cel_value *args, uint32_t count)
{
    int32_t offset_s = 0;
    civil_time t;
    if (count > 1 && !cel_zone_offset(cel_text(args[1]), args[0].i, &offset_s))
        offset_s = 0; /* get_below reports it */
    civil_from_seconds(&t, args[0].i + offset_s);
    return get_below(act, args, count, 1000000000, 60, cel_int(t.second));
}
