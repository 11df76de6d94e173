using System.Collections;
using System.Management.Automation;
using System.Net;
using System.Security;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Changes what is named of an account, and leaves the rest as it is.</summary>
[Cmdlet(VerbsCommon.Set, "SipAccount", SupportsShouldProcess = true)]
[OutputType(typeof(SipAccountChange))]
public sealed class SetSipAccount : EachAccountCmdlet
{
    /// <summary>Name to show.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? DisplayName { get; set; }

    /// <summary>E-mail address.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Email { get; set; }

    /// <summary>Phone number with country code.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? Phone { get; set; }

    /// <summary>How the phone sends digits.</summary>
    [Parameter]
    [ValidateSet("sipinfo", "rfc2833", "sipmessage")]
    public string? DtmfProtocol { get; set; }

    /// <summary>All entries, instead of those that are there.</summary>
    [Parameter]
    [Entries]
    public IDictionary? Dictionary { get; set; }

    /// <summary>New password.</summary>
    [Parameter]
    [Secret]
    public SecureString? Password { get; set; }

    /// <summary>New user name; needs a new password.</summary>
    [Parameter]
    [ValidateNotNullOrEmpty]
    public string? NewUsername { get; set; }

    /// <summary>May administrate its space, or not.</summary>
    [Parameter]
    public bool? Admin { get; set; }

    /// <summary>Properties to empty.</summary>
    [Parameter]
    [ValidateSet("DisplayName", "Email", "Phone", "DtmfProtocol")]
    public string[] Clear { get; set; } = [];

    /// <summary>Change nothing if the account was changed after this time; local time unless it says UTC.</summary>
    [Parameter]
    public DateTime? UnmodifiedSince { get; set; }

    private protected override string? Doing => $"Set {string.Join(", ", Named())} of";

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        base.BeginProcessing();
        if (!Named().Any()) ThrowTerminatingError(Errors.Record(new SipArgumentException("Account", null, "say what is to change: -DisplayName, -Email, -Phone, -DtmfProtocol, -Dictionary, -Password, -NewUsername, -Admin or -Clear."), null));
        if (Clear.FirstOrDefault(c => MyInvocation.BoundParameters.ContainsKey(c)) is { } both) ThrowTerminatingError(Errors.Record(new SipArgumentException("Clear", both, $"goes not with -{both}: one or the other."), null));
    }

    private protected override async Task<object?> DoAsync(ISipAdapter adapter, string account, CancellationToken token) =>
        await adapter.UpdateAccountAsync(
            account,
            new SipAccountUpdate
            {
                Username = NewUsername,
                Password = Password is null ? null : new NetworkCredential("", Password).Password,
                DisplayName = DisplayName,
                Email = Email,
                Phone = Phone,
                DtmfProtocol = DtmfProtocol,
                Dictionary = Entries(Dictionary),
                Admin = Admin,
                Clear = Clear,
                UnmodifiedSince = UnmodifiedSince?.ToUniversalTime(),
            },
            token).ConfigureAwait(false);

    private IEnumerable<string> Named()
    {
        foreach (string name in new[] { nameof(DisplayName), nameof(Email), nameof(Phone), nameof(DtmfProtocol), nameof(Dictionary), nameof(Password), nameof(NewUsername), nameof(Admin) })
        {
            if (MyInvocation.BoundParameters.ContainsKey(name)) yield return name;
        }

        foreach (string name in Clear) yield return name;
    }
}
