using System.Runtime.CompilerServices;
using System.Text;
using IfBus.Sip.Adapters.Connection;

namespace IfBus.Sip.Adapters.Http;

/// <summary>Finds out that a port speaks clear text where TLS was asked for, and the other way round. By what the port itself says.</summary>
internal static class HttpTls
{
    // A server of HTTP that reads clear text waits for the end of a line, and a greeting of TLS has none: it says nothing.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(2);

    /// <summary>Connects; if the server is silent to TLS, asks on a second connection whether it answers in clear text. No secret goes over that.</summary>
    /// <exception cref="SipConnectionException">It cannot be connected to, or does not speak TLS.</exception>
    public static async Task<Stream> OpenAsync(WireEndpoint endpoint, TimeProvider time, CancellationToken cancellationToken)
    {
        if (!endpoint.UseTls) return await endpoint.OpenAsync(cancellationToken).ConfigureAwait(false);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        Task<Stream> opening = endpoint.OpenAsync(end.Token);
        try
        {
            return await opening.WaitAsync(Silence, time, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException) when (!opening.IsCompleted)
        {
            // Asked below.
        }

        string? said = await ClearTextAsync(endpoint, time, cancellationToken).ConfigureAwait(false);
        if (said is null || opening.IsCompleted) return await opening.ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        _ = opening.ContinueWith(static t => t.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
        throw new SipConnectionException($"{endpoint} does not speak TLS on this port: it answers in clear text ('{SipText.Printable(said)}').", null, "SipTlsFailed") { NothingDone = true };
    }

    /// <summary>True if the port answers a greeting of TLS with one, whatever its certificate.</summary>
    public static async Task<bool> IsSpokenAsync(WireEndpoint endpoint, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Longest, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            Stream stream = await (endpoint with { UseTls = true, SkipCertificateCheck = true, Authority = null }).OpenAsync(end.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable _ = stream.ConfigureAwait(false);
            return true;
        }
        catch (Exception e) when (e is SipConnectionException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    // The first line of HTTP that it answers; null if it answers none, or says that it wants TLS.
    private static async Task<string?> ClearTextAsync(WireEndpoint endpoint, TimeProvider time, CancellationToken cancellationToken)
    {
        using var limit = new CancellationTokenSource(Longest, time);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        var text = new StringBuilder();
        try
        {
            Stream stream = await (endpoint with { UseTls = false, SkipCertificateCheck = false, Authority = null }).OpenAsync(end.Token).ConfigureAwait(false);
            await using ConfiguredAsyncDisposable _ = stream.ConfigureAwait(false);
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET / HTTP/1.1\r\nHost: {endpoint.Host}\r\nConnection: close\r\n\r\n"), end.Token).ConfigureAwait(false);
            byte[] buffer = new byte[1024];
            while (text.Length < 4096 && await stream.ReadAsync(buffer, end.Token).ConfigureAwait(false) is > 0 and int count) text.Append(Encoding.Latin1.GetString(buffer, 0, count));
        }
        catch (Exception e) when (e is SipConnectionException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            // What has come so far counts.
        }

        string said = text.ToString();
        if (!said.StartsWith("HTTP/", StringComparison.Ordinal) || said.Contains("HTTPS", StringComparison.OrdinalIgnoreCase) || said.Contains("SSL", StringComparison.OrdinalIgnoreCase)) return null;
        return said.Split('\r', '\n')[0];
    }
}
