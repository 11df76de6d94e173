using System.Text;
using System.Text.Json;
using IfBus.Sip.Adapters;
using IfBus.Sip.Adapters.Kamailio;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.Kamailio;

/// <summary>A recording of Kamailio, taken through the readers and the mapper without a socket.</summary>
internal sealed class KamailioReplay
{
    private readonly FakeTimeProvider _time = new();
    private readonly ISipEventSubscription _subscription;

    public KamailioReplay()
    {
        var hub = new EventHub("replay", SipServerType.Kamailio, 1_000_000, _time, NullLogger.Instance);
        Calls = new CallTable("replay", SipServerType.Kamailio, hub, 100_000, _time, NullLogger.Instance);
        Mapper = new KamailioMapper("replay", Calls, hub, new DetailRecordStore<KamailioCall>(1000), _time, NullLogger.Instance);
        _subscription = hub.Subscribe(SipEventTypes.CallStateChanged);
    }

    public CallTable Calls { get; }

    public KamailioMapper Mapper { get; }

    /// <summary>Every state that each call went through, by its SIP Call-ID or our id.</summary>
    public Dictionary<string, List<CallState>> States { get; } = [];

    /// <summary>The calls as they were last seen.</summary>
    public Dictionary<string, SipCall> Final { get; } = [];

    /// <summary>The bodies of the server's HTTP replies on a connection, cut by Content-Length.</summary>
    public static List<byte[]> Bodies(byte[] bytes)
    {
        var found = new List<byte[]>();
        for (int at = 0; at < bytes.Length;)
        {
            int end = bytes.AsSpan(at).IndexOf("\r\n\r\n"u8);
            Assert.True(end >= 0, "a reply has a head");
            string head = Encoding.ASCII.GetString(bytes, at, end);
            string? length = head.Split("\r\n").FirstOrDefault(l => l.StartsWith("Content-Length: ", StringComparison.Ordinal))?["Content-Length: ".Length..];
            int size = int.Parse(length!, System.Globalization.CultureInfo.InvariantCulture);
            at += end + 4;
            found.Add(bytes[at..(at + size)]);
            at += size;
        }

        return found;
    }

    /// <summary>Feeds every list of dialogs of a recording.</summary>
    public KamailioReplay Lists(Transcript recording)
    {
        bool first = true;
        foreach (int connection in recording.Connections)
        {
            foreach (byte[] body in Bodies(recording.Server(connection)))
            {
                JsonElement result;
                using (JsonDocument document = JsonDocument.Parse(body)) result = document.RootElement.TryGetProperty("result", out JsonElement r) ? r.Clone() : default;
                if (result.ValueKind != JsonValueKind.Array) continue;
                KamailioDialog[] dialogs = [.. result.EnumerateArray().Select(KamailioDialog.Read).OfType<KamailioDialog>()];
                // Other commands answer with lists too; those of dialogs have states.
                if (result.GetArrayLength() != dialogs.Length || dialogs.Any(d => d.State == 0)) continue;
                List(dialogs, first ? HangupCause.EndedUnseen : null);
                first = false;
            }
        }

        return this;
    }

    /// <summary>One list, and what came of it.</summary>
    public void List(IReadOnlyList<KamailioDialog> dialogs, HangupCause? missing = null)
    {
        Mapper.OnList(dialogs, Mapper.BeginPoll(), missing);
        Collect();
    }

    /// <summary>Feeds an event socket's bytes in pieces.</summary>
    public KamailioReplay Events(byte[] bytes, int piece)
    {
        Mapper.HasEvents = true;
        var protocol = new KamailioEvents(Mapper);
        int begin = 0;
        for (int end = 0; end < bytes.Length;)
        {
            end = Math.Min(bytes.Length, end + piece);
            begin += protocol.OnReceived(bytes.AsSpan(begin, end - begin));
        }

        Collect();
        return this;
    }

    public void Pass(TimeSpan time)
    {
        _time.Advance(time);
        Mapper.OnTick();
        Collect();
    }

    private void Collect()
    {
        while (_subscription.TryRead(out SipEvent? item))
        {
            string id = item!.CallId!;
            if (!States.TryGetValue(id, out List<CallState>? states)) States[id] = states = [];
            states.Add(item.Call!.State);
            Final[id] = item.Call;
        }
    }
}
