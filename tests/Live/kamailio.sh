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
program=kamailio product=Kamailio
far_ends=(refer answer busy ring bye reject)
tools=()
# shellcheck source-path=SCRIPTDIR source=debian-server.sh
. "$here/debian-server.sh"

server_version() { chroot "$root" /usr/sbin/kamailio -v | head -1; }

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
    begin_start "$state/kamailio.main" IFBUS_KAMAILIO_PORT "${@:1:1}"
    http_port=${1:-18390}
    sip_port=${2:-15360}
    for port in "$http_port" "$sip_port"; do is_port "$port" || usage; done
    tls_port=$((http_port + 1)) event_port=$((http_port + 2)) sipp_port=$((sip_port + 10))
    check_free "$http_port" "$tls_port" "$event_port" "$sip_port"
    stop_far_ends
    rm -f -- "$state"/*.log
    make_certificates "$state/ca.pem" "$state/key.pem" "$state/cert.pem"
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
    start_far_ends proxy- -key proxy "$host:$sip_port"
    start_kamailio
    end_start <<ENV
IFBUS_KAMAILIO_HOST=$host
IFBUS_KAMAILIO_PORT=$http_port
IFBUS_KAMAILIO_TLS_PORT=$tls_port
IFBUS_KAMAILIO_EVENT_PORT=$event_port
IFBUS_KAMAILIO_CA=$state/ca.pem
IFBUS_KAMAILIO_SIP_PORT=$sip_port
IFBUS_KAMAILIO_SIPP_PORT=$sipp_port
IFBUS_KAMAILIO_DIR=$root
ENV
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

do_stop() {
    end "$state/kamailio.main" kamailio
    stop_far_ends
    rm -f -- "$state/env"
}

[ $# -ge 2 ] || usage
command=$1
take_folder "$2"
shift 2
case $command in
    install) [ $# -eq 0 ] || usage; install_server "${IFBUS_DEBIAN_SUITE:-bookworm}" kamailio,kamailio-extra-modules,kamailio-tls-modules ;;
    start) [ $# -le 2 ] || usage; do_start "$@" ;;
    status) [ $# -eq 0 ] || usage; show_status "$state/kamailio.main" ;;
    restart) [ $# -le 1 ] || usage; need_root restart; do_restart "$@" ;;
    stop) [ $# -eq 0 ] || usage; need_root stop; do_stop; say "$root is stopped" ;;
    *) usage ;;
esac
