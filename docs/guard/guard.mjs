#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
// The guard of guard.c for Node: signatures are verified by mandatectl, the topic is followed here.
//
//     mandatectl topic tail --json --from-beginning | node guard.mjs JWKS ISSUER AUDIENCE CHAIN ACTION RESOURCE [SAID]...
//
// SAID is what is known of the act: properties={"amount_eur":9}, resource_properties={"region":"eu"}, context={}.
// Prints a line whenever the answer changes; the last answer is the exit code, 0 or 3. Whatever is not known is no.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const SILENCE_MS = 15000;
const [jwks, issuer, audience, path, action, resource, ...rest] = process.argv.slice(2);
const facts = rest.map(text => `--${text.slice(0, text.indexOf('=')).replace('_', '-')}=${text.slice(text.indexOf('=') + 1)}`);
const chain = readFileSync(path, 'utf8');

// null, or why not. Asked every time: an expiry passes without an event.
function verify() {
  const done = spawnSync('mandatectl', ['mandate', 'verify', '--jwks', jwks, '--issuer', issuer, '--audience', audience,
    '--action', action, '--resource', resource, ...facts], { input: chain, encoding: 'utf8' });
  return done.status === 0 ? null : (done.stderr || done.stdout || '').trim() || 'not verified';
}

// What a token says; only of one whose signature has been verified. Disclosures follow behind "~".
const payload = token => JSON.parse(Buffer.from(token.split('~')[0].split('.')[1], 'base64url').toString('utf8'));

const held = new Map(), said = new Map(), complete = new Map();
let broken = false;

function take(line) {
  try {
    const { value, partition } = JSON.parse(line);
    if (!Number.isInteger(partition)) throw new TypeError('no partition');
    if (value.issuer !== issuer) return;
    if (value.watermark) {
      const at = Date.parse(value.watermark.complete_up_to);
      if (Number.isNaN(at)) throw new TypeError('no time');
      complete.set(partition, at);
    } else {
      if (typeof value.mandate !== 'string' || !Number.isInteger(value.version) || !Number.isInteger(value.claims_version)) throw new TypeError('no transition');
      const before = said.get(value.mandate);
      if (said.has(value.mandate) && (!before || value.version > before.version))
        said.set(value.mandate, { version: value.version, claims: value.claims_version, partition, active: value.state === 'active' });
    }
  } catch {
    broken = true; // what it would have said is not known
  }
}

function refusal() {
  if (broken) return 'the topic has a record that this program cannot read';
  for (const [id, last] of said) {
    if (!last) return `mandate ${id} has not been heard of`;
    if (!last.active) return `mandate ${id} is not active`;
    if (last.claims > held.get(id)) return `mandate ${id} was amended: fetch its token again`;
    if (!(complete.get(last.partition) + SILENCE_MS > Date.now())) return `mandate ${id} may have ended: no heartbeat`;
  }
  return verify();
}

let before = '?';
function answer() {
  const why = refusal();
  if (why !== before) console.log(why ? `denied: ${why}` : 'permitted');
  before = why;
}

const why = verify();
if (why) {
  console.log(`denied: ${why}`);
  process.exitCode = 3;
} else {
  for (const { jti, version = 1 } of chain.split(/\s+/).filter(Boolean).map(payload)) {
    held.set(jti, version);
    said.set(jti, null);
  }
  const timer = setInterval(answer, 200);
  let rest = Buffer.alloc(0);
  for await (const data of process.stdin) {
    rest = Buffer.concat([rest, data]);
    for (let end; (end = rest.indexOf(10)) >= 0; rest = rest.subarray(end + 1)) take(rest.toString('utf8', 0, end));
  }
  broken ||= rest.length > 0;
  clearInterval(timer);
  answer();
  process.exitCode = before ? 3 : 0;
}
