#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# bare.sh ROOT [COMMAND...] - what a visitor types, in a Debian 12 that holds nothing but git. Run by ./dev test --bare, as root.
#
# debootstrap makes the machine in a temporary folder; where packages come from, which authorities are trusted and which
# proxies lead there is taken from this machine at run time. The repository is cloned there, HEAD of ROOT, and the commands of
# the README (or those given) run in the clone, in an environment without anything of ours. Afterwards what runs in the
# folder is ended, by its own ids, and the folder is removed; KEEP=1 leaves it.

set -euo pipefail
ROOT=$1
shift
RELEASE=bookworm
PASSED=(http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY JOBS MAVEN_ARGS NPM_CONFIG_REGISTRY NODE_EXTRA_CA_CERTS)

say() { printf '==> %s\n' "$*"; }

if [ $# -gt 0 ]; then
    COMMANDS=("$@")
else
    # The first block of shell in the README, without what is said beside it.
    mapfile -t COMMANDS < <(awk '/^```sh$/ {on = 1; next} /^```$/ {if (on) exit} on {sub(/ *#.*/, ""); print}' "$ROOT/README.md")
fi
[ ${#COMMANDS[@]} -gt 0 ] || { echo "bare: the README shows no command" >&2; exit 1; }

# A place where programs may run and devices work; /tmp is often neither.
MACHINE=$(mktemp -d "${BARE_DIR:-/var/tmp}/mandated-bare.XXXXXX")
chmod 755 "$MACHINE" # it is the root of users that are not root

inhabitants() {
    local root
    for root in /proc/[0-9]*/root; do
        [ "$(readlink "$root" 2>/dev/null)" != "$MACHINE" ] || { root=${root#/proc/}; echo "${root%/root}"; }
    done
}

leave() {
    local pids
    pids=$(inhabitants)
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
    for _ in 1 2 3 4 5 6 7 8 9 10; do [ -z "$(inhabitants)" ] && break || sleep 0.5; done
    pids=$(inhabitants)
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill -9 $pids 2>/dev/null || true
    for mount in dev/shm proc; do umount "$MACHINE/$mount" 2>/dev/null || umount -l "$MACHINE/$mount" 2>/dev/null || true; done
    [ -n "${KEEP:-}" ] && say "kept $MACHINE" || rm -rf --one-file-system "$MACHINE"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# --- the machine -----------------------------------------------------------------------------------------------------
MIRROR=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT) $(CREATED_BY)' |
    awk -v release=$RELEASE '$2 == release && $3 == "main" && $4 == "Packages" {print $1; exit}')
[ -n "$MIRROR" ] || { echo "bare: this machine's apt knows no source of $RELEASE" >&2; exit 1; }
say "Debian 12 (minbase and git) in $MACHINE"
debootstrap --variant=minbase --include=git,ca-certificates $RELEASE "$MACHINE" "$MIRROR" >"$MACHINE.log" 2>&1 ||
    { tail -n 20 "$MACHINE.log"; rm -f "$MACHINE.log"; exit 1; }
rm -f "$MACHINE.log"

rm -rf "$MACHINE/etc/apt/sources.list"
for place in etc/apt/sources.list etc/apt/sources.list.d etc/apt/apt.conf etc/apt/apt.conf.d etc/apt/auth.conf.d \
    etc/apt/preferences.d etc/apt/trusted.gpg.d etc/apt/keyrings usr/share/keyrings usr/local/share/ca-certificates; do
    [ -e "/$place" ] || continue
    mkdir -p "$MACHINE/$(dirname $place)"
    cp -rL "/$place" "$MACHINE/$(dirname $place)/"
done
cp -L /etc/resolv.conf /etc/hosts "$MACHINE/etc/"
mount -t proc proc "$MACHINE/proc"
mkdir -p "$MACHINE/dev/shm"
mount -t tmpfs tmpfs "$MACHINE/dev/shm" # the other devices are debootstrap's own
chroot "$MACHINE" update-ca-certificates >/dev/null 2>&1

git clone --quiet --bare "$ROOT" "$MACHINE/srv/mandated.git"
git -C "$MACHINE/srv/mandated.git" update-ref refs/heads/main "$(git -C "$ROOT" rev-parse HEAD)"
git -C "$MACHINE/srv/mandated.git" symbolic-ref HEAD refs/heads/main
say "$(chroot "$MACHINE" dpkg-query -W | wc -l) packages, no compiler, no Python: $(
    chroot "$MACHINE" sh -c 'for p in gcc cc python3 java cmake; do command -v $p; done' | tr '\n' ' ')"

# --- what a visitor types ------------------------------------------------------------------------------------------------
ENVIRONMENT=(PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root "TERM=${TERM:-dumb}" LANG=C.UTF-8)
for name in "${PASSED[@]}"; do [ -z "${!name:-}" ] || ENVIRONMENT+=("$name=${!name}"); done
visit() { chroot "$MACHINE" env -i "${ENVIRONMENT[@]}" sh -c "cd /root && $1"; }

visit "git clone --quiet /srv/mandated.git"
for command in "${COMMANDS[@]}"; do
    say "$command"
    start=$SECONDS
    visit "cd mandated && $command" || { code=$?; say "FAIL $command: exit code $code"; exit 1; }
    say "ok   $command ($((SECONDS - start)) s)"
done
