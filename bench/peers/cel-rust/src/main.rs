// SPDX-License-Identifier: Apache-2.0

//! The expressions of `mandate-bench cel`, evaluated and compiled by the `cel` crate: lines "what<TAB>expression" on standard
//! input, a JSON record a line on standard output. The median of nine rounds, as there.

use cel::{Context, Program, Value};
use std::collections::HashMap;
use std::hint::black_box;
use std::io::BufRead;

const ROUNDS: usize = 9;
const EVALUATIONS: usize = 20000;
const COMPILATIONS: usize = 20;

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// CPU time of the process, in nanoseconds: what else the machine does counts for nobody.
fn cpu() -> f64 {
    let mut t = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let code = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &mut t) };
    assert_eq!(code, 0);
    t.tv_sec as f64 * 1e9 + t.tv_nsec as f64
}

fn facts() -> Context<'static, 'static> {
    let mut context = Context::default();
    let keys: Vec<String> = (0..10).map(|i| format!("key-{i}")).collect();
    let marks: HashMap<String, i64> = keys.iter().cloned().zip(0i64..).collect();
    let at = |s: i64| Value::Timestamp(chrono::DateTime::from_timestamp(s, 0).unwrap().fixed_offset());
    context.add_variable_from_value("status", "open");
    context.add_variable_from_value("size", 12i64);
    context.add_variable_from_value("owner", "procurement/emea/buyer-17");
    context.add_variable_from_value("tags", keys);
    context.add_variable_from_value("numbers", (0i64..10).collect::<Vec<i64>>());
    context.add_variable_from_value("at", at(1000));
    context.add_variable_from_value("now", at(5000));
    context.add_variable_from_value("long", "x".repeat(1024));
    context.add_variable_from_value("marks", marks);
    context
}

fn measure(context: &Context<'_, '_>, source: &str) -> Result<(f64, f64), String> {
    let program = Program::compile(source).map_err(|e| e.to_string())?;
    program.execute(context).map_err(|e| e.to_string())?;
    let (mut evals, mut compiles) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let from = cpu();
        for _ in 0..EVALUATIONS {
            let _ = black_box(program.execute(black_box(context)));
        }
        let eval = (cpu() - from) / EVALUATIONS as f64;
        let from = cpu();
        for _ in 0..COMPILATIONS {
            let _ = black_box(Program::compile(black_box(source)));
        }
        if round > 0 {
            evals.push(eval);
            compiles.push((cpu() - from) / COMPILATIONS as f64 / 1000.0);
        }
    }
    Ok((median(evals), median(compiles)))
}

fn main() {
    let context = facts();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input");
        let (what, source) = line.split_once('\t').unwrap_or((&line, &line));
        match measure(&context, source) {
            Ok((ns, us)) => println!(
                "{{\"record\":\"peer\",\"peer\":\"cel crate 0.15.0\",\"what\":{what:?},\"ns\":{ns:.1},\"compile_us\":{us:.2}}}"
            ),
            Err(e) => println!("{{\"record\":\"peer\",\"peer\":\"cel crate 0.15.0\",\"what\":{what:?},\"error\":{e:?}}}"),
        }
    }
}
