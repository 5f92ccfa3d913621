// SPDX-License-Identifier: Apache-2.0
package peer;

/** A fact that changes. Rules watch its properties: an update says which one changed. */
public final class Deal {
    private final int id;
    int status, amount;

    Deal(int id, int status, int amount) {
        this.id = id;
        this.status = status;
        this.amount = amount;
    }

    public int getId() {
        return id;
    }

    public int getStatus() {
        return status;
    }

    public int getAmount() {
        return amount;
    }
}
