using System.Collections;

namespace IfBus.Sip;

/// <summary>What an event is about.</summary>
[Flags]
public enum SipEventTypes
{
    /// <summary>No event.</summary>
    None = 0,
    /// <summary>A call went to another state; <see cref="SipEvent.Call"/> has it.</summary>
    CallStateChanged = 1 << 0,
    /// <summary>Somebody called the server.</summary>
    IncomingCall = 1 << 1,
    /// <summary>A recording began or ended.</summary>
    CallRecording = 1 << 2,
    /// <summary>A DTMF digit.</summary>
    CallDtmf = 1 << 3,
    /// <summary>A conference began, ended, or changed.</summary>
    ConferenceChanged = 1 << 4,
    /// <summary>The connection to the server went to another state.</summary>
    ConnectionStateChanged = 1 << 5,
    /// <summary>This subscriber did not keep up: <see cref="SipEvent.LostCount"/> events were dropped for it. Read the calls again.</summary>
    EventsLost = 1 << 6,
    /// <summary>Something went wrong that no caller waits for.</summary>
    Error = 1 << 7,
    /// <summary>Any other event of the server; <see cref="SipEvent.Name"/> and <see cref="SipEvent.Fields"/> have it.</summary>
    Other = 1 << 8,
    /// <summary>Everything but <see cref="Other"/>.</summary>
    Known = CallStateChanged | IncomingCall | CallRecording | CallDtmf | ConferenceChanged | ConnectionStateChanged | EventsLost | Error,
    /// <summary>Everything.</summary>
    All = Known | Other,
}

/// <summary>One thing that happened, with the server's raw fields.</summary>
public sealed class SipEvent
{
    // Many are made a second: what few events have is kept apart, and enums as small as they are.
    private readonly byte[]? _raw;
    private readonly SipFieldReader? _reader;
    private readonly ushort _type;
    private readonly byte _serverType;
    private SipFieldCollection? _fields;
    private Extra? _extra;

    /// <summary>Makes an event without raw fields.</summary>
    public SipEvent(SipEventTypes type, string server, SipServerType serverType, DateTime time, string name)
        : this(type, server, serverType, time, name, null, null)
    {
    }

    /// <summary>Makes an event over the raw bytes of a server's message; they are read when <see cref="Fields"/> is asked for.</summary>
    public SipEvent(SipEventTypes type, string server, SipServerType serverType, DateTime time, string name, byte[]? raw, SipFieldReader? reader)
    {
        _type = (ushort)type;
        Server = server;
        _serverType = (byte)serverType;
        Time = time;
        Name = name;
        _raw = raw;
        _reader = reader;
    }

    /// <summary>What it is about; one bit.</summary>
    public SipEventTypes Type => (SipEventTypes)_type;

    /// <summary>Name of the server's connection.</summary>
    public string Server { get; }

    /// <summary>Kind of server.</summary>
    public SipServerType ServerType => (SipServerType)_serverType;

    /// <summary>When it arrived, UTC.</summary>
    public DateTime Time { get; }

    /// <summary>The server's name for it (Asterisk: the Event header), or ours.</summary>
    public string Name { get; }

    /// <summary>The call it belongs to, as it stood after the event; null if it belongs to none.</summary>
    public SipCall? Call { get; init; }

    /// <summary><see cref="SipCall.CallId"/> of <see cref="Call"/>.</summary>
    public string? CallId => Call?.CallId;

    /// <summary>The state that the call had before, for <see cref="SipEventTypes.CallStateChanged"/>.</summary>
    public CallState? PreviousState
    {
        get => _extra?.PreviousState;
        init => (_extra ??= new Extra()).PreviousState = value;
    }

    /// <summary>The state of the connection, for <see cref="SipEventTypes.ConnectionStateChanged"/>.</summary>
    public ConnectionState? ConnectionState
    {
        get => _extra?.ConnectionState;
        init => (_extra ??= new Extra()).ConnectionState = value;
    }

    /// <summary>How many events this subscriber lost, for <see cref="SipEventTypes.EventsLost"/>.</summary>
    public long LostCount
    {
        get => _extra?.LostCount ?? 0;
        init => (_extra ??= new Extra()).LostCount = value;
    }

    /// <summary>One line for people.</summary>
    public string? Message
    {
        get => _extra?.Message;
        init => (_extra ??= new Extra()).Message = value;
    }

    /// <summary>The server's fields, in its order, repeated names kept. Empty for events of our own.</summary>
    public SipFieldCollection Fields => _fields ??= _reader is null ? SipFieldCollection.Empty : _reader.Read(_raw);

    /// <inheritdoc/>
    public override string ToString() => Message ?? Name;

    private sealed class Extra
    {
        public CallState? PreviousState { get; set; }

        public ConnectionState? ConnectionState { get; set; }

        public long LostCount { get; set; }

        public string? Message { get; set; }
    }
}

/// <summary>Turns the raw bytes of one message into fields. One instance serves a whole adapter.</summary>
public abstract class SipFieldReader
{
    /// <summary>Reads all fields of one message.</summary>
    public abstract SipFieldCollection Read(ReadOnlySpan<byte> raw);
}

/// <summary>One field of a server's message.</summary>
/// <param name="Name">Field name as the server wrote it.</param>
/// <param name="Value">Field value, decoded as UTF-8.</param>
public readonly record struct SipField(string Name, string Value)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Name}: {Value}";
}

/// <summary>The fields of a server's message: ordered, names repeat, looked up without regard to case.</summary>
public sealed class SipFieldCollection : IReadOnlyList<SipField>
{
    /// <summary>No fields.</summary>
    public static SipFieldCollection Empty { get; } = new([]);

    private readonly IReadOnlyList<SipField> _fields;

    /// <summary>Wraps a list of fields.</summary>
    public SipFieldCollection(IReadOnlyList<SipField> fields)
    {
        ArgumentNullException.ThrowIfNull(fields);
        _fields = fields;
    }

    /// <inheritdoc/>
    public int Count => _fields.Count;

    /// <inheritdoc/>
    public SipField this[int index] => _fields[index];

    /// <summary>The first value of a name, or null.</summary>
    public string? this[string name]
    {
        get
        {
            foreach (SipField field in _fields)
            {
                if (string.Equals(field.Name, name, StringComparison.OrdinalIgnoreCase)) return field.Value;
            }

            return null;
        }
    }

    /// <summary>All values of a name, in order.</summary>
    public IEnumerable<string> GetAll(string name) =>
        _fields.Where(f => string.Equals(f.Name, name, StringComparison.OrdinalIgnoreCase)).Select(f => f.Value);

    /// <inheritdoc/>
    public IEnumerator<SipField> GetEnumerator() => _fields.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => string.Join("; ", _fields);
}
