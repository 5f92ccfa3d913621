// SPDX-License-Identifier: Apache-2.0
package peer;

/** A standing condition as a fact: the deal that it reads, and its constants. */
public final class Mandate {
    final int number;
    private final int deal, status, amount;

    Mandate(int number, int deal, int status, int amount) {
        this.number = number;
        this.deal = deal;
        this.status = status;
        this.amount = amount;
    }

    public int getDeal() {
        return deal;
    }

    public int getStatus() {
        return status;
    }

    public int getAmount() {
        return amount;
    }
}
