// SPDX-License-Identifier: Apache-2.0
package peer;

/** bench/workload.c's business from the same seed, all changes made beforehand. */
final class Workload {
    private static final int STATUSES = 8, NUMBERS = 1000, FIELDS = 6;

    final boolean equality;
    final int deals;
    final int[] dealOf, status, amount; // of mandates
    final int[] firstStatus, firstAmount; // of deals
    final int[] changed, value; // the changes: which deal, and its status or amount from then on
    private long rng;

    Workload(String shape, int mandates, int fanout, int changes, long seed) {
        equality = shape.equals("equality");
        deals = (int) (((long) mandates + fanout - 1) / fanout);
        dealOf = new int[mandates];
        status = new int[mandates];
        amount = new int[mandates];
        firstStatus = new int[deals];
        firstAmount = new int[deals];
        changed = new int[changes];
        value = new int[changes];
        rng = seed ^ 0x5eed;
        for (int i = 0; i < mandates; i++) {
            long h = mix64(seed * 31 + mix64(i));
            dealOf[i] = i / fanout;
            status[i] = part(h, STATUSES);
            amount[i] = part(h >>> 8, NUMBERS);
        }
        for (int i = mandates; i > 1; i--) {
            int k = below(i), swap = dealOf[k];
            dealOf[k] = dealOf[i - 1];
            dealOf[i - 1] = swap;
        }
        for (int i = 0; i < deals; i++) {
            long h = mix64(seed ^ mix64(i));
            firstStatus[i] = part(h, STATUSES);
            firstAmount[i] = part(h >>> 8, NUMBERS);
        }
        rng = mix64(seed);
        change();
    }

    /** One deal; `count` thresholds on its amount, which moves by one, so that each change flips one of them. */
    private Workload(int count, int changes) {
        equality = false;
        deals = 1;
        dealOf = new int[count];
        status = new int[count];
        amount = new int[count];
        firstStatus = new int[1];
        firstAmount = new int[] {count / 2};
        changed = new int[changes];
        value = new int[changes];
        for (int i = 0; i < count; i++)
            amount[i] = i;
        int now = count / 2, step = 1;
        for (int i = 0; i < changes; i++) {
            if (now + step < 1 || now + step >= count)
                step = -step;
            value[i] = now += step;
        }
    }

    static Workload thresholds(int count, int changes) {
        return new Workload(count, changes);
    }

    private void change() {
        int[] now = (equality ? firstStatus : firstAmount).clone();
        for (int i = 0; i < changed.length; i++) {
            int deal = below(deals), old, step;
            while (below(FIELDS) != (equality ? 0 : 1)) // the shape reads one field
                ;
            old = now[deal];
            if (equality) {
                now[deal] = (old + 1 + below(STATUSES - 1)) % STATUSES;
            } else {
                step = 1 + below(NUMBERS / 20);
                now[deal] = below(2) != 0 ? old + step : old - step;
                if (now[deal] < 0 || now[deal] >= NUMBERS)
                    now[deal] = old < NUMBERS / 2 ? old + step : old - step;
            }
            changed[i] = deal;
            value[i] = now[deal];
        }
    }

    private static int part(long h, int limit) {
        return (int) Long.remainderUnsigned(h, limit);
    }

    private static long mix64(long z) {
        z += 0x9E3779B97F4A7C15L;
        z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }

    private int below(int limit) {
        rng += 0x9E3779B97F4A7C15L;
        return (int) ((mix64(rng) >>> 32) * limit >>> 32);
    }
}
