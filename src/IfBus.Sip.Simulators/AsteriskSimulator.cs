using System.Net.Security;
using System.Net.Sockets;
using IfBus.Sip.Simulators.Asterisk;

namespace IfBus.Sip.Simulators;

/// <summary>
/// Plays an Asterisk's Manager Interface on 127.0.0.1, as recorded from Asterisk 22.10 and 16.28. The number that is
/// called, in <c>PJSIP/number</c>, as extension, or in <c>Local/number@context</c>, decides what its phone does; a
/// leading <c>sipp-</c> or <c>dial-</c> is left out of the reckoning:
/// <list type="table">
/// <item><term>busy…, or …486</term><description>is busy: SIP 486, cause 17</description></item>
/// <item><term>reject…, decline…</term><description>refuses: SIP 603, cause 21</description></item>
/// <item><term>notfound…</term><description>is not known at the far end: SIP 404, cause 1</description></item>
/// <item><term>ring…, noanswer…</term><description>rings for ever</description></item>
/// <item><term>dead…</term><description>never answers at all</description></item>
/// <item><term>nosuch…</term><description>is no endpoint; as extension it does not exist</description></item>
/// <item><term>unreach…, nocontact…</term><description>cannot be reached: no channel is made</description></item>
/// <item><term>answer5</term><description>rings five seconds, then answers</description></item>
/// <item><term>bye, bye3</term><description>answers, and hangs up after one or three seconds</description></item>
/// <item><term>cause34, congestion</term><description>ends with that cause</description></item>
/// <item><term>echo, wait, milliwatt, moh, play</term><description>as extension: an application that answers by itself; play ends after a second</description></item>
/// <item><term>prompt-answer, prompt-busy…</term><description>as extension: says something for a second, then dials that phone</description></item>
/// <item><term>forge, forgedata</term><description>as extension: put what the variable FORGED has, URI-decoded, line breaks too, into the variable EVIL, or into the arguments of Echo</description></item>
/// <item><term>anything else</term><description>a phone that rings <see cref="SimulatorOptions.RingTime"/> and answers</description></item>
/// </list>
/// </summary>
public sealed class AsteriskSimulator : ServerSimulator
{
    private readonly AsteriskSimulatorOptions _options;
    private readonly Switchboard _switch;

    private AsteriskSimulator(AsteriskSimulatorOptions options)
        : base(options)
    {
        _options = options;
        _switch = new Switchboard(options) { RestartWanted = () => _ = RestartAsync(Lifetime.Token), StopWanted = () => Task.Run(Stop) };
        Listen();
    }

    /// <inheritdoc/>
    public override bool Tls => _options.Certificate is not null;

    /// <inheritdoc/>
    public override int ActiveChannels => _switch.ChannelCount;

    /// <inheritdoc/>
    public override int ActiveCalls => _switch.CallCount;

    /// <summary>Actions taken so far.</summary>
    public long ActionsReceived => _switch.ActionsReceived;

    /// <summary>Ids of the recordings that take down silence now.</summary>
    public IReadOnlyList<string> MutedRecordings => _switch.MutedRecordings;

    /// <summary>Starts a simulator.</summary>
    /// <exception cref="SocketException">The port is taken.</exception>
    public static AsteriskSimulator Start(AsteriskSimulatorOptions? options = null) => new(options ?? new AsteriskSimulatorOptions());

    /// <summary>As <c>core restart now</c>: ends all calls for the shutdown, says Shutdown, closes, refuses for a while, and is back with FullyBooted after the first logins.</summary>
    public override async Task RestartAsync(CancellationToken cancellationToken)
    {
        _switch.ShutDown(restart: true);
        StopListening(c => c.CloseWhenWritten());
        await Task.Delay(_options.RestartTime, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        _switch.Boot();
        Listen();
        await Task.Delay(_options.RestartTime, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        _switch.Booted();
    }

    // The end of core stop gracefully: nobody listens any more.
    private void Stop()
    {
        _switch.ShutDown(restart: false);
        StopListening(c => c.CloseWhenWritten());
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

    private protected override SimulatorConnection Connect(Stream stream) => new ManagerConnection(stream, _switch, _options);

    private protected override void Disconnected(SimulatorConnection connection) => _switch.Remove((ManagerConnection)connection);

    private protected override async Task<Stream> SecureAsync(Stream stream)
    {
        if (_options.Certificate is not { } certificate) return stream;
        var tls = new SslStream(stream);
        await tls.AuthenticateAsServerAsync(certificate).ConfigureAwait(false);
        return tls;
    }
}
