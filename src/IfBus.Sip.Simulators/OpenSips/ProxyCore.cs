using System.Globalization;
using System.Net;
using System.Text.Json.Nodes;

namespace IfBus.Sip.Simulators.OpenSips;

/// <summary>What a simulated OpenSIPS keeps: its calls, registrations, subscriptions. All under one lock.</summary>
internal sealed partial class ProxyCore : IDisposable
{
    /// <summary>The server's own SIP address, as its calls' URIs have it.</summary>
    public const string SipAddress = "127.0.0.1:5062";

    /// <summary>The events that it has.</summary>
    public static readonly string[] AllEvents =
    [
        "E_UL_AOR_INSERT", "E_UL_AOR_DELETE", "E_UL_CONTACT_INSERT", "E_UL_CONTACT_DELETE", "E_DLG_STATE_CHANGED", "E_ACC_EVENT", "E_ACC_CDR", "E_ACC_MISSED_EVENT",
        "E_DISPATCHER_STATUS", "E_LOAD_BALANCER_STATUS", "E_UA_SESSION", "E_CALL_TRANSFER", "E_CALL_HOLD",
    ];

    private readonly List<MiConnection> _connections = [];
    private readonly Dictionary<string, Dictionary<string, (DateTimeOffset Until, int Seconds)>> _subscribers = [];
    private readonly Dictionary<string, EventSender> _senders = [];
    private readonly Dictionary<string, Dictionary<string, SimContact>> _registered = new(StringComparer.Ordinal);
    private readonly CancellationTokenSource _end = new();
    private long _requests;
    private int _number = 0x1000;

    public ProxyCore(OpenSipsSimulatorOptions options)
    {
        Options = options;
        Commands = new MiCommands(this);
        Boot();
    }

    public object Sync { get; } = new();

    public OpenSipsSimulatorOptions Options { get; }

    public MiCommands Commands { get; }

    public DateTimeOffset StartedAt { get; private set; }

    public DateTimeOffset Now => Options.TimeProvider.GetUtcNow();

    public List<SimDialog> Dialogs { get; } = [];

    public List<SimTuple> Tuples { get; } = [];

    public List<SimEntity> Sessions { get; } = [];

    /// <summary>Destinations of dispatcher set 1 and their states.</summary>
    public Dictionary<string, string> Destinations { get; } = new() { ["sip:127.0.0.1:15070"] = "Active", ["sip:127.0.0.1:15071"] = "Active" };

    /// <summary>Load balancer: enabled or not, by id.</summary>
    public Dictionary<int, bool> Balanced { get; } = new() { [1] = true, [2] = true };

    public Dictionary<string, string> Cache { get; } = [];

    public long Processed { get; private set; }

    public long Failed { get; private set; }

    public long RequestsReceived => Interlocked.Read(ref _requests);

    public int CallCount
    {
        get
        {
            lock (Sync) return Dialogs.Count(d => d.State < 5) + Tuples.Count(t => t.State < 5) + Sessions.Count;
        }
    }

    public int LegCount
    {
        get
        {
            lock (Sync) return Dialogs.Count(d => d.State < 5) * 2 + Tuples.Sum(t => t.Clients.Count) + Sessions.Count;
        }
    }

    /// <summary>Starts with no calls.</summary>
    public void Boot()
    {
        lock (Sync)
        {
            StartedAt = Now;
            foreach (string number in Options.Registrations) Register(number, $"sip:{number}@127.0.0.1:5070", 0);
        }
    }

    /// <summary>All is gone, as with the process.</summary>
    public void Clear()
    {
        lock (Sync)
        {
            Dialogs.Clear();
            Tuples.Clear();
            Sessions.Clear();
            _subscribers.Clear();
            _registered.Clear();
            foreach (EventSender sender in _senders.Values) sender.Dispose();
            _senders.Clear();
        }
    }

    public void Dispose()
    {
        _end.Cancel();
        Clear();
        _end.Dispose();
    }

    public void Connected(MiConnection connection)
    {
        lock (_connections) _connections.Add(connection);
    }

    public void Disconnected(MiConnection connection)
    {
        lock (_connections) _connections.Remove(connection);
    }

    /// <summary>A request makes the server look at all its connections: it ends what it left open, and closes those that were idle too long.</summary>
    public void OnRequest(MiConnection from)
    {
        Interlocked.Increment(ref _requests);
        MiConnection[] others;
        lock (_connections) others = [.. _connections.Where(c => c != from)];
        foreach (MiConnection other in others)
        {
            other.Wake();
            if (Options.TimeProvider.GetElapsedTime(other.LastUsed) > Options.ConnectionTimeout) other.Close();
        }
    }

    /// <summary>The contacts of a number; null if nobody is registered. Numbers that no list shows are found too.</summary>
    public IReadOnlyList<SimContact>? Find(string aor)
    {
        lock (Sync)
        {
            if (_registered.TryGetValue(aor, out Dictionary<string, SimContact>? contacts)) return [.. contacts.Values];
            return PhoneBehaviour.Of(aor, false).Kind == PhoneKind.Unknown ? null : [new SimContact($"sip:{aor}@127.0.0.1:5070", 3600, Now)];
        }
    }

    public void Register(string aor, string contact, int expires)
    {
        lock (Sync)
        {
            if (!_registered.TryGetValue(aor, out Dictionary<string, SimContact>? contacts)) _registered[aor] = contacts = [];
            contacts[contact] = new SimContact(contact, expires, Now);
            Raise("E_UL_CONTACT_INSERT", new JsonObject { ["domain"] = "location", ["aor"] = aor, ["uri"] = contact, ["user_agent"] = "OpenSIPS MI Server", ["expires"] = expires });
        }
    }

    /// <summary>False if it was not there.</summary>
    public bool Unregister(string aor, string? contact)
    {
        lock (Sync)
        {
            if (!_registered.TryGetValue(aor, out Dictionary<string, SimContact>? contacts)) return false;
            if (contact is not null && !contacts.Remove(contact)) return false;
            if (contact is null || contacts.Count == 0) _registered.Remove(aor);
            Raise("E_UL_CONTACT_DELETE", new JsonObject { ["domain"] = "location", ["aor"] = aor, ["uri"] = contact });
            return true;
        }
    }

    public JsonArray ShowRegistered()
    {
        lock (Sync) return new JsonArray([.. _registered.Select(r => (JsonNode)new JsonObject { ["AOR"] = r.Key, ["Contacts"] = new JsonArray([.. r.Value.Values.Select(c => (JsonNode)c.Show(Now))]) })]);
    }

    /// <summary>False if event or socket are none.</summary>
    public bool Subscribe(string name, string socket, int seconds)
    {
        lock (Sync)
        {
            if (!AllEvents.Contains(name) || Options.MissingEvents.Contains(name) || EndPoint(socket) is null) return false;
            if (!_subscribers.TryGetValue(name, out var sockets)) _subscribers[name] = sockets = [];
            sockets[socket] = (Now.AddSeconds(seconds), seconds);
            return true;
        }
    }

    public JsonNode? ShowSubscribers(string? name, string? socket)
    {
        lock (Sync)
        {
            JsonObject Show(string s, (DateTimeOffset Until, int Seconds) until) => new() { ["socket"] = s, ["expire"] = until.Seconds, ["ttl"] = until.Until <= Now ? "expired" : (JsonNode)(int)(until.Until - Now).TotalSeconds };
            JsonObject Event(string n) => new() { ["name"] = n, ["id"] = Array.IndexOf(AllEvents, n), ["Subscribers"] = new JsonArray([.. _subscribers.GetValueOrDefault(n, []).Select(s => (JsonNode)Show(s.Key, s.Value))]) };
            if (name is null) return new JsonObject { ["Events"] = new JsonArray([.. _subscribers.Keys.Select(n => (JsonNode)Event(n))]) };
            if (!AllEvents.Contains(name)) return null;
            if (socket is null) return new JsonObject { ["Event"] = Event(name) };
            if (!_subscribers.GetValueOrDefault(name, []).TryGetValue(socket, out var one)) return null;
            return new JsonObject { ["Event"] = new JsonObject { ["name"] = name, ["id"] = Array.IndexOf(AllEvents, name), ["Subscriber"] = Show(socket, one) } };
        }
    }

    /// <summary>Tells all who are subscribed and not expired.</summary>
    public void Raise(string name, JsonObject parameters)
    {
        lock (Sync)
        {
            if (!_subscribers.TryGetValue(name, out var sockets) || Options.MissingEvents.Contains(name)) return;
            var named = new JsonObject { ["event"] = name };
            foreach (KeyValuePair<string, JsonNode?> p in parameters) named[p.Key] = p.Value?.DeepClone();
            string json = new JsonObject { ["jsonrpc"] = "2.0", ["method"] = name, ["params"] = named }.ToJsonString(MiCommands.Writing);
            foreach ((string socket, (DateTimeOffset until, _)) in sockets)
            {
                if (until <= Now) continue;
                if (!_senders.TryGetValue(socket, out EventSender? sender)) _senders[socket] = sender = new EventSender(EndPoint(socket)!, Options);
                sender.Send(json);
            }
        }
    }

    // tcp:127.0.0.1:8787
    private static IPEndPoint? EndPoint(string socket) =>
        socket.StartsWith("tcp:", StringComparison.Ordinal) && IPEndPoint.TryParse(socket[4..], out IPEndPoint? to) && to.Port > 0 && IPAddress.IsLoopback(to.Address) ? to : null;

    private string Next(string form) => string.Create(CultureInfo.InvariantCulture, $"{++_number * 7919 % 4093:x}.{_number * 2654435761L % 0xffffffff:x}{form}");

    private void Later(TimeSpan time, Action work) => _ = Task.Run(async () =>
    {
        try
        {
            await Task.Delay(time, Options.TimeProvider, _end.Token).ConfigureAwait(false);
            lock (Sync) work();
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The server stops.
        }
    });
}
