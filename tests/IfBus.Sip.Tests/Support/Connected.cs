using System.Net;

namespace IfBus.Sip.Tests.Support;

/// <summary>Connects adapters to peers of a test.</summary>
internal static class Connected
{
    /// <summary>A connected adapter; one that does not come to it is let go.</summary>
    public static async Task<ISipAdapter> ToAsync(SipServerType type, int port, double seconds, double requestSeconds, double keepAlive, NetworkCredential? credential = null, ISipLog? log = null, TimeProvider? time = null, SipReconnectPolicy? reconnect = null)
    {
        ISipAdapter adapter = new Adapters.SipAdapterFactory(time ?? TimeProvider.System).Create(
            new SipServerConfiguration
            {
                Type = type,
                Host = "127.0.0.1",
                Port = port,
                Credential = credential,
                ConnectTimeout = TimeSpan.FromSeconds(seconds),
                RequestTimeout = TimeSpan.FromSeconds(requestSeconds),
                KeepAlive = TimeSpan.FromSeconds(keepAlive),
                Reconnect = reconnect ?? new SipReconnectPolicy(),
            },
            log);
        try
        {
            await adapter.ConnectAsync(default);
            return adapter;
        }
        catch
        {
            await adapter.DisposeAsync();
            throw;
        }
    }
}
