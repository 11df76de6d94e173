#!/usr/bin/env bash
# A real Asterisk and SIP far ends for tests, on 127.0.0.1 only. See README.md in this folder.
#   asterisk.sh install DIR
#   asterisk.sh start   DIR [AMI_PORT] [SIP_PORT] [TLS_PORT]
#   asterisk.sh status  DIR
#   asterisk.sh stop    DIR
# Exit codes: 0 good, 1 failed, 2 wrong usage, 3 cannot be had on this machine (the reason is on stderr).
# Only `start` and `status` write to stdout, and only KEY=VALUE lines.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
suite=${IFBUS_DEBIAN_SUITE:-forky}
host=127.0.0.1
far_ends=(answer busy ring hold bye reject notfound)

say() { printf '%s\n' "asterisk.sh: $*" >&2; }
fail() { say "$*"; exit 1; }
cannot() { say "cannot be had here: $*"; exit 3; }
usage() { sed -n '3,6s/^# *//p' "${BASH_SOURCE[0]}" >&2; exit 2; }

need_root() { [ "$(id -u)" = 0 ] || cannot "$1 needs root (chroot)"; }

# ---------------------------------------------------------------------------------------------- install

install_tools() {
    local missing=() tool
    for tool in mmdebstrap:mmdebstrap sipp:sip-tester openssl:openssl python3:python3-minimal; do
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
    if [ -x "$root/usr/sbin/asterisk" ]; then
        install_tools
        say "$root has Asterisk already"
        return
    fi
    [ "$(uname -s)" = Linux ] || cannot "this is no Linux"
    install_tools
    need_root "install"
    mkdir -p "$(dirname "$root")"
    # Two sessions may want the same folder: the second waits and then finds it done.
    exec 9>"$root.lock"
    flock -w 900 9 || fail "another install holds $root.lock"
    if [ -x "$root/usr/sbin/asterisk" ]; then say "$root has Asterisk already"; return; fi
    remove_half_made "$root"
    remove_half_made "$root.partial"
    local mirror
    # The mirror named in this machine's apt configuration. $(REPO_URI) is apt's, not the shell's.
    # shellcheck disable=SC2016
    mirror=${MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | awk '!/security/ && !n++')}
    [ -n "$mirror" ] || cannot "no Debian mirror in this machine's apt configuration (set MIRROR)"
    say "making $root (Debian $suite, about half a minute)"
    local log=$root.install.log
    if ! mmdebstrap --mode=root --variant=minbase --quiet \
        --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Check-Valid-Until "false"' \
        --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        --include=asterisk,asterisk-core-sounds-en-gsm,asterisk-moh-opsound-gsm "$suite" "$root.partial" "$mirror" \
        >"$log" 2>&1 </dev/null; then
        tail -n 20 "$log" >&2
        cannot "mmdebstrap could not make Debian $suite with Asterisk (the whole output is in $log)"
    fi
    # The chroot reaches nothing outside: no name server.
    : >"$root.partial/etc/resolv.conf"
    printf '127.0.0.1 localhost\n' >"$root.partial/etc/hosts"
    # Renamed only when complete, so a broken install is never taken for a whole one.
    mv -- "$root.partial" "$root"
    rm -f -- "$log"
    say "installed: $(chroot "$root" /usr/sbin/asterisk -V)"
}

# ------------------------------------------------------------------------------------------------ start

is_port() { [[ $1 =~ ^[1-9][0-9]{2,4}$ ]] && [ "$1" -lt 50000 ]; }

# alive PIDFILE COMMAND: the process that this script started is there and is still that program.
alive() {
    local pid
    pid=$(cat "$1" 2>/dev/null) || return 1
    [ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$2" ]
}

cli() { timeout 10 chroot "$root" /usr/sbin/asterisk -C "/etc/asterisk-ifbus/asterisk.conf" -rx "$1" 2>/dev/null; }

# One throw-away authority per start; its key is gone as soon as it has signed, so nothing else can use it.
make_certificates() {
    local ca=$root/tmp/ifbus-ca.pem work=$state/tls
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
    install -m 600 "$work/server.key" "$root/etc/asterisk-ifbus/ami-key.pem"
    install -m 644 "$work/server.pem" "$root/etc/asterisk-ifbus/ami-cert.pem"
    rm -rf -- "$work"
}

start_far_ends() {
    local i name port
    for i in "${!far_ends[@]}"; do
        name=${far_ends[$i]}
        port=$((sipp_port + i))
        # SIPp draws its screen on stdout for ever: away with it. stderr has only what makes it end.
        setsid sipp -sf "$here/sipp/$name.xml" -i "$host" -p "$port" -ci "$host" -cp $((sipp_port + 20 + i)) \
            -mi "$host" -mp $((sipp_port + 10000 + i * 10)) -rtp_echo -nostdin \
            >/dev/null 2>"$state/sipp-$name.log" </dev/null 9>&- &
        echo $! >"$state/sipp-$name.pid"
    done
    sleep 1
    for name in "${far_ends[@]}"; do
        alive "$state/sipp-$name.pid" sipp || { tail -n 5 "$state/sipp-$name.log" >&2; fail "the far end $name did not start"; }
    done
}

do_start() {
    [ -x "$root/usr/sbin/asterisk" ] || fail "no Asterisk in $root; run: $0 install $root"
    need_root "start"
    install_tools
    mkdir -p "$state"
    exec 9>"$state/lock"
    flock -w 120 9 || fail "another start holds $state/lock"
    if alive "$state/asterisk.pid" asterisk; then
        if [ $# -gt 0 ] && ! grep -qx "IFBUS_ASTERISK_PORT=$1" "$state/env"; then
            fail "$root runs already, on other ports; stop it first"
        fi
        say "$root runs already"
        cat "$state/env"
        return
    fi
    local ami_port=${1:-15038} sip_port=${2:-15070}
    local tls_port=${3:-$((ami_port + 1))} port
    for port in "$ami_port" "$sip_port" "$tls_port"; do is_port "$port" || usage; done
    local sipp_port=$((sip_port + 10))
    for port in "$ami_port" "$tls_port"; do
        if (exec 3<>"/dev/tcp/$host/$port") 2>/dev/null; then fail "somebody listens on $host:$port already"; fi
    done

    stop_far_ends
    rm -rf -- "$root/etc/asterisk-ifbus" "$state"/*.log
    mkdir -p "$root/etc/asterisk-ifbus" "$root/run/asterisk"
    python3 "$here/mkconf.py" "$root/etc/asterisk-ifbus" "$ami_port" "$tls_port" "$sip_port" "$sipp_port"
    make_certificates
    rm -f -- "$root/var/log/asterisk/messages" "$root/var/log/asterisk/messages.log"

    # A thousand channels need several descriptors each.
    ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
    [ "$(ulimit -n)" -ge 8192 ] || say "note: only $(ulimit -n) open files, too few for hundreds of calls"
    trap 'do_stop' EXIT
    # The far ends first: Asterisk asks for them as soon as it is up.
    start_far_ends
    setsid chroot "$root" /usr/sbin/asterisk -f -C /etc/asterisk-ifbus/asterisk.conf \
        >"$state/asterisk.log" 2>&1 </dev/null 9>&- &
    echo $! >"$state/asterisk.pid"

    local deadline=$((SECONDS + 60)) booted=
    while [ "$SECONDS" -lt "$deadline" ]; do
        kill -0 "$(cat "$state/asterisk.pid")" 2>/dev/null || break
        if cli 'core waitfullybooted' | grep -q 'fully booted'; then booted=1; break; fi
        sleep 0.2
    done
    [ -n "$booted" ] || { tail -n 20 "$state/asterisk.log" >&2; fail "Asterisk did not come up"; }
    # Nobody is there for the server before it has asked: all far ends, and not the one that is really gone.
    for _ in {1..200}; do
        if [ "$(cli 'pjsip show contacts' | grep -cE ' Avail ')" -ge ${#far_ends[@]} ] && cli 'pjsip show contacts' | grep -q ' Unavail '; then break; fi
        sleep 0.2
    done
    cat >"$state/env.new" <<ENV
IFBUS_ASTERISK_HOST=$host
IFBUS_ASTERISK_PORT=$ami_port
IFBUS_ASTERISK_TLS_PORT=$tls_port
IFBUS_ASTERISK_CA=$root/tmp/ifbus-ca.pem
IFBUS_ASTERISK_USER=ifbus
IFBUS_ASTERISK_SECRET=ifbus-secret
IFBUS_ASTERISK_USERS=ifbus:ifbus-secret,ifbus-ro:ro-secret,ifbus-orig:orig-secret,ifbus-acl:acl-secret,ifbus-lite:lite-secret,ifbus-calls:calls-secret,ifbus-noread:noread-secret
IFBUS_ASTERISK_SIP_PORT=$sip_port
IFBUS_ASTERISK_SIPP_PORT=$sipp_port
IFBUS_ASTERISK_MONITOR=$root/var/spool/asterisk/monitor
ENV
    mv "$state/env.new" "$state/env"
    trap - EXIT
    say "$(cli 'core show version')"
    cat "$state/env"
}

# --------------------------------------------------------------------------------------- status and stop

do_status() {
    alive "$state/asterisk.pid" asterisk || fail "$root does not run"
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
        if alive "$1" "$2"; then kill -KILL "$pid" 2>/dev/null || true; sleep 0.2; fi
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
    # Its own word first: it hangs up the calls, so that the far ends see the end of them.
    if alive "$state/asterisk.pid" asterisk; then cli 'core stop now' >/dev/null || true; fi
    local i
    for ((i = 0; i < 50; i++)); do
        alive "$state/asterisk.pid" asterisk || break
        sleep 0.1
    done
    end "$state/asterisk.pid" asterisk
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
    start) [ $# -le 3 ] || usage; do_start "$@" ;;
    status) [ $# -eq 0 ] || usage; do_status ;;
    stop) [ $# -eq 0 ] || usage; need_root stop; do_stop; say "$root is stopped" ;;
    *) usage ;;
esac
