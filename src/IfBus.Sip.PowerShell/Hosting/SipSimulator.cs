using System.Management.Automation;
using System.Security;
using IfBus.Sip.Simulators;

namespace IfBus.Sip.PowerShell;

/// <summary>A running simulator, as Start-SipSimulator gives it; Connect-SipServer takes it from the pipeline.</summary>
public sealed class SipSimulator
{
    internal SipSimulator(SipServerType type, ServerSimulator simulator)
    {
        Type = type;
        Simulator = simulator;
        if (simulator.User.Length == 0) return;
        var secret = new SecureString();
        foreach (char c in simulator.Secret) secret.AppendChar(c);
        secret.MakeReadOnly();
        if (type == SipServerType.Flexisip) ApiKey = secret;
        else Credential = new PSCredential(simulator.User, secret);
    }

    internal ServerSimulator Simulator { get; }

    /// <summary>The kind of server it plays.</summary>
    public SipServerType Type { get; }

    /// <summary>Its version.</summary>
    public string Version => Simulator.Version;

    /// <summary>Always a loopback address.</summary>
    public string Host => Simulator.Host;

    /// <summary>TCP port.</summary>
    public int Port => Simulator.Port;

    /// <summary>Where its events are to be had; null for a kind whose events come by the port itself.</summary>
    public string? EventAddress => (Simulator as KamailioSimulator)?.EventAddress;

    /// <summary>True if it speaks TLS.</summary>
    public bool UseTls => Simulator.Tls;

    /// <summary>What it lets in; null for Yate, which asks nobody, and for Flexisip, which has an <see cref="ApiKey"/>.</summary>
    public PSCredential? Credential { get; }

    /// <summary>Flexisip: the API key of its administrator.</summary>
    public SecureString? ApiKey { get; }

    /// <summary>Calls that are up or being set up.</summary>
    public int ActiveCalls => Simulator.ActiveCalls;

    /// <summary>Connections to it.</summary>
    public int Connections => Simulator.Connections;

    /// <summary>What goes wrong; may be changed while it runs.</summary>
    public SimulatorFaults Faults => Simulator.Faults;

    /// <summary>Closes all connections at once, as a lost network does. Calls stay up.</summary>
    public void DropConnections() => Simulator.DropConnections();

    /// <summary>A phone calls the server, and its dialplan takes the call. Returns the id of the phone's channel, which is the CallId.</summary>
    /// <param name="from">Number of the phone.</param>
    /// <param name="exten">Extension that it calls.</param>
    public string StartIncomingCall(string from, string exten)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(from);
        ArgumentException.ThrowIfNullOrWhiteSpace(exten);
        return Simulator.StartIncomingCall(from, exten);
    }

    /// <summary>Messages that Flexisip was asked to send, newest last: to, a blank, text.</summary>
    public IReadOnlyList<string> SentMessages => (Simulator as FlexisipSimulator)?.SentMessages ?? [];

    /// <summary>Push notifications that Flexisip was asked to send, newest last: provider, pn-param, type.</summary>
    public IReadOnlyList<string> SentPushes => (Simulator as FlexisipSimulator)?.Pushes ?? [];

    /// <summary>A phone registers under an account of Flexisip.</summary>
    /// <param name="account">The account, user@domain.</param>
    /// <param name="uuid">The phone's instance id.</param>
    /// <param name="userAgent">What it calls itself: App/Version (Device).</param>
    public void RegisterDevice(string account, string uuid, string userAgent)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(account);
        ArgumentException.ThrowIfNullOrWhiteSpace(uuid);
        ArgumentException.ThrowIfNullOrWhiteSpace(userAgent);
        if (Simulator is not FlexisipSimulator flexisip) throw new PSNotSupportedException($"The simulated {Type} has no accounts that devices register under; Flexisip has.");
        try
        {
            flexisip.RegisterDevice(account.StartsWith("sip:", StringComparison.OrdinalIgnoreCase) ? account[4..] : account, uuid, userAgent);
        }
        catch (InvalidOperationException e)
        {
            throw new PSArgumentException($"The simulated {Type} at {Host}:{Port} has no account '{SipText.Printable(account)}'; New-SipAccount makes one.", e);
        }
    }

    /// <summary>The phone at a channel hangs up.</summary>
    /// <param name="id">Id or name of the channel, as Legs of a call have them.</param>
    public void HangUpByPhone(string id)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(id);
        try
        {
            Simulator.HangUpByPhone(id);
        }
        catch (ArgumentException e)
        {
            throw new PSArgumentException($"The simulated {Type} at {Host}:{Port} has no leg '{SipText.Printable(id)}'; Legs of a call have the ids.", e);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => $"{Type} {Version} at {Host}:{Port}";
}
