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
program=asterisk product=Asterisk
far_ends=(answer busy ring hold bye reject notfound)
tools=(python3:python3-minimal)
# shellcheck source-path=SCRIPTDIR source=debian-server.sh
. "$here/debian-server.sh"

cli() { timeout 10 chroot "$root" /usr/sbin/asterisk -C "/etc/asterisk-ifbus/asterisk.conf" -rx "$1" 2>/dev/null; }

server_version() { chroot "$root" /usr/sbin/asterisk -V; }

do_start() {
    begin_start "$state/asterisk.pid" IFBUS_ASTERISK_PORT "${@:1:1}"
    local ami_port=${1:-15038} sip_port=${2:-15070}
    local tls_port=${3:-$((ami_port + 1))} port
    for port in "$ami_port" "$sip_port" "$tls_port"; do is_port "$port" || usage; done
    local sipp_port=$((sip_port + 10))
    check_free "$ami_port" "$tls_port"

    stop_far_ends
    rm -rf -- "$root/etc/asterisk-ifbus" "$state"/*.log
    mkdir -p "$root/etc/asterisk-ifbus" "$root/run/asterisk"
    python3 "$here/mkconf.py" "$root/etc/asterisk-ifbus" "$ami_port" "$tls_port" "$sip_port" "$sipp_port"
    make_certificates "$root/tmp/ifbus-ca.pem" "$root/etc/asterisk-ifbus/ami-key.pem" "$root/etc/asterisk-ifbus/ami-cert.pem"
    rm -f -- "$root/var/log/asterisk/messages" "$root/var/log/asterisk/messages.log"

    # A thousand channels need several descriptors each.
    ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)" 2>/dev/null || true
    [ "$(ulimit -n)" -ge 8192 ] || say "note: only $(ulimit -n) open files, too few for hundreds of calls"
    trap 'do_stop' EXIT
    # The far ends first: Asterisk asks for them as soon as it is up.
    start_far_ends "" -rtp_echo
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
    end_start <<ENV
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
take_folder "$2"
shift 2
case $command in
    install) [ $# -eq 0 ] || usage; install_server "${IFBUS_DEBIAN_SUITE:-forky}" asterisk,asterisk-core-sounds-en-gsm,asterisk-moh-opsound-gsm ;;
    start) [ $# -le 3 ] || usage; do_start "$@" ;;
    status) [ $# -eq 0 ] || usage; show_status "$state/asterisk.pid" ;;
    stop) [ $# -eq 0 ] || usage; need_root stop; do_stop; say "$root is stopped" ;;
    *) usage ;;
esac
