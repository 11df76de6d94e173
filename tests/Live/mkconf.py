#!/usr/bin/env python3
"""Writes the Asterisk configuration of the live tests: mkconf.py DIR AMI_PORT TLS_PORT SIP_PORT SIPP_PORT"""
import os
import sys

target, ami, tls, sip, sipp = sys.argv[1], *(int(a) for a in sys.argv[2:6])
RTP = (20000, 24999)


def write(name, text):
    with open(os.path.join(target, name), "w", encoding="utf-8") as file:
        file.write(text.lstrip("\n"))


write("asterisk.conf", """
[directories]
astetcdir => /etc/asterisk-ifbus
[options]
verbose = 0
""")

# Nothing that opens a network port, needs a database or a sound card.
NOLOAD = """
chan_iax2 pbx_dundi chan_unistim chan_motif chan_console chan_oss chan_alsa chan_skinny chan_mgcp chan_sip chan_phone
chan_ooh323 chan_mobile chan_websocket chan_audiosocket res_audiosocket app_audiosocket app_jack res_xmpp res_snmp
res_hep res_hep_pjsip res_hep_rtcp res_config_odbc res_config_pgsql res_config_ldap res_config_curl res_odbc
res_odbc_transaction func_odbc app_voicemail_odbc cdr_odbc cdr_adaptive_odbc cdr_pgsql cdr_tds cdr_radius
cdr_sqlite3_custom cdr_custom cdr_csv cdr_syslog cel_odbc cel_pgsql cel_tds cel_radius cel_sqlite3_custom cel_custom
res_calendar res_calendar_caldav res_calendar_ews res_calendar_exchange res_calendar_icalendar res_phoneprov
res_pjsip_phoneprov_provider app_alarmreceiver app_festival res_stun_monitor res_prometheus res_statsd res_geolocation
res_pjsip_geolocation res_stir_shaken res_pjsip_stir_shaken pbx_lua pbx_ael res_ael_share app_minivm res_smdi res_adsi
app_adsiprog app_getcpeid res_fax res_fax_spandsp res_http_post
""".split()
write("modules.conf", "[modules]\nautoload=yes\n" + "".join(f"noload => {m}.so\n" for m in NOLOAD))

# name, secret, read, write, other lines
USERS = (
    ("ifbus", "ifbus-secret", "all", "all", ()),
    # Sees call events and may report, but no originate, no command, no system.
    ("ifbus-ro", "ro-secret", "call", "reporting", ()),
    # What 'originate' allows without 'system' and 'call'.
    ("ifbus-orig", "orig-secret", "call", "originate", ()),
    # May do everything and sees no call event.
    ("ifbus-noread", "noread-secret", "system", "all", ()),
    # Refused by its own ACL.
    ("ifbus-acl", "acl-secret", "call", "call", ()),
    # The server leaves out CEL events: they double the traffic.
    ("ifbus-lite", "lite-secret", "all", "all", ("eventfilter=!Event: CEL",)),
    # Filtered by the server, and patient with a slow reader.
    ("ifbus-calls", "calls-secret", "call,cdr", "originate,call,reporting",
     ("writetimeout=10000", "eventfilter=!Event: Newexten", "eventfilter=!Event: CEL")),
)
write("manager.conf", f"""
[general]
enabled=yes
webenabled=no
bindaddr=127.0.0.1
port={ami}
tlsenable=yes
tlsbindaddr=127.0.0.1:{tls}
tlscertfile=/etc/asterisk-ifbus/ami-cert.pem
tlsprivatekey=/etc/asterisk-ifbus/ami-key.pem
displayconnects=no
allowmultiplelogin=yes
authtimeout=30
authlimit=50
""" + "".join(f"""
[{name}]
secret={secret}
deny=0.0.0.0/0.0.0.0
permit={'10.255.255.255' if name == 'ifbus-acl' else '127.0.0.1'}/255.255.255.255
read={read}
write={rights}
""" + "".join(f"{line}\n" for line in more) for name, secret, read, rights, more in USERS))

write("extensions.conf", r"""
[general]
static=yes
writeprotect=yes
clearglobalvars=no

[ifbus]
exten => echo,1,Answer()
 same => n,Echo()
 same => n,Hangup()
exten => milliwatt,1,Answer()
 same => n,Milliwatt()
exten => wait,1,Answer()
 same => n,Wait(3600)
exten => ring,1,Ringing()
 same => n,Wait(3600)
exten => busy,1,Busy(20)
exten => congestion,1,Congestion(20)
exten => conf,1,Answer()
 same => n,ConfBridge(room1)
exten => play,1,Answer()
 same => n,Playback(demo-congrats)
 same => n,Hangup()
exten => beep,1,Answer()
 same => n,Playback(beep)
 same => n,Hangup()
exten => moh,1,Answer()
 same => n,MusicOnHold(default)
exten => queue,1,Answer()
 same => n,Queue(q1)
; hang up with a chosen cause: cause17, cause34 ...
exten => _cause.,1,Hangup(${EXTEN:5})
; answer, wait n seconds, hang up: say3
exten => _say.,1,Answer()
 same => n,Wait(${EXTEN:3})
 same => n,Hangup()
; dial a far end: dial-answer, dial-busy ... (as a plain PBX would: transfers and park allowed)
exten => _dial-.,1,Dial(PJSIP/sipp-${EXTEN:5},20,tTkK)
 same => n,Hangup()
; the same without transfers, as a simple PBX would: basic-answer
exten => _basic-.,1,Dial(PJSIP/sipp-${EXTEN:6},20)
 same => n,Hangup()
; the same for at most n seconds: dialto-2-ring; ends with the cause of the dialled leg
exten => _dialto-X-.,1,Dial(PJSIP/sipp-${EXTEN:9},${EXTEN:7:1})
 same => n,Hangup(${HANGUPCAUSE})
exten => echoring,1,Ringing()
 same => n,Wait(1)
 same => n,Answer()
 same => n,Echo()
exten => dtmfread,1,Answer()
 same => n,Read(DIGITS,,4,,1,10)
 same => n,UserEvent(DtmfDone,Digits: ${DIGITS})
 same => n,Wait(3600)
exten => setvars,1,Answer()
 same => n,UserEvent(Vars,V1: ${V1},V2: ${V2},Cid: ${CALLERID(all)})
 same => n,Wait(3600)
; what a caller could put into a variable or a caller id, if anything upstream lets CR LF through
exten => inject,1,Answer()
 same => n,Set(EVIL=${URIDECODE(a%0D%0AX-Forged: 1%0D%0A%0D%0AEvent: Forged%0D%0AChannel: none)})
 same => n,Set(CALLERID(name)=${URIDECODE(Eve%0D%0AX-Forged: 2)})
 same => n,UserEvent(Evil,V: ${EVIL})
 same => n,Wait(3600)
; the same with what the caller of a test gives: FORGED is URI-encoded
exten => forge,1,Answer()
 same => n,Set(EVIL=${URIDECODE(${FORGED})})
 same => n,Wait(3600)
; the same in the arguments of an application, which lists of channels show
exten => forgedata,1,Answer()
 same => n,Echo(${URIDECODE(${FORGED})})
; the same in the caller's number, which every event of its channel tells
exten => forgenum,1,Answer()
 same => n,Set(CALLERID(num)=${URIDECODE(${FORGED})})
 same => n,Wait(3600)
; something is said before a far end is dialled: prompt-answer, prompt-busy ...
exten => _prompt-.,1,Answer()
 same => n,Playback(one-moment-please)
 same => n,Dial(PJSIP/sipp-${EXTEN:7},20,tTkK)
 same => n,Hangup()
exten => h,1,NoOp(hung up ${HANGUPCAUSE})
include => parkedcalls
include => phones

; who calls in without being known here: rings until somebody does something about it
[incoming]
exten => _X.,1,Ringing()
 same => n,Wait(60)
 same => n,Hangup(19)

; numeric extensions, as a phone would dial them
[phones]
exten => 600,1,Answer()
 same => n,Echo()
exten => 601,1,Dial(PJSIP/sipp-answer,20)
 same => n,Hangup()
exten => 61486,1,Dial(PJSIP/sipp-busy,20)
 same => n,Hangup()
exten => _6XX,1,NoOp(no such phone)
 same => n,Hangup(1)

[parkedcalls]
""")

# Nobody is behind 'dead' and 'unreach'. All but 'dead' are asked whether they are there (qualify): Asterisk then
# refuses to call 'unreach' at all, while a call to 'dead' runs into its timeout.
FAR_ENDS = {"answer": 0, "busy": 1, "ring": 2, "hold": 3, "bye": 4, "reject": 5, "notfound": 6, "unreach": 8, "dead": 9, "traced": 12}
# The others are asked patiently: hundreds of calls at once must not make them look gone.
PATIENT = "qualify_frequency=30\nqualify_timeout=10"
# A test of its own plays 'traced', and reads what it was sent.
QUALIFY = {"dead": "", "traced": "", "unreach": "qualify_frequency=5\nqualify_timeout=1"}
write("pjsip.conf", f"""
[global]
type=global
endpoint_identifier_order=username,ip,anonymous
; far ends are asked for at once after a start: before that they count as gone
max_initial_qualify_time=1

[transport-udp]
type=transport
protocol=udp
bind=127.0.0.1:{sip}

[sipp](!)
type=endpoint
transport=transport-udp
context=ifbus
disallow=all
allow=ulaw,alaw
direct_media=no
media_address=127.0.0.1
bind_rtp_to_media_address=yes
""" + "".join(f"""
[sipp-{name}](sipp)
aors=sipp-{name}
[sipp-{name}]
type=aor
contact=sip:sipp@127.0.0.1:{sipp + offset}
{QUALIFY.get(name, PATIENT)}
""" for name, offset in FAR_ENDS.items()) + """
[anonymous](sipp)
context=incoming
[sipp-nocontact](sipp)
aors=sipp-nocontact
[sipp-nocontact]
type=aor
max_contacts=1
""")

write("rtp.conf", f"[general]\nrtpstart={RTP[0]}\nrtpend={RTP[1]}\nicesupport=no\n")
write("cdr.conf", "[general]\nenable=yes\nunanswered=yes\n")
write("cdr_manager.conf", "[general]\nenabled=yes\n")
write("cel.conf", "[general]\nenable=yes\napps=all\nevents=ALL\n\n[manager]\nenabled=yes\n")
write("confbridge.conf", """
[general]
[default_user]
type=user
announce_only_user=no
quiet=yes
[default_bridge]
type=bridge
[default_menu]
type=menu
""")
write("res_parking.conf", """
[general]
[default]
parkext => 700
parkpos => 701-720
context => parkedcalls
parkingtime => 45
comebacktoorigin => no
""")
write("features.conf", """
[general]
atxfernoanswertimeout = 10
[featuremap]
blindxfer => #1
atxfer => *2
disconnect => *0
automixmon => *3
[applicationmap]
ifbhold => *7,peer,MusicOnHold(default,2)
""")
write("queues.conf", """
[general]
[q1]
strategy=ringall
timeout=15
retry=3
member => Local/ring@ifbus,0,Ringer
""")
write("musiconhold.conf", "[general]\n[default]\nmode=files\ndirectory=moh\n")
write("logger.conf", "[general]\n[logfiles]\nmessages => notice,warning,error\n")
write("http.conf", "[general]\nenabled=no\n")
