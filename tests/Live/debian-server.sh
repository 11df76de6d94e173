# Sourced by asterisk.sh and kamailio.sh: a server of a Debian suite in a folder of its own, with SIPp far ends beside it,
# on 127.0.0.1 only. Who sources it sets program (its name in /usr/sbin), product, far_ends and tools, and has do_start and
# do_stop. Exit codes: 0 good, 1 failed, 2 wrong usage, 3 cannot be had on this machine (the reason is on stderr).
# shellcheck shell=bash
# shellcheck disable=SC2154 # the variables of who sources it
host=127.0.0.1

say() { printf '%s\n' "$program.sh: $*" >&2; }
fail() { say "$*"; exit 1; }
cannot() { say "cannot be had here: $*"; exit 3; }
# The lines of the script's head that begin with its name.
usage() { sed -n "s/^# *\($program\.sh .*\)/\1/p" "$0" >&2; exit 2; }

need_root() { [ "$(id -u)" = 0 ] || cannot "$1 needs root (chroot)"; }

# ---------------------------------------------------------------------------------------------- install

install_tools() {
    local missing=() tool
    for tool in mmdebstrap:mmdebstrap sipp:sip-tester openssl:openssl "${tools[@]}"; do
        command -v "${tool%%:*}" >/dev/null || missing+=("${tool##*:}")
    done
    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing+=(debian-archive-keyring)
    [ ${#missing[@]} -gt 0 ] || return 0
    need_root "installing ${missing[*]}"
    command -v apt-get >/dev/null || cannot "missing ${missing[*]}, and this is no Debian with apt-get"
    say "installing ${missing[*]}"
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -o DPkg::Lock::Timeout=600 -qy --no-install-recommends "${missing[@]}"; } >&2 \
        || cannot "apt-get could not install ${missing[*]}"
}

# Removes what an earlier install left behind, but never a folder that could be something else.
remove_half_made() {
    local old=$1
    [ -e "$old" ] || return 0
    if [ -n "$(ls -A "$old")" ] && ! [ -e "$old/var/lib/dpkg/status" ]; then
        fail "$old is not empty and no half-made chroot; name another folder"
    fi
    if awk -v d="$old/" 'index($2, d) == 1 { found = 1 } END { exit !found }' /proc/mounts; then
        fail "something is still mounted below $old; unmount it first"
    fi
    say "removing the half-made $old"
    rm -rf --one-file-system -- "$old"
}

# install SUITE PACKAGES: makes the folder, once.
install_server() {
    local suite=$1 packages=$2
    if [ -x "$root/usr/sbin/$program" ]; then
        install_tools
        say "$root has $product already"
        return
    fi
    [ "$(uname -s)" = Linux ] || cannot "this is no Linux"
    install_tools
    need_root install
    mkdir -p "$(dirname "$root")"
    # Two sessions may want the same folder: the second waits and then finds it done.
    exec 9>"$root.lock"
    flock -w 900 9 || fail "another install holds $root.lock"
    if [ -x "$root/usr/sbin/$program" ]; then say "$root has $product already"; return; fi
    remove_half_made "$root"
    remove_half_made "$root.partial"
    local mirror
    # The mirror named in this machine's apt configuration. $(REPO_URI) is apt's, not the shell's.
    # shellcheck disable=SC2016
    mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '!/security/ && !n++')}
    [ -n "$mirror" ] || cannot "no Debian mirror in this machine's apt configuration (set MIRROR)"
    say "making $root (Debian $suite, about half a minute)"
    local log=$root.install.log
    # Nothing is started in a chroot that is being made: its package manager finds a policy-rc.d that forbids it.
    if ! mmdebstrap --mode=root --variant=minbase --quiet \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --essential-hook='printf "#!/bin/sh\nexit 101\n" >"$1/usr/sbin/policy-rc.d" && chmod 755 "$1/usr/sbin/policy-rc.d"' \
        --include="$packages" "$suite" "$root.partial" "$mirror" \
        >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        cannot "mmdebstrap could not make Debian $suite with $product (the whole output is in $log)"
    fi
    # The chroot reaches nothing outside: no name server.
    : >"$root.partial/etc/resolv.conf"
    printf '127.0.0.1 localhost\n' >"$root.partial/etc/hosts"
    # Renamed only when complete, so a broken install is never taken for a whole one.
    mv -- "$root.partial" "$root"
    rm -f -- "$log"
    say "installed: $(server_version)"
}

# ------------------------------------------------------------------------------------------------ start

is_port() { [[ $1 =~ ^[1-9][0-9]{2,4}$ ]] && [ "$1" -lt 50000 ]; }

# alive PIDFILE COMMAND: the process that this script started is there and is still that program.
alive() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]
}

# make_certificates CA KEY CERTIFICATE: one throw-away authority per start; its key is gone as soon as it has signed, so
# nothing else can use it.
make_certificates() {
    local ca=$1 work=$state/tls
    rm -rf -- "$work"
    mkdir -m 700 "$work"
    {
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj '/CN=IfBus test authority' \
            -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' \
            -keyout "$work/ca.key" -out "$ca"
        openssl req -newkey rsa:2048 -nodes -subj '/CN=localhost' -keyout "$work/server.key" -out "$work/server.csr"
        printf '%s\n' 'basicConstraints=critical,CA:FALSE' 'keyUsage=critical,digitalSignature,keyEncipherment' \
            'extendedKeyUsage=serverAuth' 'subjectAltName=IP:127.0.0.1,DNS:localhost' >"$work/server.ext"
        openssl x509 -req -in "$work/server.csr" -CA "$ca" -CAkey "$work/ca.key" -set_serial 2 -days 30 \
            -extfile "$work/server.ext" -out "$work/server.pem"
    } >"$state/openssl.log" 2>&1 || { cat "$state/openssl.log" >&2; fail "no certificates"; }
    install -m 600 "$work/server.key" "$2"
    install -m 644 "$work/server.pem" "$3"
    rm -rf -- "$work"
}

# start_far_ends PREFIX MORE...: one SIPp for each of far_ends, which plays sipp/PREFIXname.xml.
start_far_ends() {
    local i name port
    for i in "${!far_ends[@]}"; do
        name=${far_ends[$i]}
        port=$((sipp_port + i))
        # SIPp draws its screen on stdout for ever: away with it. stderr has only what makes it end.
        setsid sipp -sf "$here/sipp/$1$name.xml" -i "$host" -p "$port" -ci "$host" -cp $((sipp_port + 20 + i)) \
            -mi "$host" -mp $((sipp_port + 10000 + i * 10)) "${@:2}" -nostdin \
            >/dev/null 2>"$state/sipp-$name.log" </dev/null 9>&- &
        echo $! >"$state/sipp-$name.pid"
    done
    sleep 1
    for name in "${far_ends[@]}"; do
        alive "$state/sipp-$name.pid" sipp || { tail -n 5 "$state/sipp-$name.log" >&2; fail "the far end $name did not start"; }
    done
}

# begin_start PIDFILE VARIABLE [PORT]: one start at a time. Shows the variables and ends if the server runs already.
begin_start() {
    [ -x "$root/usr/sbin/$program" ] || fail "no $product in $root; run: $0 install $root"
    need_root start
    install_tools
    mkdir -p "$state"
    exec 9>"$state/lock"
    flock -w 120 9 || fail "another start holds $state/lock"
    if alive "$1" "$program"; then
        if [ $# -gt 2 ] && ! grep -qx "$2=$3" "$state/env"; then
            fail "$root runs already, on other ports; stop it first"
        fi
        say "$root runs already"
        cat "$state/env"
        exit
    fi
}

# check_free PORT...: nobody listens there.
check_free() {
    local port
    for port; do
        if (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; then fail "somebody listens on $host:$port already"; fi
    done
}

# end_start: takes the variables of stdin as those of the running server, and shows them.
end_start() {
    cat >"$state/env.new"
    mv "$state/env.new" "$state/env"
    trap - EXIT
    say "$(server_version)"
    cat "$state/env"
}

# --------------------------------------------------------------------------------------- status and stop

# show_status PIDFILE
show_status() {
    alive "$1" "$program" || fail "$root does not run"
    local name
    for name in "${far_ends[@]}"; do
        alive "$state/sipp-$name.pid" sipp || say "warning: the far end $name is gone"
    done
    cat "$state/env"
}

# end PIDFILE COMMAND: asks the process to end, waits 5 s, then ends it the hard way.
end() {
    local pid i
    if alive "$1" "$2"; then
        pid=$(cat "$1")
        kill -TERM "$pid" 2>/dev/null || true
        for ((i = 0; i < 50; i++)); do
            alive "$1" "$2" || break
            sleep 0.1
        done
        if alive "$1" "$2"; then kill -KILL -- "-$pid" 2>/dev/null || true; sleep 0.2; fi
    fi
    rm -f -- "$1"
}

stop_far_ends() {
    local name
    # SIPp takes a second or two to end: ask all of them before waiting for each.
    for name in "${far_ends[@]}"; do
        if alive "$state/sipp-$name.pid" sipp; then kill -TERM "$(cat "$state/sipp-$name.pid")" 2>/dev/null || true; fi
    done
    for name in "${far_ends[@]}"; do end "$state/sipp-$name.pid" sipp; done
}

# take_folder DIR: root and state.
take_folder() {
    # The path becomes part of KEY=VALUE lines that a shell evaluates: nothing in it may need quotes.
    [[ $1 =~ ^[A-Za-z0-9_./+-]+$ ]] || { say "DIR may have letters, digits and _ . / + - only"; exit 2; }
    root=$(realpath -m -- "$1")
    [ "$root" != / ] || usage
    state=$root/tmp/ifbus
}
