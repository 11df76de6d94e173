using System.Text;
using System.Text.RegularExpressions;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Tests.Asterisk;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>One connection's recording, taken through session, mapper and call table, without a socket.</summary>
internal sealed partial class FreeSwitchReplay : IEslEventSink
{
    private readonly FakeTimeProvider _time = new();
    private readonly EventHub _hub;
    private readonly FreeSwitchMapper _mapper;
    private readonly ISipEventSubscription _subscription;
    private readonly List<(string Command, Task<EslReply> Reply, bool IsJob)> _asked = [];
    private EslSession? _session;

    private FreeSwitchReplay()
    {
        _hub = new EventHub("replay", SipServerType.FreeSwitch, 1_000_000, _time, NullLogger.Instance);
        Calls = new CallTable("replay", SipServerType.FreeSwitch, _hub, 100_000, _time, NullLogger.Instance);
        Records = new DetailRecordStore<FreeSwitchCall>(100_000);
        _mapper = new FreeSwitchMapper("replay", Calls, _hub, Records, _time);
        _subscription = _hub.Subscribe(SipEventTypes.CallStateChanged);
    }

    public CallTable Calls { get; }

    public DetailRecordStore<FreeSwitchCall> Records { get; }

    public List<SipEvent> Changes { get; } = [];

    /// <summary>The events that the session gave to the mapper: name and JSON.</summary>
    public List<(string Name, byte[] Json)> Given { get; } = [];

    /// <summary>The calls that the recording's client made and gave a uuid.</summary>
    public List<string> Ours { get; } = [];

    /// <summary>The calls as they stood at the end, by id.</summary>
    public Dictionary<string, SipCall> Final { get; } = [];

    /// <summary>The one call that the recording is about.</summary>
    public SipCall Call => Final[Assert.Single(Ours)];

    /// <summary>Plays one connection to its end, and checks that the session passed on what the server said, all of it and nothing else.</summary>
    public static async Task<FreeSwitchReplay> PlayAsync(Transcript recording, int connection, Cut cut)
    {
        var replay = new FreeSwitchReplay();
        var server = new RecordedServer(recording, connection, cut);
        replay._session = EslSession.Over(server, "replay", new SipServerConfiguration(), replay, NullLogger.Instance, replay._time);
        replay._session.HasJobs = true;
        server.Begin(replay.Say);
        Exception closed = await replay._session.Closed.WaitAsync(TimeSpan.FromSeconds(60));
        await replay._session.DisposeAsync();
        await replay.AssertToldAsync(server, closed);

        // What waits for something that the recording does not have is decided by time.
        for (int i = 0; i < 4; i++)
        {
            replay._time.Advance(TimeSpan.FromSeconds(1));
            replay._mapper.OnTick();
        }

        while (replay._subscription.TryRead(out SipEvent? item)) replay.Changes.Add(item!);
        foreach (SipEvent change in replay.Changes) replay.Final[change.CallId!] = change.Call!;
        foreach (SipCall live in replay.Calls.SnapshotLive()) replay.Final[live.CallId] = live;
        return replay;
    }

    void IEslEventSink.OnEvent(ReadOnlySpan<byte> name, ReadOnlySpan<byte> json)
    {
        Given.Add((Encoding.UTF8.GetString(name), json.ToArray()));
        _mapper.OnEvent(name, json);
    }

    void IEslEventSink.OnReadBegins() => _mapper.OnReadBegins();

    void IEslEventSink.OnReadEnds() => _mapper.OnReadEnds();

    // Originates as the adapter sends them, other jobs as the session's own.
    private void Say(string command)
    {
        if (!command.StartsWith("bgapi ", StringComparison.Ordinal))
        {
            _asked.Add((command, _session!.CommandAsync("recorded", command, CancellationToken.None), false));
            return;
        }

        // One of the recordings has the SIP status that it is about where a uuid could be.
        string[] legs = command.StartsWith("bgapi originate", StringComparison.Ordinal) ? [.. Ids().Matches(command).Select(m => m.Groups[1].Value)] : [];
        if (legs.Length == 0 || Ours.Contains(legs[0]))
        {
            _asked.Add((command, _session!.RunAsync(command["bgapi ".Length..], CancellationToken.None), true));
            return;
        }

        Ours.Add(legs[0]);
        _mapper.Expect(new FreeSwitchCall(legs[0], ours: true) { HasDestination = !command.Contains('&', StringComparison.Ordinal), Direction = CallDirection.Outbound, CreatedAt = _time.GetUtcNow().UtcDateTime }, legs);
        _asked.Add((command, _session!.CommandAsync("originate", command, CancellationToken.None, legs[0]), false));
    }

    private async Task AssertToldAsync(RecordedServer server, Exception closed)
    {
        List<EslRecord> told = server.Told;
        List<EslRecord> events = told.FindAll(r => r.Type == "text/event-json");
        // Those of the session's own jobs are answers; their ids have its prefix.
        Assert.Equal(events.Where(e => !OwnJob().IsMatch(e.Body)).Select(e => (EventName().Match(e.Body).Groups[1].Value, e.Body)), Given.Select(g => (g.Name, Encoding.Latin1.GetString(g.Json))));
        EslRecord[] replies = [.. told.Where(r => r.Type is "command/reply" or "api/response")];
        Assert.True(replies.Length <= _asked.Count, "more replies than commands");
        for (int i = 0; i < _asked.Count; i++)
        {
            (string command, Task<EslReply> task, bool isJob) = _asked[i];
            EslReply? reply = null;
            try
            {
                reply = await task;
            }
            catch (SipConnectionException e)
            {
                Assert.True(e.OutcomeUnknown);
            }

            EslRecord? said = i < replies.Length ? replies[i] : null;
            if (said is not null && isJob && said.Reply?.StartsWith("-ERR", StringComparison.Ordinal) != true)
            {
                EslRecord? result = events.Find(e => OwnJob().Match(e.Body) is { Success: true } job && job.Groups[1].Value == said.Outer("Job-UUID"));
                Assert.Equal((command, result?.EventBody), (command, reply?.Text));
                continue;
            }

            // Its bytes are those of UTF-8.
            string? text = said is null ? null : Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(said.Reply ?? said.Body));
            Assert.Equal((command, text), (command, reply?.Text));
            Assert.Equal(said is null ? null : string.Join('\n', said.Headers.Select(h => $"{h.Key}: {h.Value}")), reply is null ? null : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(reply.Value.Head)).TrimEnd('\n'));
        }

        EslRecord? last = told.LastOrDefault();
        string reason = last?.Type switch
        {
            "text/disconnect-notice" when told.Exists(r => r.Type == "text/rude-rejection") => "replay refuses this machine's address: Access Denied, go away.",
            "text/disconnect-notice" => "The server ends the connection: " + last.Body.Split('\n')[0],
            _ => "The server closed the connection.",
        };
        Assert.Equal(reason, closed.Message);
        Assert.Empty(server.Rest);
    }

    [GeneratedRegex("(?:origination_uuid|v_sip_status)=([^],}]+)")]
    private static partial Regex Ids();

    [GeneratedRegex("\"Event-Name\":\"([^\"]*)\"")]
    private static partial Regex EventName();

    [GeneratedRegex("\"Job-UUID\":\"(ifb-[^\"]*)\"")]
    private static partial Regex OwnJob();
}
