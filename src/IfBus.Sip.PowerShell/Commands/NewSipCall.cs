using System.Collections;
using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Makes calls: one a record, many in flight, each given out as the server has accepted it.</summary>
[Cmdlet(VerbsCommon.New, "SipCall", SupportsShouldProcess = true, DefaultParameterSetName = "TwoNumbers")]
[OutputType(typeof(SipCall))]
public sealed class NewSipCall : SipCmdlet
{
    private static readonly TimeSpan LongestMeasurement = TimeSpan.FromSeconds(5);

    // Asked for and not yet put out. On the pipeline's thread.
    private readonly LinkedList<Attempt> _open = new();
    // Servers whose round trip was measured because it was not known.
    private readonly HashSet<ServerStore.Connection> _measured = [];

    /// <summary>The first leg: rung first, connected with -To when it answers. Number, SIP URI, or the server's own endpoint; several are tried one after the other.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true, ParameterSetName = "TwoNumbers")]
    public string[]? From { get; set; }

    /// <summary>The destination; for a call of one leg the only party. Several are tried one after the other.</summary>
    [Parameter(Mandatory = true, Position = 1, ValueFromPipelineByPropertyName = true)]
    public string[]? To { get; set; }

    /// <summary>The server's application that takes the one leg when it answers.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Application")]
    public string? Application { get; set; }

    /// <summary>Arguments of the application.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true, ParameterSetName = "Application")]
    public string? ApplicationData { get; set; }

    /// <summary>A sound file of the server to play to the one leg.</summary>
    [Parameter(Mandatory = true, ValueFromPipelineByPropertyName = true, ParameterSetName = "Play")]
    public string? Play { get; set; }

    /// <summary>What the called parties are shown: 1001, or Ann &lt;1001&gt;.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? CallerId { get; set; }

    /// <summary>How long a called leg may ring; seconds or a TimeSpan.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Seconds]
    public TimeSpan? Timeout { get; set; }

    /// <summary>Channel variables: a hash table of names and values.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public IDictionary? Variable { get; set; }

    /// <summary>Where -To is looked up, if not where the connection says.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Context { get; set; }

    /// <summary>How the two stand to each other: decides who leaves first where a server's limits make calls wait.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Relationship]
    public SipRelationship Relationship { get; set; }

    /// <summary>The connection to use, or several of which one is chosen for each call; the default or the only one if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ServerName]
    [ArgumentCompleter(typeof(ServerNameCompleter))]
    public string[]? Server { get; set; }

    /// <summary>How one of several servers is chosen; Failover if left out.</summary>
    [Parameter]
    public SipServerSelection? Selection { get; set; }

    /// <summary>Gives each call out when it is connected or has ended, not when it is accepted.</summary>
    [Parameter]
    public SwitchParameter Wait { get; set; }

    /// <summary>Calls that are being asked for (with -Wait: waited for) at one time.</summary>
    [Parameter]
    [ValidateRange(1, 100_000)]
    public int ThrottleLimit { get; set; } = 64;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ChooseNamed() is not { } named) return;
        string what = SipText.Printable(From is null ? string.Join(" or ", To!) : $"{string.Join(" or ", From)} to {string.Join(" or ", To!)}");
        string where = named.Count == 1 ? named[0].Name : $"one of {string.Join(", ", named.Select(c => c.Name))} ({Selection ?? SipServerSelection.Failover})";
        if (!ShouldProcess($"{what} on {where}", "Call")) return;

        var request = new SipCallRequest
        {
            From = ParameterSetName == "TwoNumbers" ? From?.FirstOrDefault() : null,
            FromAlternatives = ParameterSetName == "TwoNumbers" && From?.Length > 1 ? From[1..] : [],
            To = To?.FirstOrDefault(),
            ToAlternatives = To?.Length > 1 ? To[1..] : [],
            // An empty column of a table of calls is the same as none.
            CallerId = string.IsNullOrEmpty(CallerId) ? null : CallerId,
            Timeout = Timeout,
            Context = string.IsNullOrEmpty(Context) ? null : Context,
            Application = Application,
            ApplicationData = ApplicationData,
            Play = Play,
            Variables = Variable is null ? [] : [.. Variable.Cast<DictionaryEntry>().Select(e => KeyValuePair.Create($"{e.Key}", LanguagePrimitives.ConvertTo<string>(e.Value)))],
            Relationship = Relationship,
            HeedCircuit = named.Count > 1,
        };
        PumpWhile(() => _open.Count >= ThrottleLimit);
        foreach (ServerStore.Connection connection in named) ListenToCalls(connection);
        Attempt attempt = named.Count == 1 ? new Attempt(named[0], request, null) : Select(named, request, what);
        Begin(_open, attempt, request, () => CallAsync(attempt));
        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => Drain(_open);

    private protected override string? Activity => "Making calls";

    private protected override string? HowFar() =>
        Progress is { AllIn: true, Begun: 1 } && _open.First?.Value is { CallId: { } id } attempt && attempt.Connection.Adapter.FindCall(id) is { } call ? $"{Describe(call)} on {call.Server}: {call.State}, {Progress.Elapsed.TotalSeconds:0} s" : null;

    private protected override string? StillRunning()
    {
        string? accepted = GoOn(_open.Where(a => a.CallId is not null).Select(a => (a.Connection, a.CallId!)));
        int asked = _open.Count(a => a.CallId is null);
        bool held = _open.Any(a => a.CallId is null && a.Connection.Adapter.Server is var s && (s.MaxCalls is not null || s.MaxCallsPerSecond is not null));
        return asked == 0 ? accepted : $"{accepted ?? "Stopped."} {asked} {(asked == 1 ? "call was" : "calls were")} asked for and not yet accepted, and may ring{(held ? ", unless a server's limits still held them back" : "")}; Get-SipCallStatus lists the live calls.";
    }

    // The servers that the record names. Null, with an error written, if one of them is not there.
    private List<ServerStore.Connection>? ChooseNamed()
    {
        string[] names = Server is null ? [] : [.. Server.OfType<string>()];
        if (names.Length == 0 && Selection is not null)
        {
            ErrorRecord error = Errors.Record(new SipArgumentException(nameof(Selection), Selection.ToString(), "goes with -Server, which names the servers to choose from; all of them: -Server (Get-SipServer)."), Selection);
            if (!MyInvocation.ExpectingInput) ThrowTerminatingError(error);
            WriteError(error);
            return null;
        }

        if (names.Length == 0) return Choose(null) is { } only ? [only] : null;
        var named = new List<ServerStore.Connection>(names.Length);
        foreach (string name in names)
        {
            if (Choose(name) is not { } connection) return null;
            if (!named.Contains(connection)) named.Add(connection);
        }

        return named;
    }

    // One of several servers, and who comes after it. On the pipeline's thread, so each record sees the calls of those before.
    private Attempt Select(List<ServerStore.Connection> named, SipCallRequest request, string what)
    {
        SipServerSelection how = Selection ?? SipServerSelection.Failover;
        if (how == SipServerSelection.LowestLatency) Measure(named);
        var skipped = new List<(string Server, string Why)>();
        List<ServerStore.Connection> order = ServerSelection.Order(Store, named, how, c => _open.Count(a => a.CallId is null && a.Connection == c), skipped);
        foreach ((string server, string why) in skipped) WriteVerbose($"{what}: {server} is left out: {why}");
        if (order.Count > 0) WriteVerbose($"{what}: {order[0].Name} is chosen ({how}).");
        return new Attempt(order.FirstOrDefault() ?? named[0], request, new Candidates(order, skipped, what));
    }

    // What has answered nothing yet is asked, once and side by side.
    private void Measure(List<ServerStore.Connection> named)
    {
        List<ServerStore.Connection> unknown = named.FindAll(c => c.Adapter.Server is { State: ConnectionState.Connected, AverageLatency: null } && _measured.Add(c));
        if (unknown.Count == 0) return;
        PumpTask(async token =>
        {
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(token);
            limit.CancelAfter(LongestMeasurement);
            try
            {
                await Task.WhenAll(unknown.Select(c => c.Adapter.CheckHealthAsync(limit.Token))).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!token.IsCancellationRequested)
            {
                // Who is so slow stays unknown, and comes last.
            }
        });
    }

    private async Task<object?> CallAsync(Attempt attempt)
    {
        SipCall call = attempt.Candidates is { } candidates ? await PlaceOnOneAsync(attempt, candidates).ConfigureAwait(false) : await attempt.Connection.Adapter.MakeCallAsync(attempt.Request, StopToken).ConfigureAwait(false);
        attempt.CallId = call.CallId;
        if (IsChatty)
        {
            Post(() =>
            {
                WriteVerbose($"{call.Server}: call {Describe(call)} is accepted.");
                Follow(attempt.Connection, call.CallId);
            });
        }

        return Wait ? await attempt.Connection.Adapter.WaitForCallAsync(call.CallId, [CallState.Connected], null, StopToken).ConfigureAwait(false) : call;
    }

    // Tries the servers in their order. The next one only if it is certain that the one before has placed nothing.
    private async Task<SipCall> PlaceOnOneAsync(Attempt attempt, Candidates candidates)
    {
        // What one kind of server does not take another may; the same kind would refuse it again.
        var refused = new HashSet<SipServerType>();
        SipException? last = null;
        foreach (ServerStore.Connection connection in candidates.Order)
        {
            SipServerType type = connection.Adapter.Server.Type;
            if (refused.Contains(type)) continue;
            if (last is not null)
            {
                string told = $"{candidates.What}: {attempt.Connection.Name} has not taken the call, and {connection.Name} is tried: {last.Message}";
                Post(() => WriteWarning(told));
            }

            attempt.Connection = connection;
            try
            {
                return await connection.Adapter.MakeCallAsync(attempt.Request, StopToken).ConfigureAwait(false);
            }
            catch (SipException e) when (ServerSelection.MayGoOn(e))
            {
                last = e;
                candidates.Reasons.Add((connection.Name, e.Message));
                if (e is not SipArgumentException) continue;
                refused.Add(type);
                // No other kind is there: the value is the caller's to correct.
                if (candidates.Order.TrueForAll(c => refused.Contains(c.Adapter.Server.Type))) throw;
            }
        }

        throw ServerSelection.NobodyTookIt(candidates.What, candidates.Reasons, last);
    }

    private sealed class Attempt(ServerStore.Connection first, SipCallRequest request, Candidates? candidates)
    {
        // Null until the server has accepted the call.
        public volatile string? CallId;

        // The one that is being asked, or has accepted it.
        public volatile ServerStore.Connection Connection = first;

        public SipCallRequest Request { get; } = request;

        // Null if there is only the one.
        public Candidates? Candidates { get; } = candidates;
    }

    /// <summary>The servers that one call may be placed on, the best first, and why others are not.</summary>
    private sealed record Candidates(List<ServerStore.Connection> Order, List<(string Server, string Why)> Reasons, string What);
}
