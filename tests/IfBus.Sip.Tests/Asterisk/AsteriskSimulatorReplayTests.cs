using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.Asterisk;

/// <summary>The simulator against the recordings of Asterisk 22.10 and 16.28: asked the same, it says the same, header by header.</summary>
public sealed class AsteriskSimulatorReplayTests(AsteriskSimulatorReplayTests.Played played) : IClassFixture<AsteriskSimulatorReplayTests.Played>
{
    // Why a recording is not played: what it is about, the simulator has not.
    private static readonly Dictionary<string, string> NotPlayed = new()
    {
        ["absolute-timeout"] = "no AbsoluteTimeout",
        ["atxfer"] = "the digits it types are extensions there, and phones here; what happens then is the contract suite's",
        ["channel-ids"] = "it hangs up by a pattern while the table of channels shrinks, in the order of the server's hash",
        ["filter-action"] = "no filters by MatchCriteria, nor in manager.conf",
        ["hold-other-ways"] = "no MuteAudio, Park and features",
        ["hold-sip-reinvite"] = "no phone that holds by itself",
        ["injection-server"] = "no dialplan with URIDECODE",
        ["misc-actions"] = "none of these actions",
        ["originate-early-media"] = "no extension echoring",
        ["park"] = "no parking",
        ["pjsip-show"] = "other phones than there",
        ["queue"] = "one queue without agents' events",
        ["refer"] = "no phone that sends REFER",
        ["restart-idle"] = "restart says the same",
        ["stop-gracefully"] = "what one connection is answered depends on what another said a second before, which a late machine mixes up; GracefulStopTests has it in order",
    };

    // Of a played one: what is left out (ManagerComparison.IsLeftOut), and why.
    private static readonly Dictionary<string, string> LeftOut = new()
    {
        // What this server says of itself, in the words of its version, and all that it can.
        ["command"] = "#a2 #a4 #a6 #a7 #a8",
        // A room's members are each other's destination, by who came first; a kick races with the dialplan's next step.
        ["confbridge"] = "Cdr.DestinationChannel SoftHangupRequest.Priority",
        ["redirect"] = "Cdr.DestinationChannel SoftHangupRequest.Priority SoftHangupRequest.Exten .BridgeNumChannels ConfbridgeList",
        // No CoreShowChannelMap, BridgeList, BridgeInfo, SendText, Monitor.
        ["core-status"] = "#a13",
        ["dial-bridge"] = "#a3 #a4",
        ["dtmf"] = "#a15 UserEvent .Priority",
        ["mixmonitor"] = "#a22 MonitorStart MonitorStop",
        // Functions that are not played.
        ["getvar-setvar"] = "#a10 #a11 #a25 #a28",
        // The dialplan there goes on to other steps, and tells of them.
        ["injection-client"] = "UserEvent .Priority",
        ["originate-special"] = "UserEvent .Priority #s13",
        ["variable-special"] = "UserEvent .Priority",
        // Calls that end while their dialplan begins.
        ["originate-rights"] = ".Priority",
        ["originate-bad-arguments"] = ".Priority Cdr.LastApplication",
        // A list of what this server has.
        ["no-permission"] = "#a12",
        // Both halves hear of the shutdown, or of each other, first; the third client comes when it can.
        ["restart"] = "HangupRequest connection3",
    };

    // Names and versions that are the recordings' own, and what stands for them here.
    private const string Replaced = "22.10.1+dfsg+~cs6.17.60671434-1=>22.10.1|16.28.0~dfsg-0+deb11u4=>16.28.0|sip:sipp@127.0.0.1:5081=>sip:busy@127.0.0.1:5081|sip:sipp@127.0.0.1:5181=>sip:busy@127.0.0.1:5181|setvars=>wait|dtmfread=>echo";

    private static readonly AsteriskSimulatorUser[] Users =
    [
        new() { Name = "ifbus-lite", Secret = "lite-secret" },
        new() { Name = "ifbus-ro", Secret = "ro-secret", Read = "call", Write = "reporting" },
        new() { Name = "ifbus-orig", Secret = "orig-secret", Read = "call", Write = "originate" },
        new() { Name = "ifbus-calls", Secret = "calls-secret", Read = "call,cdr", Write = "originate,call,reporting" },
    ];

    private static IEnumerable<(string Server, string Scenario)> All =>
        from server in (string[])["asterisk", "asterisk16"]
        from file in Transcript.Files(server)
        let scenario = Path.GetFileName(file).Split('.')[0]
        where !NotPlayed.ContainsKey(scenario)
        select (server, scenario);

    public static TheoryData<string, string> Recordings()
    {
        var data = new TheoryData<string, string>();
        foreach ((string server, string scenario) in All) data.Add(server, scenario);
        return data;
    }

    [Theory]
    [MemberData(nameof(Recordings))]
    public async Task Asked_the_same_it_says_the_same(string server, string scenario)
    {
        List<string> differences = await played.DifferencesAsync((server, scenario));
        Assert.True(differences.Count == 0, string.Join('\n', differences));
    }

    [Fact]
    public void The_comparison_sees_what_is_missing()
    {
        // The test of the tests: one message, one header or one word less is found.
        List<ManagerMessage> recorded = ManagerMessage.All(Transcript.Open("asterisk", "dial-failures").Server(1));
        Assert.Empty(ManagerComparison.Differences(recorded, recorded, []));
        foreach (string name in recorded.Where(ManagerComparison.IsPlayed).Select(m => m.Event).OfType<string>().Distinct())
        {
            int at = recorded.FindIndex(m => m.Event == name);
            Assert.NotEmpty(ManagerComparison.Differences(recorded, [.. recorded.Where((_, i) => i != at)], []));
            Assert.NotEmpty(ManagerComparison.Differences(recorded, [.. recorded.Take(at), recorded[at], .. recorded.Skip(at)], []));
            Assert.NotEmpty(ManagerComparison.Differences(recorded, With(h => h.SkipLast(1)), []));
            Assert.NotEmpty(ManagerComparison.Differences(recorded, With(h => h.Append(new("Other", "x"))), []));
            Assert.NotEmpty(ManagerComparison.Differences(recorded, With(h => h.Take(1).Concat(h.Skip(1).Reverse())), []));
            Assert.NotEmpty(ManagerComparison.Differences(recorded, With(h => h.Select(p => p.Key is "Cause" or "Context" or "DestContext" or "Disposition" ? new(p.Key, "99") : p)), []));

            List<ManagerMessage> With(Func<IReadOnlyList<KeyValuePair<string, string>>, IEnumerable<KeyValuePair<string, string>>> change)
            {
                List<ManagerMessage> changed = [.. recorded];
                changed[at] = new ManagerMessage([.. change(recorded[at].Headers)]);
                return changed;
            }
        }
    }

    private static async Task<List<string>> PlayAsync((string Server, string Scenario) recording)
    {
        using AsteriskSimulator simulator = AsteriskSimulator.Start(new AsteriskSimulatorOptions
        {
            Version = recording.Server == "asterisk16" ? "16.28.0" : "22.10.1",
            RingTime = TimeSpan.FromMilliseconds(100),
            Users = Users,
        });
        using var replay = new ManagerReplay(Transcript.Open(recording.Server, recording.Scenario), simulator, Replaced);
        return await replay.RunAsync(LeftOut.GetValueOrDefault(recording.Scenario, "").Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    public sealed class Played() : SideBySide<(string Server, string Scenario)>(All, PlayAsync);
}
