namespace IfBus.Sip;

/// <summary>Where the connection to a server stands.</summary>
public enum ConnectionState
{
    /// <summary>Never connected, or disconnected on request.</summary>
    Disconnected,
    /// <summary>Reaching the server, logging in.</summary>
    Connecting,
    /// <summary>Logged in and open for callers.</summary>
    Connected,
    /// <summary>Lost; trying again.</summary>
    Reconnecting,
    /// <summary>Saying good-bye.</summary>
    Disconnecting,
    /// <summary>Given up: attempts used up, or the server refused the login.</summary>
    Failed,
}

/// <summary>How well a server serves us; the limits stand at <see cref="SipServerHealth"/>.</summary>
public enum HealthState
{
    /// <summary>Connected, under 5 % of the last 100 operations failed, average latency under 100 ms.</summary>
    Healthy,
    /// <summary>5 to 20 % failed, or 100 to 300 ms.</summary>
    Degraded,
    /// <summary>Not connected, over 20 % failed, or over 300 ms.</summary>
    Critical,
}

/// <summary>What the last calls that a server was asked for say of it. Used only where one of several servers is to be chosen.</summary>
public enum CircuitState
{
    /// <summary>Chosen as any other.</summary>
    Closed,
    /// <summary>Three calls in a row failed by the server's fault: not chosen before the cool-down is over.</summary>
    Open,
    /// <summary>The cool-down is over: one call is let through, and its outcome closes the circuit or opens it again.</summary>
    HalfOpen,
}

/// <summary>What a server, with this login, can do. Learnt from the server when it is connected.</summary>
#pragma warning disable CA1028 // there are more than fit into 32 bits
[Flags]
public enum SipCapabilities : long
#pragma warning restore CA1028
{
    /// <summary>Nothing yet: not connected.</summary>
    None = 0,
    /// <summary>Can be told to make calls.</summary>
    MakeCall = 1 << 0,
    /// <summary>Can be told to end calls.</summary>
    HangUp = 1 << 1,
    /// <summary>Lists its live calls.</summary>
    ListCalls = 1 << 2,
    /// <summary>Tells of call progress by itself.</summary>
    CallEvents = 1 << 3,
    /// <summary>Tells call detail records.</summary>
    CallDetailRecords = 1 << 4,
    /// <summary>Takes raw commands.</summary>
    RawCommand = 1 << 5,
    /// <summary>Moves a party to another destination.</summary>
    BlindTransfer = 1 << 6,
    /// <summary>Lets a party consult the destination first.</summary>
    AttendedTransfer = 1 << 7,
    /// <summary>Holds and resumes.</summary>
    Hold = 1 << 8,
    /// <summary>Moves the parties of calls into conference rooms.</summary>
    Conference = 1 << 9,
    /// <summary>Records conference rooms.</summary>
    ConferenceRecording = 1 << 10,
    /// <summary>Records calls.</summary>
    Recording = 1 << 11,
    /// <summary>Plays DTMF.</summary>
    Dtmf = 1 << 12,
    /// <summary>Reads and sets variables of a call.</summary>
    Variables = 1 << 13,
    /// <summary>Answers calls that come in.</summary>
    Answer = 1 << 14,
    /// <summary>Refuses calls that come in.</summary>
    Reject = 1 << 15,
    /// <summary>Lists where phones can be reached.</summary>
    Registrations = 1 << 16,
    /// <summary>Lists endpoints and trunks.</summary>
    Gateways = 1 << 17,
    /// <summary>Lists queues.</summary>
    Queues = 1 << 18,
    /// <summary>Tells counters.</summary>
    Statistics = 1 << 19,
    /// <summary>Tries several endpoints for one party of a new call, one after the other.</summary>
    Failover = 1 << 20,
    /// <summary>Lists conference rooms with their members.</summary>
    ConferenceList = 1 << 21,
    /// <summary>Locks conference rooms; mutes their members and puts them out.</summary>
    ConferenceControl = 1 << 22,
    /// <summary>Asks us where calls go.</summary>
    Routing = 1 << 23,
    /// <summary>Adds and removes where phones can be reached.</summary>
    RegistrationControl = 1 << 24,
    /// <summary>Puts trunks in and out of use.</summary>
    GatewayControl = 1 << 25,
    /// <summary>Shows the account of the login, and its devices.</summary>
    OwnAccount = 1 << 26,
    /// <summary>Makes, changes, lists and removes accounts.</summary>
    Accounts = 1 << 27,
    /// <summary>Tells the calls of an account.</summary>
    AccountCalls = 1 << 28,
    /// <summary>Sends push notifications.</summary>
    PushNotification = 1 << 29,
    /// <summary>Lists spaces (tenants).</summary>
    Spaces = 1 << 30,
    /// <summary>Call forwarding rules of accounts.</summary>
    CallForwarding = 1L << 31,
}
