using System.Reflection;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>
/// The client's side of recordings of a FreeSWITCH 1.10.12, said to the simulator: its messages are those of the real
/// server by kind, order and names of headers.
///
/// What differs by nature and is not compared: ids, times, ports, tags, counters. Legs are paired by the order in which
/// they appear, and the events of each are compared among themselves, as are replies, and events of no leg: how the
/// server's threads interleave differs from one recording to the next.
///
/// What differs on purpose, everywhere: HEARTBEAT, RE_SCHEDULE and TRAP have their own clock; log lines,
/// PRIVATE_COMMAND and a conference's start-talking are not played. What differs on purpose in one scenario stands at
/// it: <c>without</c> names headers, <c>unlike</c> replies that are not compared.
/// </summary>
public sealed partial class SimulatorTestsReplay
{
    private static readonly string[] NotPlayed = ["HEARTBEAT", "RE_SCHEDULE", "TRAP", "PRIVATE_COMMAND"];

    // What these answer has numbers of the moment in it: only its shape is compared.
    private static readonly string[] OfTheMoment = ["status", "uptime", "strepoch", "show", "uuid_dump", "sofia", "conference", "create_uuid", "version"];

    // The phone of that recording sent sound without telephone events.
    private const string EarlyPhone = "variable_rtp_2833_send_payload variable_rtp_2833_recv_payload";

    private static readonly Dictionary<string, string> NotCompared = new()
    {
        ["auth-timeout"] = "25 s of silence: SimulatorTests compares it by a clock of its own",
        ["burst-200-calls"] = "which of 200 threads is done first is the server's luck",
        ["client-half-close"] = "that a client shut its side is not among what it said; SimulatorTests does it",
        ["dtmf"] = "its far end sent the digits back, which simulated phones do not",
        ["event-plain-filter"] = "its client waited by the clock, and what a filter hides hangs on that",
        ["kill-right-after-bgapi"] = "a race, which came out one way once and the other way five times",
        ["originate-failover"] = "whether a leg that loses a race is told to be created differs within the recording",
        ["originate-limits"] = "its client let a second pass between one limit and the next",
        ["uuid-hold"] = "the end of a hold of both parties at once, which took the real server 5 s, comes in another order",
    };

    [Theory]
    [InlineData("auth-ok")]
    [InlineData("auth-crlf")]
    [InlineData("auth-bad-password")]
    [InlineData("auth-command-before-auth")]
    [InlineData("auth-userauth")]
    [InlineData("auth-userauth-bad")]
    [InlineData("command-failures")]
    [InlineData("pipelined-commands")]
    [InlineData("partial-command-blocks-events")]
    [InlineData("long-line-and-split-body")]
    [InlineData("linger-exit")]
    [InlineData("myevents")]
    [InlineData("server-reload-event-socket")]
    [InlineData("originate-job-uuid-header")]
    [InlineData("event-array-values")]
    [InlineData("event-custom-order")]
    [InlineData("event-json")]
    [InlineData("event-plain-encoding")]
    [InlineData("event-xml")]
    [InlineData("uuid-getvar-exists-dump")]
    public Task Sessions_and_subscriptions(string scenario) => CompareAsync(scenario);

    [Theory]
    // Two phones are registered at the simulator and it has gateways; there were none.
    [InlineData("api-status-version-global", "", "", "show registrations|sofia status")]
    // No gateways were there; jsonstatus is not played.
    [InlineData("gateway-status", "", "", "sofia status gateway|sofia xmlstatus|sofia jsonstatus")]
    public Task Knowledge(string scenario, string replace, string without, string unlike) => CompareAsync(scenario, replace, without, unlike);

    [Theory]
    [InlineData("originate-answer-hangup")]
    [InlineData("originate-sofia-answered")]
    [InlineData("originate-sofia-busy-486", "busy")]
    [InlineData("originate-sofia-404", "notfound")]
    [InlineData("originate-sofia-603", "reject")]
    [InlineData("originate-sofia-503", "congestion")]
    [InlineData("originate-sofia-no-answer-timeout", "ring")]
    [InlineData("originate-sofia-cancel-while-ringing", "ring")]
    [InlineData("originate-sofia-early-media-far-hangup", "earlybye2", EarlyPhone)]
    [InlineData("originate-sofia-early-media-not-ignored", "earlybye2", EarlyPhone)]
    [InlineData("originate-fails-at-once")]
    [InlineData("sync-failure-with-uuid")]
    [InlineData("originate-quoting")]
    // The one of an application whose argument ended with a line end.
    [InlineData("originate-injection", "busy", "variable_last_arg")]
    [InlineData("api-blocks-events")]
    [InlineData("uuid-kill-cause")]
    public Task Calls(string scenario, string phone = "", string without = "") => CompareAsync(scenario, phone.Length > 0 ? $"1000@127=>{phone}@127" : "", without);

    [Theory]
    [InlineData("uuid-transfer")]
    [InlineData("uuid-transfer-no-extension")]
    [InlineData("uuid-bridge")]
    [InlineData("uuid-record")]
    [InlineData("uuid-record-unwritable")]
    [InlineData("sendmsg")]
    [InlineData("media-commands")]
    // The list as XML has fewer fields of a member.
    [InlineData("conference", "", "conference 3000 xml_list")]
    // Nothing of the answer's SDP is kept of a leg that could not talk, nor the caller's copy of it.
    [InlineData("dialplan-bridge-incompatible-codec", "variable_dtmf_type variable_endpoint_disposition variable_ep_codec_string variable_remote_audio_media_flow variable_remote_text_media_flow variable_remote_video_media_flow "
        + "variable_switch_r_sdp variable_switch_m_sdp variable_sip_invite_failure_phrase variable_sip_invite_failure_status variable_progress_stamp")]
    public Task Control(string scenario, string without = "", string unlike = "") => CompareAsync(scenario, "", without, unlike);

    [Theory]
    [InlineData("event-invalid-utf8")]
    [InlineData("exit-while-bgapi-runs", "originate_timeout=5=>originate_timeout=1")]
    [InlineData("log-events")]
    [InlineData("originate-sofia-480", "1000@127=>status480@127")]
    // Its 503 is said by a phone; there nobody was.
    [InlineData("originate-sofia-nobody-listening", "1000@127=>congestion@127", "Caller-Network-Addr variable_sip_network_ip variable_sip_reply_host")]
    [InlineData("server-killed")]
    [InlineData("sip-status-cause-map", "v_sip_status=([0-9]+)}sofia/internal/1000=>v_sip_status=$1}sofia/internal/status$1")]
    public Task Causes_and_lifetime(string scenario, string replace = "", string without = "") => CompareAsync(scenario, replace, without);

    [Theory]
    [InlineData("auth-acl-refused")]
    public Task An_address_that_is_refused(string scenario) => CompareAsync(scenario, options: o => o.Faults.RudeRejection = true);

    [Theory]
    // Its phone said who it was, and an account.
    [InlineData("inbound-call", "+15550001", "1006", "variable_sip_h_X-Account variable_sip_user_agent variable_sip_invite_stamp variable_sip_to_tag variable_sip_cseq", "uuid_dump")]
    [InlineData("dialplan-bridge", "5550123", "20001", "variable_sip_invite_stamp variable_sip_to_tag variable_switch_m_sdp variable_originate_signal_bond variable_sip_cseq")]
    public Task Calls_from_outside(string scenario, string from, string to, string without, string unlike = "") =>
        CompareAsync(scenario, "", without, unlike, outside: (r => r["Unique-ID"] is not null, s => s.StartIncomingCall(from, to)));

    // A server that is going adds its variables to events that have none otherwise.
    [Theory]
    [InlineData("server-shutdown")]
    public Task A_shutdown(string scenario) => CompareAsync(scenario, without: "variable_*", outside: (r => r["Hangup-Cause"] == "SYSTEM_SHUTDOWN" || r.Name == "SHUTDOWN", s => _ = s.RestartAsync(default)));

    [Fact]
    public void Every_recording_is_compared_or_it_is_said_why_not()
    {
        IEnumerable<string> compared = typeof(SimulatorTestsReplay).GetMethods().SelectMany(m => m.GetCustomAttributes<InlineDataAttribute>().SelectMany(d => d.GetData(m)).Select(d => (string)d[0]));
        Assert.Equal(Transcript.Files("freeswitch").Select(f => Path.GetFileName(f).Split('.')[0]).Order(StringComparer.Ordinal), compared.Concat(NotCompared.Keys).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void The_comparison_sees_what_is_missing()
    {
        // The test of the tests: one message, one header or one word less is found.
        List<EslRecord> recorded = EslRecord.All(Transcript.Open("freeswitch", "originate-answer-hangup").Server(1));
        Assert.Empty(Differences(recorded, recorded, [], []));
        Assert.NotEmpty(Differences(recorded, [.. recorded.Where(r => r.Name != "CHANNEL_PARK")], [], []));
        Assert.NotEmpty(Differences(recorded, [.. recorded.Where(r => r.Name != "API")], [], []));
        Assert.NotEmpty(Differences(recorded, [.. recorded.Skip(1)], [], []));
        foreach ((string word, string other) in new[]
        {
            ("Caller-ANI: 5551000\n", ""), ("Caller-ANI: 5551000\n", "Caller-ANI: 5551000\nOther: x\n"), ("variable_direction: outbound\n", ""), ("CS_EXECUTE", "CS_ROUTING"),
            ("Answer-State: hangup", "Answer-State: early"), ("+OK 1", "-ERR 1"), ("Application: park", "Application: echo"),
        })
        {
            int at = recorded.FindIndex(r => r.IsEvent && r.Body.Contains(word, StringComparison.Ordinal));
            EslRecord r = recorded[at];
            List<EslRecord> changed = [.. recorded];
            changed[at] = new EslRecord(r.Type, r.Headers, r.Body.Replace(word, other, StringComparison.Ordinal));
            Assert.True(Differences(recorded, changed, [], []).Count > 0, word);
        }
    }

    private static async Task CompareAsync(
        string scenario, string replace = "", string without = "", string unlike = "", Action<FreeSwitchSimulatorOptions>? options = null, (Func<EslRecord, bool> First, Action<FreeSwitchSimulator> Happens)? outside = null)
    {
        Transcript recording = Transcript.Open("freeswitch", scenario);
        var settings = new FreeSwitchSimulatorOptions
        {
            MaxSessions = 3000,
            SessionsPerSecond = 1000,
            RingTime = TimeSpan.FromMilliseconds(20),
            Users = [new FreeSwitchSimulatorUser { Name = "ops", Password = "ops-secret", AllowedEvents = "HEARTBEAT CHANNEL_CREATE CHANNEL_HANGUP_COMPLETE", AllowedApi = "status version show" }],
        };
        options?.Invoke(settings);
        using FreeSwitchSimulator simulator = FreeSwitchSimulator.Start(settings);
        using EslClient client = EslClient.Open(simulator);
        var recorded = new List<byte>();
        var commands = new StringBuilder();
        foreach ((bool fromServer, byte[] bytes) in recording.Conversation(1))
        {
            if (fromServer)
            {
                recorded.AddRange(bytes);
                List<EslRecord> told = EslRecord.All([.. recorded]);
                if (outside is not { } happening || told.FindIndex(r => happening.First(r)) is not (>= 0 and int first)) continue;
                // What nobody asked for on this connection happens when what was before it has happened.
                await WaitAsync(client, told[..first]);
                happening.Happens(simulator);
                outside = null;
                continue;
            }

            // The client waited for what it had been told: so does this one.
            await WaitAsync(client, EslRecord.All([.. recorded]));
            string text = Here(Encoding.Latin1.GetString(bytes), recorded, client.Records);
            foreach (string[] pair in replace.Split("||").Select(p => p.Split("=>")).Where(p => p.Length == 2)) text = Regex.Replace(text, pair[0], pair[1]);
            // After a body without a line end a command begins all the same.
            commands.Append(text.StartsWith("api ", StringComparison.Ordinal) ? "\n" : "").Append(text);
            await client.SendAsync(Encoding.Latin1.GetBytes(text));
        }

        List<EslRecord> expected = EslRecord.All([.. recorded]);
        await WaitAsync(client, expected);
        string[] apis = [.. ApiLines().Matches(commands.ToString()).Select(m => m.Groups[1].Value)];
        bool[] compared = [.. apis.Select(a => !unlike.Split('|', StringSplitOptions.RemoveEmptyEntries).Any(u => a.StartsWith(u, StringComparison.Ordinal)))];
        bool[] shapes = [.. apis.Select(a => OfTheMoment.Contains(a.Split(' ')[0].ToLowerInvariant()) || a.StartsWith(' '))];
        List<string> differences = Differences(expected, client.Records, without.Split(' '), [.. compared.Zip(shapes)]);
        Assert.True(differences.Count == 0, string.Join('\n', differences.Take(40)));
    }

    // With the ids of the legs as they are here.
    private static string Here(string text, List<byte> recorded, IReadOnlyList<EslRecord> told)
    {
        foreach ((string there, string here) in Legs(EslRecord.All([.. recorded])).Zip(Legs(told))) text = text.Replace(there, here, StringComparison.Ordinal);
        return text;

        static IEnumerable<string> Legs(IEnumerable<EslRecord> records) => records.Where(IsPlayed).Select(r => r["Unique-ID"]).OfType<string>().Distinct();
    }

    // For as many messages; what is missing then is a difference.
    private static Task<bool> WaitAsync(EslClient client, List<EslRecord> told)
    {
        int wanted = told.Count(IsPlayed);
        return client.ReadUntilAsync(r => r.Count(IsPlayed) >= wanted, TimeSpan.FromSeconds(5));
    }

    private static bool IsPlayed(EslRecord r) => r.Type != "log/data" && !NotPlayed.Contains(r.Name) && r["Action"] != "start-talking";

    // Lines of what is not the same.
    private static List<string> Differences(IReadOnlyList<EslRecord> expected, IReadOnlyList<EslRecord> actual, string[] without, IReadOnlyList<(bool Compared, bool Shape)> apis)
    {
        var lines = new List<string>();
        Dictionary<string, List<EslRecord>> left = Streams(expected), right = Streams(actual);
        foreach (string stream in left.Keys.Union(right.Keys))
        {
            List<EslRecord> one = left.GetValueOrDefault(stream, []), other = right.GetValueOrDefault(stream, []);
            string[] a = Keys(one, expected, apis), b = Keys(other, actual, apis);
            for (int i = 0; i < Math.Max(a.Length, b.Length); i++)
            {
                if (i < a.Length && i < b.Length && a[i] == b[i]) continue;
                lines.Add($"{stream} [{i}]: recorded {a.ElementAtOrDefault(i) ?? "nothing"}, simulated {b.ElementAtOrDefault(i) ?? "nothing"}");
                break;
            }

            foreach ((EslRecord there, EslRecord here) in one.Zip(other).Where(p => p.First.IsEvent && p.First.Name == p.Second.Name))
            {
                string[] names = Names(there, without), simulated = Names(here, without);
                string[] missing = [.. names.Except(simulated)], more = [.. simulated.Except(names)];
                if (missing.Length + more.Length > 0) lines.Add($"{stream} {there.Name}: without {string.Join(' ', missing)}; with {string.Join(' ', more)}");
                else if (!Order(there, without).SequenceEqual(Order(here, without))) lines.Add($"{stream} {there.Name}: headers in another order");
            }
        }

        return lines;
    }

    // Replies; the events of each leg, numbered as they appear; events of no leg by their name.
    private static Dictionary<string, List<EslRecord>> Streams(IReadOnlyList<EslRecord> records)
    {
        var streams = new Dictionary<string, List<EslRecord>>();
        var legs = new Dictionary<string, string>();
        foreach (EslRecord r in records.Where(IsPlayed))
        {
            string stream = "replies";
            if (r.Type == "text/event-xml")
            {
                stream = "xml";
            }
            else if (r.IsEvent)
            {
                string? id = r["Unique-ID"];
                if (id is not null && !legs.ContainsKey(id)) legs[id] = $"leg {legs.Count + 1}";
                stream = id is not null ? legs[id] : r.Name;
            }

            if (!streams.TryGetValue(stream, out List<EslRecord>? list)) streams[stream] = list = [];
            list.Add(r);
        }

        return streams;
    }

    private static string[] Keys(List<EslRecord> records, IReadOnlyList<EslRecord> all, IReadOnlyList<(bool Compared, bool Shape)> apis)
    {
        var ids = new Dictionary<string, string>();
        foreach (string id in all.Select(r => r["Unique-ID"]).OfType<string>().Distinct()) ids[id] = $"<leg {ids.Count + 1}>";
        int api = 0;
        return [.. records.Select(r =>
        {
            if (r.Type == "text/event-xml") return string.Join(' ', Elements().Matches(r.Body).Select(m => m.Value).Distinct().Order(StringComparer.Ordinal));
            if (r.IsEvent)
            {
                return $"{r.Name} {r["Action"]} {r["Channel-State"]} {r["Channel-State-Number"]} {r["Channel-Call-State"]} {r["Answer-State"]} {r["Hangup-Cause"]} {r["Application"]} {r["Other-Type"]} "
                    + $"{r["Job-Command"]} {r["API-Command"]} {(r.Name == "BACKGROUND_JOB" ? Shape(Without(r.EventBody, ids), r["Job-Command"] is "status" or "uptime") : "")}";
            }

            if (r.Type != "api/response") return $"{r.Type} {string.Join(' ', r.Headers.Select(h => h.Key))} {Without(r.Reply ?? r.Body, ids)}";
            (bool compared, bool shape) = api < apis.Count ? apis[api] : (true, false);
            api++;
            return compared ? $"api/response {Shape(Without(r.Body, ids), shape)}" : "api/response";
        })];
    }

    // Of JSON the names, of other text what is left without numbers.
    private static string Shape(string body, bool loosely)
    {
        if (!loosely) return body;
        if (body.StartsWith('{') || body.StartsWith("[{", StringComparison.Ordinal))
        {
            using JsonDocument json = JsonDocument.Parse(body.TrimStart('[').TrimEnd(']', '\n'), new JsonDocumentOptions { AllowTrailingCommas = true });
            JsonElement root = json.RootElement;
            if (!root.TryGetProperty("rows", out JsonElement rows)) return string.Join(' ', root.EnumerateObject().Select(p => p.Name));
            return $"{root.GetProperty("row_count").GetRawText()} " + string.Join(" | ", rows.EnumerateArray().Select(row => string.Join(' ', row.EnumerateObject().Select(p => p.Name)))
                .Distinct());
        }

        if (body.StartsWith("Event-Name:", StringComparison.Ordinal)) return string.Join(' ', body.Split('\n').Select(l => l.Split(':')[0]).Where(n => n.Length > 0));
        if (body.StartsWith("<event>", StringComparison.Ordinal)) return string.Join(' ', Elements().Matches(body).Select(m => m.Value).Distinct());
        // Nobody talks in a simulated room.
        return Numbers().Replace(body.Replace("|talking", "", StringComparison.Ordinal), "#").Replace("#s,", "#,", StringComparison.Ordinal);
    }

    private static string Without(string text, Dictionary<string, string> ids)
    {
        foreach ((string id, string name) in ids) text = text.Replace(id, name, StringComparison.Ordinal);
        return Uuids().Replace(text, "<id>");
    }

    private static string[] Names(EslRecord r, string[] without) => [.. r.Fields.Select(f => f.Key).Where(k => !without.Contains(k) && !(k.StartsWith("variable_", StringComparison.Ordinal) && without.Contains("variable_*"))).Distinct().Order(StringComparer.Ordinal)];

    // Variables stand in the order in which they were set, which depends on the moment.
    private static IEnumerable<string> Order(EslRecord r, string[] without) => r.Fields.Select(f => f.Key).Where(k => !k.StartsWith("variable_", StringComparison.Ordinal) && !without.Contains(k));

    [GeneratedRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")]
    private static partial Regex Uuids();

    [GeneratedRegex("[0-9]+(\\.[0-9]+)?( (year|day|hour|minute|second|millisecond|microsecond)s?)?")]
    private static partial Regex Numbers();

    [GeneratedRegex("</?[A-Za-z_-]+>")]
    private static partial Regex Elements();

    [GeneratedRegex("^api (.*)$", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex ApiLines();
}
