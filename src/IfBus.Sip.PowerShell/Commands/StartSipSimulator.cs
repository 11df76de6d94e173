using System.Management.Automation;
using System.Net;
using System.Security;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using IfBus.Sip.PowerShell.Binding;
using IfBus.Sip.PowerShell.Hosting;
using IfBus.Sip.Simulators;

namespace IfBus.Sip.PowerShell.Commands;

/// <summary>Starts a simulator of a server on a loopback port, to try and test scripts without a PBX.</summary>
[Cmdlet(VerbsLifecycle.Start, "SipSimulator", SupportsShouldProcess = true)]
[OutputType(typeof(SipSimulator))]
public sealed class StartSipSimulator : SipCmdlet
{
    /// <summary>Kind of server.</summary>
    [Parameter(Position = 0)]
    public SipServerType Type { get; set; } = SipServerType.Asterisk;

    /// <summary>TCP port on 127.0.0.1; a free one if left out.</summary>
    [Parameter]
    [ValidateRange(0, 65535)]
    public int Port { get; set; }

    /// <summary>The version to play. Asterisk: 22.10.1, or one that begins with 16. FreeSWITCH: 1.10.12. Yate: 6.4.1. Kamailio: 5.6.3, or one that begins with 6.0 or 6.1. OpenSIPS: 3.6.8. Flexisip: 2.1 or 2.0.7.</summary>
    [Parameter]
    public string? Version { get; set; }

    /// <summary>The user that it lets in. FreeSWITCH asks for the secret alone, or for user@domain too; Yate for nothing.</summary>
    [Parameter]
    public string? User { get; set; }

    /// <summary>That user's secret; one is made up if left out.</summary>
    [Parameter]
    public SecureString? Secret { get; set; }

    /// <summary>How long a phone rings before it answers; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan RingTime { get; set; } = TimeSpan.FromMilliseconds(200);

    /// <summary>Fault: write in pieces of one to seven bytes.</summary>
    [Parameter]
    public SwitchParameter SplitWrites { get; set; }

    /// <summary>Fault: wait so long before each write; seconds or a TimeSpan.</summary>
    [Parameter]
    [Seconds]
    public TimeSpan Delay { get; set; }

    /// <summary>Fault: accept and read, but write nothing.</summary>
    [Parameter]
    public SwitchParameter Stall { get; set; }

    /// <summary>Fault: close new connections at once.</summary>
    [Parameter]
    public SwitchParameter RefuseConnections { get; set; }

    /// <summary>Fault: tell the end of a call's setup before its first event, where a real server now and then does so.</summary>
    [Parameter]
    public SwitchParameter Reorder { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        Check(nameof(RingTime), RingTime);
        Check(nameof(Delay), Delay);
        if (Version is not null && !Regex.IsMatch(Version, $@"^(?:{Versions().Pattern})(?:\.[0-9.]{{1,20}})?\z", RegexOptions.CultureInvariant))
            ThrowTerminatingError(Errors.Record(new SipArgumentException(nameof(Version), Version, $"with -Type {Type} it is {Versions().Words}."), Version));
        if (User is not null && !Regex.IsMatch(User, @"^[^\p{C}]{1,80}\z", RegexOptions.CultureInvariant))
            ThrowTerminatingError(Errors.Record(new SipArgumentException(nameof(User), User, "1 to 80 characters that can be printed."), User));
        if (Type == SipServerType.Yate && (User is not null || Secret is not null))
            ThrowTerminatingError(Errors.Record(new SipArgumentException(User is not null ? nameof(User) : nameof(Secret), User, "goes not with -Type Yate, whose external module knows no login; leave it out."), User));
        if (!ShouldProcess($"{Type} simulator on 127.0.0.1:{(Port == 0 ? "a free port" : Port)}", "Start")) return;
        try
        {
            var simulator = new SipSimulator(Type, Type switch
            {
                SipServerType.FreeSwitch => StartFreeSwitch(),
                SipServerType.Kamailio => StartKamailio(),
                SipServerType.Yate => StartYate(),
                SipServerType.OpenSips => StartOpenSips(),
                SipServerType.Flexisip => StartFlexisip(),
                _ => StartAsterisk(),
            });
            Store.Add(simulator);
            WriteObject(simulator);
        }
        catch (System.Net.Sockets.SocketException e)
        {
            ThrowTerminatingError(Errors.Record(new SipConnectionException($"The simulator cannot listen on 127.0.0.1:{Port}: {SipText.Reason(e)}.", e, "SipSimulatorPortInUse"), Port));
        }
    }

    private AsteriskSimulator StartAsterisk() => AsteriskSimulator.Start(new AsteriskSimulatorOptions
    {
        Port = Port,
        Version = Version ?? "22.10.1",
        User = User ?? "ifbus",
        Secret = NewSecret(),
        RingTime = RingTime,
        Faults = Faults(),
    });

    private FreeSwitchSimulator StartFreeSwitch() => FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions
    {
        Port = Port,
        Version = Version ?? "1.10.12",
        User = User ?? "freeswitch",
        Secret = NewSecret(),
        RingTime = RingTime,
        Faults = Faults(),
    });

    private KamailioSimulator StartKamailio() => KamailioSimulator.Start(new KamailioSimulatorOptions
    {
        Port = Port,
        Version = Version ?? "5.6.3",
        User = User ?? "ifbus",
        Secret = NewSecret(),
        RingTime = RingTime,
        Faults = Faults(),
    });

    private YateSimulator StartYate() => YateSimulator.Start(new YateSimulatorOptions
    {
        Port = Port,
        Version = Version ?? "6.4.1",
        RingTime = RingTime,
        Faults = Faults(),
    });

    // It has no login of its own; with -Secret a reverse proxy before it asks for one.
    private OpenSipsSimulator StartOpenSips() => OpenSipsSimulator.Start(new OpenSipsSimulatorOptions
    {
        Port = Port,
        Version = Version ?? "3.6.8",
        User = User ?? "ifbus",
        Secret = Secret is null ? "" : NewSecret(),
        RingTime = RingTime,
        Faults = Faults(),
    });

    private FlexisipSimulator StartFlexisip() => FlexisipSimulator.Start(new FlexisipSimulatorOptions
    {
        Port = Port,
        Version = Version ?? "2.1",
        User = User ?? "admin@sip.example.com",
        // FlexiAPI's keys are so long, and no other.
        Secret = Secret is null ? RandomNumberGenerator.GetHexString(40) : NewSecret(),
        Faults = Faults(),
    });

    // What the simulators play, and how it is said.
    private (string Pattern, string Words) Versions() => Type switch
    {
        SipServerType.FreeSwitch => (@"1\.10", "1.10 or one that begins with it, for instance 1.10.12"),
        SipServerType.Yate => (@"6\.4", "6.4 or one that begins with it, for instance 6.4.1"),
        SipServerType.Kamailio => (@"5\.[678]|6\.[01]", "5.6, 5.7, 5.8, 6.0, 6.1 or one that begins with it, for instance 5.6.3"),
        SipServerType.OpenSips => (@"3\.[4-6]", "3.4, 3.5, 3.6 or one that begins with it, for instance 3.6.8"),
        SipServerType.Flexisip => (@"2\.[01]", "2.0, 2.1 or one that begins with it, for instance 2.0.7"),
        _ => ("16|18|20|22", "16, 18, 20, 22 or one that begins with it, for instance 22.10.1 or 16.28.0"),
    };

    private string NewSecret() => Secret is null ? Guid.NewGuid().ToString("N") : new NetworkCredential("", Secret).Password;

    private SimulatorFaults Faults() => new() { SplitWrites = SplitWrites, Delay = Delay, Stall = Stall, RefuseConnections = RefuseConnections, Reorder = Reorder };

    private void Check(string parameter, TimeSpan time)
    {
        if (time < TimeSpan.Zero || time > TimeSpan.FromHours(1)) ThrowTerminatingError(Errors.Record(new SipArgumentException(parameter, time.ToString(), "0 to 3600 seconds."), time));
    }
}

/// <summary>Stops simulators.</summary>
[Cmdlet(VerbsLifecycle.Stop, "SipSimulator", SupportsShouldProcess = true, DefaultParameterSetName = "Object")]
public sealed class StopSipSimulator : SipCmdlet
{
    /// <summary>Simulators of Start-SipSimulator.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, ParameterSetName = "Object")]
    public SipSimulator[] InputObject { get; set; } = [];

    /// <summary>All simulators of this runspace.</summary>
    [Parameter(Mandatory = true, ParameterSetName = "All")]
    public SwitchParameter All { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (SipSimulator simulator in All ? [.. Store.Simulators] : InputObject)
        {
            if (!ShouldProcess(simulator.ToString(), "Stop")) continue;
            Store.Remove(simulator);
            PumpTask(async _ => await simulator.Simulator.DisposeAsync().ConfigureAwait(false));
        }
    }
}
