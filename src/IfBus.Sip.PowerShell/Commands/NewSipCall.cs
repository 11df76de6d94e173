using System.Collections;
using System.Management.Automation;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Makes calls: one a record, many in flight, each given out as the server has accepted it.</summary>
[Cmdlet(VerbsCommon.New, "SipCall", SupportsShouldProcess = true, DefaultParameterSetName = "TwoNumbers")]
[OutputType(typeof(SipCall))]
public sealed class NewSipCall : ServerCmdlet
{
    // Asked for and not yet put out. On the pipeline's thread.
    private readonly LinkedList<Attempt> _open = new();

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
        if (Choose(Server) is not { } connection) return;
        string what = From is null ? string.Join(" or ", To!) : $"{string.Join(" or ", From)} to {string.Join(" or ", To!)}";
        if (!ShouldProcess($"{what} on {connection.Name}", "Call")) return;

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
        };
        PumpWhile(() => _open.Count >= ThrottleLimit);
        ListenToCalls(connection);
        var attempt = new Attempt(connection, request);
        Begin(_open, attempt, request, () => CallAsync(attempt));
        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing() => PumpRest(() => _open.Count > 0);

    private protected override string? Activity => "Making calls";

    private protected override string? HowFar() =>
        Progress is { AllIn: true, Begun: 1 } && _open.First?.Value is { CallId: { } id } attempt && attempt.Connection.Adapter.FindCall(id) is { } call ? $"{Describe(call)} on {call.Server}: {call.State}, {Progress.Elapsed.TotalSeconds:0} s" : null;

    private protected override string? StillRunning()
    {
        string? accepted = GoOn(_open.Where(a => a.CallId is not null).Select(a => (a.Connection, a.CallId!)));
        int asked = _open.Count(a => a.CallId is null);
        return asked == 0 ? accepted : $"{accepted ?? "Stopped."} {asked} {(asked == 1 ? "call was" : "calls were")} asked for and not yet accepted, and may ring; Get-SipCallStatus lists the live calls.";
    }

    private async Task<object?> CallAsync(Attempt attempt)
    {
        SipCall call = await attempt.Connection.Adapter.MakeCallAsync(attempt.Request, StopToken).ConfigureAwait(false);
        attempt.CallId = call.CallId;
        Post(() =>
        {
            WriteVerbose($"{call.Server}: call {Describe(call)} is accepted.");
            Follow(attempt.Connection, call.CallId);
        });
        return Wait ? await attempt.Connection.Adapter.WaitForCallAsync(call.CallId, [CallState.Connected], null, StopToken).ConfigureAwait(false) : call;
    }

    private sealed class Attempt(ServerStore.Connection connection, SipCallRequest request)
    {
        // Null until the server has accepted the call.
        public volatile string? CallId;

        public ServerStore.Connection Connection { get; } = connection;

        public SipCallRequest Request { get; } = request;
    }
}
