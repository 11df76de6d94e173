using IfBus.Sip.Adapters.Connection;
using Microsoft.Extensions.Logging;

namespace IfBus.Sip.Adapters.Yate;

/// <summary>
/// Keeps legs that lose their partner from being hung up. The engine asks a handler of chan.disconnected before it does
/// so, and applies a call.execute that comes with the id of that question to the leg (wire/yate, disconnect-reroute,
/// hold-resume-two-legs; Yate 6.4.1). It asks about the legs of one call only (filter by billid), over a connection of
/// its own, so that nobody else's calls wait for us and nothing stays behind when we go.
/// </summary>
internal sealed class YateGuard : IExtModuleSink, IAsyncDisposable
{
    // Before those of other modules.
    private const int Priority = 10;

    private readonly object _gate = new();
    private readonly HashSet<string> _kept = new(StringComparer.Ordinal);
    private readonly string _music;
    private ExtModuleSession? _session;

    private YateGuard(string music) => _music = music;

    /// <summary>Opens the connection and stands guard.</summary>
    /// <param name="endpoint">The engine.</param>
    /// <param name="configuration">Time limits.</param>
    /// <param name="billId">What the legs of the call share.</param>
    /// <param name="music">Where a leg goes that is kept: driver/address.</param>
    /// <param name="log">Log.</param>
    /// <param name="time">Clock.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public static async Task<YateGuard> OpenAsync(WireEndpoint endpoint, SipServerConfiguration configuration, string billId, string music, ILogger log, TimeProvider time, CancellationToken cancellationToken)
    {
        // It goes into a command that is not escaped. An engine's billid is its run and a number.
        if (billId.Length == 0 || billId.Any(c => !char.IsAsciiLetterOrDigit(c) && c is not ('-' or '.' or '_'))) throw new SipProtocolException($"The server's billid '{SipText.Printable(billId)}' is none that a handler can be filtered by.");
        var guard = new YateGuard(music);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(configuration.ConnectTimeout);
        try
        {
            guard._session = await ExtModuleSession.OpenAsync(endpoint, configuration, guard, log, time, limit.Token).ConfigureAwait(false);
            ExtModuleAnswer installed = await guard._session.LocalAsync("install", $"{Priority}:chan.disconnected:billid:{billId}", limit.Token).ConfigureAwait(false);
            return installed.Processed ? guard : throw new SipProtocolException("The server takes no handler of chan.disconnected.");
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            await guard.DisposeAsync().ConfigureAwait(false);
            throw new SipTimeoutException($"{endpoint} did not take a second connection within {configuration.ConnectTimeout.TotalSeconds:0.###} s. Nothing was changed.", configuration.ConnectTimeout, e);
        }
        catch
        {
            await guard.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>From now on these legs are kept, and no others.</summary>
    public void Keep(params YateLeg[] legs)
    {
        lock (_gate)
        {
            _kept.Clear();
            foreach (YateLeg leg in legs) _kept.Add(leg.Id);
        }
    }

    /// <summary>Keeps nothing any more. Never waits.</summary>
    public void Release()
    {
        Keep();
        _ = Task.Run(async () => await DisposeAsync().ConfigureAwait(false));
    }

    /// <inheritdoc/>
    public void OnRequest(ExtModuleSession session, scoped in YateLine message, ReadOnlySpan<byte> line)
    {
        byte[] id = message.Id.ToArray();
        string? leg = message.Text("id"u8);
        bool keep;
        lock (_gate) keep = leg is not null && _kept.Contains(leg);
        if (keep) session.Answer(id, processed: true, before: new ExtModuleMessage("call.execute") { { "id", leg }, { "callto", _music }, { "reason", "hold" } });
        else session.Answer(id, processed: false, YateText.Decode(message.Value));
    }

    /// <inheritdoc/>
    public void OnMessage(scoped in YateLine message, ReadOnlySpan<byte> line)
    {
    }

    /// <inheritdoc/>
    public void OnReadBegins()
    {
    }

    /// <inheritdoc/>
    public void OnReadEnds()
    {
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_session is not null) await _session.DisposeAsync().ConfigureAwait(false);
    }
}
