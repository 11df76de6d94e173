using IfBus.Sip.Simulators.OpenSips;

namespace IfBus.Sip.Simulators;

/// <summary>
/// A simulated OpenSIPS 3.6: its management interface over HTTP and its event stream, with calls that pass through, calls
/// that it joins, and phones. What a number's phone does: busy, reject, notfound refuse; ring rings for ever; bye hangs up
/// after a second, byeN after N; answerN rings for N seconds; nosuch is not registered; every other number answers.
/// With a <see cref="SimulatorOptions.Secret"/> a reverse proxy before it asks for a login, Basic or Bearer.
/// </summary>
public sealed class OpenSipsSimulator : ServerSimulator
{
    private readonly OpenSipsSimulatorOptions _options;
    private readonly ProxyCore _core;

    private OpenSipsSimulator(OpenSipsSimulatorOptions options)
        : base(options)
    {
        _options = options;
        _core = new ProxyCore(options);
        Listen();
    }

    /// <inheritdoc/>
    public override int ActiveChannels => _core.LegCount;

    /// <inheritdoc/>
    public override int ActiveCalls => _core.CallCount;

    /// <summary>Requests taken so far.</summary>
    public long RequestsReceived => _core.RequestsReceived;

    /// <summary>Starts a simulator.</summary>
    /// <exception cref="System.Net.Sockets.SocketException">The port is taken.</exception>
    public static OpenSipsSimulator Start(OpenSipsSimulatorOptions? options = null) => new(options ?? new OpenSipsSimulatorOptions());

    /// <summary>As a killed process and a new start: calls and subscriptions are gone without a word.</summary>
    public override async Task RestartAsync(CancellationToken cancellationToken)
    {
        StopListening(c => c.Close());
        _core.Clear();
        await Task.Delay(_options.RestartTime, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        _core.Boot();
        Listen();
    }

    /// <summary>The phone of a number, or at a leg, hangs up all that it talks in.</summary>
    /// <param name="channel">Number of the phone, or id of the leg.</param>
    public override void HangUpByPhone(string channel) => _core.HangUpByPhone(channel);

    /// <summary>A phone calls a number through the server. Returns the SIP Call-ID.</summary>
    public override string StartIncomingCall(string from, string exten) => _core.StartCall(from, exten, null);

    /// <summary>The caller gives a call up that rings.</summary>
    /// <param name="sipCallId">Its SIP Call-ID.</param>
    public void CancelCall(string sipCallId) => _core.Cancel(sipCallId);

    /// <summary>How many calls the phone of a number talks in.</summary>
    public int Talking(string number) => _core.Talking(number);

    /// <summary>Lets the list of registrations show a number.</summary>
    public void Register(string number) => _core.Register(number, $"sip:{number}@127.0.0.1:5070", 3600);

    private protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing) _core.Dispose();
    }

    private protected override SimulatorConnection Connect(Stream stream) => new MiConnection(stream, _core, _options);

    private protected override void Disconnected(SimulatorConnection connection) => _core.Disconnected((MiConnection)connection);
}
