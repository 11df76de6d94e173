using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>
/// What became of every call of the recordings, read from the recordings and wire/asterisk: a failed call by the Hangup of
/// the leg that failed, one that talked by that of its first leg, where these are 0 by OriginateResponse or DialEnd, and
/// answered if its destination was: by a phone, a room, or an extension that does more than pause.
/// </summary>
internal static class FinalStates
{
    // server/scenario/connection | cause code SIP-status answered, or the state of one that is live | the calls.
    private const string Table = """
        # 22.10
        # AbsoluteTimeout ends with Cause 0
        asterisk/absolute-timeout/1 | Unknown 0 - answered | 1795385506.209 1795385511.211
        asterisk/atxfer/1 | NormalClearing 16 - answered | 1795385394.176 1795385406.180 1795385419.185
        # a Hangup without Cause outside a bridge is 0, in a bridge 16
        asterisk/blind-transfer/1 | Unknown 0 - answered | 1795385381.171
        asterisk/blind-transfer/1 | NormalClearing 16 - answered | 1795385383.172 1795385388.174
        # all of them
        asterisk/burst-200/1 | NormalClearing 16 - answered | burst-000..burst-199
        # an id in use, or one that 22 takes for one in use: no channel, or one that vanishes
        asterisk/channel-ids/1 | Unknown 0 - answered | abc-12 abc-123 only-first 100LLL.. 149LLL.. has_blank sla/sh semi;colon comma,x uni☎ 1795385878.710
        asterisk/channel-ids/1 | Unknown - - - | abc-1 ABC-12
        asterisk/channel-ids/1 | Unknown 0 - - | new-1 new-2
        asterisk/confbridge/1 | NormalClearing 16 - answered | cb-1 cb-2
        # a login without call events
        asterisk/core-status/1 | Created - - - | cs-1
        asterisk/dial-bridge/1 | NormalClearing 16 - answered | cd-1
        # the destination failed, the first leg had answered; the last was given up by Hangup with Cause 17
        asterisk/dial-failures/1 | UserBusy 17 486 - | 1795385134.130 1795385140.135
        asterisk/dial-failures/1 | CallRejected 21 603 - | 1795385136.132
        asterisk/dial-failures/1 | NoRouteToDestination 3 404 - | 1795385138.134
        asterisk/dial-remote-hangup/1 | NormalClearing 16 - answered | drh-1
        asterisk/dtmf/1 | Unknown 0 - answered | 1795385485.207
        # 1: of calls of which only the end is told nothing is known; 2: nothing but Newchannel is told; say1 is a pause
        asterisk/filter-action/2 | Dialing - - - | 1795384892.22 1795384894.24
        asterisk/filter-action/3 | Unknown 0 - - | 1795384894.24
        # Hangup without Cause is 0, with 17 it is 17, a bad one is ignored
        asterisk/hangup-variants/1 | Unknown 0 - answered | hu-1 1795385146.141 1795385148.143 1795385149.145
        asterisk/hangup-variants/1 | UserBusy 17 - answered | 1795385145.139
        asterisk/hold-other-ways/1 | NormalClearing 16 - answered | 1795385442.191 1795385447.193
        asterisk/hold-redirect-moh/1 | NormalClearing 16 - answered | 1795385210.163
        asterisk/hold-sip-reinvite/1 | NormalClearing 16 - answered | hs-1
        # Wait(1), a pause, of another client
        asterisk/injection-client/1 | Unknown 0 - - | 1795385703.212 1795385705.214 1795385708.216 1795385710.218 1795385713.220 1795385715.222 1795385718.224
        asterisk/injection-server/1 | Unknown 0 - answered | injected-1
        asterisk/login-events-mask/1 | NormalClearing 16 - - | 1795384874.14
        asterisk/mixmonitor-id/1 | Unknown 0 - answered | mm-1
        asterisk/mixmonitor/1 | NormalClearing 16 - answered | 1795385458.195
        asterisk/originate-answer-hangup-call/1 | NormalClearing 16 - answered | ifb-1
        asterisk/originate-answer-hangup/1 | NormalClearing 16 - answered | ifb-1
        # one leg
        asterisk/originate-application/1 | Unknown 0 - answered | app-1
        # unknown technology, endpoint, contact: no channel; without Exten and Application a leg stays up with nothing to do
        asterisk/originate-bad-arguments/1 | Unknown - - - | f-0-50646 f-2-50780 f-3-50787 f-4-50794 f-6-50808
        asterisk/originate-bad-arguments/1 | Unknown 0 - - | f-5-50801 eq 1795385083.100
        asterisk/originate-bad-arguments/1 | NormalClearing 16 - answered | same 1795385084.102
        asterisk/originate-bad-arguments/1 | Dialing - - - | 1795385081.98
        # SIP time-out; then an extension that only pauses
        asterisk/originate-early-media/1 | NoAnswer 19 480 - | 1795385105.117
        asterisk/originate-early-media/1 | NormalClearing 16 - - | 1795385106.118
        asterisk/originate-local-failures/1 | UserBusy 17 - - | f-0-50581
        asterisk/originate-local-failures/1 | NoCircuitAvailable 34 - - | f-1-50588 f-3-50618
        asterisk/originate-local-failures/1 | NoAnswer 19 - - | f-2-50595
        asterisk/originate-local-failures/1 | Unknown 0 - - | f-4-50625 f-5-50632
        asterisk/originate-rights/1 | Unknown 0 - - | 1795384870.8 1795384871.10 1795384871.12
        # applications that end at once, of another client
        asterisk/originate-special/1 | Unknown 0 - - | 1795385768.276 1795385768.278 1795385769.280 1795385769.282 1795385770.284 1795385770.286 1795385770.288 1795385771.290 1795385771.292 1795385772.294 1795385772.296
        # no OriginateResponse; what is called is an extension that only pauses
        asterisk/originate-sync/1 | NormalClearing 16 - - | 1795385092.109 1795385102.116
        asterisk/originate-sync/1 | UserBusy 17 - - | 1795385094.111
        asterisk/originate-sync/1 | NoAnswer 19 - - | 1795385096.113
        asterisk/originate-sync/1 | UserBusy 17 486 - | 1795385101.115
        asterisk/park/1 | NormalClearing 16 - answered | 1795385193.159 1795385200.161
        asterisk/pjsip-answer/1 | NormalClearing 16 - answered | pj-1
        # 486, 603, time-out, no answer at all; no contact: no channel
        asterisk/pjsip-failures/1 | UserBusy 17 486 - | f-0-51149 f-7-51239 f-8-51246
        asterisk/pjsip-failures/1 | CallRejected 21 603 - | f-1-51156
        asterisk/pjsip-failures/1 | NoAnswer 19 480 - | f-2-51163 f-3-51191
        asterisk/pjsip-failures/1 | Unknown - - - | f-4-51218 f-5-51225 f-6-51232
        # BYE in a dialplan application: 22 says 0, 16 says 16
        asterisk/pjsip-remote-hangup/1 | Unknown 0 - answered | rb-1
        # no agent answered
        asterisk/queue/1 | Unknown 0 - - | qu-1
        asterisk/redirect-one-leg/1 | NormalClearing 16 - answered | 1795385430.187 1795385436.189
        asterisk/redirect/1 | Unknown 0 - answered | 1795385151.147
        asterisk/redirect/1 | NormalClearing 16 - answered | 1795385155.148
        # the last was sent to one that is busy
        asterisk/refer/1 | NormalClearing 16 - answered | rf-1 rf-2
        asterisk/refer/1 | UserBusy 17 486 answered | rf-3
        # SoftHangupRequest Cause 4
        asterisk/restart/1 | ServerShutdown 0 - answered | rs-1
        asterisk/stop-gracefully/1 | NormalClearing 16 - answered | sg-1
        # 16.28: no TechCause, and Cause 0 after a time-out
        asterisk16/absolute-timeout/1 | Unknown 0 - answered | 1795386942.21461 1795386948.21463
        asterisk16/atxfer/1 | NormalClearing 16 - answered | 1795386768.21323 1795386780.21327 1795386793.21332
        asterisk16/blind-transfer/1 | Unknown 0 - answered | 1795386755.21318
        asterisk16/blind-transfer/1 | NormalClearing 16 - answered | 1795386757.21319 1795386762.21321
        asterisk16/channel-ids/1 | Unknown 0 - answered | abc-12 abc-1 abc-123 new-1 only-first 100LLL.. 149LLL.. has_blank sla/sh semi;colon comma,x uni☎ 1795386881.21371
        asterisk16/channel-ids/1 | Unknown - - - | ABC-12
        asterisk16/channel-ids/1 | Unknown 0 - - | new-2
        asterisk16/confbridge/1 | NormalClearing 16 - answered | cb-1 cb-2
        asterisk16/core-status/1 | Created - - - | cs-1
        asterisk16/dial-bridge/1 | NormalClearing 16 - answered | cd-1
        asterisk16/dial-remote-hangup/1 | NormalClearing 16 - answered | drh-1
        asterisk16/dtmf/1 | Unknown 0 - answered | 1795386868.21357
        asterisk16/filter-action/1 | Unknown 0 - - | 1795386657.21254 1795386659.21256
        asterisk16/filter-action/2 | Unknown 0 - - | 1795386657.21254 1795386659.21256
        asterisk16/filter-action/3 | Unknown 0 - - | 1795386659.21256
        asterisk16/hangup-variants/1 | Unknown 0 - answered | hu-1 1795386739.21307 1795386742.21309 1795386742.21311
        asterisk16/hangup-variants/1 | UserBusy 17 - answered | 1795386738.21305
        asterisk16/hold-redirect-moh/1 | NormalClearing 16 - answered | 1795386820.21338
        asterisk16/hold-sip-reinvite/1 | NormalClearing 16 - answered | hs-1
        asterisk16/injection-client/1 | Unknown 0 - - | 1795386920.21445 1795386923.21447 1795386925.21449 1795386928.21451 1795386930.21453 1795386933.21455 1795386935.21457
        asterisk16/injection-server/1 | Unknown 0 - answered | injected-1
        asterisk16/mixmonitor-id/1 | Unknown 0 - answered | mm-1
        asterisk16/mixmonitor/1 | NormalClearing 16 - answered | 1795386836.21344
        asterisk16/originate-answer-hangup/1 | NormalClearing 16 - answered | ifb-1
        asterisk16/originate-bad-arguments/1 | Unknown - - - | f-0-66726 f-2-66860 f-3-66867 f-4-66874 f-6-66889
        asterisk16/originate-bad-arguments/1 | Unknown 0 - - | f-5-66882 eq 1795386691.21276
        asterisk16/originate-bad-arguments/1 | NormalClearing 16 - answered | same 1795386692.21278
        asterisk16/originate-bad-arguments/1 | Dialing - - - | 1795386689.21274
        asterisk16/originate-local-failures/1 | UserBusy 17 - - | f-0-66661
        asterisk16/originate-local-failures/1 | NoCircuitAvailable 34 - - | f-1-66668 f-3-66698
        asterisk16/originate-local-failures/1 | NoAnswer 0 - - | f-2-66675
        asterisk16/originate-local-failures/1 | Unknown 0 - - | f-4-66705 f-5-66712
        asterisk16/originate-rights/1 | Unknown 0 - - | 1795386917.21439 1795386917.21441 1795386918.21443
        asterisk16/originate-sync/1 | NormalClearing 16 - - | 1795386700.21285 1795386710.21292
        asterisk16/originate-sync/1 | UserBusy 17 - - | 1795386703.21287 1795386709.21291
        asterisk16/originate-sync/1 | Unknown 0 - - | 1795386704.21289
        asterisk16/park/1 | NormalClearing 16 - answered | 1795386804.21334 1795386811.21336
        asterisk16/pjsip-answer/1 | NormalClearing 16 - answered | pj-1
        asterisk16/pjsip-failures/1 | UserBusy 17 - - | f-0-67177 f-7-67267 f-8-67275
        asterisk16/pjsip-failures/1 | CallRejected 21 - - | f-1-67184
        asterisk16/pjsip-failures/1 | NoAnswer 0 - - | f-2-67192 f-3-67219
        asterisk16/pjsip-failures/1 | Unknown - - - | f-4-67246 f-5-67253 f-6-67260
        asterisk16/pjsip-remote-hangup/1 | NormalClearing 16 - answered | rb-1
        asterisk16/queue/1 | Unknown 0 - - | qu-1
        asterisk16/redirect/1 | Unknown 0 - answered | 1795386744.21313
        asterisk16/redirect/1 | NormalClearing 16 - answered | 1795386749.21314
        asterisk16/restart/1 | ServerShutdown 0 - answered | rs-1
        """;

    /// <summary>The calls of a connection by their ids, each as <see cref="Of"/> has it; empty if no call is told there.</summary>
    public static SortedDictionary<string, string> Expected(string server, string scenario, int connection)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (string[] row in Table.Split('\n').Where(l => !l.StartsWith('#')).Select(l => l.Split(" | ")).Where(r => r[0] == $"{server}/{scenario}/{connection}"))
        {
            foreach (string id in row[2].Split(' ').SelectMany(Series)) found.Add(id, row[1]);
        }

        return found;
    }

    /// <summary>A call as the table has it.</summary>
    public static string Of(SipCall call) => call.State == CallState.Terminated
        ? $"{call.Cause} {call.CauseCode?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-"} {call.SipStatus?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-"} {(call.AnsweredAt is null ? "-" : "answered")}"
        : $"{call.State} - - -";

    /// <summary>An id as the table has it.</summary>
    public static string Id(string callId) => callId.Length <= 40 ? callId.Replace(' ', '_') : callId[..6] + "..";

    /// <summary>Recordings of the table.</summary>
    public static IEnumerable<string> Recordings => Table.Split('\n').Where(l => !l.StartsWith('#')).Select(l => l.Split(" | ")[0]).Select(r => r[..r.LastIndexOf('/')]).Distinct();

    private static IEnumerable<string> Series(string id) =>
        id == "burst-000..burst-199" ? Enumerable.Range(0, 200).Select(i => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"burst-{i:000}")) : [id];
}
