// SPDX-License-Identifier: Apache-2.0

// The expressions of `mandate-bench cel`, evaluated and compiled by cel-go: lines "what<TAB>expression" on standard input, a
// JSON record a line on standard output. The median of nine rounds, as there.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"syscall"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/ext"
)

const (
	rounds       = 9
	evaluations  = 20000
	compilations = 20
	programs     = 100 // to see how much memory one keeps
)

func median(values []float64) float64 {
	sort.Float64s(values)
	return values[len(values)/2]
}

// CPU time of the process, in nanoseconds: what else the machine does counts for nobody. Collecting garbage counts.
func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	for _, d := range info.Deps {
		if ok && d.Path == "cel.dev/cel-go" {
			return "cel-go " + d.Version
		}
	}
	return "cel-go"
}

func environment() (*cel.Env, error) {
	return cel.NewEnv(cel.Variable("status", cel.StringType), cel.Variable("size", cel.IntType),
		cel.Variable("owner", cel.StringType), cel.Variable("tags", cel.ListType(cel.StringType)),
		cel.Variable("numbers", cel.ListType(cel.IntType)), cel.Variable("at", cel.TimestampType),
		cel.Variable("long", cel.StringType), cel.Variable("marks", cel.MapType(cel.StringType, cel.IntType)),
		cel.Variable("now", cel.TimestampType), cel.OptionalTypes(), ext.Strings(), ext.Math(), ext.Lists(), ext.Sets())
}

func facts() map[string]any {
	tags, numbers, marks := []string{}, []int64{}, map[string]int64{}
	for i := int64(0); i < 10; i++ {
		key := fmt.Sprintf("key-%d", i)
		tags, numbers = append(tags, key), append(numbers, i)
		marks[key] = i
	}
	return map[string]any{"status": "open", "size": int64(12), "owner": "procurement/emea/buyer-17", "tags": tags,
		"numbers": numbers, "at": time.Unix(1000, 0), "long": strings.Repeat("x", 1024), "marks": marks,
		"now": time.Unix(5000, 0)}
}

// What a program keeps alive, in bytes: of many of them, after a collection.
func programBytes(env *cel.Env, source string) uint64 {
	var before, after runtime.MemStats
	kept := make([]cel.Program, 0, programs)
	runtime.GC()
	runtime.ReadMemStats(&before)
	for i := 0; i < cap(kept); i++ {
		ast, _ := env.Compile(source)
		program, _ := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
		kept = append(kept, program)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return (after.HeapAlloc - before.HeapAlloc) / uint64(cap(kept))
}

func measure(env *cel.Env, activation any, source string) (evalNs, compileUs float64, bytes uint64, err error) {
	ast, issues := env.Compile(source)
	if issues.Err() != nil {
		return 0, 0, 0, issues.Err()
	}
	program, err := env.Program(ast, cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return 0, 0, 0, err
	}
	if _, _, err = program.Eval(activation); err != nil {
		return 0, 0, 0, err
	}
	evals, compiles := []float64{}, []float64{}
	for r := -1; r < rounds; r++ {
		from := cpu()
		for i := 0; i < evaluations; i++ {
			program.Eval(activation)
		}
		evalTime := cpu() - from
		from = cpu()
		for i := 0; i < compilations; i++ {
			again, _ := env.Compile(source)
			env.Program(again, cel.EvalOptions(cel.OptOptimize))
		}
		if r >= 0 {
			evals = append(evals, float64(evalTime)/evaluations)
			compiles = append(compiles, float64(cpu()-from)/compilations/1000)
		}
	}
	return median(evals), median(compiles), programBytes(env, source), nil
}

func main() {
	env, err := environment()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	activation, err := cel.NewActivation(facts())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	lines := bufio.NewScanner(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		what, source, _ := strings.Cut(lines.Text(), "\t")
		record := map[string]any{"record": "peer", "peer": version(), "what": what}
		ns, us, bytes, err := measure(env, activation, source)
		if err != nil {
			record["error"] = err.Error()
		} else {
			record["ns"], record["compile_us"], record["bytes"] = ns, us, bytes
		}
		out.Encode(record)
	}
}
