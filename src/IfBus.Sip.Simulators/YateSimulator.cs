using System.Net.Sockets;
using IfBus.Sip.Simulators.Yate;

namespace IfBus.Sip.Simulators;

/// <summary>
/// Plays a Yate's external module on 127.0.0.1, as recorded from Yate 6.4.1. A number is routed as the recorded server
/// routes it:
/// <list type="table">
/// <item><term>1001, 1002, 1005</term><description>dial tone, 1 kHz tone, music; answer at once without call.answered</description></item>
/// <item><term>1003</term><description>rings for ever inside the engine (dumb/)</description></item>
/// <item><term>1004</term><description>is refused by the route: error=busy</description></item>
/// <item><term>20xx, 3001, 3002</term><description>a conference room; record; play a file</description></item>
/// <item><term>40xx</term><description>a phone that rings <see cref="SimulatorOptions.RingTime"/> and answers</description></item>
/// <item><term>41xx</term><description>a phone that rings for ever</description></item>
/// <item><term>42xx, 44xx, 45xx, 46xx, 47xx</term><description>phones that refuse: SIP 486, 603, 404, 480, 503</description></item>
/// <item><term>43xx</term><description>sends sound first (183), answers, hangs up after <see cref="YateSimulatorOptions.TalkTime"/></description></item>
/// <item><term>48xx</term><description>sends sound first, answers, stays</description></item>
/// <item><term>49xx</term><description>a phone that answers, and refuses re-INVITEs: SIP 488</description></item>
/// <item><term>5…</term><description>has no route</description></item>
/// </list>
/// Other numbers say themselves what their phone does, as with the other simulators, with or without a leading
/// <c>sipp-</c> or <c>dial-</c>, and so do the users in <c>sip/sip:user@host:port</c>:
/// <list type="table">
/// <item><term>busy…, or …486</term><description>is busy: SIP 486</description></item>
/// <item><term>reject…, decline…</term><description>refuses: SIP 603</description></item>
/// <item><term>notfound…, unreach…, nocontact…</term><description>SIP 404; SIP 480</description></item>
/// <item><term>ring…, noanswer…</term><description>rings for ever</description></item>
/// <item><term>dead…</term><description>never answers at all: SIP 408 after 7.5 s</description></item>
/// <item><term>nosuch…</term><description>has no route</description></item>
/// <item><term>cause34, congestion</term><description>is refused by the route with that reason</description></item>
/// <item><term>early…, earlybye2</term><description>sends sound first, then answers; hangs up after two seconds</description></item>
/// <item><term>answer5</term><description>rings five seconds, then answers</description></item>
/// <item><term>bye, bye3</term><description>answers, and hangs up after one or three seconds</description></item>
/// <item><term>milliwatt, moh, play, echo, wait</term><description>a tone, music, a file, silence</description></item>
/// <item><term>anything else</term><description>a phone that rings and answers</description></item>
/// </list>
/// Files whose name begins with none or nosuch are not there. Nobody is asked for a user or a secret. Not played are
/// rmanager, clients that are a channel themselves (%%&gt;connect:channel), the call generator, and chan.operation of
/// pbxassist.
/// </summary>
public sealed class YateSimulator : ServerSimulator
{
    private readonly YateSimulatorOptions _options;
    private readonly YateEngine _engine;

    private YateSimulator(YateSimulatorOptions options)
        : base(options)
    {
        _options = options;
        _engine = new YateEngine(options);
        Listen();
    }

    /// <inheritdoc/>
    public override int ActiveChannels => _engine.ChannelCount;

    /// <inheritdoc/>
    public override int ActiveCalls => _engine.CallCount;

    /// <summary>Messages of clients taken so far.</summary>
    public long MessagesReceived => _engine.Loop.Do(() => _engine.MessagesReceived);

    /// <summary>What is being recorded now: leg, which side of it (call or peer), and file.</summary>
    public IReadOnlyList<(string Leg, string Side, string File)> Recordings => _engine.Loop.Do(() => _engine.Pbx.Recordings.Where(r => !r.Leg.Dead).Select(r => (r.Leg.Id, r.What, r.File)).ToArray());

    /// <summary>Programs that it was told to run with engine.command. None is ever run.</summary>
    public IReadOnlyList<string> ExternalCommands => _engine.Loop.Do(() => _engine.Commands.ToArray());

    /// <summary>What went wrong inside the simulator itself; null as long as it is sound.</summary>
    public Exception? Failure => _engine.Loop.Failure;

    /// <summary>Starts a simulator.</summary>
    /// <exception cref="SocketException">The port is taken.</exception>
    public static YateSimulator Start(YateSimulatorOptions? options = null) => new(options ?? new YateSimulatorOptions());

    /// <summary>As an orderly stop and a new start: tells engine.stop, ends all calls, asks the handlers of engine.halt, closes, refuses for a while, and is back with another run id.</summary>
    public override async Task RestartAsync(CancellationToken cancellationToken)
    {
        Task stopped = await _engine.Loop.DoAsync(_engine.StopAsync).ConfigureAwait(false);
        await stopped.WaitAsync(cancellationToken).ConfigureAwait(false);
        StopListening(c => c.CloseWhenWritten());
        await ComeBackAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>As a killed process and a new start: every connection just ends, the calls are gone, and it is back with another run id.</summary>
    public async Task KillAsync(CancellationToken cancellationToken)
    {
        StopListening(c => c.Close());
        await ComeBackAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public override void HangUpByPhone(string channel) => _engine.Loop.Do(() =>
    {
        _engine.Loop.Go(Leg(channel).HangUpByPhoneAsync());
        return true;
    });

    /// <inheritdoc/>
    public override string StartIncomingCall(string from, string exten) => _engine.Loop.Do(() => _engine.Sip.Incoming(from, exten).Id);

    /// <summary>Keys are pressed at the phone of a leg, and sent by SIP INFO.</summary>
    /// <param name="channel">Id of the leg.</param>
    /// <param name="digits">The keys.</param>
    public void PressKeys(string channel, string digits) => _engine.Loop.Do(() =>
    {
        Leg(channel).Press(digits);
        return true;
    });

    /// <summary>The phone of a leg holds by a re-INVITE of its own, or takes the call back.</summary>
    /// <param name="channel">Id of the leg.</param>
    /// <param name="hold">Hold, or take back.</param>
    public void HoldByPhone(string channel, bool hold) => _engine.Loop.Do(() =>
    {
        Leg(channel).Hold(hold);
        return true;
    });

    /// <summary>The digits that the phone of a leg got; null if there is no such leg.</summary>
    /// <param name="channel">Id of the leg.</param>
    public string? DigitsOf(string channel) => _engine.Loop.Do(() => (_engine.Sip.Find(channel) as SipChannel)?.DigitsReceived);

    /// <summary>The direction of the sound that the phone of a leg was put into by a re-INVITE: sendonly, sendrecv; empty before the first.</summary>
    /// <param name="channel">Id of the leg.</param>
    public string? DirectionOf(string channel) => _engine.Loop.Do(() => (_engine.Sip.Find(channel) as SipChannel)?.RemoteDirection);

    /// <summary>A phone registers. Returns the SIP status it gets.</summary>
    /// <param name="user">Its user.</param>
    /// <param name="password">Its password.</param>
    /// <param name="expires">Seconds; 0 takes the registration back.</param>
    public async Task<int> RegisterPhoneAsync(string user, string password, int expires = 120)
    {
        Task<int> registering = await _engine.Loop.DoAsync(() => _engine.Registrar.RegisterAsync(YateText.Of(user), password, expires)).ConfigureAwait(false);
        return await registering.ConfigureAwait(false);
    }

    private protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        _engine.Loop.Post(_engine.End);
    }

    private protected override SimulatorConnection Connect(Stream stream) => new ExtModConnection(stream, _engine, Port);

    private protected override void Disconnected(SimulatorConnection connection) => _engine.Loop.Post(((ExtModConnection)connection).Leave);

    private SipChannel Leg(string channel) => _engine.Sip.Find(channel) as SipChannel ?? throw new ArgumentException($"No such SIP leg: {channel}", nameof(channel));

    private async Task ComeBackAsync(CancellationToken cancellationToken)
    {
        await _engine.Loop.DoAsync(() =>
        {
            _engine.End();
            return true;
        }).ConfigureAwait(false);
        await Task.Delay(_options.RestartTime, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        await _engine.Loop.DoAsync(() =>
        {
            _engine.Boot();
            return true;
        }).ConfigureAwait(false);
        Listen();
    }
}
