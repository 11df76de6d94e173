using System.Net.Sockets;
using IfBus.Sip.Simulators.Flexisip;

namespace IfBus.Sip.Simulators;

/// <summary>
/// Plays FlexiAPI, the HTTP interface of Flexisip's account manager, on 127.0.0.1: version 2.0 or 2.1 as recorded from
/// 2.0.7 and from 2.1 (git d910ff6), with accounts in memory. It answers in plain HTTP. Its space is called by the host
/// name 127.0.0.1, unless the options have other spaces. Messages to a user whose name begins with nobody are refused, and
/// push notifications whose pn-prid begins with fail end as when the pusher failed.
/// </summary>
public sealed class FlexisipSimulator : ServerSimulator
{
    private readonly FlexisipSimulatorOptions _options;

    private FlexisipSimulator(FlexisipSimulatorOptions options)
        : base(options)
    {
        _options = options;
        Api = new FlexiApi(options);
        Listen();
    }

    /// <inheritdoc/>
    public override int ActiveChannels => 0;

    /// <inheritdoc/>
    public override int ActiveCalls => 0;

    /// <summary>Requests taken so far.</summary>
    public long Requests => Api.Requests;

    /// <summary>Accounts that exist.</summary>
    public int Accounts => Api.AccountCount;

    /// <summary>Push notifications that were sent, newest last: provider, pn-param, type.</summary>
    public IReadOnlyList<string> Pushes => Api.Pushes;

    /// <summary>Messages that were sent, newest last: to, a blank, text.</summary>
    public IReadOnlyList<string> SentMessages => Api.SentMessages;

    /// <summary>Told of every request before it is carried out: method and path. For tests of what happens in between.</summary>
    public Action<string, string>? RequestReceived
    {
        get => Api.RequestReceived;
        set => Api.RequestReceived = value;
    }

    internal FlexiApi Api { get; }

    /// <summary>Starts a simulator.</summary>
    /// <exception cref="SocketException">The port is taken.</exception>
    public static FlexisipSimulator Start(FlexisipSimulatorOptions? options = null) => new(options ?? new FlexisipSimulatorOptions());

    /// <summary>Gives an account an API key.</summary>
    /// <param name="address">The account, user@domain.</param>
    /// <param name="key">The key.</param>
    /// <param name="clientAddress">The only address that it works from; null for any.</param>
    public void AddApiKey(string address, string key, string? clientAddress = null) => Api.AddKey(address, key, clientAddress);

    /// <summary>A phone registers under an account.</summary>
    /// <param name="address">The account, user@domain.</param>
    /// <param name="uuid">Its instance id, urn:uuid:...</param>
    /// <param name="userAgent">Its User-Agent; App/Version (Device) is taken apart as the server does.</param>
    public void RegisterDevice(string address, string uuid, string userAgent) => Api.RegisterDevice(address, uuid, userAgent, null);

    /// <summary>A call that the proxy has told of.</summary>
    /// <param name="from">user@domain.</param>
    /// <param name="to">user@domain.</param>
    /// <param name="began">Begin, UTC.</param>
    /// <param name="answered">Answer, UTC; null if it was not answered.</param>
    /// <param name="ended">End, UTC; null if that has not been told.</param>
    public string AddCall(string from, string to, DateTime began, DateTime? answered, DateTime? ended) => Api.AddCall(from, to, began, answered, ended);

    /// <summary>A device that a call rang, as a row of the database.</summary>
    /// <param name="callId">The call's id.</param>
    /// <param name="device">The device's instance id.</param>
    /// <param name="rang">When it rang, UTC.</param>
    /// <param name="terminated">When its INVITE ended, UTC.</param>
    /// <param name="state">How: accepted, accepted_elsewhere, canceled, declined, declined_elsewhere, error.</param>
    public void AddCallDevice(string callId, string device, DateTime rang, DateTime? terminated, string state) => Api.AddCallDevice(callId, device, rang, terminated, state);

    /// <summary>Closes, refuses for a while, and is back with the same accounts, as a database keeps them.</summary>
    public override async Task RestartAsync(CancellationToken cancellationToken)
    {
        StopListening(c => c.Close());
        await Task.Delay(_options.RestartTime, _options.TimeProvider, cancellationToken).ConfigureAwait(false);
        Listen();
    }

    /// <summary>FlexiAPI has no calls.</summary>
    public override void HangUpByPhone(string channel) => throw new NotSupportedException("FlexiAPI has no calls.");

    /// <summary>FlexiAPI has no calls.</summary>
    public override string StartIncomingCall(string from, string exten) => throw new NotSupportedException("FlexiAPI has no calls.");

    private protected override SimulatorConnection Connect(Stream stream) => new FlexisipConnection(stream, Api, _options);

    private protected override void Disconnected(SimulatorConnection connection)
    {
    }
}
