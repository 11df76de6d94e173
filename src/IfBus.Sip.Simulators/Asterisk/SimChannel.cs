namespace IfBus.Sip.Simulators.Asterisk;

/// <summary>One channel of the simulated server. Strings hold the client's bytes as they came, one character each.</summary>
internal sealed class SimChannel(string name, string uniqueid, string linkedid)
{
    private static readonly string[] Words = ["Down", "Rsrvd", "OffHook", "Dialing", "Ring", "Ringing", "Up", "Busy"];

    public string Name { get; } = name;

    public string Uniqueid { get; } = uniqueid;

    public string Linkedid { get; } = linkedid;

    public int State { get; set; }

    public string Number { get; set; } = "";

    public string CallerName { get; set; } = "";

    public string ConnectedNumber { get; set; } = "";

    public string ConnectedName { get; set; } = "";

    public string Context { get; set; } = "default";

    public string Exten { get; set; } = "s";

    public int Priority { get; set; } = 1;

    public string Application { get; set; } = "";

    public string Data { get; set; } = "";

    public string AccountCode { get; set; } = "";

    public DateTime CreatedAt { get; init; }

    public DateTime? AnsweredAt { get; set; }

    /// <summary>The other half of a Local channel.</summary>
    public SimChannel? Twin { get; set; }

    /// <summary>The channel whose dialplan dials this one.</summary>
    public SimChannel? DialledBy { get; set; }

    /// <summary>The channel that this one's dialplan dials or has dialled.</summary>
    public SimChannel? Callee { get; set; }

    /// <summary>The bridge with its partner.</summary>
    public string? Bridge { get; set; }

    /// <summary>The Originate that made it and is not answered yet.</summary>
    public SimOriginate? Originate { get; set; }

    /// <summary>Counts what its dialplan was sent to do: what an earlier run had in mind is over.</summary>
    public int Run { get; set; }

    public bool HearsMusic { get; set; }

    /// <summary>The Dial that called it does not allow transfers.</summary>
    public bool NoTransfers { get; set; }

    /// <summary>An attended transfer that it makes.</summary>
    public SimConsult? Consult { get; set; }

    /// <summary>Who consults whom this one dials.</summary>
    public SimChannel? ConsultedBy { get; set; }

    /// <summary>The conference room that it is in, and since when.</summary>
    public SimRoom? Room { get; set; }

    public DateTime? EnteredAt { get; set; }

    /// <summary>Ids of its recordings.</summary>
    public List<string> Monitors { get; } = [];

    /// <summary>Those of them that take down silence.</summary>
    public HashSet<string> MutedMonitors { get; } = [];

    /// <summary>It runs in the dialplan, whose h extension is the last that it does.</summary>
    public bool InDialplan { get; set; }

    /// <summary>An Originate made it: it has detail records of its own.</summary>
    public bool Originated { get; set; }

    /// <summary>It was in a bridge: a hang-up without a cause is a normal one.</summary>
    public bool WasBridged { get; set; }

    /// <summary>Detail records of what its dialplan did before; they come when it ends.</summary>
    public List<SimRecord> Records { get; } = [];

    public bool Gone { get; set; }

    /// <summary>What happens to it next by itself.</summary>
    public List<IDisposable> Timers { get; } = [];

    public Dictionary<string, string> Variables { get; } = [];

    public string Word => Words[State];

    /// <summary>A number as events tell it: as it is, line breaks and all (22.10.1).</summary>
    public static string Known(string number) => number.Length == 0 ? "<unknown>" : number;

    /// <summary>A name as events tell it: with its line breaks escaped.</summary>
    public static string KnownName(string name) => Known(SimText.Escape(name));

    /// <summary>The headers that every channel event has.</summary>
    public string Headers(string prefix = "")
    {
        return $"{prefix}Channel: {Name}\r\n{prefix}ChannelState: {State}\r\n{prefix}ChannelStateDesc: {Word}\r\n{prefix}CallerIDNum: {Known(Number)}\r\n{prefix}CallerIDName: {KnownName(CallerName)}\r\n"
            + $"{prefix}ConnectedLineNum: {Known(ConnectedNumber)}\r\n{prefix}ConnectedLineName: {KnownName(ConnectedName)}\r\n{prefix}Language: en\r\n{prefix}AccountCode: {AccountCode}\r\n"
            + $"{prefix}Context: {Context}\r\n{prefix}Exten: {Exten}\r\n{prefix}Priority: {Priority}\r\n{prefix}Uniqueid: {Uniqueid}\r\n{prefix}Linkedid: {Linkedid}\r\n";
    }
}

/// <summary>An Originate whose outcome is open.</summary>
/// <param name="ActionId">ActionID of the client, or null.</param>
/// <param name="Channel">The dial string.</param>
/// <param name="Context">Context of the destination, or empty.</param>
/// <param name="Exten">Extension of the destination, or empty.</param>
/// <param name="Application">Application instead of it.</param>
/// <param name="Data">Its arguments.</param>
/// <param name="Done">For an Originate that is not Async: told the outcome.</param>
internal sealed record SimOriginate(string? ActionId, string Channel, string Context, string Exten, string Application, string Data, Action<bool>? Done);

/// <summary>What an Originate says of the caller.</summary>
/// <param name="Number">Number, or empty.</param>
/// <param name="Name">Name, or empty.</param>
/// <param name="Account">Account to charge, or empty.</param>
internal sealed record SimCaller(string Number, string Name, string Account);

/// <summary>What a detail record tells of a part of a channel's life.</summary>
/// <param name="Application">The application then.</param>
/// <param name="Data">Its arguments.</param>
/// <param name="Callee">Whom it dialled.</param>
/// <param name="Disposition">How that ended.</param>
internal sealed record SimRecord(string Application, string Data, string? Callee, string Disposition);

internal static class SimText
{
    /// <summary>Names and numbers are C-escaped in channel events (injection recordings).</summary>
    public static string Escape(string value) =>
        value.AsSpan().IndexOfAny("\r\n\t\"\\") < 0
            ? value
            : value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\r", "\\r", StringComparison.Ordinal)
                .Replace("\n", "\\n", StringComparison.Ordinal).Replace("\t", "\\t", StringComparison.Ordinal);

    /// <summary>Words of Q.850 causes as Asterisk writes them.</summary>
    public static string Cause(int cause) => cause switch
    {
        0 => "Unknown",
        1 => "Unallocated (unassigned) number",
        3 => "No route to destination",
        16 => "Normal Clearing",
        17 => "User busy",
        19 => "User alerting, no answer",
        20 => "Subscriber absent",
        21 => "Call Rejected",
        27 => "Destination out of order",
        34 => "Circuit/channel congestion",
        38 => "Network out of order",
        _ => "Interworking, unspecified",
    };
}
