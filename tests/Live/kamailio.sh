#!/usr/bin/env bash
# A real Kamailio 5.6 and SIP far ends for tests, on 127.0.0.1 only. See README.md in this folder.
#   kamailio.sh install DIR
#   kamailio.sh start   DIR [HTTP_PORT] [SIP_PORT]
#   kamailio.sh status  DIR
#   kamailio.sh restart DIR [SECONDS_DOWN]
#   kamailio.sh stop    DIR
# Exit codes: 0 good, 1 failed, 2 wrong usage, 3 cannot be had on this machine (the reason is on stderr).
# Only `start` and `status` write to stdout, and only KEY=VALUE lines.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=${IFBUS_DEBIAN_SUITE:-bookworm}
host=127.0.0.1
far_ends=(refer answer busy ring bye reject)

say() { printf '%s\n' "kamailio.sh: $*" >&2; }
fail() { say "$*"; exit 1; }
cannot() { say "cannot be had here: $*"; exit 3; }
usage() { sed -n '3,7s/^# *//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

need_root() { [ "$(id -u)" = 0 ] || cannot "$1 needs root (chroot)"; }

# ---------------------------------------------------------------------------------------------- install

install_tools() {
    local missing=() tool
    for tool in mmdebstrap:mmdebstrap sipp:sip-tester openssl:openssl; do
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

do_install() {
    if [ -x "$root/usr/sbin/kamailio" ]; then
        install_tools
        say "$root has Kamailio already"
        return
    fi
    [ "$(uname -s)" = Linux ] || cannot "this is no Linux"
    install_tools
    need_root "install"
    mkdir -p "$(dirname "$root")"
    # Two sessions may want the same folder: the second waits and then finds it done.
    exec 9>"$root.lock"
    flock -w 900 9 || fail "another install holds $root.lock"
    if [ -x "$root/usr/sbin/kamailio" ]; then say "$root has Kamailio already"; return; fi
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
        --include=kamailio,kamailio-extra-modules,kamailio-tls-modules "$suite" "$root.partial" "$mirror" \
        >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        cannot "mmdebstrap could not make Debian $suite with Kamailio (the whole output is in $log)"
    fi
    # The chroot reaches nothing outside: no name server.
    : >"$root.partial/etc/resolv.conf"
    printf '127.0.0.1 localhost\n' >"$root.partial/etc/hosts"
    # Renamed only when complete, so a broken install is never taken for a whole one.
    mv -- "$root.partial" "$root"
    rm -f -- "$log"
    say "installed: $(chroot "$root" /usr/sbin/kamailio -v | head -1)"
}

# ------------------------------------------------------------------------------------------------ start

is_port() { [[ $1 =~ ^[1-9][0-9]{2,4}$ ]] && [ "$1" -lt 50000 ]; }

# alive PIDFILE COMMAND: the process that this script started is there and is still that program.
alive() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]
}

# One throw-away authority per start; its key is gone as soon as it has signed, so nothing else can use it.
make_certificates() {
    local ca=$state/ca.pem work=$state/tls
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
    install -m 600 "$work/server.key" "$state/key.pem"
    install -m 644 "$work/server.pem" "$state/cert.pem"
    rm -rf -- "$work"
}

start_far_ends() {
    local i name port
    for i in "${!far_ends[@]}"; do
        name=${far_ends[$i]}
        port=$((sipp_port + i))
        # SIPp draws its screen on stdout for ever: away with it. stderr has only what makes it end.
        setsid sipp -sf "$here/sipp/proxy-$name.xml" -i "$host" -p "$port" -ci "$host" -cp $((sipp_port + 20 + i)) \
            -mi "$host" -mp $((sipp_port + 10000 + i * 10)) -key proxy "$host:$sip_port" -nostdin \
            >/dev/null 2>"$state/sipp-$name.log" </dev/null 9>&- &
        echo $! >"$state/sipp-$name.pid"
    done
    sleep 1
    for name in "${far_ends[@]}"; do
        alive "$state/sipp-$name.pid" sipp || { tail -n 5 "$state/sipp-$name.log" >&2; fail "the far end $name did not start"; }
    done
}

start_kamailio() {
    # -DD: stays in the foreground; its children end with it.
    setsid chroot "$root" /usr/sbin/kamailio -DD -E -m 128 -M 16 -f /tmp/ifbus/kamailio.cfg -Y /tmp/ifbus -P /tmp/ifbus/kamailio.pid \
        >"$state/kamailio.log" 2>&1 </dev/null 9>&- &
    echo $! >"$state/kamailio.main"
    local i
    for ((i = 0; i < 150; i++)); do
        # At first it is still setsid and chroot.
        [ "$i" -lt 20 ] || alive "$state/kamailio.main" kamailio || break
        if (exec 3<>"/dev/tcp/$host/$http_port") 2>/dev/null && (exec 3<>"/dev/tcp/$host/$event_port") 2>/dev/null; then return; fi
        sleep 0.1
    done
    tail -n 20 "$state/kamailio.log" >&2
    fail "Kamailio did not come up"
}

do_start() {
    [ -x "$root/usr/sbin/kamailio" ] || fail "no Kamailio in $root; run: $0 install $root"
    need_root "start"
    install_tools
    mkdir -p "$state"
    exec 9>"$state/lock"
    flock -w 120 9 || fail "another start holds $state/lock"
    if alive "$state/kamailio.main" kamailio; then
        if [ $# -gt 0 ] && ! grep -qx "IFBUS_KAMAILIO_PORT=$1" "$state/env"; then
            fail "$root runs already, on other ports; stop it first"
        fi
        say "$root runs already"
        cat "$state/env"
        return
    fi
    http_port=${1:-18390}
    sip_port=${2:-15360}
    for port in "$http_port" "$sip_port"; do is_port "$port" || usage; done
    tls_port=$((http_port + 1)) event_port=$((http_port + 2)) sipp_port=$((sip_port + 10))
    for port in "$http_port" "$tls_port" "$event_port" "$sip_port"; do
        if (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; then fail "somebody listens on $host:$port already"; fi
    done
    stop_far_ends
    rm -f -- "$state"/*.log
    make_certificates
    rm -rf -- "$state/dbtext"
    mkdir -p "$state/dbtext"
    cp "$root"/usr/share/kamailio/dbtext/kamailio/{version,uacreg} "$state/dbtext"
    # A destination that answers, one that nobody is at, and one of another set.
    printf '%s\n' "1 sip:$host:$((sipp_port + 1)) 0 0 weight=50;duid=one" "1 sip:$host:$((sipp_port + 19)) 0 0 weight=50;duid=gone" "2 sip:$host:$((sipp_port + 2)) 0 0 duid=two" >"$state/dispatcher.list"
    sed -e "s/@HTTP_PORT@/$http_port/g; s/@TLS_PORT@/$tls_port/g; s/@EVENT_PORT@/$event_port/g; s/@SIP_PORT@/$sip_port/g; s|@STATE@|/tmp/ifbus|g" \
        -e "s/@FAR_REFER@/$sipp_port/; s/@FAR_ANSWER@/$((sipp_port + 1))/; s/@FAR_BUSY@/$((sipp_port + 2))/; s/@FAR_RING@/$((sipp_port + 3))/" \
        -e "s/@FAR_BYE@/$((sipp_port + 4))/; s/@FAR_REJECT@/$((sipp_port + 5))/; s/@FAR_TRACED@/$((sipp_port + 12))/" \
        "$here/kamailio.cfg" >"$state/kamailio.cfg"
    trap 'do_stop' EXIT
    start_far_ends
    start_kamailio
    cat >"$state/env.new" <<ENV
IFBUS_KAMAILIO_HOST=$host
IFBUS_KAMAILIO_PORT=$http_port
IFBUS_KAMAILIO_TLS_PORT=$tls_port
IFBUS_KAMAILIO_EVENT_PORT=$event_port
IFBUS_KAMAILIO_CA=$state/ca.pem
IFBUS_KAMAILIO_SIP_PORT=$sip_port
IFBUS_KAMAILIO_SIPP_PORT=$sipp_port
IFBUS_KAMAILIO_DIR=$root
ENV
    mv "$state/env.new" "$state/env"
    trap - EXIT
    say "$(chroot "$root" /usr/sbin/kamailio -v | head -1)"
    cat "$state/env"
}

# --------------------------------------------------------------------------------------- status and stop

do_status() {
    alive "$state/kamailio.main" kamailio || fail "$root does not run"
    local name
    for name in "${far_ends[@]}"; do
        alive "$state/sipp-$name.pid" sipp || say "warning: the far end $name is gone"
    done
    cat "$state/env"
}

# Ends the server and starts it again, far ends as they are: what a test of a lost server needs.
do_restart() {
    [ -e "$state/env" ] || fail "$root does not run"
    # shellcheck disable=SC1091 # written by start
    . "$state/env"
    http_port=$IFBUS_KAMAILIO_PORT event_port=$IFBUS_KAMAILIO_EVENT_PORT
    end "$state/kamailio.main" kamailio
    sleep "${1:-0}"
    start_kamailio
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

do_stop() {
    end "$state/kamailio.main" kamailio
    stop_far_ends
    rm -f -- "$state/env"
}

[ $# -ge 2 ] || usage
command=$1
# The path becomes part of KEY=VALUE lines that a shell evaluates: nothing in it may need quotes.
[[ $2 =~ ^[A-Za-z0-9_./+-]+$ ]] || { say "DIR may have letters, digits and _ . / + - only"; exit 2; }
root=$(realpath -m -- "$2")
[ "$root" != / ] || usage
state=$root/tmp/ifbus
shift 2
case $command in
    install) [ $# -eq 0 ] || usage; do_install ;;
    start) [ $# -le 2 ] || usage; do_start "$@" ;;
    status) [ $# -eq 0 ] || usage; do_status ;;
    restart) [ $# -le 1 ] || usage; need_root restart; do_restart "$@" ;;
    stop) [ $# -eq 0 ] || usage; need_root stop; do_stop; say "$root is stopped" ;;
    *) usage ;;
esac
