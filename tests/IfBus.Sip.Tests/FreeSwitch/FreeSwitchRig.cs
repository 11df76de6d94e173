using System.Net;
using System.Net.Sockets;
using System.Text;
using IfBus.Sip.Adapters.FreeSwitch;
using IfBus.Sip.Simulators;
using IfBus.Sip.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace IfBus.Sip.Tests.FreeSwitch;

/// <summary>
/// An adapter on a clock of the test's before a simulator, with a line between them that can be cut and that can change
/// what the adapter asks for.
/// </summary>
internal sealed class FreeSwitchRig : IAsyncDisposable
{
    private readonly Relay _relay;
    private readonly object _gate = new();
    private readonly List<string> _sent = [];
    private Func<string, string> _change = static command => command;

    private FreeSwitchRig(FreeSwitchSimulator server, NetworkCredential credential, TimeSpan requestTimeout, string? template)
    {
        Server = server;
        _relay = new Relay("127.0.0.1", server.Port, HandOnAsync);
        var configuration = new SipServerConfiguration
        {
            Type = SipServerType.FreeSwitch,
            Host = "127.0.0.1",
            Port = _relay.Port,
            Credential = credential,
            EndpointTemplate = template ?? "sofia/gateway/answer/{0}",
            // The clock of the test may run far ahead of the machine's.
            ConnectTimeout = TimeSpan.FromHours(1),
            RequestTimeout = requestTimeout,
            KeepAlive = TimeSpan.FromHours(10),
            Reconnect = new SipReconnectPolicy { BaseDelay = TimeSpan.FromMilliseconds(10), MaxDelay = TimeSpan.FromMilliseconds(10) },
        };
        FreeSwitchAdapter.Complete(configuration);
        Adapter = new FreeSwitchAdapter(configuration, NullLogger.Instance, Time);
    }

    public FreeSwitchSimulator Server { get; }

    public FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public FreeSwitchAdapter Adapter { get; }

    /// <summary>The commands that the adapter sent, each with its headers.</summary>
    public string[] Sent
    {
        get
        {
            lock (_gate) return [.. _sent];
        }
    }

    /// <summary>Starts both and connects.</summary>
    /// <param name="user">Who logs in; null for the server's one password.</param>
    /// <param name="requestTimeout">How long the adapter waits for an answer.</param>
    /// <param name="template">How it dials a number.</param>
    /// <param name="ringTime">How long a phone rings before it answers, on the machine's clock.</param>
    public static async Task<FreeSwitchRig> StartAsync(FreeSwitchSimulatorUser? user = null, TimeSpan? requestTimeout = null, string? template = null, TimeSpan? ringTime = null)
    {
        var server = FreeSwitchSimulator.Start(new FreeSwitchSimulatorOptions { RingTime = ringTime ?? TimeSpan.FromMilliseconds(20), RestartTime = TimeSpan.FromMilliseconds(20), Users = user is null ? [] : [user] });
        NetworkCredential credential = user is null ? new NetworkCredential("freeswitch", server.Secret) : new NetworkCredential($"{user.Name}@{user.Domain}", user.Password);
        var rig = new FreeSwitchRig(server, credential, requestTimeout ?? TimeSpan.FromHours(1), template);
        await rig.Adapter.ConnectAsync(default);
        return rig;
    }

    /// <summary>From now on each command goes through this. None may get lost: the server's replies are told apart by their order.</summary>
    public void Change(Func<string, string> change) => Volatile.Write(ref _change, change);

    /// <summary>From now on commands that begin so are not carried out, and nothing is told of them but that they were taken.</summary>
    public void Lose(string beginning) => Change(command => command.StartsWith(beginning, StringComparison.Ordinal) ? "bgapi status\nJob-UUID: lost" : command);

    /// <summary>From now on nothing is changed.</summary>
    public void LeaveAlone() => Change(static command => command);

    /// <summary>Cuts the line; the adapter has seen it when this returns.</summary>
    public async Task CutAsync()
    {
        _relay.Cut();
        await Until.TrueAsync(() => Adapter.Server.State != ConnectionState.Connected);
    }

    /// <summary>Mends the line; the adapter is connected when this returns.</summary>
    public async Task MendAsync()
    {
        _relay.Mend();
        await UntilAsync(() => Adapter.Server.State == ConnectionState.Connected, TimeSpan.FromMilliseconds(20));
    }

    /// <summary>Waits for what the server and the clock of the test come to.</summary>
    public Task UntilAsync(Func<bool> condition, TimeSpan? step = null) => Until.TrueAsync(() =>
    {
        if (condition()) return true;
        Time.Advance(step ?? TimeSpan.FromMilliseconds(200));
        return condition();
    });

    /// <summary>Lets the adapter's clock run, with time for what that starts.</summary>
    public async Task PassAsync(TimeSpan time)
    {
        TimeSpan step = TimeSpan.FromMilliseconds(200);
        for (TimeSpan at = TimeSpan.Zero; at < time; at += step)
        {
            Time.Advance(step);
            // An answer of the server is a round trip on loopback: what was asked for by then has been answered.
            await Adapter.InvokeCommandAsync(new SipCommandRequest("version", []), default);
        }
    }

    /// <summary>A call in a state.</summary>
    public async Task<SipCall> CallAsync(SipCallRequest request, CallState state = CallState.Connected)
    {
        SipCall call = await Adapter.MakeCallAsync(request, default);
        await Until.TrueAsync(() => Now(call).State == state || Now(call).IsEnded);
        Assert.Equal(state, Now(call).State);
        return Now(call);
    }

    /// <summary>Two phones that talk.</summary>
    public async Task<SipCall> PairAsync()
    {
        SipCall call = await CallAsync(new SipCallRequest { From = "5", To = "sofia/gateway/answer/1" });
        Assert.Equal(2, Up(call));
        return call;
    }

    public SipCall Now(SipCall call) => Adapter.FindCall(call.CallId)!;

    public int Up(SipCall call) => Now(call).Legs.Count(l => l.State == "ACTIVE");

    public async ValueTask DisposeAsync()
    {
        LeaveAlone();
        _relay.Mend();
        // Its good-bye has a deadline on the test's clock.
        Task gone = Adapter.DisposeAsync().AsTask();
        await UntilAsync(() => gone.IsCompleted);
        _relay.Dispose();
        Server.Dispose();
    }

    private async Task HandOnAsync(NetworkStream client, NetworkStream server)
    {
        var waiting = new StringBuilder();
        byte[] buffer = new byte[64 * 1024];
        while (await client.ReadAsync(buffer) is > 0 and int count)
        {
            waiting.Append(Encoding.Latin1.GetString(buffer, 0, count));
            string text = waiting.ToString();
            int from = 0;
            for (int end; (end = text.IndexOf("\n\n", from, StringComparison.Ordinal)) >= 0; from = end + 2)
            {
                string command = text[from..end];
                lock (_gate) _sent.Add(command);
                await server.WriteAsync(Encoding.Latin1.GetBytes(Volatile.Read(ref _change)(command) + "\n\n"));
            }

            waiting.Remove(0, from);
        }
    }
}
