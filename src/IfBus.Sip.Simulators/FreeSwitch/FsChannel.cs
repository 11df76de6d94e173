using System.Globalization;

namespace IfBus.Sip.Simulators.FreeSwitch;

/// <summary>The states of a channel, by the server's numbers.</summary>
internal enum ChannelState
{
    New,
    Init,
    Routing,
    SoftExecute,
    Execute,
    ExchangeMedia,
    Park,
    ConsumeMedia,
    Hibernate,
    Reset,
    Hangup,
    Reporting,
    Destroy,
    None,
}

/// <summary>What a phone would show of the call, by the server's numbers.</summary>
internal enum CallState
{
    Down,
    Dialing,
    Ringing,
    Early,
    Active,
    Held,
    RingWait,
    Hangup,
    Unheld,
}

/// <summary>When what happened; microseconds since 1970, 0 for never.</summary>
internal sealed class TimeTable
{
    public long ProfileCreated { get; set; }

    public long Created { get; set; }

    public long Answered { get; set; }

    public long Progress { get; set; }

    public long ProgressMedia { get; set; }

    public long HungUp { get; set; }

    public long Transferred { get; set; }

    public long Bridged { get; set; }

    public long LastHold { get; set; }

    public long HoldAccum { get; set; }

    public TimeTable Clone() => (TimeTable)MemberwiseClone();
}

/// <summary>Who calls whom, as the server keeps it for a leg.</summary>
internal sealed class CallerProfile
{
    public bool Outbound { get; set; }

    public bool LogicalOutbound { get; set; }

    public string Username { get; set; } = "";

    public string Dialplan { get; set; } = "";

    public string CallerName { get; set; } = "";

    public string CallerNumber { get; set; } = "";

    public string OriginalName { get; set; } = "";

    public string OriginalNumber { get; set; } = "";

    public string CalleeName { get; set; } = "";

    public string CalleeNumber { get; set; } = "";

    public string NetworkAddress { get; set; } = "";

    public string Ani { get; set; } = "";

    public string Destination { get; set; } = "";

    public string Uuid { get; set; } = "";

    public string Source { get; set; } = "";

    public string TransferSource { get; set; } = "";

    public string Context { get; set; } = "default";

    public string Rdnis { get; set; } = "";

    public string ChannelName { get; set; } = "";

    /// <summary>Counts transfers; 0 is not told.</summary>
    public int Index { get; set; } = 1;

    public TimeTable Times { get; set; } = new();

    public CallerProfile Clone() => (CallerProfile)MemberwiseClone();

    /// <summary>Adds the headers in the server's order.</summary>
    public void AddTo(EslEvent e, string prefix)
    {
        e.Add(prefix + "-Direction", Outbound ? "outbound" : "inbound").Add(prefix + "-Logical-Direction", LogicalOutbound ? "outbound" : "inbound")
            .Add(prefix + "-Username", Username).Add(prefix + "-Dialplan", Dialplan)
            .Add(prefix + "-Caller-ID-Name", CallerName).Add(prefix + "-Caller-ID-Number", CallerNumber);
        if (CallerName.Length > 0) e.Add(prefix + "-Orig-Caller-ID-Name", OriginalName);
        if (CallerNumber.Length > 0) e.Add(prefix + "-Orig-Caller-ID-Number", OriginalNumber);
        e.Add(prefix + "-Callee-ID-Name", CalleeName).Add(prefix + "-Callee-ID-Number", CalleeNumber)
            .Add(prefix + "-Network-Addr", NetworkAddress).Add(prefix + "-ANI", Ani).Add(prefix + "-Destination-Number", Destination)
            .Add(prefix + "-Unique-ID", Uuid).Add(prefix + "-Source", Source).Add(prefix + "-Transfer-Source", TransferSource)
            .Add(prefix + "-Context", Context).Add(prefix + "-RDNIS", Rdnis).Add(prefix + "-Channel-Name", ChannelName);
        if (Index > 0) e.Add(prefix + "-Profile-Index", Index);
        e.Add(prefix + "-Profile-Created-Time", Times.ProfileCreated).Add(prefix + "-Channel-Created-Time", Times.Created)
            .Add(prefix + "-Channel-Answered-Time", Times.Answered).Add(prefix + "-Channel-Progress-Time", Times.Progress)
            .Add(prefix + "-Channel-Progress-Media-Time", Times.ProgressMedia).Add(prefix + "-Channel-Hangup-Time", Times.HungUp)
            .Add(prefix + "-Channel-Transfer-Time", Times.Transferred).Add(prefix + "-Channel-Resurrect-Time", 0)
            .Add(prefix + "-Channel-Bridged-Time", Times.Bridged).Add(prefix + "-Channel-Last-Hold", Times.LastHold)
            .Add(prefix + "-Channel-Hold-Accum", Times.HoldAccum)
            .Add(prefix + "-Screen-Bit", "true").Add(prefix + "-Privacy-Hide-Name", "false").Add(prefix + "-Privacy-Hide-Number", "false");
    }
}

/// <summary>A leg's variables, in the order they were last set. Names are compared without case.</summary>
internal sealed class VariableList
{
    private readonly List<KeyValuePair<string, string>> _items = new(64);

    public IReadOnlyList<KeyValuePair<string, string>> Items => _items;

    public string? this[string name]
    {
        get
        {
            int bracket = name.IndexOf('[', StringComparison.Ordinal);
            int at = Find(bracket < 0 ? name : name[..bracket]);
            if (at < 0) return null;
            if (bracket < 0) return _items[at].Value;
            string value = _items[at].Value;
            string[] list = value.StartsWith("ARRAY::", StringComparison.Ordinal) ? value[7..].Split("|:") : [value];
            int index = ByteText.Number(name[(bracket + 1)..]);
            return index >= 0 && index < list.Length ? list[index] : null;
        }
    }

    /// <summary>Sets a variable and puts it last; null or nothing takes it away. A value with a reference in it is not taken, as the server does not either.</summary>
    public void Set(string name, string? value, bool check = true)
    {
        if (check && value is not null && HasReference(value)) return;
        int at = Find(name);
        if (at >= 0) _items.RemoveAt(at);
        if (!string.IsNullOrEmpty(value)) _items.Add(new(name, value));
    }

    /// <summary>Sets a variable.</summary>
    public void Set(string name, long value) => Set(name, value.ToString(CultureInfo.InvariantCulture), check: false);

    /// <summary>Adds to a variable's values.</summary>
    public void Push(string name, string value)
    {
        int at = Find(name);
        if (at < 0) _items.Add(new(name, value));
        else _items[at] = new(name, (_items[at].Value.StartsWith("ARRAY::", StringComparison.Ordinal) ? "" : "ARRAY::") + _items[at].Value + "|:" + value);
    }

    public bool IsTrue(string name) => ByteText.IsTrue(this[name]);

    // switch_string_var_check: the beginning of ${ or $${.
    private static bool HasReference(string value) => value.Contains("${", StringComparison.Ordinal) || value.Contains("$${", StringComparison.Ordinal);

    private int Find(string name)
    {
        for (int i = 0; i < _items.Count; i++)
        {
            if (_items[i].Key.Length == name.Length && _items[i].Key.Is(name)) return i;
        }

        return -1;
    }
}

/// <summary>A codec of a leg.</summary>
internal sealed record Codec(string Name, int Rate, int BitRate)
{
    /// <summary>What the server's own channels speak.</summary>
    public static readonly Codec L16 = new("L16", 8000, 128000);

    /// <summary>What the phones speak.</summary>
    public static readonly Codec Pcmu = new("PCMU", 8000, 64000);
}

/// <summary>One channel (leg) of the simulated server.</summary>
internal sealed class FsChannel(string uuid, string name, bool outbound)
{
    public string Uuid { get; set; } = uuid;

    public string Name { get; } = name;

    public bool Outbound { get; } = outbound;

    /// <summary>Counts legs since the start.</summary>
    public long Number { get; set; }

    /// <summary>The kind of endpoint: sofia, null, loopback.</summary>
    public string Endpoint { get; init; } = "sofia";

    public ChannelState State { get; set; }

    public ChannelState Running { get; set; } = ChannelState.None;

    public CallState CallState { get; set; }

    public bool Answered { get; set; }

    public bool EarlyMedia { get; set; }

    public bool RingReady { get; set; }

    /// <summary>It has been in the dialplan.</summary>
    public bool HitDialplan { get; set; }

    /// <summary>0 while it lives; it may be NONE after, too.</summary>
    public int HangupCause { get; set; }

    /// <summary>It was told to hang up.</summary>
    public bool Down { get; set; }

    public Codec? Read { get; set; }

    public Codec? Write { get; set; }

    /// <summary>Null before it is set up.</summary>
    public CallerProfile? Profile { get; set; }

    /// <summary>originator, originatee, or empty.</summary>
    public string OtherType { get; set; } = "";

    public CallerProfile? OtherProfile { get; set; }

    public VariableList Variables { get; } = new();

    /// <summary>What its phone does; null for a channel of the server's own.</summary>
    public PhoneBehaviour? Phone { get; set; }

    /// <summary>Whom a SIP leg calls.</summary>
    public SipTarget? Target { get; init; }

    /// <summary>UDP port of its sound.</summary>
    public int MediaPort { get; init; }

    /// <summary>The originate whose outcome it is still part of.</summary>
    public OriginateAttempt? Attempt { get; set; }

    /// <summary>The other half of a loopback.</summary>
    public FsChannel? Twin { get; set; }

    /// <summary>The leg that it is bridged to.</summary>
    public FsChannel? Partner { get; set; }

    /// <summary>True for the leg that CHANNEL_BRIDGE was told of.</summary>
    public bool BridgeOwner { get; set; }

    /// <summary>Since when it is bridged; seconds since 1970.</summary>
    public long BridgedEpoch { get; set; }

    /// <summary>The application that runs, innermost last.</summary>
    public Stack<RunningApplication> Applications { get; } = [];

    /// <summary>What the dialplan has for it next.</summary>
    public Queue<(string Name, string Data)> Extension { get; } = new();

    /// <summary>Counts what its dialplan was sent to do: what an earlier run had in mind is over.</summary>
    public int Run { get; set; }

    public FsConference? Conference { get; set; }

    public int MemberId { get; set; }

    public List<FsRecording> Recordings { get; } = [];

    /// <summary>When it was held, as told in hold_events.</summary>
    public List<string> Holds { get; } = [];

    /// <summary>Who ended it: recv_bye and the like; empty if the server did.</summary>
    public string HangupDisposition { get; set; } = "";

    /// <summary>What is written in show channels as sent to the phone.</summary>
    public (string Name, string Number) SentCallee { get; set; }

    public string CalleeDirection { get; set; } = "";

    /// <summary>The caller id it began with.</summary>
    public (string Name, string Number, string Address, string Destination, string Dialplan) Initial { get; set; }

    /// <summary>What happens to it next by itself.</summary>
    public List<IDisposable> Timers { get; } = [];

    /// <summary>It is known and not told to hang up.</summary>
    public bool IsUp => !Down;

    public string AnswerState => Down ? "hangup" : Answered ? "answered" : EarlyMedia ? "early" : "ringing";

    /// <summary>Words of a state.</summary>
    public static string Word(ChannelState state) => state switch
    {
        ChannelState.SoftExecute => "CS_SOFT_EXECUTE",
        ChannelState.ExchangeMedia => "CS_EXCHANGE_MEDIA",
        ChannelState.ConsumeMedia => "CS_CONSUME_MEDIA",
        _ => "CS_" + state.ToString().ToUpperInvariant(),
    };

    /// <summary>Words of a call state.</summary>
    public static string Word(CallState state) => state == CallState.RingWait ? "RING_WAIT" : state.ToString().ToUpperInvariant();
}

/// <summary>An application that a leg runs.</summary>
internal sealed class RunningApplication(string name, string data, string id)
{
    public string Name { get; } = name;

    public string Data { get; } = data;

    public string Id { get; } = id;

    /// <summary>Application-Response.</summary>
    public string Response { get; set; } = "_none_";

    /// <summary>It was asked for from outside, and how often.</summary>
    public bool Looped { get; init; }

    /// <summary>Its end is not told as one of an application's.</summary>
    public bool Silent { get; init; }

    /// <summary>What is to be done when it ends, before it is told; the argument is true when the leg hangs up.</summary>
    public Action<bool>? Ending { get; set; }
}

/// <summary>A recording of a leg.</summary>
internal sealed class FsRecording(string path, long startedAt)
{
    public string Path { get; } = path;

    /// <summary>Microseconds since 1970.</summary>
    public long StartedAt { get; } = startedAt;
}
