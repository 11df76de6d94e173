using System.Net.Sockets;
using IfBus.Sip.Simulators.FreeSwitch;

namespace IfBus.Sip.Simulators;

/// <summary>
/// Plays a FreeSWITCH's Event Socket on 127.0.0.1, as recorded from FreeSWITCH 1.10.12. The number that is called, in
/// <c>sofia/gateway/NAME/number</c>, <c>sofia/internal/number@host</c> or <c>user/number</c>, decides what its phone
/// does; if it says nothing, the gateway's name does. A leading <c>sipp-</c> or <c>dial-</c> is left out of the
/// reckoning:
/// <list type="table">
/// <item><term>busy…, or …486</term><description>is busy: SIP 486, USER_BUSY</description></item>
/// <item><term>reject…, decline…</term><description>refuses: SIP 603, CALL_REJECTED</description></item>
/// <item><term>notfound…</term><description>is not known at the far end: SIP 404, UNALLOCATED_NUMBER</description></item>
/// <item><term>congestion…</term><description>SIP 503, NORMAL_TEMPORARY_FAILURE</description></item>
/// <item><term>status410</term><description>refuses with that SIP status</description></item>
/// <item><term>cause34</term><description>refuses with that Q.850 cause in a Reason header</description></item>
/// <item><term>ring…, noanswer…</term><description>rings for ever</description></item>
/// <item><term>dead…</term><description>never answers at all</description></item>
/// <item><term>nosuch…</term><description>as gateway INVALID_GATEWAY, as user SUBSCRIBER_ABSENT</description></item>
/// <item><term>unreach…, nocontact…</term><description>as gateway NETWORK_OUT_OF_ORDER, as user USER_NOT_REGISTERED</description></item>
/// <item><term>earlybusy…</term><description>sends sound first (183), then is busy: 486</description></item>
/// <item><term>early…, early5, earlybye2</term><description>sends sound first (183), then answers; after five seconds; and hangs up after two</description></item>
/// <item><term>answer5</term><description>rings five seconds, then answers</description></item>
/// <item><term>bye, bye3</term><description>answers, and hangs up after one or three seconds</description></item>
/// <item><term>anything else</term><description>a phone that rings <see cref="SimulatorOptions.RingTime"/> and answers</description></item>
/// </list>
/// Beside them <c>null/x</c> answers at once, <c>null/cause-CAUSE</c> and <c>error/CAUSE</c> fail, and
/// <c>loopback/extension</c> goes to the dialplan. Its extensions are echo, wait, milliwatt, moh, play (ends after a
/// second), busy, ring, congestion and cause34 (end with that cause); of the recordings 1000 (echo), 1001 (tone), 1002
/// (rings), 1003 (busy), 1004 (early media), 1005 (ends after a second), 1006 (park), 3000 (conference) and 2NNNN
/// (calls NNNN); 7777 and nosuch… do not exist; any other one calls the phone of that number and bridges. Phones speak
/// PCMU only, so the dialplan cannot bridge a null/ or loopback/ leg, which is L16, to one: both end with
/// INCOMPATIBLE_DESTINATION, as on the real server without transcoding.
/// </summary>
public sealed class FreeSwitchSimulator : ServerSimulator
{
    private readonly FreeSwitchSimulatorOptions _options;
    private readonly Switchboard _switch;

    private FreeSwitchSimulator(FreeSwitchSimulatorOptions options)
        : base(options)
    {
        _options = options;
        _switch = new Switchboard(options) { ShutdownWanted = () => _ = RestartAsync(Lifetime.Token), CrashWanted = () => _ = KillAsync(Lifetime.Token), ReloadWanted = Reload };
        Listen();
    }

    /// <inheritdoc/>
    public override int ActiveChannels => _switch.ChannelCount;

    /// <inheritdoc/>
    public override int ActiveCalls => _switch.CallCount;

    /// <summary>Connections that are logged in, and not about to go.</summary>
    internal int Listeners => _switch.ListenerCount;

    /// <summary>Commands taken so far, over all connections.</summary>
    public long CommandsReceived => _switch.CommandsReceived;

    /// <summary>Shell commands that reached the server's system function, by whatever way. None is ever run.</summary>
    public IReadOnlyList<string> SystemCommands
    {
        get
        {
            lock (_switch.Sync) return [.. _switch.SystemCommands];
        }
    }

    /// <summary>Starts a simulator.</summary>
    /// <exception cref="SocketException">The port is taken.</exception>
    public static FreeSwitchSimulator Start(FreeSwitchSimulatorOptions? options = null) => new(options ?? new FreeSwitchSimulatorOptions());

    /// <summary>As <c>fsctl shutdown</c> and a new start: ends all calls with SYSTEM_SHUTDOWN, says so, closes, refuses for a while, and is back with another Core-UUID.</summary>
    public override async Task RestartAsync(CancellationToken cancellationToken)
    {
        _switch.ShutDown();
        StopListening(c => ((EslConnection)c).CloseForShutdown());
        await ComeBackAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As a killed process and a new start: every connection just ends, the calls are gone, and it is back with another Core-UUID.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        StopListening(c => c.Close());
        await ComeBackAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override void HangUpByPhone(string channel) => _switch.HangUpByPhone(channel);

    /// <inheritdoc/>
    public override string StartIncomingCall(string from, string exten) => _switch.StartIncomingCall(from, exten);

    private protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _switch.Clear();
    }

    private protected override SimulatorConnection Connect(Stream stream) => new EslConnection(stream, _switch, _options);

    private protected override void Disconnected(SimulatorConnection connection) => _switch.Remove((EslConnection)connection);

    private async Task ComeBackAsync(CancellationToken cancellationToken)
    {
        _switch.Clear();
        await Task.Delay(_options.RestartTime, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        _switch.Boot();
        Listen();
    }

    // reload mod_event_socket: only the socket goes and comes.
    private void Reload()
    {
        StopListening(c => ((EslConnection)c).CloseForShutdown());
        Listen();
    }
}
