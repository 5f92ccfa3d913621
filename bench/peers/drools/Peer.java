// SPDX-License-Identifier: Apache-2.0
package peer;

import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.drools.model.codegen.ExecutableModelProject;
import org.kie.api.KieBase;
import org.kie.api.KieServices;
import org.kie.api.builder.KieBuilder;
import org.kie.api.builder.KieFileSystem;
import org.kie.api.builder.Message;
import org.kie.api.runtime.KieSession;
import org.kie.api.runtime.rule.FactHandle;
import org.kie.api.runtime.rule.LiveQuery;
import org.kie.api.runtime.rule.Row;
import org.kie.api.runtime.rule.ViewChangedEventListener;

/**
 * Drools in the fastest encoding of those we tried (docs/benchmarks.md): facts for deals and mandates, a live query over their join, an
 * update that says which property changed, and one evaluation a change, because a change that is told only with the next one
 * could hide a flip.
 *
 * <p>The same work is done in sessions before, until the JIT has had WARM_NS of the process; then in a new one SETTLE_CHANGES times; then it
 * counts, save that the first `warmup` changes are not timed either. Time is CPU time of all threads of the process: the collector is part of its cost.
 *
 * <p>Prints as bench/peers/celgo does: flips, flips after the warm-up, true at the end, ns a change, ns to load a mandate, bytes a
 * mandate.
 */
public final class Peer implements ViewChangedEventListener {
    private static final long WARM_NS = 5_000_000_000L;
    private static final int THRESHOLD_CHANGES = 1024, SETTLE_CHANGES = 50_000;

    private long came, went, told;

    @Override
    public void rowInserted(Row row) {
        came++;
        told += ((Mandate) row.get("$m")).number;
    }

    @Override
    public void rowDeleted(Row row) {
        went++;
        told -= ((Mandate) row.get("$m")).number;
    }

    @Override
    public void rowUpdated(Row row) {} // it held before, and holds

    private static KieBase rules(String folder) throws IOException {
        KieServices services = KieServices.Factory.get();
        KieFileSystem files = services.newKieFileSystem();
        files.write("src/main/resources/peer/holding.drl", Files.readString(Path.of(folder, "holding.drl")));
        KieBuilder builder = services.newKieBuilder(files).buildAll(ExecutableModelProject.class);
        if (builder.getResults().hasMessages(Message.Level.ERROR))
            throw new IOException(builder.getResults().toString());
        return services.newKieContainer(builder.getKieModule().getReleaseId()).getKieBase();
    }

    /** CPU time of all threads, in ns: of this one to the point, of the others (JIT, collector) to the last tick. */
    private static long cpu() throws IOException {
        String self = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName().toString();
        long sum = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
        for (File thread : new File("/proc/self/task").listFiles()) {
            if (thread.getName().equals(self))
                continue;
            try {
                String text = Files.readString(Path.of(thread.getPath(), "schedstat"));
                sum += Long.parseLong(text.substring(0, text.indexOf(' ')));
            } catch (IOException ended) {
                continue;
            }
        }
        return sum;
    }

    /** Bytes in use, once nothing more can be collected. */
    private static long heap() {
        long least = Long.MAX_VALUE, used = Long.MAX_VALUE - 1;
        while (used < least) {
            least = used;
            System.gc();
            used = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
        }
        return used;
    }

    private double changeNs, loadNs, bytes;
    private long flips, timedFlips, holds;

    private static void change(KieSession session, Workload w, Deal deal, FactHandle handle, int value) {
        if (w.equality)
            deal.status = value;
        else
            deal.amount = value;
        session.update(handle, deal, w.equality ? "status" : "amount");
        session.fireAllRules();
    }

    /** As a session is that has run for long: the changes, several times over, and then everything as it was. */
    private static void settle(KieSession session, Workload w, Deal[] deals, FactHandle[] handles) {
        for (int i = 0; i < (w.deals == 1 ? THRESHOLD_CHANGES : SETTLE_CHANGES); i++) {
            int k = i % w.changed.length;
            change(session, w, deals[w.changed[k]], handles[w.changed[k]], w.value[k]);
        }
        for (int i = 0; i < w.deals; i++)
            change(session, w, deals[i], handles[i], w.equality ? w.firstStatus[i] : w.firstAmount[i]);
    }

    /** Until `changes` are done or, when that is given, `enough` ns were spent. */
    private void run(KieBase rules, Workload w, int warmup, long enough) throws IOException {
        KieSession session = rules.newKieSession();
        FactHandle[] handles = new FactHandle[w.deals];
        Deal[] deals = new Deal[w.deals];
        for (int i = 0; i < w.deals; i++) {
            deals[i] = new Deal(i, w.firstStatus[i], w.firstAmount[i]);
            handles[i] = session.insert(deals[i]);
        }
        long bare = enough == 0 ? heap() : 0, begun = cpu();
        for (int i = 0; i < w.dealOf.length; i++)
            session.insert(new Mandate(i, w.dealOf[i], w.status[i], w.amount[i]));
        LiveQuery query = session.openLiveQuery(w.equality ? "equality" : "threshold", new Object[0], this);
        session.fireAllRules();
        loadNs = (double) (cpu() - begun) / w.dealOf.length;
        if (enough == 0)
            bytes = (double) (heap() - bare) / w.dealOf.length;
        if (enough == 0)
            settle(session, w, deals, handles);
        long before = came + went, start = cpu();
        for (int i = 0; i < w.changed.length; i++) {
            if (i == warmup) {
                timedFlips = came + went;
                start = cpu();
            }
            change(session, w, deals[w.changed[i]], handles[w.changed[i]], w.value[i]);
            if (enough > 0 && i % 256 == 0 && cpu() - begun > enough)
                break;
        }
        changeNs = (double) (cpu() - start) / (w.changed.length - warmup);
        timedFlips = came + went - timedFlips;
        flips = came + went - before;
        holds = came - went;
        if (holds < 0 || told < 0)
            throw new IllegalStateException("more ceased to hold than held");
        query.close();
        session.dispose();
    }

    private static Peer measured(KieBase rules, Workload w, int warmup) throws IOException {
        long begun = cpu();
        while (cpu() - begun < WARM_NS)
            new Peer().run(rules, w, 0, WARM_NS - (cpu() - begun));
        Peer p = new Peer();
        p.run(rules, w, warmup, 0);
        return p;
    }

    public static void main(String[] args) throws IOException {
        Map<String, String> o = new HashMap<>();
        for (int i = 1; i + 1 < args.length; i += 2)
            o.put(args[i], args[i + 1]);
        KieBase rules = rules(args[0]);
        if (o.containsKey("-thresholds")) {
            Workload w = Workload.thresholds(Integer.parseInt(o.get("-thresholds")), THRESHOLD_CHANGES);
            Peer p = measured(rules, w, THRESHOLD_CHANGES / 8);
            System.out.printf(Locale.ROOT, "%d %d %.1f%n", p.flips, THRESHOLD_CHANGES, p.changeNs);
            return;
        }
        int warmup = Integer.parseInt(o.get("-warmup")), changes = Integer.parseInt(o.get("-changes"));
        Workload w = new Workload(o.get("-shape"), Integer.parseInt(o.get("-mandates")), Integer.parseInt(o.get("-fanout")),
                warmup + changes, Long.parseLong(o.get("-seed")));
        Peer p = measured(rules, w, warmup);
        System.out.printf(Locale.ROOT, "%d %d %d %.1f %.1f %.1f%n", p.flips, p.timedFlips, p.holds, p.changeNs, p.loadNs, p.bytes);
    }
}
