using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Net;
using System.Security;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Makes accounts; a table of them can be piped in.</summary>
[Cmdlet(VerbsCommon.New, "SipAccount", SupportsShouldProcess = true)]
[OutputType(typeof(SipAccount))]
public sealed class NewSipAccount : ServerCmdlet
{
    private readonly LinkedList<string> _open = new();
    private int _made;
    private int _skipped;
    private int _failed;
    private string? _last;
    private bool _finished;

    /// <summary>User name, or the whole SIP address.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipelineByPropertyName = true)]
    public string Username { get; set; } = "";

    /// <summary>Password; made up and told to nobody if left out: the phone gets it by provisioning.</summary>
    [Parameter(Position = 1, ValueFromPipelineByPropertyName = true)]
    [Secret]
    public SecureString? Password { get; set; }

    /// <summary>SIP domain; that of the space if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Domain { get; set; }

    /// <summary>Name to show.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? DisplayName { get; set; }

    /// <summary>E-mail address.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Email { get; set; }

    /// <summary>Phone number with country code.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    public string? Phone { get; set; }

    /// <summary>How the phone sends digits.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateSet("sipinfo", "rfc2833", "sipmessage", "")]
    public string? DtmfProtocol { get; set; }

    /// <summary>Free entries: a hash table, or 'name=value;name=value'.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [Entries]
    public IDictionary? Dictionary { get; set; }

    /// <summary>$false: it cannot be used until it is activated.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [YesNo]
    public bool? Activated { get; set; }

    /// <summary>$true: locked out at once.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [YesNo]
    public bool? Blocked { get; set; }

    /// <summary>$true: may administrate its space.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [YesNo]
    public bool? Admin { get; set; }

    /// <summary>Hash of the password that the server keeps; the space's own if left out.</summary>
    [Parameter(ValueFromPipelineByPropertyName = true)]
    [ValidateSet("SHA-256", "MD5", "")]
    public string? Algorithm { get; set; }

    /// <summary>Accounts that are there already are left as they are, and are no error.</summary>
    [Parameter]
    public SwitchParameter SkipExisting { get; set; }

    /// <summary>How many are made at the same time.</summary>
    [Parameter]
    [ValidateRange(1, 32)]
    public int ThrottleLimit { get; set; } = 4;

    private protected override SipCapabilities Needed => SipCapabilities.OwnAccount;

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (Choose(Server) is not { } connection) return;
        if (!ShouldProcess($"{SipText.Printable(Username)}{(string.IsNullOrEmpty(Domain) || Username.Contains('@', StringComparison.Ordinal) ? "" : "@" + Domain)} on {connection.Name}", "Make the account")) return;
        var request = new SipAccountRequest
        {
            Username = Username,
            Domain = Filled(Domain),
            Password = Password is null ? null : new NetworkCredential("", Password).Password,
            Algorithm = Filled(Algorithm),
            Activated = Activated ?? true,
            Blocked = Blocked ?? false,
            Admin = Admin ?? false,
            DisplayName = Filled(DisplayName),
            Email = Filled(Email),
            Phone = Filled(Phone),
            DtmfProtocol = Filled(DtmfProtocol),
            Dictionary = Dictionary?.Cast<DictionaryEntry>().ToDictionary(e => Convert.ToString(e.Key, CultureInfo.InvariantCulture) ?? "", e => LanguagePrimitives.ConvertTo<string>(e.Value) ?? "", StringComparer.Ordinal) ?? [],
        };
        PumpWhile(() => _open.Count >= ThrottleLimit);
        Begin(connection.Adapter, request);
        PumpReady();
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        Drain(_open);
        _finished = true;
        if (_made + _skipped + _failed > 1) WriteVerbose(Report());
    }

    private protected override string? Activity => "Making accounts";

    private protected override string? HowFar() => Progress is { Begun: > 1 } work ? $"{Report()} {_open.Count} under way, {work.Done / Math.Max(work.Elapsed.TotalSeconds, 1):0.0} a second" : null;

    private protected override string? StillRunning()
    {
        if (_finished || _made + _skipped + _failed + _open.Count == 0) return null;
        string open = _open.Count == 0 ? "" : $" Not answered yet: {string.Join(", ", _open.Take(10))}{(_open.Count > 10 ? ", ..." : "")}; they may have been made.";
        return $"Stopped. {Report()}{(_last is null ? "" : $" The last was {_last}.")}{open} The same again with -SkipExisting makes the rest.";
    }

    // Not by the pipeline's token: what has been sent is waited for until the cmdlet ends, so that what was done can be told.
    private void Begin(ISipAdapter adapter, SipAccountRequest request)
    {
        string shown = SipText.Printable(request.Username);
        LinkedListNode<string> node = _open.AddLast(shown);
        if (Progress is not null) Progress.Begun++;
        _ = RunAsync();

        async Task RunAsync()
        {
            SipAccount? account = null;
            Exception? failure = null;
            try
            {
                account = await adapter.CreateAccountAsync(request, StopToken).ConfigureAwait(false);
            }
#pragma warning disable CA1031 // everything that goes wrong with one of many is its error
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = e;
            }

            Post(() => Take(node, account, failure));
        }
    }

    private void Take(LinkedListNode<string> node, SipAccount? account, Exception? failure)
    {
        _open.Remove(node);
        if (Progress is not null) Progress.Done++;
        if (account is not null)
        {
            _made++;
            _last = account.SipUri;
            KnownAccounts.Add(account);
            WriteObject(account);
        }
        else if (SkipExisting && failure is SipRejectedException { ErrorId: "SipAccountExists" })
        {
            _skipped++;
            WriteVerbose(failure.Message + " Left as it is.");
        }
        else
        {
            _failed++;
            WriteError(Errors.Record(failure!, node.Value));
        }
    }

    private string Report() => $"{_made} made, {_skipped} there already, {_failed} failed.";

    // An empty column of a table is the same as none.
    private static string? Filled(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}
