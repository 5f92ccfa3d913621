// SPDX-License-Identifier: Apache-2.0

// celgo - what a platform team would build with cel-go: one compiled program a template, an inverted index from an attribute of an
// entity to the conditions that read it (for an equality: from the value they wait for), and an evaluation of those when it
// changes. The workload is bench/workload.c's, from
// the same seed; mandate-bench peers compares the flips.
//
// Prints: flips, flips after the warm-up, true at the end, ns a change, ns to load a mandate, bytes a mandate.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/interpreter"
)

const (
	statuses = 8
	numbers  = 1000
	batch    = 256
)

var names = [statuses]string{"draft", "open", "review", "offer", "signing", "won", "lost", "archived"}

func mix64(z uint64) uint64 {
	z += 0x9E3779B97F4A7C15
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
	z = (z ^ (z >> 27)) * 0x94D049BB133111EB
	return z ^ (z >> 31)
}

func below(rng *uint64, limit uint32) uint32 {
	*rng += 0x9E3779B97F4A7C15
	return uint32((mix64(*rng) >> 32) * uint64(limit) >> 32)
}

type deal struct{ status, amount int }

// terms is what a program sees: the deal's attributes and the mandate's constants. No map is made for an evaluation.
type terms struct {
	deal   *deal
	status string
	amount int64
	holds  bool
}

func (t *terms) ResolveName(name string) (any, bool) {
	switch name {
	case "status":
		return names[t.deal.status], true
	case "amount":
		return int64(t.deal.amount), true
	case "my_status":
		return t.status, true
	case "my_amount":
		return t.amount, true
	}
	return nil, false
}

func (t *terms) Parent() interpreter.Activation { return nil }

// The process's CPU time, its collector's included: others on the machine do not count.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		fail(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

func program(shape string) cel.Program {
	env, err := cel.NewEnv(cel.Variable("status", cel.StringType), cel.Variable("amount", cel.IntType),
		cel.Variable("my_status", cel.StringType), cel.Variable("my_amount", cel.IntType))
	if err != nil {
		fail(err)
	}
	text := "status == my_status"
	if shape == "threshold" {
		text = "amount < my_amount"
	}
	ast, issues := env.Compile(text)
	if issues.Err() != nil {
		fail(issues.Err())
	}
	p, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		fail(err)
	}
	return p
}

func main() {
	shape := flag.String("shape", "equality", "equality or threshold")
	mandates := flag.Uint("mandates", 100000, "")
	fanout := flag.Uint("fanout", 100, "")
	changes := flag.Int("changes", 10000, "")
	warmup := flag.Int("warmup", 1000, "")
	seed := flag.Uint64("seed", 1, "")
	flag.Parse()
	n, deals := uint32(*mandates), (uint32(*mandates)+uint32(*fanout)-1)/uint32(*fanout)

	dealOf := make([]uint32, n)
	rng := *seed ^ 0x5eed
	for i := range dealOf {
		dealOf[i] = uint32(i) / uint32(*fanout)
	}
	for i := n; i > 1; i-- {
		k := below(&rng, i)
		dealOf[k], dealOf[i-1] = dealOf[i-1], dealOf[k]
	}
	facts := make([]deal, deals)
	for i := range facts {
		h := mix64(*seed ^ mix64(uint64(i)))
		facts[i] = deal{int(h % statuses), int((h >> 8) % numbers)}
	}

	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	p := program(*shape)
	start := cpu()
	// What reads the attribute of this deal; of an equality, apart by the value it waits for: only those waiting for the old
	// or the new one can flip.
	slots := uint64(1)
	if *shape == "equality" {
		slots = statuses
	}
	index := make([][]*terms, uint64(deals)*slots)
	holds := func(t *terms) bool {
		v, _, err := p.Eval(t)
		if err != nil {
			fail(err)
		}
		return v.Value().(bool)
	}
	again := func(list []*terms) (found int) {
		for _, t := range list {
			if now := holds(t); now != t.holds {
				t.holds = now
				found++
			}
		}
		return found
	}
	for i := uint32(0); i < n; i++ {
		h := mix64(*seed*31 + mix64(uint64(i)))
		t := &terms{deal: &facts[dealOf[i]], status: names[h%statuses], amount: int64((h >> 8) % numbers)}
		t.holds = holds(t)
		slot := uint64(dealOf[i])*slots + h%slots
		index[slot] = append(index[slot], t)
	}
	load := float64((cpu() - start).Nanoseconds()) / float64(n)
	runtime.GC()
	runtime.ReadMemStats(&after)

	rng = mix64(*seed)
	want := uint32(0) // workload_field: status 0, amount 1
	if *shape == "threshold" {
		want = 1
	}
	type change struct {
		deal  uint32
		value int
	}
	var flips, timed int
	var took time.Duration
	todo := make([]change, batch)
	for done := 0; done < *warmup+*changes; done += batch {
		shadow := map[uint32]int{} // values within this batch, which is made before it is applied
		for i := range todo {
			c := change{deal: below(&rng, deals)}
			for below(&rng, 6) != want {
			}
			old, ok := shadow[c.deal]
			if !ok {
				old = facts[c.deal].status
				if want == 1 {
					old = facts[c.deal].amount
				}
			}
			if want == 0 {
				c.value = (old + 1 + int(below(&rng, statuses-1))) % statuses
			} else {
				step := 1 + int(below(&rng, numbers/20))
				if below(&rng, 2) != 0 {
					c.value = old + step
				} else {
					c.value = old - step
				}
				if c.value < 0 || c.value >= numbers {
					if old < numbers/2 {
						c.value = old + step
					} else {
						c.value = old - step
					}
				}
			}
			shadow[c.deal] = c.value
			todo[i] = c
		}
		begin, found := cpu(), 0
		for _, c := range todo {
			if want == 0 {
				old := facts[c.deal].status
				facts[c.deal].status = c.value
				found += again(index[uint64(c.deal)*slots+uint64(old)]) + again(index[uint64(c.deal)*slots+uint64(c.value)])
			} else {
				facts[c.deal].amount = c.value
				found += again(index[c.deal])
			}
		}
		flips += found
		if done >= *warmup {
			took += cpu() - begin
			timed += found
		}
	}
	end := 0
	for _, list := range index {
		for _, t := range list {
			if t.holds {
				end++
			}
		}
	}
	fmt.Printf("%d %d %d %.1f %.1f %.1f\n", flips, timed, end, float64(took.Nanoseconds())/float64(*changes), load,
		(float64(after.HeapAlloc)-float64(before.HeapAlloc))/float64(n))
}
