namespace IfBus.Sip;

/// <summary>
/// One connection to one server. All methods are safe to call from any thread; none runs the caller's code on the
/// connection's reader. Each may throw <see cref="SipException"/> and its leaves; <see cref="OperationCanceledException"/>
/// means the caller's own token and nothing else.
/// </summary>
public interface ISipAdapter : ISipCallControl, ISipServerKnowledge, ISipServerRouting, ISipAccountControl, IAsyncDisposable
{
    /// <summary>The longest time that can be waited for: what a timer of the runtime takes, in whole days.</summary>
    static TimeSpan LongestWait { get; } = TimeSpan.FromDays(49);

    /// <summary>The connection as it stands now.</summary>
    SipServer Server { get; }

    /// <summary>What the server can do for this login; <see cref="SipCapabilities.None"/> until connected.</summary>
    SipCapabilities Capabilities { get; }

    /// <summary>Connects, logs in, learns the capabilities, and reads the live calls. Does not retry: the first failure is thrown.</summary>
    Task ConnectAsync(CancellationToken cancellationToken);

    /// <summary>Says good-bye and closes. Calls on the server go on.</summary>
    Task DisconnectAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Checks the request, waits while the limits hold it back, sends it, and returns when the server has accepted it; the
    /// outcome comes as events and by <see cref="WaitForCallAsync"/>. Never sends it twice.
    /// </summary>
    /// <exception cref="SipArgumentException">A value is refused; nothing was sent.</exception>
    /// <exception cref="SipRejectedException">The server said no.</exception>
    /// <exception cref="SipNotSupportedException">This login may not make calls.</exception>
    Task<SipCall> MakeCallAsync(SipCallRequest request, CancellationToken cancellationToken);

    /// <summary>Changes the limits while connected. Calls that live are not touched; those that wait may leave at once.</summary>
    /// <param name="maxCalls">Calls of ours placed or live at once, 1 to 1 000 000; null: no limit.</param>
    /// <param name="maxCallsPerSecond">Calls placed in a second, more than zero, at most 10 000; null: no limit.</param>
    /// <exception cref="SipArgumentException">A limit that cannot be; nothing was changed.</exception>
    void SetLimits(int? maxCalls, double? maxCallsPerSecond);

    /// <summary>Ends a call and returns it once its last leg is gone.</summary>
    /// <param name="callId">The call's id, or its <c>if://call/</c> address.</param>
    /// <param name="cause">The cause that the far ends are told.</param>
    /// <param name="cancellationToken">Stops waiting; the hang-up may go on.</param>
    /// <exception cref="SipCallNotFoundException">No such live call.</exception>
    Task<SipCall> HangUpAsync(string callId, HangupCause cause, CancellationToken cancellationToken);

    /// <summary>Asks the server for its live calls, those made by others too.</summary>
    Task<IReadOnlyList<SipCall>> GetCallsAsync(CancellationToken cancellationToken);

    /// <summary>The live calls as known now. Asks the server nothing.</summary>
    IReadOnlyList<SipCall> KnownCalls { get; }

    /// <summary>One call, live or lately ended, as known now; null if it was never seen or is forgotten. Asks the server nothing.</summary>
    SipCall? FindCall(string callId);

    /// <summary>Waits until a call is in one of the states, or ends. Returns it at once if it is there already.</summary>
    /// <param name="callId">The call's id, or its <c>if://call/</c> address.</param>
    /// <param name="states">The states waited for; <see cref="CallState.Terminated"/> always ends the wait.</param>
    /// <param name="timeout">How long, 0 to <see cref="LongestWait"/>; null: without end.</param>
    /// <param name="cancellationToken">Stops waiting; the call goes on.</param>
    /// <exception cref="SipArgumentException">A time that cannot be waited for.</exception>
    /// <exception cref="SipCallNotFoundException">No such call.</exception>
    /// <exception cref="SipTimeoutException">The time passed; the call goes on.</exception>
    Task<SipCall> WaitForCallAsync(string callId, IReadOnlyCollection<CallState> states, TimeSpan? timeout, CancellationToken cancellationToken);

    /// <summary>Detail records seen since the connection was made, oldest first.</summary>
    Task<IReadOnlyList<SipCallDetailRecord>> GetCallDetailRecordsAsync(SipDetailRecordFilter filter, CancellationToken cancellationToken);

    /// <summary>Measures the server with a cheap request. Never throws for a bad server: the result says so.</summary>
    Task<SipServerHealth> CheckHealthAsync(CancellationToken cancellationToken);

    /// <summary>Sends a raw command.</summary>
    Task<SipCommandResult> InvokeCommandAsync(SipCommandRequest request, CancellationToken cancellationToken);

    /// <summary>Subscribes to events. The subscriber has its own bounded buffer; what it is too slow for is dropped, oldest first, and told as <see cref="SipEventTypes.EventsLost"/>.</summary>
    ISipEventSubscription Subscribe(SipEventTypes types);
}

/// <summary>One subscriber's events. Dispose it to unsubscribe.</summary>
public interface ISipEventSubscription : IDisposable
{
    /// <summary>The next event; waits for it. Throws <see cref="SipConnectionException"/> when the adapter is disposed and no event is left.</summary>
    ValueTask<SipEvent> ReadAsync(CancellationToken cancellationToken);

    /// <summary>The next event if one is there.</summary>
    bool TryRead(out SipEvent? item);
}

/// <summary>Makes adapters. The one door between the module and the adapter library, which lives in a load context of its own.</summary>
public interface ISipAdapterFactory
{
    /// <summary>Lists everything that is wrong with a configuration; empty if it can be used. Sends nothing.</summary>
    IReadOnlyList<SipConfigurationProblem> Validate(SipServerConfiguration configuration);

    /// <summary>A copy in which everything that was left out stands as this kind of server has it: name, port, and how numbers are addressed.</summary>
    /// <param name="configuration">One that can be used, see <see cref="Validate"/>.</param>
    SipServerConfiguration Complete(SipServerConfiguration configuration);

    /// <summary>Asks the ports of a host what they are, all at once, without a login and without a word that could change anything.</summary>
    /// <param name="host">Host name or address.</param>
    /// <param name="ports">The ports; null for the usual ones of all kinds.</param>
    /// <param name="path">A path that servers over HTTP are asked at besides their usual one; null for none.</param>
    /// <param name="timeout">After this time what has not answered counts as silent.</param>
    /// <param name="cancellationToken">The caller's.</param>
    /// <returns>One or more findings a port, in the order of the ports.</returns>
    /// <exception cref="SipArgumentException">The host is no host name and no address.</exception>
    /// <exception cref="SipConnectionException">The host name is not known.</exception>
    Task<IReadOnlyList<SipServerFinding>> DetectAsync(string host, IReadOnlyList<int>? ports, string? path, TimeSpan timeout, CancellationToken cancellationToken);

    /// <summary>Makes an adapter that is not connected yet.</summary>
    /// <exception cref="SipConfigurationException">The configuration cannot be used.</exception>
    ISipAdapter Create(SipServerConfiguration configuration, ISipLog? log);
}

/// <summary>How loud a log message is.</summary>
public enum SipLogLevel
{
    /// <summary>Raw traffic, with numbers but never with secrets.</summary>
    Trace,
    /// <summary>For people who look for a fault.</summary>
    Debug,
    /// <summary>The story of a connection or call.</summary>
    Information,
    /// <summary>Something to look at.</summary>
    Warning,
    /// <summary>Something failed.</summary>
    Error,
}

/// <summary>Where log messages go. Called from any thread, must not block.</summary>
public interface ISipLog
{
    /// <summary>False spares the making of the message.</summary>
    bool IsEnabled(SipLogLevel level);

    /// <summary>Takes one message.</summary>
    void Write(SipLogLevel level, int eventId, string message, Exception? exception);
}
