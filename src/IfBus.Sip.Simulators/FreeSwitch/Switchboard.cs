using System.Globalization;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>
/// The channels of the simulated server and what becomes of them, told to every connection in the recorded order. One
/// lock; timers, no threads. What the real server would do on another of its threads is posted: it comes after what
/// the command itself says, as in the recordings.
/// </summary>
internal sealed partial class Switchboard
{
    /// <summary>What something on the wire or on another thread takes.</summary>
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(2);

    private readonly Dictionary<string, FsChannel> _channels = [];
    private readonly Queue<Action> _posted = new();
    private readonly Agenda _agenda;
    private readonly List<EslConnection> _listeners = [];
    private HashSet<string>? _wanted = [];
    private int _entries;
    private long _sequence = 700;
    private long _startedAt;
    private ITimer? _heartbeat;

    public Switchboard(FreeSwitchSimulatorOptions options)
    {
        Options = options;
        _agenda = new Agenda(options.TimeProvider, Sync, Enter);
        Commands = new ApiCommands(this);
        (MaxSessions, SessionsPerSecond) = (options.MaxSessions, options.SessionsPerSecond);
        Boot();
    }

    public FreeSwitchSimulatorOptions Options { get; }

    public object Sync { get; } = new();

    /// <summary>New at every start.</summary>
    public string CoreId { get; private set; } = "";

    /// <summary>The functions of api and bgapi.</summary>
    public ApiCommands Commands { get; }

    public Action? ShutdownWanted { get; set; }

    /// <summary>The server's process is to end without a word, as a failed assertion ends it, and to be started again.</summary>
    public Action? CrashWanted { get; set; }

    /// <summary>The Event Socket is to be closed and opened again.</summary>
    public Action? ReloadWanted { get; set; }

    /// <summary>Shell commands that it was told to run; none is ever run.</summary>
    public List<string> SystemCommands { get; } = [];

    public long CommandsReceived { get; set; }

    /// <summary>Legs that exist and were not told to hang up, oldest first.</summary>
    public IEnumerable<FsChannel> Channels => _channels.Values.Where(c => c.IsUp).OrderBy(c => c.Number);

    public int ChannelCount
    {
        get
        {
            lock (Sync) return _channels.Count;
        }
    }

    public int ListenerCount
    {
        get
        {
            lock (Sync) return _listeners.Count;
        }
    }

    public int CallCount
    {
        get
        {
            lock (Sync) return _channels.Values.Count(c => (c.Partner is null || c.BridgeOwner) && (c.Twin is null || c.Outbound) && c.Attempt?.Caller is null);
        }
    }

    /// <summary>Microseconds since 1970.</summary>
    public long Now => (Options.TimeProvider.GetUtcNow() - DateTimeOffset.UnixEpoch).Ticks / 10;

    /// <summary>Time since the start.</summary>
    public TimeSpan Uptime => TimeSpan.FromMicroseconds(Now - _startedAt);

    /// <summary>Does something under the lock, and then what it has posted.</summary>
    public void Enter(Action action)
    {
        lock (Sync)
        {
            _entries++;
            try
            {
                action();
                while (_entries == 1 && _posted.TryDequeue(out Action? posted)) posted();
            }
            finally
            {
                _entries--;
            }
        }
    }

    /// <summary>Does something after all that is now being done.</summary>
    public void Post(Action action) => _posted.Enqueue(action);

    public FsChannel? Find(string id) => _channels.TryGetValue(id, out FsChannel? channel) && channel.IsUp ? channel : null;

    public void Add(EslConnection connection) => Enter(() => _listeners.Add(connection));

    public void Remove(EslConnection connection) => Enter(() =>
    {
        if (_listeners.Remove(connection)) CountWanted();
    });

    /// <summary>Some connection's subscription has changed: events that nobody wants are not made.</summary>
    public void CountWanted()
    {
        _wanted = [];
        foreach (EslConnection listener in _listeners)
        {
            if (listener.Events is null)
            {
                _wanted = null;
                return;
            }

            _wanted.UnionWith(listener.Events);
        }
    }

    /// <summary>A phone calls the server. Returns the id of its leg.</summary>
    public string StartIncomingCall(string from, string exten)
    {
        string id = "";
        Enter(() => id = TakeIncoming(ByteText.Of(from), ByteText.Of(exten)));
        return id;
    }

    /// <summary>The far end of a leg hangs up.</summary>
    public void HangUpByPhone(string idOrName) => Enter(() =>
    {
        string wanted = ByteText.Of(idOrName);
        FsChannel channel = Find(wanted) ?? Channels.FirstOrDefault(c => c.Name == wanted) ?? throw new ArgumentException($"No such channel: {idOrName}", nameof(idOrName));
        FarEndHangsUp(channel);
    });

    /// <summary>Ends everything as fsctl shutdown does.</summary>
    public void ShutDown() => Enter(() =>
    {
        if (Wants("SHUTDOWN")) Fire(Begin("SHUTDOWN", "switch_core.c", "switch_core_destroy", 3023).Add("Event-Info", "System Shutting Down"));
        HangUpAll(Causes.SystemShutdown);
    });

    /// <summary>Everything is gone at once, as when the process is killed.</summary>
    public void Clear()
    {
        lock (Sync)
        {
            _heartbeat?.Dispose();
            foreach (FsChannel channel in _channels.Values) channel.Timers.ForEach(t => t.Dispose());
            _channels.Clear();
            _conferences.Clear();
            _posted.Clear();
            _listeners.Clear();
            _wanted = [];
        }
    }

    /// <summary>A new start: nothing is kept but the settings of the configuration.</summary>
    public void Boot()
    {
        lock (Sync)
        {
            CoreId = ByteText.NewId();
            _startedAt = Now;
            _sequence = 700;
            (_sessions, _peak, _second, _inSecond, _memberIds) = (0, 0, 0, 0, 0);
            (MaxSessions, SessionsPerSecond, PausedInbound, PausedOutbound) = (Options.MaxSessions, Options.SessionsPerSecond, false, false);
            if (Options.HeartbeatInterval > TimeSpan.Zero)
                _heartbeat = Options.TimeProvider.CreateTimer(_ => Enter(TellHeartbeat), null, Options.HeartbeatInterval, Options.HeartbeatInterval);
        }
    }

    /// <summary>True if some connection wants events of a name.</summary>
    public bool Wants(string name)
    {
        _sequence++;
        return _wanted is null || _wanted.Contains(name);
    }

    /// <summary>Gives an event to everybody who wants it.</summary>
    public void Fire(EslEvent e)
    {
        foreach (EslConnection listener in _listeners) listener.OnEvent(e);
    }

    /// <summary>The headers that every event begins with.</summary>
    public EslEvent Begin(string name, string file, string function, int line, string? subclass = null, string? body = null, long sequence = 0)
    {
        var e = new EslEvent(name, subclass) { Body = body };
        DateTimeOffset now = Options.TimeProvider.GetUtcNow();
        e.Add("Event-Subclass", subclass).Add("Event-Name", name).Add("Core-UUID", CoreId).Add("FreeSWITCH-Hostname", "localhost").Add("FreeSWITCH-Switchname", "localhost")
            .Add("FreeSWITCH-IPv4", "127.0.0.1").Add("FreeSWITCH-IPv6", "::1")
            .Add("Event-Date-Local", LocalTime(now)).Add("Event-Date-GMT", now.ToString("ddd, dd MMM yyyy HH:mm:ss 'GMT'", CultureInfo.InvariantCulture))
            .Add("Event-Date-Timestamp", (now - DateTimeOffset.UnixEpoch).Ticks / 10)
            .Add("Event-Calling-File", file).Add("Event-Calling-Function", function).Add("Event-Calling-Line-Number", line).Add("Event-Sequence", sequence == 0 ? _sequence : sequence);
        return e;
    }

    /// <summary>A time as the server writes it.</summary>
    public string LocalTime(DateTimeOffset time) => TimeZoneInfo.ConvertTime(time, Options.TimeProvider.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);

    /// <summary>A time as the server writes it.</summary>
    public string LocalTime(long microseconds) => LocalTime(DateTimeOffset.UnixEpoch.AddTicks(microseconds * 10));

    // What happens to a leg later, if it still is up then.
    private void After(FsChannel channel, TimeSpan time, Action action) => channel.Timers.Add(At(time, () =>
    {
        if (channel.IsUp) action();
    }));

    // What its dialplan has in mind, for as long as it is not sent elsewhere.
    private void AfterRun(FsChannel channel, TimeSpan time, Action action)
    {
        int run = channel.Run;
        After(channel, time, () =>
        {
            if (channel.Run == run) action();
        });
    }
}
